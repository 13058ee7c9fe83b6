/**
 * Operators that give values and where they stand: extremes along a dimension, the largest, sorted order.
 *
 * @packageDocumentation
 */
import { elementCount, isFloating } from '../../../model';
import type { IValue } from '../../../model';
import { intAttr, intsAttr } from '../../builder';
import type { Arguments } from '../arguments';
import type { Call, Size } from '../call';
import * as dtypes from '../dtypes';
import { limit, operator } from '../operator';
import type { IOperator, Lowered } from '../operator';
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

/** The first elements of a dimension in order, equal ones as they stood, and their places. */
function ordered(
  c: Call,
  value: IValue,
  axis: number,
  count: Size,
  options: { largest: boolean; sorted: boolean }
): [IValue, IValue] {
  // TopK exists for float32, float64, int32 and int64.
  const { dtype } = value;
  const narrow = dtype !== null && !isFloating(dtype) && dtype !== 'int64' && dtype !== 'int32';
  const attrs = {
    axis: intAttr(axis),
    largest: intAttr(options.largest ? 1 : 0),
    sorted: intAttr(options.sorted ? 1 : 0)
  };
  const operand = narrow ? c.castTo(value, 'int32') : value;
  const [values, places] = c.emitMany('TopK', [operand, c.sizeVector([count])], attrs, [
    c.typeOf(operand),
    { dtype: 'int64' }
  ]);
  return [narrow ? c.castTo(values, dtype) : values, places];
}

function axisOf(c: Call, self: IValue): number {
  return c.axis(c.int('dim'), c.rank(self));
}

function topK(c: Call): IValue[] {
  const self = c.tensor('self');
  return ordered(c, self, axisOf(c, self), c.size('k'), {
    largest: c.bool('largest'),
    sorted: c.bool('sorted')
  });
}

/** All elements as the largest ones, in order. */
function sort(c: Call): [IValue, IValue] {
  const self = c.tensor('self');
  const axis = axisOf(c, self);
  return ordered(c, self, axis, c.sizeOf(self, axis), {
    largest: c.bool('descending'),
    sorted: true
  });
}

/** The element at a place of the ascending order along a dimension, and where it stands. */
function atRank(c: Call, self: IValue, axis: number, rank: Size, keepdim: boolean): IValue[] {
  const all = ordered(c, self, axis, c.sizeOf(self, axis), { largest: false, sorted: true });
  return all.map(value => {
    const one = c.emit(
      'Gather',
      [value, c.sizeScalar(rank)],
      { axis: intAttr(axis) },
      { ...c.typeOf(value), shape: self.shape?.filter((_, i) => i !== axis) ?? null }
    );
    return keepdim ? c.unsqueeze(one, [axis]) : one;
  });
}

function kthValue(c: Call): IValue[] {
  const self = c.tensor('self');
  return atRank(c, self, axisOf(c, self), c.int('k') - 1, c.bool('keepdim'));
}

/** The lower median: of an even number of elements the smaller one in the middle. */
function medianAlong(c: Call): IValue[] {
  const self = c.tensor('self');
  const axis = axisOf(c, self);
  const size = c.shape(self)[axis] as number;
  return atRank(c, self, axis, Math.floor((size - 1) / 2), c.bool('keepdim'));
}

function median(c: Call): IValue {
  const flat = c.reshape(c.tensor('self'), [-1], [elementCount(c.staticShape(c.tensor('self'))!)]);
  return atRank(c, flat, 0, Math.floor(((flat.shape![0] as number) - 1) / 2), false)[0];
}

/**
 * Quantiles between neighbours of the ascending order, linearly interpolated: `low + (high - low) * fraction` at the place
 * `q * (n - 1)`.
 */
function quantile(c: Call): IValue {
  const given = c.toType(c.tensor('self'), c.outType);
  const dim = c.optionalInt('dim');
  const rank = c.rank(given);
  const flat = dim === null;
  const self = flat ? c.reshape(given, [-1], [elementCount(c.staticShape(given)!)]) : given;
  const axis = flat ? 0 : c.axis(dim, rank);
  const size = c.shape(self)[axis] as number;
  const [sorted] = ordered(c, self, axis, size, { largest: false, sorted: true });
  const q = c.isValue('q') ? c.toType(c.tensor('q'), c.outType) : c.scalar(c.number('q'));
  const place = c.emit('Mul', [q, c.scalar(size - 1)]);
  const low = c.emit('Floor', [place]);
  const at = (position: IValue): IValue =>
    c.emit('Gather', [sorted, c.castTo(position, 'int64')], { axis: intAttr(axis) });
  // The fraction stands along the dimensions that reading by `q` put in place of the sorted one.
  const behind = c.rank(self) - 1 - axis;
  const qRank = c.isValue('q') ? c.rank(c.tensor('q')) : 0;
  const between = c.emit('Sub', [place, low]);
  const fraction =
    qRank === 0 || behind === 0
      ? between
      : c.reshape(between, [-1, ...new Array<number>(behind).fill(1)]);
  const lower = at(low);
  const step = c.emit('Sub', [at(c.emit('Ceil', [place])), lower]);
  const value = c.emit('Add', [lower, c.emit('Mul', [step, fraction])]);
  // The quantiles come first, and what was reduced keeps its place as 1 with keepdim.
  const rest = flat ? [] : Array.from({ length: rank - 1 }, (_, i) => i);
  const perm = qRank === 0 ? rest : [axis, ...rest.map(i => (i < axis ? i : i + 1))];
  const moved = perm.every((from, i) => from === i)
    ? value
    : c.emit('Transpose', [value], { perm: intsAttr(perm) });
  if (!c.bool('keepdim')) {
    return moved;
  }
  const kept = flat ? Array.from({ length: rank }, (_, i) => i) : [axis];
  return c.emit('Unsqueeze', [moved, c.int64s(kept.map(i => i + qRank))]);
}

const interpolates = limit('linear interpolation, sizes are static', c => {
  const self = c.tensor('self');
  const dim = c.optionalInt('dim');
  const mode = c.string('interpolation');
  if (mode !== 'linear') {
    return `interpolation ${mode}`;
  }
  return dim === null ? allStatic.refuse(c) : sizeOfDimension(c, self, dim);
});

function sizeOfDimension(c: Arguments, self: IValue, dim: number): string | null {
  return typeof c.shape(self)[c.axis(dim, c.rank(self))] === 'number'
    ? null
    : 'a dimension whose size is not static';
}

const allStatic = limit('sizes are static', c => {
  const shape = c.staticShape(c.tensor('self'));
  return shape === null || elementCount(shape) === 0 ? 'sizes that are not static' : null;
});

const staticDimension = limit(
  'sizes are static',
  c => notScalar.refuse(c) ?? sizeOfDimension(c, c.tensor('self'), c.int('dim'))
);

/** The number of bounds below each value, or not above it with `right`. */
function countBelow(c: Call, bounds: IValue, value: IValue, right: boolean): IValue {
  const common = isFloating(bounds.dtype!) || isFloating(value.dtype!) ? 'float32' : 'int64';
  const below = c.emit(
    right ? 'LessOrEqual' : 'Less',
    [c.castTo(bounds, common), c.castTo(value, common)],
    {},
    { dtype: 'bool' }
  );
  const count = c.emit(
    'ReduceSum',
    [c.castTo(below, 'int64'), c.int64s([-1])],
    { keepdims: intAttr(0) },
    { dtype: 'int64' }
  );
  return c.castTo(count, c.outType);
}

function bucketize(c: Call): IValue {
  const self = c.tensor('self');
  const value = c.unsqueeze(self, [c.rank(self)]);
  return countBelow(c, c.tensor('boundaries'), value, c.bool('right'));
}

function searchSorted(c: Call): IValue {
  const sorted = c.tensor('sorted_sequence');
  const self = c.tensor('self');
  const rank = c.rank(sorted);
  const bounds = rank === 1 ? sorted : c.unsqueeze(sorted, [rank - 1]);
  const right = c.bool('right') || (c.has('side') && c.string('side') === 'right');
  return countBelow(c, bounds, c.unsqueeze(self, [c.rank(self)]), right);
}

const notScalar = limit('tensors with at least one dimension', c =>
  c.rank(c.tensor('self')) > 0 ? null : 'a tensor without dimensions'
);

function other(op: string): (c: Call) => IValue {
  return c => c.emit(op, [operand(c, 'self'), operand(c, 'other')]);
}

/** Records of this file. */
export const ORDERING: readonly IOperator[] = [
  /** ReduceMax, ArgMax. */
  operator('max.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)', {
    dtype: dtypes.extremum,
    limits: [notScalar],
    lower: extremeAlong('ReduceMax', 'ArgMax')
  }),
  /** ReduceMin, ArgMin. */
  operator('min.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)', {
    dtype: dtypes.extremum,
    limits: [notScalar],
    lower: extremeAlong('ReduceMin', 'ArgMin')
  }),
  /** Max. */
  operator('max.other(Tensor self, Tensor other) -> Tensor', {
    dtype: dtypes.promoted,
    lower: other('Max')
  }),
  /** Min. */
  operator('min.other(Tensor self, Tensor other) -> Tensor', {
    dtype: dtypes.promoted,
    lower: other('Min')
  }),
  /** TopK. */
  operator(
    'topk(Tensor self, SymInt k, int dim=-1, bool largest=True, bool sorted=True) -> (Tensor values, Tensor indices)',
    { dtype: dtypes.withIndices, limits: [notScalar], lower: topK }
  ),
  operator(
    'sort(Tensor self, int dim=-1, bool descending=False) -> (Tensor values, Tensor indices)',
    { dtype: dtypes.withIndices, limits: [notScalar], lower: sort }
  ),
  operator(
    'sort.stable(Tensor self, *, bool? stable, int dim=-1, bool descending=False) -> (Tensor values, Tensor indices)',
    { dtype: dtypes.withIndices, limits: [notScalar], lower: sort }
  ),
  operator('argsort(Tensor self, int dim=-1, bool descending=False) -> Tensor', {
    dtype: dtypes.int64,
    limits: [notScalar],
    lower: c => sort(c)[1]
  }),
  operator(
    'argsort.stable(Tensor self, *, bool stable, int dim=-1, bool descending=False) -> Tensor',
    { dtype: dtypes.int64, limits: [notScalar], lower: c => sort(c)[1] }
  ),
  /** TopK, Gather. */
  operator(
    'kthvalue(Tensor self, SymInt k, int dim=-1, bool keepdim=False) -> (Tensor values, Tensor indices)',
    { dtype: dtypes.withIndices, limits: [notScalar], lower: kthValue }
  ),
  operator(
    'median.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)',
    { dtype: dtypes.extremum, limits: [staticDimension], lower: medianAlong }
  ),
  operator('median(Tensor self) -> Tensor', {
    dtype: dtypes.extremum,
    limits: [allStatic],
    lower: median
  }),
  /** TopK, Floor, Ceil, Gather, Sub, Mul, Add. */
  operator(
    'quantile(Tensor self, Tensor q, int? dim=None, bool keepdim=False, *, str interpolation="linear") -> Tensor',
    { dtype: dtypes.likeFirst, limits: [interpolates], lower: quantile }
  ),
  operator(
    'quantile.scalar(Tensor self, float q, int? dim=None, bool keepdim=False, *, str interpolation="linear") -> Tensor',
    { dtype: dtypes.likeFirst, limits: [interpolates], lower: quantile }
  ),
  /** Less, ReduceSum. */
  operator(
    'bucketize.Tensor(Tensor self, Tensor boundaries, *, bool out_int32=False, bool right=False) -> Tensor',
    { dtype: dtypes.positions, lower: bucketize }
  ),
  operator(
    'searchsorted.Tensor(Tensor sorted_sequence, Tensor self, *, bool out_int32=False, bool right=False, str? side=None, Tensor? sorter=None) -> Tensor',
    {
      dtype: dtypes.positions,
      limits: [limit('no sorter', c => (c.has('sorter') ? 'a sorter' : null))],
      lower: searchSorted
    }
  )
];
