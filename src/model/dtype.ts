/**
 * Element types of tensors, named as PyTorch names them, and the facts about each that decide whether a cast is lossless.
 *
 * @packageDocumentation
 */

/** Element type of a tensor, by PyTorch's name (`torch.<name>`). */
export type DType =
  | 'float64'
  | 'float32'
  | 'float16'
  | 'bfloat16'
  | 'float8_e4m3fn'
  | 'float8_e5m2'
  | 'float8_e4m3fnuz'
  | 'float8_e5m2fnuz'
  | 'float8_e8m0fnu'
  | 'int64'
  | 'int32'
  | 'int16'
  | 'int8'
  | 'uint64'
  | 'uint32'
  | 'uint16'
  | 'uint8'
  | 'bool'
  | 'complex32'
  | 'complex64'
  | 'complex128'
  | 'float4_e2m1fn'
  | 'int4'
  | 'uint4'
  | 'int2'
  | 'uint2'
  | 'string';

/** What is known about an element type. */
export interface IDTypeInfo {
  /** Number class. */
  readonly kind: 'float' | 'int' | 'uint' | 'bool' | 'complex' | 'string';
  /** Bits of one element as stored (4 and 2 for packed types; 0 for strings, whose size varies). */
  readonly bits: number;
  /** Bits of the significand, the implicit one included (floats only). */
  readonly precision?: number;
  /** Largest finite exponent e in 2^e <= x (floats only). */
  readonly maxExponent?: number;
  /** Exponent of the smallest positive subnormal, 2^e (floats only). */
  readonly minSubnormalExponent?: number;
  /** Whether the type has infinities (floats only). */
  readonly hasInfinity?: boolean;
}

const FLOAT = (
  bits: number,
  precision: number,
  maxExponent: number,
  minSubnormalExponent: number,
  hasInfinity = true
): IDTypeInfo => ({
  kind: 'float',
  bits,
  precision,
  maxExponent,
  minSubnormalExponent,
  hasInfinity
});

/** Facts by element type. Sources: IEEE 754-2019 table 3.5, OCP 8-bit floating point 1.0, ONNX float8 page. */
export const DTYPES: Readonly<Record<DType, IDTypeInfo>> = {
  float64: FLOAT(64, 53, 1023, -1074),
  float32: FLOAT(32, 24, 127, -149),
  float16: FLOAT(16, 11, 15, -24),
  bfloat16: FLOAT(16, 8, 127, -133),
  float8_e4m3fn: FLOAT(8, 4, 8, -9, false),
  float8_e5m2: FLOAT(8, 3, 15, -16),
  float8_e4m3fnuz: FLOAT(8, 4, 7, -10, false),
  float8_e5m2fnuz: FLOAT(8, 3, 15, -17, false),
  float8_e8m0fnu: FLOAT(8, 1, 127, -127, false),
  float4_e2m1fn: FLOAT(4, 2, 2, -1, false),
  int64: { kind: 'int', bits: 64 },
  int32: { kind: 'int', bits: 32 },
  int16: { kind: 'int', bits: 16 },
  int8: { kind: 'int', bits: 8 },
  uint64: { kind: 'uint', bits: 64 },
  uint32: { kind: 'uint', bits: 32 },
  uint16: { kind: 'uint', bits: 16 },
  uint8: { kind: 'uint', bits: 8 },
  bool: { kind: 'bool', bits: 8 },
  complex32: { kind: 'complex', bits: 32 },
  complex64: { kind: 'complex', bits: 64 },
  complex128: { kind: 'complex', bits: 128 },
  int4: { kind: 'int', bits: 4 },
  uint4: { kind: 'uint', bits: 4 },
  int2: { kind: 'int', bits: 2 },
  uint2: { kind: 'uint', bits: 2 },
  string: { kind: 'string', bits: 0 }
};

/** Whether `dtype` is a real floating-point type (what autocast may touch). */
export function isFloating(dtype: DType): boolean {
  return DTYPES[dtype].kind === 'float';
}

/** Whether `dtype` is a floating-point type narrower than float32. */
export function isLowPrecision(dtype: DType): boolean {
  const info = DTYPES[dtype];
  return info.kind === 'float' && info.bits < 32;
}

/** Whether several elements of `dtype` share a byte. */
export function isPacked(dtype: DType): boolean {
  const { bits, kind } = DTYPES[dtype];
  return kind !== 'string' && bits < 8;
}

/** Bytes of `elementCount` elements of `dtype` stored without gaps (packed types round up). */
export function sizeInBytes(dtype: DType, elementCount: number): number {
  return Math.ceil((DTYPES[dtype].bits * elementCount) / 8);
}

/**
 * Whether every value of `from` is representable in `to`, so that `from -> to -> from` is the identity on bits
 * (NaN payloads aside) and a cast to `to` followed by any cast equals that cast applied directly.
 *
 * Decided from the properties of the types, as `_is_lossless_fp_widening_cast` in torch/_inductor/fx_passes/joint_graph.py
 * does, never from a list of pairs.
 */
export function isLosslessCast(from: DType, to: DType): boolean {
  if (from === to) {
    return true;
  }
  const a = DTYPES[from];
  const b = DTYPES[to];
  if (a.kind === 'float' && b.kind === 'float') {
    return (
      a.precision! <= b.precision! &&
      a.maxExponent! <= b.maxExponent! &&
      a.minSubnormalExponent! >= b.minSubnormalExponent! &&
      (!a.hasInfinity || b.hasInfinity!)
    );
  }
  if (a.kind === 'bool') {
    return b.kind === 'int' || b.kind === 'uint' || b.kind === 'float';
  }
  if (a.kind === 'int') {
    return (
      (b.kind === 'int' && b.bits >= a.bits) ||
      (b.kind === 'float' && b.precision! >= a.bits - 1 && b.maxExponent! >= a.bits - 1)
    );
  }
  if (a.kind === 'uint') {
    return (
      (b.kind === 'uint' && b.bits >= a.bits) ||
      (b.kind === 'int' && b.bits > a.bits) ||
      (b.kind === 'float' && b.precision! >= a.bits && b.maxExponent! >= a.bits - 1)
    );
  }
  return false;
}
