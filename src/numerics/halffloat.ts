/**
 * bfloat16 and float16: rounding from float32 and widening back, on bits.
 *
 * Rounding is to nearest, ties to even, with subnormal results and overflow to infinity, as PyTorch (c10/util/BFloat16.h,
 * c10/util/Half.h) and onnxruntime's Cast do. NaN becomes the quiet NaN of the same sign; payloads are not kept, because
 * onnxruntime's own vector and scalar loops differ there.
 *
 * @packageDocumentation
 */

/** Bits of +infinity in float32. */
export const FLOAT32_INFINITY = 0x7f800000;

/** Smallest float32 magnitude, as bits, that float16 rounds to infinity: 65520, the tie between 65504 and 65536. */
export const FLOAT16_OVERFLOW = 0x477ff000;

/** Largest float32 magnitude, as bits, that float16 rounds to zero: 2^-25, the tie between 0 and 2^-24. */
export const FLOAT16_VANISH = 0x33000000;

/** Smallest float32 magnitude, as bits, that float16 rounds to a normal number: 2^-14 - 2^-25, a tie. */
export const FLOAT16_NORMAL = 0x387fe000;

/** Smallest float32 magnitude, as bits, that bfloat16 rounds to infinity. */
export const BFLOAT16_OVERFLOW = 0x7f7f8000;

/** Largest float32 magnitude, as bits, that bfloat16 rounds to zero: 2^-134. */
export const BFLOAT16_VANISH = 0x00008000;

/** Smallest float32 magnitude, as bits, that bfloat16 rounds to a normal number: 2^-126 - 2^-134, a tie. */
export const BFLOAT16_NORMAL = 0x007f8000;

/** The float32 number with these bits. */
export function float32OfBits(bits: number): number {
  return new Float32Array(Uint32Array.of(bits).buffer)[0];
}

/** Round float32 bits to bfloat16 bits. `target` is at least as long as `source`. */
export function roundToBfloat16(source: Uint32Array, target: Uint16Array): void {
  for (let i = 0; i < source.length; i++) {
    const bits = source[i];
    target[i] =
      (bits & 0x7fffffff) > FLOAT32_INFINITY
        ? ((bits >>> 16) & 0x8000) | 0x7fc0
        : (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
  }
}

/** Widen bfloat16 bits to float32 bits; exact. `target` is at least as long as `source`. */
export function widenBfloat16(source: Uint16Array, target: Uint32Array): void {
  for (let i = 0; i < source.length; i++) {
    target[i] = source[i] << 16;
  }
}

/** Round float32 bits to float16 bits. `target` is at least as long as `source`. */
export function roundToFloat16(source: Uint32Array, target: Uint16Array): void {
  for (let i = 0; i < source.length; i++) {
    const bits = source[i];
    const sign = (bits >>> 16) & 0x8000;
    const magnitude = bits & 0x7fffffff;
    let half: number;
    if (magnitude >= FLOAT16_OVERFLOW) {
      half = magnitude > FLOAT32_INFINITY ? 0x7e00 : 0x7c00;
    } else if (magnitude >= 0x38800000) {
      // Normal: re-bias the exponent from 127 to 15 and round 13 bits away.
      half = (magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13;
    } else if (magnitude <= FLOAT16_VANISH) {
      half = 0;
    } else {
      // Subnormal: the significand in units of 2^-24, rounded. A carry gives the smallest normal number.
      const shift = 126 - (magnitude >>> 23);
      const significand = (magnitude & 0x7fffff) | 0x800000;
      const odd = (significand >>> shift) & 1;
      half = (significand + ((1 << (shift - 1)) - 1) + odd) >>> shift;
    }
    target[i] = sign | half;
  }
}

/** Widen float16 bits to float32 bits; exact. `target` is at least as long as `source`. */
export function widenFloat16(source: Uint16Array, target: Uint32Array): void {
  for (let i = 0; i < source.length; i++) {
    const half = source[i];
    const sign = (half & 0x8000) << 16;
    const exponent = half & 0x7c00;
    let magnitude: number;
    if (exponent === 0x7c00) {
      const fraction = half & 0x3ff;
      magnitude = FLOAT32_INFINITY | (fraction << 13) | (fraction === 0 ? 0 : 0x400000);
    } else if (exponent !== 0) {
      magnitude = ((half & 0x7fff) << 13) + 0x38000000;
    } else {
      const fraction = half & 0x3ff;
      if (fraction === 0) {
        magnitude = 0;
      } else {
        // Subnormal: normalise. The leading bit of a 10-bit fraction stands for 2^-15.
        const shift = Math.clz32(fraction) - 21;
        magnitude = ((113 - shift) << 23) | ((fraction << (shift + 13)) & 0x7fffff);
      }
    }
    target[i] = sign | magnitude;
  }
}
