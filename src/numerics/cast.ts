/**
 * Casts between element types, on whole runs of elements.
 *
 * @packageDocumentation
 */
import type { DType } from '../model';
import { CastlensError, DTYPES, sizeInBytes } from '../model';
import { decodeFloat8, encodeFloat8, FLOAT8_TYPES, isFloat8 } from './float8';
import { roundToBfloat16, roundToFloat16, widenBfloat16, widenFloat16 } from './halffloat';
import type { ElementArray } from './tensor';
import { bytesOf, elementsOf, viewAs } from './tensor';

/** Whether `castBytes` can do the cast. */
export function canCast(from: DType, to: DType): boolean {
  return from === to || (READABLE.has(from) && WRITABLE.has(to));
}

/**
 * Cast elements.
 *
 * @param source - elements of `from` in row-major order, as bytes at any alignment.
 * @returns the elements as `to`, in a new array (`source` itself where the types are the same).
 *
 * #### Notes
 * As PyTorch and onnxruntime do: floats round to nearest, ties to even; float64 and integers go to bfloat16 and float16
 * through float32; floats become integers by truncation, and those out of range wrap (they are undefined in C++); a bool is
 * whether the element is not zero.
 *
 * @throws CastlensError where the pair is not supported: complex numbers, strings, and as target packed types and 8-bit floats.
 */
export function castBytes(source: Uint8Array, from: DType, to: DType): Uint8Array {
  if (from === to) {
    return source;
  }
  if (!canCast(from, to)) {
    throw new CastlensError('bad-argument', `castlens cannot cast ${from} to ${to}`);
  }
  if (INTEGERS_64.has(from) && !isFloat(to)) {
    return castIntegers64(source, from, to);
  }
  if (to === 'float64') {
    return bytesOf(decodeFloat64(source, from));
  }
  if (isFloat(to)) {
    const floats = from === 'float32' ? viewAs(Float32Array, source) : decodeFloat32(source, from);
    return encodeFloat32(floats, to);
  }
  return encodeIntegers(decodeFloat64(source, from), to);
}

/**
 * Elements that were carried in another type, which holds all of their values, as their own.
 *
 * #### Notes
 * 8-bit floats too, which `castBytes` does not make: what is out of range becomes something else in PyTorch than in ONNX.
 */
export function uncarryBytes(source: Uint8Array, carrier: DType, to: DType): Uint8Array {
  return isFloat8(to) && carrier === 'float32'
    ? encodeFloat8(viewAs(Float32Array, source), to)
    : castBytes(source, carrier, to);
}

/** Cast through several types in order. */
export function castThrough(source: Uint8Array, from: DType, steps: readonly DType[]): Uint8Array {
  let bytes = source;
  let dtype = from;
  for (const step of steps) {
    bytes = castBytes(bytes, dtype, step);
    dtype = step;
  }
  return bytes;
}

/**
 * Elements as float32, each rounded once. A new array but for float32, whose bytes are viewed where they are aligned.
 *
 * @throws CastlensError for complex numbers and strings.
 */
export function decodeFloat32(source: Uint8Array, from: DType): Float32Array {
  switch (from) {
    case 'float32':
      return viewAs(Float32Array, source);
    case 'bfloat16': {
      const bits = viewAs(Uint16Array, source);
      const result = new Float32Array(bits.length);
      widenBfloat16(bits, viewAs(Uint32Array, bytesOf(result)));
      return result;
    }
    case 'float16': {
      const bits = viewAs(Uint16Array, source);
      const result = new Float32Array(bits.length);
      widenFloat16(bits, viewAs(Uint32Array, bytesOf(result)));
      return result;
    }
    case 'int64': {
      const elements = viewAs(BigInt64Array, source);
      return Float32Array.from(elements, roundToOdd);
    }
    case 'uint64': {
      const elements = viewAs(BigUint64Array, source);
      return Float32Array.from(elements, roundToOdd);
    }
    default:
      return Float32Array.from(decodeFloat64(source, from));
  }
}

/**
 * Elements as float64: exact for every type but 64-bit integers beyond 2^53, which round to nearest. A new array but for
 * float64, whose bytes are viewed where they are aligned.
 *
 * @throws CastlensError for complex numbers and strings.
 */
export function decodeFloat64(source: Uint8Array, from: DType): Float64Array {
  switch (from) {
    case 'float64':
      return viewAs(Float64Array, source);
    case 'float32':
    case 'float16':
    case 'bfloat16':
      return Float64Array.from(decodeFloat32(source, from));
    case 'float8_e4m3fn':
    case 'float8_e5m2':
    case 'float8_e4m3fnuz':
    case 'float8_e5m2fnuz':
    case 'float8_e8m0fnu':
      return decodeFloat8(source, from);
    case 'int64':
    case 'uint64':
      return Float64Array.from(elementsOf(from, source) as BigInt64Array, Number);
    case 'int32':
    case 'int16':
    case 'int8':
    case 'uint32':
    case 'uint16':
    case 'uint8':
      return Float64Array.from(elementsOf(from, source) as Int32Array);
    case 'bool':
      return Float64Array.from(source, element => (element === 0 ? 0 : 1));
    case 'float4_e2m1fn':
    case 'int4':
    case 'uint4':
    case 'int2':
    case 'uint2':
      return decodePacked(source, from);
    case 'complex32':
    case 'complex64':
    case 'complex128':
    case 'string':
      throw new CastlensError('bad-argument', `${from} elements are not real numbers`);
  }
}

/** float32 elements as bytes of a floating-point type of at most 32 bits. */
function encodeFloat32(source: Float32Array, to: DType): Uint8Array {
  const bits = viewAs(Uint32Array, bytesOf(source));
  switch (to) {
    case 'bfloat16': {
      const result = new Uint16Array(source.length);
      roundToBfloat16(bits, result);
      return bytesOf(result);
    }
    case 'float16': {
      const result = new Uint16Array(source.length);
      roundToFloat16(bits, result);
      return bytesOf(result);
    }
    default:
      return bytesOf(source);
  }
}

function encodeIntegers(source: Float64Array, to: DType): Uint8Array {
  if (to === 'bool') {
    return Uint8Array.from(source, element => (element === 0 ? 0 : 1));
  }
  if (INTEGERS_64.has(to)) {
    const result = new BigInt64Array(source.length);
    for (let i = 0; i < source.length; i++) {
      result[i] = Number.isFinite(source[i]) ? BigInt(Math.trunc(source[i])) : 0n;
    }
    return bytesOf(result);
  }
  // Typed arrays truncate and wrap on assignment.
  const bytes = new Uint8Array(sizeInBytes(to, source.length));
  (elementsOf(to, bytes) as Int32Array).set(source);
  return bytes;
}

function castIntegers64(source: Uint8Array, from: DType, to: DType): Uint8Array {
  const elements = elementsOf(from, source) as BigInt64Array;
  if (INTEGERS_64.has(to)) {
    return source.slice();
  }
  if (to === 'bool') {
    return Uint8Array.from(elements, element => (element === 0n ? 0 : 1));
  }
  const bytes = new Uint8Array(sizeInBytes(to, elements.length));
  const target = elementsOf(to, bytes) as Exclude<ElementArray, BigInt64Array | BigUint64Array>;
  for (let i = 0; i < elements.length; i++) {
    target[i] = Number(BigInt.asIntN(32, elements[i]));
  }
  return bytes;
}

/**
 * A 64-bit integer as float64, with the bits that do not fit folded into the last one, so that rounding the result to float32
 * gives what rounding the integer once would give.
 */
function roundToOdd(element: bigint): number {
  if (element >= -MAX_EXACT && element <= MAX_EXACT) {
    return Number(element);
  }
  const magnitude = element < 0n ? -element : element;
  const low = magnitude & 0xfffn;
  const rounded = Number(magnitude - low + (low === 0n ? 0n : 0x800n));
  return element < 0n ? -rounded : rounded;
}

/** Elements that share a byte, the first one in its lowest bits. All that the bytes have room for. */
function decodePacked(source: Uint8Array, type: DType): Float64Array {
  const { bits, kind } = DTYPES[type];
  const perByte = 8 / bits;
  const result = new Float64Array(perByte * source.length);
  for (let i = 0; i < result.length; i++) {
    const element = (source[Math.floor(i / perByte)] >>> ((i % perByte) * bits)) & (2 ** bits - 1);
    const isNegative = kind === 'int' && element >= 2 ** (bits - 1);
    result[i] =
      kind === 'float' ? FLOAT4_VALUES[element] : isNegative ? element - 2 ** bits : element;
  }
  return result;
}

/** Values of float4_e2m1fn by bits. */
const FLOAT4_VALUES = [0, 0.5, 1, 1.5, 2, 3, 4, 6, -0, -0.5, -1, -1.5, -2, -3, -4, -6];

function isFloat(dtype: DType): boolean {
  return DTYPES[dtype].kind === 'float';
}

const MAX_EXACT = 2n ** 53n;

const INTEGERS_64: ReadonlySet<DType> = new Set<DType>(['int64', 'uint64']);

const WRITABLE: ReadonlySet<DType> = new Set<DType>([
  'float64',
  'float32',
  'float16',
  'bfloat16',
  'int64',
  'int32',
  'int16',
  'int8',
  'uint64',
  'uint32',
  'uint16',
  'uint8',
  'bool'
]);

const READABLE: ReadonlySet<DType> = new Set<DType>([
  ...WRITABLE,
  ...FLOAT8_TYPES,
  'float4_e2m1fn',
  'int4',
  'uint4',
  'int2',
  'uint2'
]);
