/**
 * The numbers torch's export schema uses for dtypes, layouts and memory formats. They are not c10's.
 *
 * Source: torch/_export/serde/schema.py, schema 8.20 (torch 2.13). Older files are said to hold member names: both are read.
 *
 * @packageDocumentation
 */
import type { DType } from '../../model';

const SCALAR_TYPES: readonly (readonly [number, string, DType])[] = [
  [1, 'BYTE', 'uint8'],
  [2, 'CHAR', 'int8'],
  [3, 'SHORT', 'int16'],
  [4, 'INT', 'int32'],
  [5, 'LONG', 'int64'],
  [6, 'HALF', 'float16'],
  [7, 'FLOAT', 'float32'],
  [8, 'DOUBLE', 'float64'],
  [9, 'COMPLEXHALF', 'complex32'],
  [10, 'COMPLEXFLOAT', 'complex64'],
  [11, 'COMPLEXDOUBLE', 'complex128'],
  [12, 'BOOL', 'bool'],
  [13, 'BFLOAT16', 'bfloat16'],
  [28, 'UINT16', 'uint16'],
  [29, 'FLOAT8E4M3FN', 'float8_e4m3fn'],
  [30, 'FLOAT8E5M2', 'float8_e5m2'],
  [31, 'FLOAT8E4M3FNUZ', 'float8_e4m3fnuz'],
  [32, 'FLOAT8E5M2FNUZ', 'float8_e5m2fnuz'],
  [33, 'FLOAT8E8M0FNU', 'float8_e8m0fnu'],
  [34, 'UINT32', 'uint32'],
  [35, 'UINT64', 'uint64']
];

const DTYPE_BY_KEY = new Map<unknown, DType>(
  SCALAR_TYPES.flatMap(([code, name, dtype]) => [
    [code, dtype] as const,
    [name, dtype] as const,
    [dtype, dtype] as const
  ])
);

const CODE_BY_DTYPE = new Map<DType, number>(
  SCALAR_TYPES.map(([code, , dtype]) => [dtype, code] as const)
);

/** Element type of a `ScalarType`, given as number or name; null where it is not known. */
export function dtypeOfScalarType(value: unknown): DType | null {
  const key = typeof value === 'string' ? value.replace(/^(ScalarType|torch)\./, '') : value;
  return DTYPE_BY_KEY.get(key) ?? null;
}

/** `ScalarType` number of an element type; null for types the schema has no number for. */
export function scalarTypeOf(dtype: DType): number | null {
  return CODE_BY_DTYPE.get(dtype) ?? null;
}

const LAYOUTS: readonly (readonly [number, string, string])[] = [
  [0, 'Unknown', 'unknown'],
  [1, 'SparseCoo', 'sparse_coo'],
  [2, 'SparseCsr', 'sparse_csr'],
  [3, 'SparseCsc', 'sparse_csc'],
  [4, 'SparseBsr', 'sparse_bsr'],
  [5, 'SparseBsc', 'sparse_bsc'],
  [6, '_mkldnn', '_mkldnn'],
  [7, 'Strided', 'strided']
];

const MEMORY_FORMATS: readonly (readonly [number, string, string])[] = [
  [0, 'Unknown', 'unknown'],
  [1, 'ContiguousFormat', 'contiguous_format'],
  [2, 'ChannelsLast', 'channels_last'],
  [3, 'ChannelsLast3d', 'channels_last_3d'],
  [4, 'PreserveFormat', 'preserve_format']
];

/** `torch.<name>` of a `Layout`; null where it is not known. */
export function layoutName(value: unknown): string | null {
  return lookUp(LAYOUTS, value);
}

/** `torch.<name>` of a `MemoryFormat`; null where it is not known. */
export function memoryFormatName(value: unknown): string | null {
  return lookUp(MEMORY_FORMATS, value);
}

function lookUp(
  table: readonly (readonly [number, string, string])[],
  value: unknown
): string | null {
  const key = typeof value === 'string' ? value.replace(/^(Layout|MemoryFormat)\./, '') : value;
  const row = table.find(([code, name, torchName]) =>
    [code, name, torchName].includes(key as never)
  );
  return row ? row[2] : null;
}
