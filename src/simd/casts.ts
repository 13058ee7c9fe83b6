/**
 * Casts between float32 and the types beside it, four elements at a time.
 *
 * The rules, ties and subnormals included, are those of src/numerics/halffloat.ts, which the tests compare with bit by bit. A
 * run that is no multiple of the vector is rounded up: buffers hold a multiple of every vector, and what lies behind the last
 * element is read and written without meaning.
 */

/** float32 to bfloat16, nearest even; NaN becomes the quiet NaN of its sign. */
export function float32ToBfloat16(from: usize, to: usize, count: i32): void {
  for (let end = from + 4 * <usize>count; from < end; from += 32, to += 16) {
    store16(to, roundToBfloat16(v128.load(from)), roundToBfloat16(v128.load(from, 16)));
  }
}

/** float32 to float16, nearest even; NaN becomes the quiet NaN of its sign. */
export function float32ToFloat16(from: usize, to: usize, count: i32): void {
  for (let end = from + 4 * <usize>count; from < end; from += 32, to += 16) {
    store16(to, roundToFloat16(v128.load(from)), roundToFloat16(v128.load(from, 16)));
  }
}

/** bfloat16 to float32; exact. */
export function bfloat16ToFloat32(from: usize, to: usize, count: i32): void {
  for (let end = from + 2 * <usize>count; from < end; from += 8, to += 16) {
    v128.store(to, i32x4.shl(v128.load16x4_u(from), 16));
  }
}

/** float16 to float32; exact, NaN made quiet. */
export function float16ToFloat32(from: usize, to: usize, count: i32): void {
  for (let end = from + 2 * <usize>count; from < end; from += 8, to += 16) {
    v128.store(to, widenFloat16(v128.load16x4_u(from)));
  }
}

/** float64 to float32, nearest even. */
export function float64ToFloat32(from: usize, to: usize, count: i32): void {
  for (let end = from + 8 * <usize>count; from < end; from += 32, to += 16) {
    const low = f32x4.demote_f64x2_zero(v128.load(from));
    const high = f32x4.demote_f64x2_zero(v128.load(from, 16));
    v128.store(to, v128.shuffle<i64>(low, high, 0, 2));
  }
}

/** float32 to float64; exact. */
export function float32ToFloat64(from: usize, to: usize, count: i32): void {
  for (let end = from + 4 * <usize>count; from < end; from += 8, to += 16) {
    v128.store(to, f64x2.promote_low_f32x4(v128.load64_zero(from)));
  }
}

/** Two times four halves, each in the low 16 bits of its lane, side by side. */
function store16(to: usize, low: v128, high: v128): void {
  v128.store(to, i16x8.narrow_i32x4_u(low, high));
}

function roundToBfloat16(bits: v128): v128 {
  const upper = i32x4.shr_u(bits, 16);
  const odd = v128.and(upper, i32x4.splat(1));
  const rounded = i32x4.shr_u(i32x4.add(bits, i32x4.add(odd, i32x4.splat(0x7fff))), 16);
  const quiet = v128.or(v128.and(upper, i32x4.splat(0x8000)), i32x4.splat(0x7fc0));
  return v128.bitselect(quiet, rounded, f32x4.ne(bits, bits));
}

function roundToFloat16(bits: v128): v128 {
  const magnitude = v128.and(bits, i32x4.splat(0x7fffffff));
  // Normal: re-bias the exponent from 127 to 15 and round 13 bits away.
  const odd = v128.and(i32x4.shr_u(magnitude, 13), i32x4.splat(1));
  const normal = i32x4.shr_u(
    i32x4.add(magnitude, i32x4.add(odd, i32x4.splat(0xfff - 0x38000000))),
    13
  );
  // Subnormal: one half has its last bit at 2^-24, so the sum rounds there, to nearest even as every sum does.
  const subnormal = i32x4.sub(f32x4.add(magnitude, f32x4.splat(0.5)), i32x4.splat(0x3f000000));
  let half = v128.bitselect(subnormal, normal, i32x4.lt_s(magnitude, i32x4.splat(0x38800000)));
  const special = v128.bitselect(i32x4.splat(0x7e00), i32x4.splat(0x7c00), f32x4.ne(bits, bits));
  half = v128.bitselect(special, half, i32x4.gt_s(magnitude, i32x4.splat(0x477fefff)));
  return v128.or(half, v128.and(i32x4.shr_u(bits, 16), i32x4.splat(0x8000)));
}

function widenFloat16(half: v128): v128 {
  const exponent = v128.and(half, i32x4.splat(0x7c00));
  const shifted = i32x4.shl(v128.and(half, i32x4.splat(0x7fff)), 13);
  const normal = i32x4.add(shifted, i32x4.splat(0x38000000));
  // Subnormal: as the fraction of a number with exponent 2^-14, less that number.
  const subnormal = f32x4.sub(
    i32x4.add(shifted, i32x4.splat(0x38800000)),
    f32x4.splat(reinterpret<f32>(0x38800000))
  );
  const hasFraction = v128.and(
    i32x4.ne(v128.and(half, i32x4.splat(0x3ff)), i32x4.splat(0)),
    i32x4.splat(0x400000)
  );
  const special = v128.or(v128.or(shifted, i32x4.splat(0x7f800000)), hasFraction);
  let magnitude = v128.bitselect(subnormal, normal, i32x4.eq(exponent, i32x4.splat(0)));
  magnitude = v128.bitselect(special, magnitude, i32x4.eq(exponent, i32x4.splat(0x7c00)));
  return v128.or(magnitude, i32x4.shl(v128.and(half, i32x4.splat(0x8000)), 16));
}
