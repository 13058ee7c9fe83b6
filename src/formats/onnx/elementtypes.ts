/**
 * Element types of ONNX: `TensorProto.DataType`.
 *
 * @packageDocumentation
 */
import type { DType } from '../../model';

/** By number, as onnx.proto (IR version 13) defines them. Types castlens has no dtype for are left out. */
const ELEMENT_TYPES: readonly (readonly [number, DType])[] = [
  [1, 'float32'],
  [2, 'uint8'],
  [3, 'int8'],
  [4, 'uint16'],
  [5, 'int16'],
  [6, 'int32'],
  [7, 'int64'],
  [8, 'string'],
  [9, 'bool'],
  [10, 'float16'],
  [11, 'float64'],
  [12, 'uint32'],
  [13, 'uint64'],
  [14, 'complex64'],
  [15, 'complex128'],
  [16, 'bfloat16'],
  [17, 'float8_e4m3fn'],
  [18, 'float8_e4m3fnuz'],
  [19, 'float8_e5m2'],
  [20, 'float8_e5m2fnuz'],
  [21, 'uint4'],
  [22, 'int4'],
  [23, 'float4_e2m1fn'],
  [24, 'float8_e8m0fnu'],
  [25, 'uint2'],
  [26, 'int2']
];

const DTYPE_BY_CODE = new Map<number, DType>(ELEMENT_TYPES);
const CODE_BY_DTYPE = new Map<DType, number>(
  ELEMENT_TYPES.map(([code, dtype]) => [dtype, code] as const)
);

/** Element type of a `DataType` number; null where there is none. */
export function dtypeOfElementType(code: number): DType | null {
  return DTYPE_BY_CODE.get(code) ?? null;
}

/** `DataType` number of an element type; null where ONNX has none. */
export function elementTypeOf(dtype: DType): number | null {
  return CODE_BY_DTYPE.get(dtype) ?? null;
}
