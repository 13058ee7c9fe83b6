/**
 * ATen's type promotion, for operators that compute in another type than their result's (comparisons).
 *
 * @packageDocumentation
 */
import { DTYPES } from '../../model';
import type { DType } from '../../model';

/** One operand, as far as promotion looks at it. */
export interface IOperandType {
  readonly dtype: DType;
  /** Python numbers are weaker than 0-d tensors, which are weaker than tensors with dimensions. */
  readonly strength: 'number' | 'scalar' | 'tensor';
}

/**
 * The type an elementwise operator computes in (`torch.result_type`, c10/core/ScalarType promoteTypes): the promotion of the
 * tensors with dimensions; 0-d tensors count only where they are of a higher class (bool < integer < float < complex), and
 * Python numbers only where they are of a higher class than both.
 */
export function resultType(operands: readonly IOperandType[]): DType {
  let result: DType | null = null;
  for (const strength of ['tensor', 'scalar', 'number'] as const) {
    const group = operands.filter(operand => operand.strength === strength);
    if (group.length === 0) {
      continue;
    }
    const own = group.map(operand => operand.dtype).reduce(promoteTypes);
    if (result === null || classOf(own) > classOf(result)) {
      result = result === null ? own : promoteAcross(result, own, strength);
    }
  }
  return result ?? 'float32';
}

/** Promotion of two tensors of the same strength. */
export function promoteTypes(a: DType, b: DType): DType {
  if (a === b) {
    return a;
  }
  const [low, high] = classOf(a) <= classOf(b) ? [a, b] : [b, a];
  if (classOf(low) !== classOf(high)) {
    return high;
  }
  const x = DTYPES[low];
  const y = DTYPES[high];
  if (x.kind === 'float') {
    if (x.bits === y.bits) {
      return 'float32';
    }
    return x.bits > y.bits ? low : high;
  }
  if (x.kind === y.kind) {
    return x.bits > y.bits ? low : high;
  }
  // One signed, one unsigned: the signed type that holds both.
  const unsigned = x.kind === 'uint' ? x : y;
  const signedType = x.kind === 'uint' ? high : low;
  if (DTYPES[signedType].bits > unsigned.bits) {
    return signedType;
  }
  return unsigned.bits < 16 ? 'int16' : unsigned.bits < 32 ? 'int32' : 'int64';
}

/** A Python float beside an integer tensor gives the default dtype, a 0-d float tensor its own. */
function promoteAcross(result: DType, own: DType, strength: IOperandType['strength']): DType {
  if (strength === 'number' && DTYPES[own].kind === 'float') {
    return 'float32';
  }
  return promoteTypes(result, own);
}

function classOf(dtype: DType): number {
  switch (DTYPES[dtype].kind) {
    case 'bool':
      return 0;
    case 'int':
    case 'uint':
      return 1;
    case 'float':
      return 2;
    case 'complex':
      return 3;
    case 'string':
      return 4;
  }
}
