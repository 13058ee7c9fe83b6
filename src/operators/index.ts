/**
 * What operators take and give, by their specification.
 *
 * @packageDocumentation
 */
export { cutsIntoParts, isArrangement, isLayoutOnly } from './arrangement';
export { Call } from './aten/call';
export { loweredOperators, ruleFor } from './aten/registry';
export type { IRule, Lowered } from './aten/rule';
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
export { encodeNumbers, widenToFloat32 } from './numbers';
export { synonymsOf } from './synonyms';
export { addressesMemory, viewArrangement, viewSchemas } from './views';
