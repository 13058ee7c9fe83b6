/**
 * How close a value comes to what a low-precision dtype cannot hold.
 *
 * @packageDocumentation
 */
import { DTYPES } from '../model';
import type { DType } from '../model';
import type { ISummary } from './summary';

/** Distances to the limits of a dtype. Null where no element is finite, or none but zeros. */
export interface IHeadroom {
  readonly dtype: DType;
  /** Largest magnitude over the largest finite number of the dtype. */
  readonly overflowRatio: number | null;
  /** Binades between the two: -log2 of the ratio. Negative where the value is beyond. */
  readonly overflowBinades: number | null;
  /** Binades from the smallest normal number of the dtype up to the smallest magnitude above zero. Negative for subnormals. */
  readonly subnormalBinades: number | null;
  /** Share of finite elements, not zero, below 2^{@link NEAR_BINADES} times the smallest normal number. */
  readonly nearSubnormal: number | null;
}

/** Binades above the smallest normal number that count as near to it. */
export const NEAR_BINADES = 2;

/**
 * The headroom of a value in `dtype`, float16 or bfloat16 or narrower.
 *
 * #### Notes
 * The share is read off the histogram of exponents, so it is exact for values that float32 holds.
 */
export function headroomIn(dtype: DType, { stats, minMagnitude }: ISummary): IHeadroom {
  const { min, max, count, nan, inf, zeros, exponents } = stats;
  const smallestNormal = smallestNormalExponent(dtype);
  const ratio =
    min === null || max === null
      ? null
      : Math.max(Math.abs(min), Math.abs(max)) / largestFinite(dtype);
  const finite = count - nan - inf;
  let near = -zeros;
  for (let field = 0; field < 127 + smallestNormal + NEAR_BINADES; field++) {
    near += exponents[field];
  }
  return {
    dtype,
    overflowRatio: ratio,
    overflowBinades: ratio === null || ratio === 0 ? null : -Math.log2(ratio),
    subnormalBinades: minMagnitude === null ? null : Math.log2(minMagnitude) - smallestNormal,
    nearSubnormal: finite === 0 ? null : near / finite
  };
}

/** The largest finite number of a floating-point type: 65504 in float16. */
export function largestFinite(dtype: DType): number {
  const { precision, maxExponent } = DTYPES[dtype];
  // float8_e4m3fn has numbers in its last exponent, but for the last significand, which is NaN.
  const lost = dtype === 'float8_e4m3fn' ? 2 : 1;
  return (2 - lost * 2 ** (1 - precision!)) * 2 ** maxExponent!;
}

/** Exponent of the smallest normal number: -14 in float16. */
function smallestNormalExponent(dtype: DType): number {
  const { precision, minSubnormalExponent } = DTYPES[dtype];
  return minSubnormalExponent! + precision! - 1;
}
