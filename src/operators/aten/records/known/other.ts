/**
 * Operators outside of ATen that castlens knows and cannot run.
 *
 * @packageDocumentation
 */
import * as dtypes from '../../dtypes';
import { operator } from '../../operator';
import type { IOperator } from '../../operator';

/** Records of this file. */
export const KNOWN_OTHER: readonly IOperator[] = [
  // A dimension that the calls in between do not see, and its return.
  operator(
    'torch::_functorch.predispatch._add_batch_dim(Tensor(a) self, int batch_dim, int level) -> Tensor(a)',
    {
      dtype: dtypes.likeFirst,
      arrangement: 'reordered'
    }
  ),
  operator(
    'torch::_functorch.predispatch._remove_batch_dim(Tensor(a) self, int level, int batch_size, int out_dim) -> Tensor(a)',
    {
      dtype: dtypes.likeFirst,
      arrangement: 'reordered'
    }
  )
];
