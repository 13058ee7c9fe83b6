/**
 * What autocast does to calls inside of `torch.vmap`.
 *
 * @packageDocumentation
 */
import type { DType, INode, IValue } from '../model';
import { BATCH_DIM } from '../model';
import type { IOperandCast } from './applypolicy';
import { batchedFactors, promoteTypes } from '../operators';

/**
 * Calls on values with a batch dimension that they do not see. They are first turned into calls on the whole batch, and autocast acts on
 * what these call.
 *
 * Source: the batch rules in aten/src/ATen/functorch, seen by running each operator under `torch.vmap` and autocast (2.15.0).
 */
export class BatchedCalls {
  /** Take note of a node, before its operands are replaced; nodes come in order. */
  note(node: INode): void {
    const { op, inputs, outputs } = node;
    const isOnBatch =
      this._values.size > 0 &&
      op !== BATCH_DIM.remove &&
      inputs.some(value => value !== null && this._values.has(value));
    if (isOnBatch || op === BATCH_DIM.add) {
      outputs.forEach(value => value !== null && this._values.add(value));
    }
    if (isOnBatch) {
      this._calls.add(node);
    }
  }

  /** Whether a node is a call on a batch. */
  has(node: INode): boolean {
    return this._calls.has(node);
  }

  private readonly _calls = new Set<INode>();
  private readonly _values = new Set<IValue>();
}

/**
 * The casts that a policy makes of a call on a batch.
 *
 * - Products are computed by `matmul`, which casts its factors; what is added to them is added afterwards, as it is.
 * - Convolutions and attention are called below autocast, which does not see them.
 * - Casts to float32 are made as ever.
 *
 * @param casts - what the policy casts of the call outside of `torch.vmap`.
 * @param argumentOf - name of the argument at a position.
 */
export function castsOfBatch(
  { op }: INode,
  casts: readonly IOperandCast[],
  lower: DType,
  argumentOf: (position: number) => string | undefined
): IOperandCast[] {
  const factors = batchedFactors(op);
  return casts.filter(
    ({ index, to }) =>
      to !== lower || (factors !== null && !factors.rest.includes(argumentOf(index) ?? ''))
  );
}

/** The dtype of a product on a batch that something is added to; null for any other call. */
export function dtypeOfBatchedSum({ op, inputs }: INode): DType | null {
  const dtypes = inputs.flatMap(value => (value?.kind === 'tensor' ? (value.dtype ?? []) : []));
  return (batchedFactors(op)?.rest.length ?? 0) > 0 && dtypes.length > 2
    ? dtypes.reduce((wide: DType | null, dtype) => wide && promoteTypes(wide, dtype), dtypes[0])
    : null;
}
