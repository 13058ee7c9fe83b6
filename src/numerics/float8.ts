/**
 * The 8-bit floating-point types, read only: nothing castlens does makes them.
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

/** Elements as float64; exact. */
export function decodeFloat8(source: Uint8Array, type: Float8Type): Float64Array {
  const values = valuesOf(type);
  const result = new Float64Array(source.length);
  for (let i = 0; i < source.length; i++) {
    result[i] = values[source[i]];
  }
  return result;
}

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
