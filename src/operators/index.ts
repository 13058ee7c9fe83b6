/**
 * What operators take and give, by their specification.
 *
 * @packageDocumentation
 */
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
