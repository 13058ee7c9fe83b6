export { CPU_CAPABILITIES, CUDA_CAPABILITIES } from './capabilities';
export type { ICapabilities } from './capabilities';
export { carrierOf, castEnds, isShown, keepShownOutputs } from './ends';
export { legalize, passAsExported } from './legalize';
export type { IBoundary, ILegalGraph } from './legalize';
export { dtypeAttr, intAttr, intsAttr, NodeBuilder, onnxOperator, stringAttr } from '../operators';
export { LOWERED_OPSET, lowerToOnnx, unsupportedError, unsupportedOperators } from './lower';
export type { IUnsupported } from './lower';
export { loweredOperators } from '../operators';
