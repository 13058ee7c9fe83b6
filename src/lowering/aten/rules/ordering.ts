/**
 * Operators that give values and where they stand: extremes along a dimension, the largest, sorted order.
 *
 * @packageDocumentation
 */
import type { IValue } from '../../../model';
import { intAttr } from '../../builder';
import type { Call, Size } from '../call';
import { rule } from '../rule';
import type { IRule, Lowered } from '../rule';
import { operand } from './operands';

function extremeAlong(reduce: string, arg: string): (c: Call) => Lowered {
  return c => {
    const self = c.tensor('self');
    const axis = c.axis(c.int('dim'), c.rank(self));
    const keepdims = intAttr(c.bool('keepdim') ? 1 : 0);
    return [
      c.emit(reduce, [self, c.int64s([axis])], { keepdims }),
      c.emit(arg, [self], { axis: intAttr(axis), keepdims }, { dtype: 'int64' })
    ];
  };
}

function largest(c: Call, count: Size, options: { largest: boolean; sorted: boolean }): IValue[] {
  const self = c.tensor('self');
  const attrs = {
    axis: intAttr(c.axis(c.int('dim'), c.rank(self))),
    largest: intAttr(options.largest ? 1 : 0),
    sorted: intAttr(options.sorted ? 1 : 0)
  };
  return c.emitMany('TopK', [self, c.sizeVector([count])], attrs, [
    c.typeOf(self),
    { dtype: 'int64' }
  ]);
}

/** All elements as the largest ones, in order. */
function sort(c: Call): IValue[] {
  const self = c.tensor('self');
  const count = c.sizeOf(self, c.axis(c.int('dim'), c.rank(self)));
  return largest(c, count, { largest: c.bool('descending'), sorted: true });
}

function notScalar(c: Call): string | null {
  return c.rank(c.tensor('self')) > 0 ? null : 'a tensor without dimensions';
}

function other(op: string): (c: Call) => IValue {
  return c => c.emit(op, [operand(c, 'self'), operand(c, 'other')]);
}

/** Rules of this file. */
export const ORDERING_RULES: readonly IRule[] = [
  /** ReduceMax, ArgMax. */
  rule(
    'max.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor, Tensor)',
    extremeAlong('ReduceMax', 'ArgMax'),
    notScalar
  ),
  /** ReduceMin, ArgMin. */
  rule(
    'min.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor, Tensor)',
    extremeAlong('ReduceMin', 'ArgMin'),
    notScalar
  ),
  /** Max. */
  rule('max.other(Tensor self, Tensor other) -> Tensor', other('Max')),
  /** Min. */
  rule('min.other(Tensor self, Tensor other) -> Tensor', other('Min')),
  /** TopK. */
  rule(
    'topk(Tensor self, SymInt k, int dim=-1, bool largest=True, bool sorted=True) -> (Tensor, Tensor)',
    c => largest(c, c.size('k'), { largest: c.bool('largest'), sorted: c.bool('sorted') }),
    notScalar
  ),
  rule('sort(Tensor self, int dim=-1, bool descending=False) -> (Tensor, Tensor)', sort, notScalar)
];
