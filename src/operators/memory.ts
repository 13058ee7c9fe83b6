/**
 * Which operators write in place and which results may share memory with an operand, by the alias annotations of ATen's schemas.
 *
 * @packageDocumentation
 */
import { changesDtype, perOperator } from '../model';
import type { INode } from '../model';
import { isLayoutOnly } from './arrangement';
import { operatorOf } from './aten/registry';

/** Whether the result of a node is its first operand, under a new name: `relu_`, `detach_`. */
export function isInPlace(node: INode): boolean {
  return isInPlaceOperator(node.op);
}

/** Whether a node changes what the memory of its first operand holds. `detach_` and `dropout_` outside of training do not. */
export function writesInPlace(node: INode): boolean {
  return isInPlace(node) && !isLayoutOnly(node);
}

/** Whether the results of a node may be its first operand, or views of it. */
export function mayShareMemory(node: INode): boolean {
  // A cast returns its operand where there is nothing to do.
  return returnsFirst(node.op) && !changesDtype(node);
}

const isInPlaceOperator = perOperator(op => {
  const first = operatorOf(op)?.schema.args[0];
  // Operators without a record: ATen's names tell. A test holds every schema of ATen against that.
  return first === undefined ? isInPlaceName(op) : (first.alias?.endsWith('!') ?? false);
});

const returnsFirst = perOperator(op => {
  const record = operatorOf(op);
  if (record === null) {
    return isInPlaceName(op);
  }
  const { args, results } = record.schema;
  const alias = args[0]?.alias ?? null;
  return (
    record.mayReturnOperand === true ||
    (alias !== null && results.some(result => result.alias?.[0] === alias[0]))
  );
});

/** Whether an operator is in place by its name: `relu_`, `__iand__`, but not `__and__`. */
export function isInPlaceName(op: string): boolean {
  const [namespace, base] = op.split('.');
  return (
    namespace === 'aten' && (base.endsWith('__') ? base.startsWith('__i') : base.endsWith('_'))
  );
}
