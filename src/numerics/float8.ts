/**
 * The 8-bit floating-point types.
 *
 * @packageDocumentation
 */
import type { DType } from '../model';

/** An 8-bit floating-point type. */
export type Float8Type =
  'float8_e4m3fn' | 'float8_e5m2' | 'float8_e4m3fnuz' | 'float8_e5m2fnuz' | 'float8_e8m0fnu';

/** All 8-bit floating-point types. */
export const FLOAT8_TYPES: readonly DType[] = [
  'float8_e4m3fn',
  'float8_e5m2',
  'float8_e4m3fnuz',
  'float8_e5m2fnuz',
  'float8_e8m0fnu'
] satisfies Float8Type[];

/** Whether a type is one of them. */
export function isFloat8(dtype: DType): dtype is Float8Type {
  return FLOAT8_TYPES.includes(dtype);
}

/** Elements as float64; exact. */
export function decodeFloat8(source: Uint8Array, type: Float8Type): Float64Array {
  const values = valuesOf(type);
  const result = new Float64Array(source.length);
  for (let i = 0; i < source.length; i++) {
    result[i] = values[source[i]];
  }
  return result;
}

/**
 * Elements rounded to nearest, ties to the even pattern, as bits. What is larger than the largest finite value becomes it, as ONNX's
 * casts saturate; infinities too, but in types that have them. NaN is the type's NaN. Without a sign, negative values become the
 * smallest.
 */
export function encodeFloat8(source: ArrayLike<number>, type: Float8Type): Uint8Array {
  const ordered = orderedOf(type);
  const isSigned = type !== 'float8_e8m0fnu';
  return Uint8Array.from({ length: source.length }, (_, i) => {
    const value = source[i];
    if (Number.isNaN(value)) {
      return NAN_BITS[type];
    }
    if (!Number.isFinite(value) && type === 'float8_e5m2') {
      return value > 0 ? 0x7c : 0xfc;
    }
    const bits = nearest(ordered, isSigned ? Math.abs(value) : Math.max(value, 0));
    const isNegative = isSigned && (value < 0 || Object.is(value, -0));
    // Types without negative zero have NaN in its place.
    return isNegative && !(bits === 0 && type.endsWith('uz')) ? bits | 0x80 : bits;
  });
}

/** Bits of the finite value that is nearest to a magnitude: patterns are in the order of their values. */
function nearest(values: Float64Array, magnitude: number): number {
  let [low, high] = [0, values.length - 1];
  if (magnitude >= values[high]) {
    return high;
  }
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (values[middle] <= magnitude) {
      low = middle;
    } else {
      high = middle;
    }
  }
  const [below, above] = [magnitude - values[low], values[high] - magnitude];
  return below < above || (below === above && low % 2 === 0) ? low : high;
}

/** Finite values that are not negative, in the order of their bits. */
function orderedOf(type: Float8Type): Float64Array {
  let ordered = orderedTables.get(type);
  if (!ordered) {
    const half = valuesOf(type).subarray(0, type === 'float8_e8m0fnu' ? 256 : 128);
    ordered = half.filter(value => Number.isFinite(value));
    orderedTables.set(type, ordered);
  }
  return ordered;
}

const orderedTables = new Map<Float8Type, Float64Array>();

const NAN_BITS: Readonly<Record<Float8Type, number>> = {
  float8_e4m3fn: 0x7f,
  float8_e5m2: 0x7f,
  float8_e4m3fnuz: 0x80,
  float8_e5m2fnuz: 0x80,
  float8_e8m0fnu: 0xff
};

/** How the bits are laid out. `fn`: no infinities; `uz`: no negative zero, whose pattern is the only NaN. */
const LAYOUTS: Readonly<Record<Float8Type, { fraction: number; bias: number; form: string }>> = {
  float8_e4m3fn: { fraction: 3, bias: 7, form: 'fn' },
  float8_e5m2: { fraction: 2, bias: 15, form: 'ieee' },
  float8_e4m3fnuz: { fraction: 3, bias: 8, form: 'fnuz' },
  float8_e5m2fnuz: { fraction: 2, bias: 16, form: 'fnuz' },
  float8_e8m0fnu: { fraction: 0, bias: 127, form: 'scale' }
};

const tables = new Map<Float8Type, Float64Array>();

function valuesOf(type: Float8Type): Float64Array {
  let table = tables.get(type);
  if (!table) {
    table = Float64Array.from({ length: 256 }, (_, bits) => valueOf(bits, type));
    tables.set(type, table);
  }
  return table;
}

function valueOf(bits: number, type: Float8Type): number {
  const { fraction: width, bias, form } = LAYOUTS[type];
  if (form === 'scale') {
    return bits === 0xff ? NaN : 2 ** (bits - bias);
  }
  if (form === 'fnuz' && bits === 0x80) {
    return NaN;
  }
  const magnitude = bits & 0x7f;
  if (form === 'fn' && magnitude === 0x7f) {
    return NaN;
  }
  const exponent = magnitude >> width;
  const fraction = magnitude & ((1 << width) - 1);
  let value: number;
  if (form === 'ieee' && exponent === 31) {
    value = fraction === 0 ? Infinity : NaN;
  } else if (exponent === 0) {
    value = fraction * 2 ** (1 - bias - width);
  } else {
    value = (1 + fraction * 2 ** -width) * 2 ** (exponent - bias);
  }
  return bits & 0x80 ? -value : value;
}
