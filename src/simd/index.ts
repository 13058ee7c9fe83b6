/**
 * The module: casts and statistics of float elements, on WebAssembly vectors.
 *
 * AssemblyScript, compiled by scripts/wasm.mjs; src/runtime/weightkernels.ts is its other end.
 */
export { capacity, firstBuffer, secondBuffer } from './buffers';
export {
  bfloat16ToFloat32,
  float16ToFloat32,
  float32ToBfloat16,
  float32ToFloat16,
  float32ToFloat64,
  float64ToFloat32
} from './casts';
export { beginStats, endStats, scanBfloat16, scanFloat16, scanFloat32, scanFloat64 } from './stats';
