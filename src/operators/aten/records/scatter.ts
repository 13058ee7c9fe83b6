/**
 * Writing into a copy of a tensor.
 *
 * @packageDocumentation
 */
import { isFloating } from '../../../model';
import type { IValue } from '../../../model';
import { intAttr, stringAttr } from '../../builder';
import type { Call, Size } from '../call';
import * as dtypes from '../dtypes';
import { limit, operator } from '../operator';
import type { IOperator } from '../operator';
import { arranged, indexing } from './indexing';
import { slice } from './layout';
import { operand } from './operands';

function sizesOf(c: Call, value: IValue): Size[] {
  return Array.from({ length: c.rank(value) }, (_, i) => c.sizeOf(value, i));
}

/** `src` in the shape and type of `self`. */
function copy(c: Call): IValue {
  return c.emit('Expand', [operand(c, 'src'), c.sizeVector(sizesOf(c, c.tensor('self')))]);
}

function fill(c: Call): IValue {
  const value = c.isValue('value')
    ? c.toType(c.tensor('value'), c.outType)
    : c.roundedScalar(c.number('value'), c.outType);
  return c.emit('Expand', [value, c.sizeVector(sizesOf(c, c.tensor('self')))]);
}

/** A range of a dimension replaced: what comes before, the source, what comes after. */
function replaceRange(c: Call, source: IValue, axis: number, start: number, end: number): IValue {
  const self = c.tensor('self');
  const size = c.shape(self)[axis];
  const pieces: IValue[] = [];
  if (start > 0) {
    pieces.push(slice(c, self, axis, 0, start));
  }
  pieces.push(source);
  if (typeof size !== 'number' || end < size) {
    pieces.push(slice(c, self, axis, end, Infinity));
  }
  return c.emit('Concat', pieces, { axis: intAttr(axis) });
}

/** Start and end of a slice, counted from the front; null where they are not static. */
function bounds(c: Call): [number, number] | null {
  const self = c.tensor('self');
  const size = c.shape(self)[c.axis(c.int('dim'), c.rank(self))];
  if (typeof size !== 'number' || !c.isStatic('start') || !c.isStatic('end')) {
    return null;
  }
  const place = (index: number): number =>
    Math.min(Math.max(index < 0 ? index + size : index, 0), size);
  const start = place(c.optionalInt('start') ?? 0);
  return [start, Math.max(start, place(c.optionalInt('end') ?? Infinity))];
}

/** `self` with the source at the places that `slice(start, end, step)` of the dimension reads. */
function sliceScatter(c: Call): IValue {
  const self = c.tensor('self');
  const axis = c.axis(c.int('dim'), c.rank(self));
  const source = operand(c, 'src');
  const known = c.size('step') === 1 ? bounds(c) : null;
  return known === null
    ? placeAt(c, source, axis, slicedPlaces(c, axis))
    : replaceRange(c, source, axis, ...known);
}

/** The indices into a dimension that a slice reads, whatever is known of them before the run. */
function slicedPlaces(c: Call, axis: number): IValue {
  const count = c.sizeScalar(c.sizeOf(c.tensor('self'), axis));
  const type = { dtype: 'int64' } as const;
  const all = c.emit('Range', [c.sizeScalar(0), count, c.sizeScalar(1)], {}, { ...type });
  const start = c.optionalSize('start') ?? 0;
  return slice(c, all, 0, start, c.optionalSize('end') ?? Infinity, c.size('step'));
}

/** The source in place of the given places of one dimension. */
function placeAt(c: Call, source: IValue, axis: number, places: IValue): IValue {
  const self = c.toType(c.tensor('self'), c.outType);
  const front = [
    axis,
    ...Array.from({ length: c.rank(self) }, (_, i) => i).filter(i => i !== axis)
  ];
  const rows = c.emit('Unsqueeze', [places, c.int64s([1])], {}, { dtype: 'int64' });
  const written = c.emit('ScatterND', [arranged(c, self, front), rows, arranged(c, source, front)]);
  return arranged(c, written, inverse(front));
}

/** `self` with the source in place of one index of a dimension. */
function selectScatter(c: Call): IValue {
  const self = c.tensor('self');
  const axis = c.axis(c.int('dim'), c.rank(self));
  const source = c.unsqueeze(operand(c, 'src'), [axis]);
  const size = c.shape(self)[axis];
  if (c.isStatic('index')) {
    const index = c.int('index');
    if (index >= 0 || typeof size === 'number') {
      const start = index < 0 ? index + (size as number) : index;
      return replaceRange(c, source, axis, start, start + 1);
    }
  }
  // ScatterND counts negative indices from the end.
  return placeAt(c, source, axis, c.sizeVector([c.size('index')]));
}

function scatter(c: Call, updates: IValue, reduction: string | null): IValue {
  const self = c.toType(c.tensor('self'), c.outType);
  return c.emit('ScatterElements', [self, c.tensor('index'), updates], {
    axis: intAttr(c.axis(c.int('dim'), c.rank(self))),
    ...(reduction === null ? {} : { reduction: stringAttr(reduction) })
  });
}

/** The source cut to the shape of the index, which may be smaller. */
function updatesOf(c: Call): IValue {
  const index = c.tensor('index');
  let source = c.toType(c.tensor('src'), c.outType);
  const shape = c.shape(source);
  c.shape(index).forEach((size, axis) => {
    if (typeof size !== 'number' || shape[axis] !== size) {
      source = slice(c, source, axis, 0, c.sizeOf(index, axis));
    }
  });
  return source;
}

/**
 * `self[indices] = values`, or `+=` with `accumulate`.
 *
 * The values are broadcast to what reading `self[indices]` gives, and written by ScatterND into `self` with the indexed dimensions
 * in front, which then go back.
 */
function indexPut(c: Call): IValue {
  const self = c.toType(c.tensor('self'), c.outType);
  const { front, order, rows, placing } = indexing(c, self);
  const read = arranged(c, c.emit('GatherND', [front, rows], {}, c.typeOf(front)), placing);
  const selected = c.emit('Shape', [read], {}, { dtype: 'int64' });
  const values = c.emit('Expand', [operand(c, 'values'), selected]);
  const written = c.emit(
    'ScatterND',
    [front, rows, arranged(c, values, inverse(placing))],
    c.bool('accumulate') ? { reduction: stringAttr('add') } : {}
  );
  return arranged(c, written, inverse(order));
}

function inverse(perm: readonly number[]): number[] {
  return perm.map((_, i) => perm.indexOf(i));
}

/** A vector of indices into one dimension, as large as the tensor it places along that dimension. */
function alongDimension(c: Call, source: IValue): { places: IValue; axis: number } {
  const rank = c.rank(c.tensor('self'));
  const axis = c.axis(c.int('dim'), rank);
  const index = c.reshape(
    c.castTo(c.tensor('index'), 'int64'),
    Array.from({ length: rank }, (_, i) => (i === axis ? -1 : 1))
  );
  const shape = c.emit('Shape', [source], {}, { dtype: 'int64', shape: [rank] });
  return { places: c.emit('Expand', [index, shape], {}, { dtype: 'int64' }), axis };
}

function placeAlong(c: Call, source: IValue, reduction: string | null): IValue {
  const { places, axis } = alongDimension(c, source);
  return c.emit('ScatterElements', [c.toType(c.tensor('self'), c.outType), places, source], {
    axis: intAttr(axis),
    ...(reduction === null ? {} : { reduction: stringAttr(reduction) })
  });
}

function indexAdd(c: Call): IValue {
  const source = c.toType(c.tensor('source'), c.outType);
  const alpha = c.number('alpha');
  return placeAlong(c, alpha === 1 ? source : c.emit('Mul', [source, c.scalar(alpha)]), 'add');
}

function indexFill(c: Call): IValue {
  const self = c.tensor('self');
  const axis = c.axis(c.int('dim'), c.rank(self));
  const like = c.emit(
    'Gather',
    [self, c.reshape(c.castTo(c.tensor('index'), 'int64'), [-1])],
    { axis: intAttr(axis) },
    c.typeOf(self)
  );
  const shape = c.emit('Shape', [like], {}, { dtype: 'int64', shape: [c.rank(self)] });
  const value = c.emit(
    'Expand',
    [c.roundedScalar(c.number('value'), c.outType), shape],
    {},
    {
      ...c.typeOf(self),
      shape: self.shape
    }
  );
  return placeAlong(c, value, null);
}

/** ATen's names of reductions, ONNX's, and the value that changes nothing. */
const REDUCTIONS: ReadonlyMap<string, { onnx: string; neutral: number }> = new Map([
  ['sum', { onnx: 'add', neutral: 0 }],
  ['mean', { onnx: 'add', neutral: 0 }],
  ['prod', { onnx: 'mul', neutral: 1 }],
  ['amax', { onnx: 'max', neutral: -Infinity }],
  ['amin', { onnx: 'min', neutral: Infinity }]
]);

/**
 * Scatter with a reduction. Without the tensor's own elements, those that are written start from the reduction's neutral value; a
 * mean divides by the number of elements that went into it.
 */
function scatterReduce(c: Call): IValue {
  const reduce = c.string('reduce');
  const { onnx, neutral } = REDUCTIONS.get(reduce)!;
  const own = c.bool('include_self');
  const axis = { axis: intAttr(c.axis(c.int('dim'), c.rank(c.tensor('self')))) };
  const index = c.tensor('index');
  const like = (value: IValue): IValue =>
    c.emit('Expand', [value, c.emit('Shape', [index], {}, { dtype: 'int64' })]);
  const self = c.toType(c.tensor('self'), c.outType);
  const start = own
    ? self
    : c.emit('ScatterElements', [self, index, like(c.scalar(neutral))], axis);
  const combined = c.emit('ScatterElements', [start, index, updatesOf(c)], {
    ...axis,
    reduction: stringAttr(onnx)
  });
  if (reduce !== 'mean') {
    return combined;
  }
  const ones = c.emit('Expand', [c.scalar(1), c.sizeVector(sizesOf(c, self))]);
  const from = own ? ones : c.emit('ScatterElements', [ones, index, like(c.scalar(0))], axis);
  const counts = c.emit('ScatterElements', [from, index, like(c.scalar(1))], {
    ...axis,
    reduction: stringAttr('add')
  });
  return c.emit('Div', [combined, counts]);
}

const reducible = limit('integers with sum only', c => {
  const reduce = c.string('reduce');
  return isFloating(c.outType) || reduce === 'sum' ? null : `${reduce} of integers`;
});

/** The elements of a row-major sequence in place of the true elements of a mask, by counting these. */
function maskedScatter(c: Call): IValue {
  const self = c.toType(c.tensor('self'), c.outType);
  const sizes = c.sizeVector(sizesOf(c, self));
  const mask = c.emit('Expand', [c.castTo(c.tensor('mask'), 'bool'), sizes], {}, { dtype: 'bool' });
  const flags = c.reshape(c.castTo(mask, 'int64'), [-1]);
  const counted = c.emit('CumSum', [flags, c.sizeScalar(0)], {}, { dtype: 'int64' });
  const places = c.emit(
    'Max',
    [c.emit('Sub', [counted, c.sizeScalar(1)], {}, { dtype: 'int64' }), c.sizeScalar(0)],
    {},
    { dtype: 'int64' }
  );
  const source = c.reshape(c.toType(c.tensor('source'), c.outType), [-1]);
  const read = c.emit('Gather', [source, places], { axis: intAttr(0) });
  return c.emit('Where', [mask, c.emit('Reshape', [read, sizes], { allowzero: intAttr(1) }), self]);
}

/** Records of this file. */
export const SCATTER: readonly IOperator[] = [
  /** Transpose, GatherND, Expand, ScatterND. */
  ...['index_put', '_unsafe_index_put'].map(name =>
    operator(
      `${name}(Tensor self, Tensor?[] indices, Tensor values, bool accumulate=False) -> Tensor`,
      { agree: ['self', 'values'], writesInto: true, dtype: dtypes.likeFirst, lower: indexPut }
    )
  ),
  /** Reshape, Expand, ScatterElements. */
  operator(
    'index_add(Tensor self, int dim, Tensor index, Tensor source, *, Scalar alpha=1) -> Tensor',
    { agree: ['self', 'source'], writesInto: true, dtype: dtypes.likeFirst, lower: indexAdd }
  ),
  operator('index_copy(Tensor self, int dim, Tensor index, Tensor source) -> Tensor', {
    agree: ['self', 'source'],
    writesInto: true,
    dtype: dtypes.likeFirst,
    lower: c => placeAlong(c, c.toType(c.tensor('source'), c.outType), null)
  }),
  /** Gather, Expand, ScatterElements. */
  operator('index_fill.int_Scalar(Tensor self, int dim, Tensor index, Scalar value) -> Tensor', {
    dtype: dtypes.likeFirst,
    lower: indexFill
  }),
  /** ScatterElements, Div. */
  operator(
    'scatter_reduce.two(Tensor self, int dim, Tensor index, Tensor src, str reduce, *, bool include_self=True) -> Tensor',
    {
      agree: ['self', 'src'],
      writesInto: true,
      dtype: dtypes.likeFirst,
      limits: [reducible],
      lower: scatterReduce
    }
  ),
  /** CumSum, Gather, Where. */
  operator('masked_scatter(Tensor self, Tensor mask, Tensor source) -> Tensor', {
    agree: ['self', 'source'],
    writesInto: true,
    dtype: dtypes.likeFirst,
    lower: maskedScatter
  }),
  /** Expand. */
  operator('copy(Tensor self, Tensor src, bool non_blocking=False) -> Tensor', {
    dtype: dtypes.likeFirst,
    lower: copy
  }),
  operator('fill.Scalar(Tensor self, Scalar value) -> Tensor', {
    dtype: dtypes.likeFirst,
    lower: fill
  }),
  operator('fill.Tensor(Tensor self, Tensor value) -> Tensor', {
    dtype: dtypes.likeFirst,
    lower: fill
  }),
  operator('zero(Tensor self) -> Tensor', {
    dtype: dtypes.likeFirst,
    lower: c =>
      c.emit('Expand', [c.scalar(0, c.outType), c.sizeVector(sizesOf(c, c.tensor('self')))])
  }),
  /** Slice, Concat; with a step, or a range that is not static: Range, Slice, ScatterND. */
  operator(
    'slice_scatter(Tensor self, Tensor src, int dim=0, SymInt? start=None, SymInt? end=None, SymInt step=1) -> Tensor',
    { exact: 'moved', dtype: dtypes.likeFirst, lower: sliceScatter }
  ),
  /** Slice, Unsqueeze, Concat; or ScatterND. */
  operator('select_scatter(Tensor self, Tensor src, int dim, SymInt index) -> Tensor', {
    exact: 'moved',
    dtype: dtypes.likeFirst,
    lower: selectScatter
  }),
  /** Expand, ScatterElements. */
  operator('scatter.value(Tensor self, int dim, Tensor index, Scalar value) -> Tensor', {
    agree: ['self', 'src'],
    writesInto: true,
    dtype: dtypes.likeFirst,
    lower: c => {
      const index = c.tensor('index');
      const value = c.roundedScalar(c.number('value'), c.outType);
      return scatter(c, c.emit('Expand', [value, c.sizeVector(sizesOf(c, index))]), null);
    }
  }),
  /** Slice, ScatterElements. */
  operator('scatter.src(Tensor self, int dim, Tensor index, Tensor src) -> Tensor', {
    agree: ['self', 'src'],
    writesInto: true,
    dtype: dtypes.likeFirst,
    lower: c => scatter(c, updatesOf(c), null)
  }),
  operator('scatter_add(Tensor self, int dim, Tensor index, Tensor src) -> Tensor', {
    agree: ['self', 'src'],
    writesInto: true,
    dtype: dtypes.likeFirst,
    lower: c => scatter(c, updatesOf(c), 'add')
  })
];
