/**
 * Reductions, running sums and softmax.
 *
 * @packageDocumentation
 */
import { elementCount, isFloating } from '../../../model';
import type { DType, IValue } from '../../../model';
import { intAttr } from '../../builder';
import type { Call } from '../call';
import * as dtypes from '../dtypes';
import { limit, operator } from '../operator';
import type { IOperator } from '../operator';

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
  return c => moments(root)(c)[0];
}

/** Variance, or its root, and mean. */
function moments(root: boolean): (c: Call) => IValue[] {
  return c => {
    const self = reduced(c);
    const has = (name: string): boolean => c.schema.args.some(arg => arg.name === name);
    const axes = axesOf(c, self, has('dim') ? 'dim' : null);
    const keep = has('keepdim') && c.bool('keepdim');
    const correction = has('unbiased')
      ? Number(c.bool('unbiased'))
      : (c.optionalNumber('correction') ?? 1);
    const mean = reduce('ReduceMean', c, self, axes, true);
    const centred = c.emit('Sub', [self, mean]);
    const squares = c.emit('Mul', [centred, centred]);
    const sum = reduce('ReduceSum', c, squares, axes, keep);
    const result = c.emit('Div', [sum, degreesOfFreedom(c, self, axes, correction)]);
    return [
      root ? c.emit('Sqrt', [result]) : result,
      keep || axes.length === 0 ? mean : c.squeeze(mean, axes)
    ];
  };
}

/** The number of elements reduced, less the correction, and no less than 0. */
function degreesOfFreedom(
  c: Call,
  self: IValue,
  axes: readonly number[],
  correction: number
): IValue {
  const sizes = axes.map(axis => c.sizeOf(self, axis));
  if (sizes.every(size => typeof size === 'number')) {
    return c.scalar(Math.max(elementCount(sizes as number[]) - correction, 0));
  }
  const count = sizes
    .map(size => c.sizeScalar(size))
    .reduce((a, b) => c.emit('Mul', [a, b], {}, { dtype: 'int64', shape: [] }));
  const less = c.emit('Sub', [c.castTo(count, c.computeType), c.scalar(correction)]);
  return c.emit('Max', [less, c.scalar(0)]);
}

/** The operand with zeros for what is no number, and how many numbers there are. */
function nanReduced(c: Call, mean: boolean): IValue {
  const self = reduced(c);
  const axes = axesOf(c, self, 'dim');
  const keep = c.bool('keepdim');
  const nan = c.emit('IsNaN', [self], {}, { dtype: 'bool' });
  const sum = reduce('ReduceSum', c, c.emit('Where', [nan, c.scalar(0), self]), axes, keep);
  if (!mean) {
    return sum;
  }
  const ones = c.emit('Where', [nan, c.scalar(0), c.scalar(1)]);
  return c.emit('Div', [sum, reduce('ReduceSum', c, ones, axes, keep)]);
}

/** How many elements are not zero. */
function countNonzero(c: Call): IValue {
  const self = c.tensor('self');
  const flags = c.castTo(c.castTo(self, 'bool'), 'int64');
  const dims = c.schema.args.find(({ name }) => name === 'dim')!;
  const dim = dims.type.endsWith('[]') ? c.ints('dim') : c.optionalInt('dim');
  const given = dim === null ? [] : [dim].flat();
  const rank = c.rank(self);
  const axes = given.length > 0 ? c.axes(given, rank) : Array.from({ length: rank }, (_, i) => i);
  return reduce('ReduceSum', c, flags, axes, false, { dtype: 'int64' });
}

/** Smallest and largest element. */
function bothEnds(c: Call): IValue[] {
  const self = reduced(c);
  const dim = c.optionalInt('dim');
  const rank = c.rank(self);
  const axes = dim === null ? Array.from({ length: rank }, (_, i) => i) : c.axes([dim], rank);
  return ['ReduceMin', 'ReduceMax'].map(op => reduce(op, c, self, axes, c.bool('keepdim')));
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

/** Softmax that gives zeros instead of NaN where a whole row is -Infinity. */
function safeSoftmax(c: Call): IValue {
  const self = c.toType(c.tensor('self'), c.outType);
  const axis = c.axis(c.int('dim'), c.rank(self));
  const largest = c.emit('ReduceMax', [self, c.int64s([axis])], { keepdims: intAttr(1) });
  const empty = c.emit('Equal', [largest, c.scalar(-Infinity)], {}, { dtype: 'bool' });
  return c.emit('Where', [empty, c.scalar(0), softmax('Softmax')(c)]);
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

/**
 * Running results of an associative operation by doubling: after step k every element combines 2^k elements up to it. What stands
 * in front of the first is the operation's neutral value.
 */
function running(
  neutral: number,
  combine: (c: Call, a: IValue, b: IValue) => IValue
): (c: Call) => IValue {
  return c => {
    const self = reduced(c);
    const rank = c.rank(self);
    if (rank === 0) {
      return c.emit('Identity', [self]);
    }
    const axis = c.axis(c.int('dim'), rank);
    const size = c.shape(self)[axis] as number;
    const zeros = new Array<number>(rank).fill(0);
    let value = self;
    for (let step = 1; step < size; step *= 2) {
      const before = zeros.with(axis, step);
      const after = zeros.with(axis, -step);
      const shifted = c.emit('Pad', [value, c.int64s([...before, ...after]), c.scalar(neutral)]);
      value = combine(c, value, shifted);
    }
    return size > 1 ? value : c.emit('Identity', [value]);
  };
}

const staticRun = limit('the size of the dimension is static', c => {
  const self = c.tensor('self');
  const rank = c.rank(self);
  return rank === 0 || typeof c.shape(self)[c.axis(c.int('dim'), rank)] === 'number'
    ? null
    : 'a dimension whose size is not static';
});

/** `log(exp(a) + exp(b))` about the larger of both; where both are -Infinity there is nothing to add. */
function logAdd(c: Call, a: IValue, b: IValue): IValue {
  const high = c.emit('Max', [a, b]);
  const difference = c.emit('Neg', [c.emit('Abs', [c.emit('Sub', [a, b])])]);
  const more = c.emit('Log', [c.emit('Add', [c.emit('Exp', [difference]), c.scalar(1)])]);
  const equal = c.emit('Equal', [a, b], {}, { dtype: 'bool' });
  return c.emit('Add', [high, c.emit('Where', [equal, c.scalar(Math.LN2), more])]);
}

/** Square root of the sum of squares, largest or smallest magnitude, or the general norm. */
function vectorNorm(c: Call): IValue {
  return normOf(c, 'dim', c.bool('keepdim'), c.number('ord'));
}

function normOf(c: Call, dims: string | null, keep: boolean, order: number): IValue {
  const self = reduced(c);
  return lengthOf(c, self, axesOf(c, self, dims), keep, order);
}

function lengthOf(
  c: Call,
  self: IValue,
  axes: readonly number[],
  keep: boolean,
  order: number
): IValue {
  if (order === 0) {
    const zero = c.emit('Equal', [self, c.scalar(0)], {}, { dtype: 'bool' });
    return reduce('ReduceSum', c, c.emit('Where', [zero, c.scalar(0), c.scalar(1)]), axes, keep);
  }
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

const floatingResult = limit('floating-point results', c =>
  isFloating(c.outType) ? null : 'a result that is not floating point'
);

/** How many elements fall into each of equal bins between two ends, both included; others fall into none. */
function histogram(c: Call): IValue {
  const [bins, low, high] = [c.int('bins'), c.number('min'), c.number('max')];
  const type = 'float32' as const;
  const flat = c.castTo(c.reshape(c.tensor('self'), [-1]), type);
  const width = (high - low) / bins;
  const scaled = c.emit(
    'Div',
    [c.emit('Sub', [flat, c.scalar(low, type)], {}, { dtype: type }), c.scalar(width, type)],
    {},
    { dtype: type }
  );
  const floor = c.emit('Floor', [scaled], {}, { dtype: type });
  // What lies on the upper end belongs to the last bin.
  const top = c.emit('Equal', [flat, c.scalar(high, type)], {}, { dtype: 'bool' });
  const bin = c.emit('Where', [top, c.scalar(bins - 1, type), floor], {}, { dtype: type });
  const all = c.constantOf(
    type,
    Array.from({ length: bins }, (_, i) => i),
    [bins, 1]
  );
  const members = c.castTo(c.emit('Equal', [all, bin], {}, { dtype: 'bool' }), c.computeType);
  return c.emit('ReduceSum', [members, c.int64s([1])], { keepdims: intAttr(0) });
}

/** Records of this file. */
export const REDUCE: readonly IOperator[] = [
  /** ReduceMean. */
  operator('mean(Tensor self, *, ScalarType? dtype=None) -> Tensor', {
    dtype: dtypes.likeFirstOrDtype,
    limits: [floatingResult],
    lower: over('ReduceMean', null)
  }),
  operator(
    'mean.dim(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor',
    { dtype: dtypes.likeFirstOrDtype, limits: [floatingResult], lower: over('ReduceMean', 'dim') }
  ),
  /** ReduceSum. */
  operator('sum(Tensor self, *, ScalarType? dtype=None) -> Tensor', {
    dtype: dtypes.summed,
    lower: over('ReduceSum', null)
  }),
  operator(
    'sum.dim_IntList(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor',
    { dtype: dtypes.summed, lower: over('ReduceSum', 'dim') }
  ),
  /** ReduceProd. */
  operator('prod(Tensor self, *, ScalarType? dtype=None) -> Tensor', {
    dtype: dtypes.summed,
    lower: over('ReduceProd', null)
  }),
  operator(
    'prod.dim_int(Tensor self, int dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor',
    { dtype: dtypes.summed, lower: over('ReduceProd', 'dim') }
  ),
  /** ReduceLogSumExp. */
  operator('logsumexp(Tensor self, int[1] dim, bool keepdim=False) -> Tensor', {
    dtype: dtypes.floating,
    names: ['special_logsumexp'],
    lower: over('ReduceLogSumExp', 'dim')
  }),
  /** Sub, Div, Floor, Equal, ReduceSum. */
  operator('histc(Tensor self, int bins=100, Scalar min=0, Scalar max=0) -> Tensor', {
    dtype: dtypes.likeFirst,
    limits: [
      limit('min and max are given', c =>
        c.number('min') < c.number('max') ? null : 'ends that depend on the data'
      )
    ],
    lower: histogram
  }),
  /** ReduceMax. */
  operator('amax(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor', {
    dtype: dtypes.likeFirst,
    lower: over('ReduceMax', 'dim')
  }),
  operator('max(Tensor self) -> Tensor', {
    dtype: dtypes.extremum,
    lower: over('ReduceMax', null)
  }),
  /** ReduceMin. */
  operator('amin(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor', {
    dtype: dtypes.likeFirst,
    lower: over('ReduceMin', 'dim')
  }),
  operator('min(Tensor self) -> Tensor', {
    dtype: dtypes.extremum,
    lower: over('ReduceMin', null)
  }),
  /** Cast, ReduceMax, Cast. */
  operator('any(Tensor self) -> Tensor', { dtype: dtypes.anyAll, lower: truth('ReduceMax', null) }),
  operator('any.dim(Tensor self, int dim, bool keepdim=False) -> Tensor', {
    dtype: dtypes.anyAll,
    lower: truth('ReduceMax', 'dim')
  }),
  operator('any.dims(Tensor self, int[]? dim=None, bool keepdim=False) -> Tensor', {
    dtype: dtypes.anyAll,
    lower: truth('ReduceMax', 'dim')
  }),
  /** Cast, ReduceMin, Cast. */
  operator('all.dims(Tensor self, int[]? dim=None, bool keepdim=False) -> Tensor', {
    dtype: dtypes.anyAll,
    lower: truth('ReduceMin', 'dim')
  }),
  operator('all(Tensor self) -> Tensor', { dtype: dtypes.anyAll, lower: truth('ReduceMin', null) }),
  operator('all.dim(Tensor self, int dim, bool keepdim=False) -> Tensor', {
    dtype: dtypes.anyAll,
    lower: truth('ReduceMin', 'dim')
  }),
  /** ArgMax. */
  operator('argmax(Tensor self, int? dim=None, bool keepdim=False) -> Tensor', {
    dtype: dtypes.int64,
    lower: argExtreme('ArgMax')
  }),
  /** ArgMin. */
  operator('argmin(Tensor self, int? dim=None, bool keepdim=False) -> Tensor', {
    dtype: dtypes.int64,
    lower: argExtreme('ArgMin')
  }),
  /** ReduceMean, Sub, Mul, ReduceSum, Div. */
  operator(
    'var.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> Tensor',
    { dtype: dtypes.normed, lower: variance(false) }
  ),
  operator('var(Tensor self, bool unbiased=True) -> Tensor', {
    dtype: dtypes.normed,
    lower: variance(false)
  }),
  operator('var.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> Tensor', {
    dtype: dtypes.normed,
    lower: variance(false)
  }),
  operator('std(Tensor self, bool unbiased=True) -> Tensor', {
    dtype: dtypes.normed,
    lower: variance(true)
  }),
  operator('std.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> Tensor', {
    dtype: dtypes.normed,
    lower: variance(true)
  }),
  operator(
    'std.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> Tensor',
    { dtype: dtypes.normed, lower: variance(true) }
  ),
  ...['var', 'std'].flatMap(name =>
    [
      `${name}_mean(Tensor self, bool unbiased=True)`,
      `${name}_mean.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False)`,
      `${name}_mean.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False)`
    ].map(args =>
      operator(`${args} -> (Tensor, Tensor)`, {
        dtype: dtypes.realMoment,
        lower: moments(name === 'std')
      })
    )
  ),
  /** IsNaN, Where, ReduceSum. */
  operator(
    'nansum(Tensor self, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor',
    { dtype: dtypes.summed, limits: [floatingResult], lower: c => nanReduced(c, false) }
  ),
  /** IsNaN, Where, ReduceSum, Div. */
  operator(
    'nanmean(Tensor self, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor',
    { dtype: dtypes.likeFirstOrDtype, limits: [floatingResult], lower: c => nanReduced(c, true) }
  ),
  /** Cast, ReduceSum. */
  operator('count_nonzero(Tensor self, int? dim=None) -> Tensor', {
    dtype: dtypes.int64,
    lower: countNonzero
  }),
  operator('count_nonzero.dim_IntList(Tensor self, int[] dim) -> Tensor', {
    dtype: dtypes.int64,
    lower: countNonzero
  }),
  /** ReduceMin, ReduceMax. */
  operator(
    'aminmax(Tensor self, *, int? dim=None, bool keepdim=False) -> (Tensor min, Tensor max)',
    { dtype: dtypes.likeFirst, lower: bothEnds }
  ),
  /** Sub, ReduceL2, ReduceL1; Abs, ReduceMax, Pow, ReduceSum. */
  operator('dist(Tensor self, Tensor other, Scalar p=2) -> Tensor', {
    dtype: dtypes.realOf(dtypes.promoted),
    lower: c => {
      const difference = c.emit('Sub', [reduced(c), c.toType(c.tensor('other'), c.outType)]);
      const rank = Math.max(c.rank(c.tensor('self')), c.rank(c.tensor('other')));
      const all = Array.from({ length: rank }, (_, i) => i);
      return lengthOf(c, difference, all, false, c.number('p'));
    }
  }),
  /** ReduceL2, ReduceL1; Abs, ReduceMax, Pow, ReduceSum. */
  operator(
    'linalg_norm(Tensor self, Scalar? ord=None, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor',
    {
      dtype: dtypes.normed,
      limits: [
        limit('norms of vectors, and of whole tensors', c => {
          const dims = c.optionalInts('dim')?.length ?? c.rank(c.tensor('self'));
          return c.has('ord') && dims !== 1 ? 'a norm of matrices' : null;
        })
      ],
      lower: c => normOf(c, 'dim', c.bool('keepdim'), c.optionalNumber('ord') ?? 2)
    }
  ),
  operator(
    'linalg_matrix_norm.str_ord(Tensor self, str ord="fro", int[] dim=[-2, -1], bool keepdim=False, *, ScalarType? dtype=None) -> Tensor',
    {
      dtype: dtypes.normed,
      limits: [
        limit('the Frobenius norm', c =>
          c.string('ord') === 'fro' ? null : `the norm ${c.string('ord')}`
        )
      ],
      lower: c => normOf(c, 'dim', c.bool('keepdim'), 2)
    }
  ),
  operator(
    'linalg_vector_norm(Tensor self, Scalar ord=2, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor',
    { dtype: dtypes.normed, lower: vectorNorm }
  ),
  /** ReduceL2, ReduceL1; Abs, ReduceMax, Pow, ReduceSum. */
  operator('norm.Scalar(Tensor self, Scalar p=2) -> Tensor', {
    dtype: dtypes.normed,
    lower: c => normOf(c, null, false, c.number('p'))
  }),
  ...[
    'norm.ScalarOpt_dim(Tensor self, Scalar? p, int[1] dim, bool keepdim=False) -> Tensor',
    'norm.ScalarOpt_dim_dtype(Tensor self, Scalar? p, int[1] dim, bool keepdim, *, ScalarType dtype) -> Tensor'
  ].map(schema =>
    operator(schema, {
      dtype: dtypes.normed,
      lower: c => normOf(c, 'dim', c.bool('keepdim'), c.optionalNumber('p') ?? 2)
    })
  ),
  operator('norm.ScalarOpt_dtype(Tensor self, Scalar? p, *, ScalarType dtype) -> Tensor', {
    dtype: dtypes.normed,
    lower: c => normOf(c, null, false, c.optionalNumber('p') ?? 2)
  }),
  /** ReduceL2. */
  operator('frobenius_norm.dim(Tensor self, int[1] dim, bool keepdim=False) -> Tensor', {
    dtype: dtypes.normed,
    lower: c => normOf(c, 'dim', c.bool('keepdim'), 2)
  }),
  /** Pad, Mul. */
  operator('cumprod(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor', {
    dtype: dtypes.summed,
    limits: [staticRun],
    lower: running(1, (c, a, b) => c.emit('Mul', [a, b]))
  }),
  /** Pad, Max, Sub, Exp, Log, Add. */
  operator('logcumsumexp(Tensor self, int dim) -> Tensor', {
    dtype: dtypes.likeFirst,
    limits: [staticRun],
    lower: running(-Infinity, logAdd)
  }),
  /** Softmax. */
  operator('softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor', {
    dtype: dtypes.likeFirstOrDtype,
    names: ['special_softmax.default'],
    lower: softmax('Softmax')
  }),
  operator('_softmax(Tensor self, int dim, bool half_to_float) -> Tensor', {
    dtype: dtypes.rawSoftmax,
    lower: softmax('Softmax')
  }),
  /** LogSoftmax. */
  operator('log_softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor', {
    dtype: dtypes.likeFirstOrDtype,
    names: ['special_log_softmax.default'],
    lower: softmax('LogSoftmax')
  }),
  /** ReduceMax, Equal, Softmax, Where: rows without any finite element give zeros. */
  operator('_safe_softmax(Tensor self, int dim, ScalarType? dtype=None) -> Tensor', {
    dtype: dtypes.likeFirstOrDtype,
    lower: safeSoftmax
  }),
  operator('_log_softmax(Tensor self, int dim, bool half_to_float) -> Tensor', {
    dtype: dtypes.rawSoftmax,
    lower: softmax('LogSoftmax')
  }),
  /** CumSum. */
  operator('cumsum(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor', {
    dtype: dtypes.summed,
    lower: runningSum
  })
];
