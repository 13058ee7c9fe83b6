/**
 * Writing into a copy of a tensor.
 *
 * @packageDocumentation
 */
import type { IValue } from '../../../model';
import { intAttr, intsAttr, stringAttr } from '../../builder';
import type { Call, Size } from '../call';
import { rule } from '../rule';
import type { IRule } from '../rule';
import { indexRows } from './indexing';
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

function sliceScatter(c: Call): IValue {
  const self = c.tensor('self');
  const [start, end] = bounds(c)!;
  return replaceRange(c, operand(c, 'src'), c.axis(c.int('dim'), c.rank(self)), start, end);
}

function selectScatter(c: Call): IValue {
  const self = c.tensor('self');
  const axis = c.axis(c.int('dim'), c.rank(self));
  const index = c.int('index');
  const size = c.shape(self)[axis];
  const start = index < 0 && typeof size === 'number' ? index + size : index;
  return replaceRange(c, c.unsqueeze(operand(c, 'src'), [axis]), axis, start, start + 1);
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
  const index = c.staticShape(c.tensor('index'))!;
  let source = c.toType(c.tensor('src'), c.outType);
  const shape = c.shape(source);
  index.forEach((size, axis) => {
    if (shape[axis] !== size) {
      source = slice(c, source, axis, 0, size);
    }
  });
  return source;
}

function staticIndex(c: Call): string | null {
  return c.staticShape(c.tensor('index')) === null ? 'an index whose shape is not static' : null;
}

/**
 * `self[indices] = values`, or `+=` with `accumulate`.
 *
 * The indexed dimensions go to the front, the values are broadcast to what the rows select, ScatterND writes them, and the
 * dimensions go back.
 */
function indexPut(c: Call): IValue {
  const self = c.tensor('self');
  const rank = c.rank(self);
  const given = c
    .tensors('indices')
    .flatMap((value, axis) => (value === null ? [] : [{ value, axis }]));
  const axes = given.map(({ axis }) => axis);
  const order = [
    ...axes,
    ...Array.from({ length: rank }, (_, i) => i).filter(i => !axes.includes(i))
  ];
  const front = c.transpose(self, order);
  const { rows } = indexRows(
    c,
    given.map(({ value }) => value)
  );
  const selected = c.emit(
    'Shape',
    [c.emit('GatherND', [front, rows], {}, c.typeOf(self))],
    {},
    {
      dtype: 'int64'
    }
  );
  const values = c.emit('Expand', [operand(c, 'values'), selected]);
  const written = c.emit(
    'ScatterND',
    [front, rows, values],
    c.bool('accumulate') ? { reduction: stringAttr('add') } : {}
  );
  const back = order.map((_, i) => order.indexOf(i));
  return back.every((axis, i) => axis === i)
    ? written
    : c.emit('Transpose', [written], { perm: intsAttr(back) });
}

/** Indices side by side from the front on, no masks: there the values' dimensions stand as ScatterND wants them. */
function leadingIndices(c: Call): string | null {
  const indices = c.tensors('indices');
  if (indices.some(value => value?.dtype === 'bool' || value?.dtype === 'uint8')) {
    return 'a mask';
  }
  const given = indices.flatMap((value, axis) => (value === null ? [] : [axis]));
  return given.every((axis, i) => axis === i) ? null : 'indices behind whole dimensions';
}

/** Rules of this file. */
export const SCATTER_RULES: readonly IRule[] = [
  /** Transpose, GatherND, Expand, ScatterND. */
  rule(
    'index_put(Tensor self, Tensor?[] indices, Tensor values, bool accumulate=False) -> Tensor',
    indexPut,
    leadingIndices
  ),
  /** Expand. */
  rule('copy(Tensor self, Tensor src, bool non_blocking=False) -> Tensor', copy),
  rule('fill.Scalar(Tensor self, Scalar value) -> Tensor', fill),
  rule('fill.Tensor(Tensor self, Tensor value) -> Tensor', fill),
  /** Slice, Concat. */
  rule(
    'slice_scatter(Tensor self, Tensor src, int dim=0, SymInt? start=None, SymInt? end=None, SymInt step=1) -> Tensor',
    sliceScatter,
    c =>
      c.size('step') === 1 && bounds(c) !== null ? null : 'a step, or a range that is not static'
  ),
  /** Slice, Unsqueeze, Concat. */
  rule(
    'select_scatter(Tensor self, Tensor src, int dim, SymInt index) -> Tensor',
    selectScatter,
    c => (c.isStatic('index') && c.int('index') >= 0 ? null : 'an index that is not static')
  ),
  /** Expand, ScatterElements. */
  rule('scatter.value(Tensor self, int dim, Tensor index, Scalar value) -> Tensor', c => {
    const index = c.tensor('index');
    const value = c.roundedScalar(c.number('value'), c.outType);
    return scatter(c, c.emit('Expand', [value, c.sizeVector(sizesOf(c, index))]), null);
  }),
  /** Slice, ScatterElements. */
  rule(
    'scatter.src(Tensor self, int dim, Tensor index, Tensor src) -> Tensor',
    c => scatter(c, updatesOf(c), null),
    staticIndex
  ),
  rule(
    'scatter_add(Tensor self, int dim, Tensor index, Tensor src) -> Tensor',
    c => scatter(c, updatesOf(c), 'add'),
    staticIndex
  )
];
