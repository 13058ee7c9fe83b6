/**
 * Which operands of ATen operators must have one dtype, and which are multiplied.
 *
 * @packageDocumentation
 */
import { perOperator } from '../model';
import { operatorOf } from './aten/registry';
import { isInPlaceName } from './memory';

/** What an operator demands of the dtypes of its operands. */
export interface IDtypeDemand {
  /** Arguments that must have one dtype. */
  readonly args: readonly string[];
  /** Whether that is the dtype of the first one, which the others are written into. */
  readonly isIntoFirst: boolean;
}

/** The demand of an operator; null for most. */
export const dtypeDemand = perOperator((op): IDtypeDemand | null => {
  // An operator in place without a record demands what the one that makes a new tensor does.
  const record = operatorOf(op) ?? (isInPlaceName(op) ? operatorOf(op.replace('_.', '.')) : null);
  if (record?.agree === undefined) {
    return null;
  }
  const args = record.agree === 'all' ? record.schema.args.map(({ name }) => name) : record.agree;
  return { args, isIntoFirst: record.writesInto === true };
});

/**
 * The tensor arguments of an operator that are multiplied by `matmul` inside of `torch.vmap`, and the rest of them, which are added to the
 * product; null where the operator is computed otherwise.
 */
export const batchedFactors = perOperator(
  (op): { readonly args: readonly string[]; readonly rest: readonly string[] } | null => {
    const record = operatorOf(op);
    if (record?.factors === undefined) {
      return null;
    }
    const tensors = record.schema.args
      .filter(({ type }) => type.startsWith('Tensor'))
      .map(({ name }) => name);
    const args = record.factors === 'all' ? tensors : record.factors;
    return { args, rest: tensors.filter(name => !args.includes(name)) };
  }
);
