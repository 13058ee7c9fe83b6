/**
 * The dtypes of operators' results.
 *
 * @packageDocumentation
 */
import { perOperator } from '../model';
import { likeFirst } from './aten/dtypes';
import type { DtypeRule } from './aten/dtypes';
import { operatorOf } from './aten/registry';
import { isInPlaceName } from './memory';

/**
 * The rule for an operator, or null where there is none.
 *
 * @param op - as graphs name it, `aten.linear.default`.
 */
export const dtypeRule = perOperator((op: string): DtypeRule | null => {
  const record = operatorOf(op);
  if (record === null) {
    // What is written in place keeps its dtype.
    return isInPlaceName(op) ? likeFirst : null;
  }
  return typeof record.dtype === 'function' ? record.dtype : null;
});
