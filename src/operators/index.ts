/**
 * What operators take and give, by their specification.
 *
 * @packageDocumentation
 */
export {
  addressesMemory,
  cutsIntoParts,
  cutsOut,
  isArrangement,
  isLayoutOnly,
  keepsOrder,
  markPicks
} from './arrangement';
export { Arguments, UnsupportedCall } from './aten/arguments';
export { Call } from './aten/call';
export type { DtypeRule } from './aten/dtypes';
export type { IOperator, Lowered, LoweredOperator } from './aten/operator';
export { hasProjections } from './aten/projections';
export { promoteTypes, resultType } from './aten/promotion';
export {
  knownOperators,
  loweredOperator,
  loweredOperators,
  operatorOf,
  synonymsOf
} from './aten/registry';
export { batchedFactors, dtypeDemand } from './agreement';
export type { IDtypeDemand } from './agreement';
export { exactnessOf } from './exactness';
export {
  dtypeAttr,
  floatAttr,
  inlineTensor,
  intAttr,
  intsAttr,
  mapAttrs,
  NodeBuilder,
  onnxOperator,
  stringAttr
} from './builder';
export type { IResultType, Provenance } from './builder';
export { dtypeRule } from './resultdtypes';
export { isInPlace, mayShareMemory, writesInPlace } from './memory';
export {
  isVariadic,
  onnxOperators,
  onnxSchema,
  onnxSince,
  onnxVersions,
  parameterAt,
  typesOf
} from './onnxschemas';
export type { IOnnxParameter, IOnnxSchema } from './onnxschemas';
export { NEWEST_OPSET, ONNX_SCHEMAS_OF } from './onnxtable';
export { onnxTypeErrors, schemaOf } from './onnxtypeerrors';
export type { ITypedPart, OnnxTypeError } from './onnxtypeerrors';
export { planTypeRepairs } from './onnxtyperepairs';
export type { ITypeRepairs } from './onnxtyperepairs';
export { isRandom } from './random';
export { encodeNumbers, widenToFloat32 } from './numbers';
