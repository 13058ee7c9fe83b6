/**
 * Reductions, running sums and softmax.
 *
 * @packageDocumentation
 */
import { elementCount, isFloating } from '../../../model';
import type { DType, IValue } from '../../../model';
import { intAttr } from '../../builder';
import type { Call } from '../call';
import { rule } from '../rule';
import type { IRule } from '../rule';

/** Dimensions to reduce; all where none are given, as ATen reads an absent or empty list. */
function axesOf(c: Call, self: IValue, name: string | null): number[] {
  const rank = c.rank(self);
  const dims = name === null ? null : c.optionalInts(name);
  return dims === null || dims.length === 0
    ? Array.from({ length: rank }, (_, i) => i)
    : c.axes(dims, rank);
}

/** The operand in the type reduced in: the `dtype` argument's where given, else the result's. */
function reduced(c: Call): IValue {
  return c.toType(c.tensor('self'), c.outType);
}

function reduce(
  op: string,
  c: Call,
  value: IValue,
  axes: readonly number[],
  keepdim: boolean,
  type: { dtype?: DType } = {}
): IValue {
  if (axes.length === 0) {
    return c.emit('Identity', [value], {}, type);
  }
  return c.emit(op, [value, c.int64s(axes)], { keepdims: intAttr(keepdim ? 1 : 0) }, type);
}

function over(op: string, dims: string | null): (c: Call) => IValue {
  return c => {
    const value = reduced(c);
    return reduce(op, c, value, axesOf(c, value, dims), dims !== null && c.bool('keepdim'));
  };
}

/** Truth of any or all elements, by the largest or smallest of 0 and 1. */
function truth(op: 'ReduceMax' | 'ReduceMin', dims: string | null): (c: Call) => IValue {
  return c => {
    const self = c.tensor('self');
    const flags = c.castTo(c.castTo(self, 'bool'), 'int32');
    const axes = axesOf(c, self, dims);
    const result = reduce(op, c, flags, axes, dims !== null && c.bool('keepdim'), {
      dtype: 'int32'
    });
    return c.castTo(result, 'bool');
  };
}

function argExtreme(op: string): (c: Call) => IValue {
  return c => {
    const self = c.tensor('self');
    const dim = c.optionalInt('dim');
    const value = dim === null ? c.reshape(self, [-1]) : self;
    return c.emit(
      op,
      [value],
      {
        axis: intAttr(dim === null ? 0 : c.axis(dim, c.rank(self))),
        keepdims: intAttr(c.bool('keepdim') ? 1 : 0)
      },
      { dtype: 'int64' }
    );
  };
}

/** Variance with Bessel's correction: sum of squares about the mean over n - correction. */
function variance(root: boolean): (c: Call) => IValue {
  return c => {
    const self = reduced(c);
    const has = (name: string): boolean => c.schema.args.some(arg => arg.name === name);
    const axes = axesOf(c, self, has('dim') ? 'dim' : null);
    const keep = has('keepdim') && c.bool('keepdim');
    const shape = c.staticShape(self);
    const count = shape === null ? NaN : elementCount(axes.map(axis => shape[axis]));
    const correction = has('unbiased')
      ? Number(c.bool('unbiased'))
      : (c.optionalNumber('correction') ?? 1);
    const mean = reduce('ReduceMean', c, self, axes, true);
    const centred = c.emit('Sub', [self, mean]);
    const squares = c.emit('Mul', [centred, centred]);
    const sum = reduce('ReduceSum', c, squares, axes, keep);
    const result = c.emit('Div', [sum, c.scalar(Math.max(count - correction, 0))]);
    return root ? c.emit('Sqrt', [result]) : result;
  };
}

function staticCount(c: Call): string | null {
  const self = c.tensor('self');
  return c.staticShape(self) === null ? 'sizes that are not static' : null;
}

function softmax(op: string): (c: Call) => IValue {
  return c => {
    const self = c.toType(c.tensor('self'), c.outType);
    const rank = c.rank(self);
    if (rank === 0) {
      return c.emit(op, [c.unsqueeze(self, [0])], { axis: intAttr(0) }, { shape: [] });
    }
    return c.emit(op, [self], { axis: intAttr(c.axis(c.int('dim'), rank)) });
  };
}

/** CumSum. A 0-d tensor is its own sum. */
function runningSum(c: Call): IValue {
  const self = reduced(c);
  const rank = c.rank(self);
  if (rank === 0) {
    return c.emit('Identity', [self]);
  }
  return c.emit('CumSum', [self, c.scalar(c.axis(c.int('dim'), rank), 'int64')]);
}

/** Square root of the sum of squares, largest or smallest magnitude, or the general norm. */
function vectorNorm(c: Call): IValue {
  const self = reduced(c);
  const axes = axesOf(c, self, 'dim');
  const keep = c.bool('keepdim');
  const order = c.number('ord');
  if (order === 2) {
    return reduce('ReduceL2', c, self, axes, keep);
  }
  if (order === 1) {
    return reduce('ReduceL1', c, self, axes, keep);
  }
  const size = c.emit('Abs', [self]);
  if (order === Infinity || order === -Infinity) {
    return reduce(order > 0 ? 'ReduceMax' : 'ReduceMin', c, size, axes, keep);
  }
  const powers = c.emit('Pow', [size, c.scalar(order)]);
  const sum = reduce('ReduceSum', c, powers, axes, keep);
  return c.emit('Pow', [sum, c.scalar(1 / order)]);
}

function floatingResult(c: Call): string | null {
  return isFloating(c.outType) ? null : 'a result that is not floating point';
}

/** Rules of this file. */
export const REDUCE_RULES: readonly IRule[] = [
  /** ReduceMean. */
  rule(
    'mean(Tensor self, *, ScalarType? dtype=None) -> Tensor',
    over('ReduceMean', null),
    floatingResult
  ),
  rule(
    'mean.dim(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor',
    over('ReduceMean', 'dim'),
    floatingResult
  ),
  /** ReduceSum. */
  rule('sum(Tensor self, *, ScalarType? dtype=None) -> Tensor', over('ReduceSum', null)),
  rule(
    'sum.dim_IntList(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor',
    over('ReduceSum', 'dim')
  ),
  /** ReduceProd. */
  rule('prod(Tensor self, *, ScalarType? dtype=None) -> Tensor', over('ReduceProd', null)),
  rule(
    'prod.dim_int(Tensor self, int dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor',
    over('ReduceProd', 'dim')
  ),
  /** ReduceLogSumExp. */
  rule(
    'logsumexp(Tensor self, int[1] dim, bool keepdim=False) -> Tensor',
    over('ReduceLogSumExp', 'dim')
  ),
  /** ReduceMax. */
  rule('amax(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor', over('ReduceMax', 'dim')),
  rule('max(Tensor self) -> Tensor', over('ReduceMax', null)),
  /** ReduceMin. */
  rule('amin(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor', over('ReduceMin', 'dim')),
  rule('min(Tensor self) -> Tensor', over('ReduceMin', null)),
  /** Cast, ReduceMax, Cast. */
  rule('any(Tensor self) -> Tensor', truth('ReduceMax', null)),
  rule('any.dim(Tensor self, int dim, bool keepdim=False) -> Tensor', truth('ReduceMax', 'dim')),
  rule(
    'any.dims(Tensor self, int[]? dim=None, bool keepdim=False) -> Tensor',
    truth('ReduceMax', 'dim')
  ),
  /** Cast, ReduceMin, Cast. */
  rule('all(Tensor self) -> Tensor', truth('ReduceMin', null)),
  rule('all.dim(Tensor self, int dim, bool keepdim=False) -> Tensor', truth('ReduceMin', 'dim')),
  /** ArgMax. */
  rule('argmax(Tensor self, int? dim=None, bool keepdim=False) -> Tensor', argExtreme('ArgMax')),
  /** ArgMin. */
  rule('argmin(Tensor self, int? dim=None, bool keepdim=False) -> Tensor', argExtreme('ArgMin')),
  /** ReduceMean, Sub, Mul, ReduceSum, Div. */
  rule(
    'var.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> Tensor',
    variance(false),
    staticCount
  ),
  rule('var(Tensor self, bool unbiased=True) -> Tensor', variance(false), staticCount),
  rule(
    'var.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> Tensor',
    variance(false),
    staticCount
  ),
  rule('std(Tensor self, bool unbiased=True) -> Tensor', variance(true), staticCount),
  rule(
    'std.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> Tensor',
    variance(true),
    staticCount
  ),
  rule(
    'std.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> Tensor',
    variance(true),
    staticCount
  ),
  /** ReduceL2, ReduceL1; Abs, ReduceMax, Pow, ReduceSum. */
  rule(
    'linalg_vector_norm(Tensor self, Scalar ord=2, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor',
    vectorNorm
  ),
  /** Softmax. */
  rule('softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor', softmax('Softmax')),
  rule('_softmax(Tensor self, int dim, bool half_to_float) -> Tensor', softmax('Softmax')),
  /** LogSoftmax. */
  rule(
    'log_softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor',
    softmax('LogSoftmax')
  ),
  rule('_log_softmax(Tensor self, int dim, bool half_to_float) -> Tensor', softmax('LogSoftmax')),
  /** CumSum. */
  rule('cumsum(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor', runningSum)
];
