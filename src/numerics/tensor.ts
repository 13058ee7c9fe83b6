/**
 * Tensors in memory, and typed views on bytes.
 *
 * @packageDocumentation
 */
import type { DType } from '../model';
import { CastlensError, elementCount, sizeInBytes } from '../model';

/** Arrays that hold elements. */
export type ElementArray =
  | Float64Array
  | Float32Array
  | Uint32Array
  | Int32Array
  | Uint16Array
  | Int16Array
  | Uint8Array
  | Int8Array
  | BigInt64Array
  | BigUint64Array;

/**
 * A contiguous tensor in memory.
 *
 * #### Notes
 * `data` is the array of the dtype: `Float32Array` for float32, `BigInt64Array` for int64, `Uint8Array` for bool (0 or 1).
 * Types that JavaScript has no array for are held as bits: `Uint16Array` for float16 and bfloat16, `Uint8Array` for the
 * 8-bit floats and for packed types, and for complex numbers the array of their parts, twice as long.
 */
export interface ITensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: ElementArray;
}

/**
 * The bytes as the array that holds `dtype`: a view where they lie at a multiple of the element size, else a copy.
 *
 * @throws CastlensError for strings, which have no fixed size.
 */
export function elementsOf(dtype: DType, bytes: Uint8Array): ElementArray {
  switch (dtype) {
    case 'float64':
    case 'complex128':
      return viewAs(Float64Array, bytes);
    case 'float32':
    case 'complex64':
      return viewAs(Float32Array, bytes);
    case 'float16':
    case 'bfloat16':
    case 'complex32':
    case 'uint16':
      return viewAs(Uint16Array, bytes);
    case 'int16':
      return viewAs(Int16Array, bytes);
    case 'int32':
      return viewAs(Int32Array, bytes);
    case 'uint32':
      return viewAs(Uint32Array, bytes);
    case 'int64':
      return viewAs(BigInt64Array, bytes);
    case 'uint64':
      return viewAs(BigUint64Array, bytes);
    case 'int8':
      return viewAs(Int8Array, bytes);
    case 'uint8':
    case 'bool':
    case 'float8_e4m3fn':
    case 'float8_e5m2':
    case 'float8_e4m3fnuz':
    case 'float8_e5m2fnuz':
    case 'float8_e8m0fnu':
    case 'float4_e2m1fn':
    case 'int4':
    case 'uint4':
    case 'int2':
    case 'uint2':
      return bytes;
    case 'string':
      throw new CastlensError('bad-argument', 'strings have no array of fixed size');
  }
}

/** The bytes of an array, as a view. */
export function bytesOf(elements: ElementArray): Uint8Array {
  return new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength);
}

/**
 * A tensor over the bytes of its elements in row-major order.
 *
 * @throws CastlensError where the number of bytes does not fit dtype and shape.
 */
export function tensorFromBytes(
  dtype: DType,
  shape: readonly number[],
  bytes: Uint8Array
): ITensor {
  const expected = sizeInBytes(dtype, elementCount(shape));
  if (bytes.byteLength !== expected) {
    throw new CastlensError('bad-input', 'the data does not fit the shape', {
      expected: `${expected} bytes for ${dtype} [${shape.join(', ')}]`,
      found: `${bytes.byteLength} bytes`
    });
  }
  return { dtype, shape, data: elementsOf(dtype, bytes) };
}

/** A constructor of typed arrays. */
interface IArrayType<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
}

/** `bytes` as an array of `type`; copies where they are not aligned. A rest shorter than an element is left out. */
export function viewAs<T>(type: IArrayType<T>, bytes: Uint8Array): T {
  const size = type.BYTES_PER_ELEMENT;
  const length = Math.floor(bytes.byteLength / size);
  if (bytes.byteOffset % size === 0) {
    return new type(bytes.buffer, bytes.byteOffset, length);
  }
  const copy = bytes.slice();
  return new type(copy.buffer, 0, length);
}
