/**
 * What a device can do, as far as legalisation depends on it.
 *
 * @packageDocumentation
 */
import { isLowPrecision } from '../model';
import type { DType } from '../model';

/** Abilities of an execution provider. */
export interface ICapabilities {
  /** The provider's name in onnxruntime: `cpu`, `cuda`, ... */
  readonly provider: string;
  /**
   * Whether values of an element type are held in float32, because the provider has no kernels that compute in it. Casts to the
   * type are still executed, so that values are rounded to it.
   */
  readonly holds: (dtype: DType) => boolean;
  /**
   * Whether weights must stand on the left of matrix products. A provider that packs constant right operands has other kernels
   * for them than for computed ones, with other rounding: then outputs would depend on when a weight is cast.
   */
  readonly weightsOnLeft: boolean;
}

/** onnxruntime's CPU provider: no bfloat16 and float8 kernels, few float16 ones; packs constant right operands. */
export const CPU_CAPABILITIES: ICapabilities = {
  provider: 'cpu',
  holds: isLowPrecision,
  weightsOnLeft: true
};
