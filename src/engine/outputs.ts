/**
 * The outputs of a run: in the model's own dtypes, summarised, compared, saved.
 *
 * @packageDocumentation
 */
import type { DType } from '../model';
import { isFloating, isPacked } from '../model';
import type { ITensor } from '../numerics';
import { bytesOf, decodeFloat64, elementsOf, uncarryBytes } from '../numerics';
import type { IOutputInfo } from '../protocol';

/** An output by its name in the model. */
export interface INamedTensor {
  readonly name: string;
  readonly tensor: ITensor;
  /** The model's own dtype, where the tensor is of another one: packed types. */
  readonly dtype?: DType;
}

/**
 * `tensor` in the model's dtype. The device may hold low precision in float32; those values lie on the low-precision grid, so the
 * cast is exact. Elements of packed types stay one per byte or more: files of tensors have no such types either.
 */
export function inLogicalDtype(tensor: ITensor, dtype: DType | null): ITensor {
  if (dtype === null || dtype === tensor.dtype || isPacked(dtype)) {
    return tensor;
  }
  const bytes = uncarryBytes(bytesOf(tensor.data), tensor.dtype, dtype);
  return { dtype, shape: tensor.shape, data: elementsOf(dtype, bytes) };
}

/** Smallest, largest and mean finite element and the number of NaN. */
export function summarise({ name, tensor, dtype = tensor.dtype }: INamedTensor): IOutputInfo {
  let min = Infinity;
  let max = -Infinity;
  let sum = 0;
  let finiteCount = 0;
  let nanCount = 0;
  for (const value of decodeFloat64(bytesOf(tensor.data), tensor.dtype)) {
    if (Number.isNaN(value)) {
      nanCount++;
    } else if (Number.isFinite(value)) {
      min = Math.min(min, value);
      max = Math.max(max, value);
      sum += value;
      finiteCount++;
    }
  }
  const some = finiteCount > 0;
  return {
    name,
    dtype,
    shape: tensor.shape,
    min: some ? min : null,
    max: some ? max : null,
    mean: some ? sum / finiteCount : null,
    nanCount
  };
}

/**
 * Whether two sets of outputs are the same to the last bit.
 *
 * #### Notes
 * Every NaN equals every other: the payload of a NaN depends on whether a cast went through the vector or the scalar path of the
 * runtime's kernel, and carries no value. Zeros of different sign differ.
 */
export function bitIdentical(a: readonly INamedTensor[], b: readonly INamedTensor[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ tensor: left }, i) => {
      const right = b[i].tensor;
      return (
        left.dtype === right.dtype &&
        left.shape.join() === right.shape.join() &&
        (Buffer.compare(bytesOf(left.data), bytesOf(right.data)) === 0 ||
          sameButForNaN(left, right))
      );
    })
  );
}

function sameButForNaN(left: ITensor, right: ITensor): boolean {
  if (!isFloating(left.dtype)) {
    return false;
  }
  const a = decodeFloat64(bytesOf(left.data), left.dtype);
  const b = decodeFloat64(bytesOf(right.data), right.dtype);
  return a.every((value, i) => Object.is(value, b[i]));
}

/**
 * Largest absolute difference of any element of any output, relative to the largest absolute finite element of that output of
 * `reference`. Infinity where one side is NaN and the other is not, or shapes differ.
 */
export function maxRelativeDifference(
  reference: readonly INamedTensor[],
  other: readonly INamedTensor[]
): number {
  let worst = 0;
  for (const [i, output] of reference.entries()) {
    const expected = decodeFloat64(bytesOf(output.tensor.data), output.tensor.dtype);
    const found = decodeFloat64(bytesOf(other[i].tensor.data), other[i].tensor.dtype);
    if (expected.length !== found.length) {
      return Infinity;
    }
    let scale = 0;
    let difference = 0;
    for (let k = 0; k < expected.length; k++) {
      if (Object.is(expected[k], found[k]) || expected[k] === found[k]) {
        scale = Number.isFinite(expected[k]) ? Math.max(scale, Math.abs(expected[k])) : scale;
        continue;
      }
      const step = Math.abs(expected[k] - found[k]);
      difference = Number.isNaN(step) ? Infinity : Math.max(difference, step);
      scale = Number.isFinite(expected[k]) ? Math.max(scale, Math.abs(expected[k])) : scale;
    }
    worst = Math.max(worst, difference === 0 ? 0 : scale === 0 ? Infinity : difference / scale);
  }
  return worst;
}
