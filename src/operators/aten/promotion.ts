/**
 * ATen's type promotion.
 *
 * Sources: c10/core/ScalarType.h (`promoteTypes`), aten/src/ATen/native/TypeProperties.cpp (`result_type`,
 * `update_result_type_state`), https://docs.pytorch.org/docs/stable/tensor_attributes.html#type-promotion-doc.
 *
 * @packageDocumentation
 */
import type { Attr, DType, IValue } from '../../model';
import { DTYPES, isFloating } from '../../model';

/** dtype of Python floats in tensor arithmetic (`torch.get_default_dtype()`, which exports do not record). */
export const DEFAULT_FLOAT: DType = 'float32';

/** Something that takes part in type promotion: a tensor or Python number operand, or a literal argument. */
export type PromotionOperand =
  | { readonly kind: 'value'; readonly value: IValue }
  | { readonly kind: 'literal'; readonly literal: Attr };

/**
 * The smallest dtype both can be converted to (`torch.promote_types`).
 *
 * @returns null for pairs without one (float8 with integers wider than bool, unsigned types beyond uint8).
 */
export function promoteTypes(a: DType, b: DType): DType | null {
  if (a === b) {
    return a;
  }
  const x = DTYPES[a];
  const y = DTYPES[b];
  if (x.kind === 'string' || y.kind === 'string') {
    return null;
  }
  if (x.kind === 'bool') {
    return b;
  }
  if (y.kind === 'bool') {
    return a;
  }
  if (x.kind === 'complex' || y.kind === 'complex') {
    const wide = Math.max(realBits(a), realBits(b));
    return wide <= 16 ? 'complex32' : wide === 32 ? 'complex64' : 'complex128';
  }
  if (x.kind === 'float' && y.kind === 'float') {
    if (x.bits !== y.bits) {
      return x.bits > y.bits ? a : b;
    }
    // float16 with bfloat16; two float8 formats have no common type.
    return x.bits === 16 ? 'float32' : null;
  }
  if (x.kind === 'float') {
    return a;
  }
  if (y.kind === 'float') {
    return b;
  }
  if (x.kind === y.kind) {
    return x.bits > y.bits ? a : b;
  }
  // Signed with unsigned: ATen knows uint8 only.
  const unsigned = x.kind === 'uint' ? x : y;
  const signed = x.kind === 'uint' ? y : x;
  if (unsigned.bits !== 8) {
    return null;
  }
  return signed.bits === 8 ? 'int16' : x.kind === 'uint' ? b : a;
}

/** Bits of one real number of a complex or real element, for widening to a complex type. */
function realBits(dtype: DType): number {
  const info = DTYPES[dtype];
  if (info.kind === 'complex') {
    return info.bits / 2;
  }
  // bfloat16 has no complex counterpart and becomes complex64; integers become the other operand's type.
  return info.kind === 'float' ? (dtype === 'bfloat16' ? 32 : info.bits) : 0;
}

/** The complex dtype with `dtype` as its real part (`toComplexType`); null where there is none. */
export function toComplex(dtype: DType): DType | null {
  switch (dtype) {
    case 'float16':
      return 'complex32';
    case 'bfloat16':
    case 'float32':
      return 'complex64';
    case 'float64':
      return 'complex128';
    default:
      return DTYPES[dtype].kind === 'complex' ? dtype : null;
  }
}

/** The dtype of the real part of `dtype` (`toRealValueType`). */
export function toReal(dtype: DType): DType {
  switch (dtype) {
    case 'complex32':
      return 'float16';
    case 'complex64':
      return 'float32';
    case 'complex128':
      return 'float64';
    default:
      return dtype;
  }
}

/** `dtype` where it can hold fractions, the default float for integers and bool. */
export function toFloating(dtype: DType): DType {
  const { kind } = DTYPES[dtype];
  return kind === 'float' || kind === 'complex' ? dtype : DEFAULT_FLOAT;
}

/**
 * `torch.result_type` of several operands.
 *
 * Tensors with dimensions count first, 0-d tensors next, Python numbers last; a later category only matters where it is of a
 * higher kind (bool < integer < float < complex) than the categories before it.
 *
 * @returns null where an operand's dtype is not known or the dtypes have no common type.
 */
export function resultType(operands: Iterable<PromotionOperand>): DType | null {
  const types: IOperandType[] = [];
  for (const operand of operands) {
    const dtype = operandDtype(operand);
    if (dtype === null) {
      return null;
    }
    if (dtype === undefined) {
      continue;
    }
    if (operand.kind === 'literal' || operand.value.kind !== 'tensor') {
      types.push({ dtype, strength: 'number' });
    } else if (operand.value.shape === null) {
      // Not known whether it is 0-d.
      return null;
    } else {
      types.push({ dtype, strength: operand.value.shape.length === 0 ? 'scalar' : 'tensor' });
    }
  }
  return promoteOperands(types);
}

/** One operand, as far as promotion looks at it. */
export interface IOperandType {
  readonly dtype: DType;
  /** Python numbers are weaker than 0-d tensors, which are weaker than tensors with dimensions. */
  readonly strength: 'number' | 'scalar' | 'tensor';
}

/** `torch.result_type` of operands whose dtypes are known; null where they have no common type, and where there are none. */
export function promoteOperands(operands: readonly IOperandType[]): DType | null {
  const merged = new Map<IOperandType['strength'], DType>();
  for (const { dtype, strength } of operands) {
    const own = merged.get(strength);
    const wide = own === undefined ? dtype : promoteTypes(own, dtype);
    if (wide === null) {
      return null;
    }
    merged.set(strength, wide);
  }
  const weak = combine(merged.get('scalar'), merged.get('number')) ?? undefined;
  return combine(merged.get('tensor'), weak);
}

/** dtype an operand brings; null where not known, undefined for None. */
function operandDtype(operand: PromotionOperand): DType | null | undefined {
  const kind = operand.kind === 'literal' ? operand.literal.kind : operand.value.kind;
  switch (kind) {
    case 'none':
      return undefined;
    case 'bool':
      return 'bool';
    case 'int':
      return 'int64';
    case 'float':
      return DEFAULT_FLOAT;
    case 'tensor':
      return operand.kind === 'value' ? operand.value.dtype : null;
    default:
      return null;
  }
}

/** `combine_categories` of TypeProperties.cpp. */
function combine(higher: DType | undefined, lower: DType | undefined): DType | null {
  if (higher === undefined) {
    return lower ?? null;
  }
  if (lower === undefined || DTYPES[higher].kind === 'complex') {
    return higher;
  }
  if (isFloating(higher)) {
    return DTYPES[lower].kind === 'complex' ? toComplex(higher) : higher;
  }
  const lowerKind = DTYPES[lower].kind;
  if (higher === 'bool' || lowerKind === 'float' || lowerKind === 'complex') {
    return promoteTypes(higher, lower);
  }
  return higher;
}
