/**
 * File formats: bytes to model and back.
 *
 * @packageDocumentation
 */
export * from './atomicfile';
export * from './byterange';
export * from './bytetransfer';
export { inferDtype } from './onnx/infer';
export * from './onnx/layouttypes';
export * from './onnx/rewrite';
export * from './onnx/write';
export * from './processtag';
export * from './endcleanup';
export * from './pt2/compiled';
export * from './pt2/rewrite';
export * from './pt2/write';
export * from './readmodel';
export * from './readweights';
export * from './safetensors';
export * from './zipfiles';
