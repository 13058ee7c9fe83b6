/**
 * Bytes of small constants: numbers to little-endian bytes of any element type, narrow floats to float32, and rounding.
 *
 * For constants that are written into a node. Weights are converted elsewhere, in chunks and from files.
 *
 * @packageDocumentation
 */
import { CastlensError, DTYPES } from '../model';
import type { DType } from '../model';

/**
 * The value of `x` in `dtype`: round to nearest, ties to even. Overflow gives infinity where the type has one, else NaN.
 */
export function roundTo(dtype: DType, x: number): number {
  const info = DTYPES[dtype];
  if (info.kind !== 'float' || dtype === 'float64' || !Number.isFinite(x) || x === 0) {
    return x;
  }
  if (dtype === 'float32') {
    return Math.fround(x);
  }
  const exponent = Math.max(
    exponentOf(Math.abs(x)) - info.precision! + 1,
    info.minSubnormalExponent!
  );
  const quantum = 2 ** exponent;
  const rounded = roundHalfEven(x / quantum) * quantum;
  if (Math.abs(rounded) > largestOf(dtype)) {
    return info.hasInfinity ? Math.sign(x) * Infinity : NaN;
  }
  return rounded;
}

/**
 * Little-endian bytes of numbers in an element type that numbers have.
 *
 * @throws CastlensError for element types without a byte form here (complex, packed, string, float8).
 */
export function encodeNumbers(dtype: DType, values: readonly (number | bigint)[]): Uint8Array {
  const numbers = (): number[] => values.map(Number);
  switch (dtype) {
    case 'float64':
      return bytesOf(Float64Array.from(numbers()));
    case 'float32':
      return bytesOf(Float32Array.from(numbers()));
    case 'float16':
    case 'bfloat16':
      return bytesOf(Uint16Array.from(numbers(), x => bitsOf16(dtype, x)));
    case 'int64':
      return bytesOf(BigInt64Array.from(values, BigInt));
    case 'uint64':
      return bytesOf(BigUint64Array.from(values, BigInt));
    case 'int32':
      return bytesOf(Int32Array.from(numbers()));
    case 'uint32':
      return bytesOf(Uint32Array.from(numbers()));
    case 'int16':
      return bytesOf(Int16Array.from(numbers()));
    case 'uint16':
      return bytesOf(Uint16Array.from(numbers()));
    case 'int8':
      return bytesOf(Int8Array.from(numbers()));
    case 'uint8':
      return bytesOf(Uint8Array.from(numbers()));
    case 'bool':
      return Uint8Array.from(numbers(), x => (x ? 1 : 0));
    case 'float8_e4m3fn':
    case 'float8_e5m2':
    case 'float8_e4m3fnuz':
    case 'float8_e5m2fnuz':
    case 'float8_e8m0fnu':
    case 'complex32':
    case 'complex64':
    case 'complex128':
    case 'float4_e2m1fn':
    case 'int4':
    case 'uint4':
    case 'int2':
    case 'uint2':
    case 'string':
      throw new CastlensError('unsupported-operator', `constants of ${dtype} cannot be made`);
  }
}

/**
 * Elements of a narrow floating type as float32 bytes. Exact: float32 holds every value of every narrower type.
 */
export function widenToFloat32(dtype: DType, bytes: Uint8Array): Uint8Array {
  const info = DTYPES[dtype];
  const width = info.bits / 8;
  const count = Math.floor(bytes.length / width);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const result = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const bits = width === 2 ? view.getUint16(i * 2, true) : bytes[i];
    result[i] = decode(dtype, bits);
  }
  return bytesOf(result);
}

/** Value of one element of a narrow floating type from its bits. */
function decode(dtype: DType, bits: number): number {
  const { bits: width, precision, minSubnormalExponent } = DTYPES[dtype];
  if (dtype === 'float8_e8m0fnu') {
    return bits === 0xff ? NaN : 2 ** (bits - 127);
  }
  const mantissaBits = precision! - 1;
  const mantissa = bits & ((1 << mantissaBits) - 1);
  const exponentBits = width - 1 - mantissaBits;
  const exponent = (bits >> mantissaBits) & ((1 << exponentBits) - 1);
  const sign = (bits >> (width - 1)) & 1 ? -1 : 1;
  const topExponent = (1 << exponentBits) - 1;
  if (dtype.endsWith('fnuz')) {
    if (sign < 0 && mantissa === 0 && exponent === 0) {
      return NaN;
    }
  } else if (dtype === 'float8_e4m3fn') {
    if (exponent === topExponent && mantissa === (1 << mantissaBits) - 1) {
      return NaN;
    }
  } else if (exponent === topExponent) {
    return mantissa === 0 ? sign * Infinity : NaN;
  }
  const quantum = 2 ** minSubnormalExponent!;
  return exponent === 0
    ? sign * mantissa * quantum
    : sign * (mantissa + (1 << mantissaBits)) * quantum * 2 ** (exponent - 1);
}

function bitsOf16(dtype: 'float16' | 'bfloat16', x: number): number {
  const { precision, minSubnormalExponent } = DTYPES[dtype];
  const mantissaBits = precision! - 1;
  const topExponent = (1 << (15 - mantissaBits)) - 1;
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0;
  const rounded = Math.abs(roundTo(dtype, x));
  if (Number.isNaN(rounded)) {
    return (topExponent << mantissaBits) | (1 << (mantissaBits - 1));
  }
  if (rounded === Infinity) {
    return sign | (topExponent << mantissaBits);
  }
  const units = rounded / 2 ** minSubnormalExponent!;
  if (units < 1 << mantissaBits) {
    return sign | units;
  }
  const exponent = exponentOf(rounded) - mantissaBits - minSubnormalExponent!;
  const mantissa = units / 2 ** exponent - (1 << mantissaBits);
  return sign | ((exponent + 1) << mantissaBits) | mantissa;
}

/** Exponent e with 2^e <= x < 2^(e+1), for positive finite x. */
function exponentOf(x: number): number {
  let e = Math.floor(Math.log2(x));
  if (2 ** e > x) {
    e--;
  } else if (2 ** (e + 1) <= x) {
    e++;
  }
  return e;
}

function largestOf(dtype: DType): number {
  const { precision, maxExponent } = DTYPES[dtype];
  if (dtype === 'float8_e4m3fn') {
    return 448;
  }
  return (2 - 2 ** (1 - precision!)) * 2 ** maxExponent!;
}

function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest < 0.5 || (rest === 0.5 && floor % 2 === 0)) {
    return floor;
  }
  return floor + 1;
}

function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
