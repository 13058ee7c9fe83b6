/**
 * What a device can do, as far as legalisation depends on it.
 *
 * @packageDocumentation
 */
import { isLowPrecision, isPacked } from '../model';
import type { DType } from '../model';
import { CUDA_KERNELS } from './cudakernels';
import { KernelTable } from './kernels';

/** Abilities of an execution provider. */
export interface ICapabilities {
  /** The provider's name in onnxruntime: `cpu`, `cuda`, ... */
  readonly provider: string;
  /**
   * Whether values of an element type are held in float32, because the provider has no kernels that compute in it. Casts to the
   * type are still executed, so that values are rounded to it.
   */
  readonly holds: (dtype: DType) => boolean;
  /** Kernels for the low-precision types that are not held. */
  readonly kernels: KernelTable;
  /**
   * Where weights stand in matrix products; null leaves them where they are. Gemm takes them as stored on either side.
   *
   * - `left`: for a provider that packs constant right operands. It has other kernels for them than for computed ones, with other
   *   rounding: then outputs would depend on when a weight is cast.
   * - `right`: for one that does not. The product needs no transposition, and a bias is added before the one rounding.
   */
  readonly weightSide: 'left' | 'right' | null;
  /** Whether the runtime takes and gives tensors of an element type. */
  readonly passes: (dtype: DType) => boolean;
}

/** Whether onnxruntime-node takes and gives tensors of a type. */
export function passesBinding(dtype: DType): boolean {
  return dtype === 'float16' || (!isLowPrecision(dtype) && !isPacked(dtype));
}

/** onnxruntime's CPU provider: no bfloat16 and float8 kernels, few float16 ones; packs constant right operands. */
export const CPU_CAPABILITIES: ICapabilities = {
  provider: 'cpu',
  holds: isLowPrecision,
  kernels: new KernelTable({}),
  weightSide: 'left',
  passes: dtype => !isLowPrecision(dtype) && !isPacked(dtype)
};

/** onnxruntime's CUDA provider: float16 and bfloat16 kernels for many operators. onnxruntime-node passes float16 only. */
export const CUDA_CAPABILITIES: ICapabilities = {
  provider: 'cuda',
  holds: dtype => isLowPrecision(dtype) && dtype !== 'float16' && dtype !== 'bfloat16',
  kernels: new KernelTable(CUDA_KERNELS),
  weightSide: 'right',
  passes: passesBinding
};
