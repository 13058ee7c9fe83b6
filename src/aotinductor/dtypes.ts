/**
 * Names of dtypes in generated code.
 *
 * Source: `DTYPE_TO_CPP` in torch/_inductor/codegen/cpp_utils.py, `_type_of` in torch/_inductor/codegen/triton_utils.py.
 *
 * @packageDocumentation
 */

const NAMES: Readonly<Record<string, string>> = {
  float: 'float32',
  double: 'float64',
  'at::BFloat16': 'bfloat16',
  'c10::BFloat16': 'bfloat16',
  bfloat16: 'bfloat16',
  'at::Half': 'float16',
  'c10::Half': 'float16',
  half: 'float16',
  int64_t: 'int64',
  int32_t: 'int32',
  int16_t: 'int16',
  int8_t: 'int8',
  uint8_t: 'uint8',
  bool: 'bool',
  'at::Float8_e4m3fn': 'float8_e4m3fn',
  'at::Float8_e5m2': 'float8_e5m2',
  'c10::Float8_e4m3fn': 'float8_e4m3fn',
  'c10::Float8_e5m2': 'float8_e5m2',
  float8_e4m3fn: 'float8_e4m3fn',
  float8_e5m2: 'float8_e5m2',
  fp64: 'float64',
  fp32: 'float32',
  fp16: 'float16',
  bf16: 'bfloat16',
  fp8e4nv: 'float8_e4m3fn',
  fp8e5: 'float8_e5m2',
  i64: 'int64',
  i32: 'int32',
  i16: 'int16',
  i8: 'int8',
  u8: 'uint8',
  i1: 'bool',
  float64: 'float64',
  float32: 'float32',
  float16: 'float16',
  float8e4nv: 'float8_e4m3fn',
  float8e5: 'float8_e5m2',
  int64: 'int64',
  int32: 'int32',
  int16: 'int16',
  int8: 'int8',
  uint8: 'uint8',
  int1: 'bool'
};

/** The dtype that a name in generated code stands for; undefined where it stands for none. */
export function dtypeOfName(name: string): string | undefined {
  return Object.hasOwn(NAMES, name) ? NAMES[name] : undefined;
}

/** Bytes of one element; null where the dtype is not known. */
export function bytesOfDtype(dtype: string): number | null {
  if (dtype === 'bool' || dtype.startsWith('float8')) {
    return 1;
  }
  const bits = /(\d+)$/.exec(dtype)?.[1];
  return bits === undefined ? null : Number(bits) / 8;
}

export function isFloat(dtype: string): boolean {
  return dtype.startsWith('float') || dtype === 'bfloat16';
}

/** float32 and float64: what generated code computes in, whatever it loads. */
export function isWide(dtype: string): boolean {
  return dtype === 'float32' || dtype === 'float64';
}
