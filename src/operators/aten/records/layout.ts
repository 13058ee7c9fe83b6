/**
 * Operators that arrange elements anew: views, permutations, slices, joins.
 *
 * @packageDocumentation
 */
import { elementCount } from '../../../model';
import type { IValue } from '../../../model';
import { intAttr, intsAttr } from '../../builder';
import type { Arguments } from '../arguments';
import type { Call, Size } from '../call';
import * as dtypes from '../dtypes';
import { limit, operator } from '../operator';
import type { ILimit, IOperator, Lowered } from '../operator';
import { padEdges } from './resize';

/** A slice of one dimension; ends count as ATen counts them (negative from the back, clamped). */
export function slice(
  c: Call,
  value: IValue,
  axis: number,
  start: Size,
  end: Size,
  step: Size = 1
): IValue {
  return c.emit(
    'Slice',
    [value, c.sizeVector([start]), c.sizeVector([end]), c.int64s([axis]), c.sizeVector([step])],
    {},
    c.typeOf(value)
  );
}

function view(c: Call): IValue {
  return c.reshape(c.tensor('self'), c.sizes(c.schema.args[1].name), c.result()?.shape ?? null);
}

/** Sizes of a value, for a Reshape that keeps some of them. */
function sizesOf(c: Call, value: IValue): Size[] {
  return Array.from({ length: c.rank(value) }, (_, i) => c.sizeOf(value, i));
}

function flatten(c: Call): IValue {
  const self = c.tensor('self');
  const rank = c.rank(self);
  const start = c.axis(c.int('start_dim'), rank);
  const end = c.axis(c.int('end_dim'), rank);
  if (rank === 0) {
    return c.reshape(self, [1]);
  }
  const sizes = sizesOf(c, self);
  const merged = sizes.slice(start, end + 1);
  const known = merged.every(size => typeof size === 'number');
  const middle: Size = known ? (merged as number[]).reduce((a, b) => a * b, 1) : -1;
  return c.reshape(self, [...sizes.slice(0, start), middle, ...sizes.slice(end + 1)]);
}

function unflatten(c: Call): IValue {
  const self = c.tensor('self');
  const axis = c.axis(c.int('dim'), c.rank(self));
  const sizes = sizesOf(c, self);
  return c.reshape(self, [...sizes.slice(0, axis), ...c.sizes('sizes'), ...sizes.slice(axis + 1)]);
}

/** Exchange two dimensions. */
function swap(c: Call, value: IValue, a: number, b: number): IValue {
  const rank = c.rank(value);
  if (rank < 2) {
    return value;
  }
  const perm = Array.from({ length: rank }, (_, i) => i);
  const [x, y] = c.axes([a, b], rank);
  [perm[x], perm[y]] = [perm[y], perm[x]];
  return c.transpose(value, perm);
}

function movedim(c: Call, source: readonly number[], destination: readonly number[]): IValue {
  const self = c.tensor('self');
  const rank = c.rank(self);
  const from = c.axes(source, rank);
  const to = c.axes(destination, rank);
  const rest = Array.from({ length: rank }, (_, i) => i).filter(i => !from.includes(i));
  const perm = Array.from({ length: rank }, (_, i) =>
    to.includes(i) ? from[to.indexOf(i)] : rest.shift()!
  );
  return c.transpose(self, perm);
}

/** Squeeze the listed dimensions that have size 1; sizes not known count as other than 1, as export specialises on 1. */
function squeeze(c: Call, dims: readonly number[] | null): IValue {
  const self = c.tensor('self');
  const shape = c.shape(self);
  const wanted = dims === null ? null : c.axes(dims, shape.length);
  const axes = shape.flatMap((size, i) =>
    size === 1 && (wanted === null || wanted.includes(i)) ? [i] : []
  );
  return c.squeeze(self, axes);
}

/** Expand: -1 keeps a size, which broadcasting with 1 does. */
function expand(c: Call): IValue {
  const self = c.tensor('self');
  const sizes = c.sizes('size').map(size => (size === -1 ? 1 : size));
  return c.emit('Expand', [self, c.sizeVector(sizes)], {}, c.typeOf(self));
}

function shapeVector(c: Call, value: IValue): IValue {
  const shape = c.staticShape(value);
  return shape === null
    ? c.emit('Shape', [value], {}, { dtype: 'int64', shape: [c.rank(value)] })
    : c.int64s(shape);
}

function sliceTensor(c: Call): Lowered {
  const self = c.tensor('self');
  const axis = c.axis(c.int('dim'), c.rank(self));
  const start = c.optionalSize('start') ?? 0;
  const end = c.optionalSize('end') ?? Infinity;
  const step = c.size('step');
  const whole = c.shape(self)[axis];
  const all =
    end === Infinity || (typeof whole === 'number' && typeof end === 'number' && end >= whole);
  return start === 0 && step === 1 && all ? self : slice(c, self, axis, start, end, step);
}

function select(c: Call): IValue {
  const self = c.tensor('self');
  const axis = c.axis(c.int('dim'), c.rank(self));
  return c.emit(
    'Gather',
    [self, c.sizeScalar(c.size('index'))],
    { axis: intAttr(axis) },
    c.typeOf(self)
  );
}

function concat(c: Call): IValue {
  // ATen ignores operands of shape [0] beside others of any rank.
  const all = c.tensors('tensors').flatMap(value => (value === null ? [] : [value]));
  const legacy = (value: IValue): boolean => value.shape?.length === 1 && value.shape[0] === 0;
  const kept = all.filter(value => !legacy(value));
  const used = (kept.length > 0 ? kept : all).map(value => c.toType(value, c.outType));
  const axis = c.axis(c.int('dim'), c.rank(used[0]));
  return c.emit('Concat', used, { axis: intAttr(axis) });
}

function stack(c: Call): IValue {
  const all = c.tensors('tensors').flatMap(value => (value === null ? [] : [value]));
  const axis = c.axis(c.int('dim'), c.rank(all[0]) + 1);
  return c.emit(
    'Concat',
    all.map(value => c.unsqueeze(c.toType(value, c.outType), [axis])),
    { axis: intAttr(axis) }
  );
}

/** Parts of given lengths, one Split. */
function splitInto(c: Call, value: IValue, axis: number, lengths: readonly number[]): IValue[] {
  if (lengths.length === 1) {
    return [c.emit('Identity', [value], {}, c.typeOf(value))];
  }
  return c.emitMany(
    'Split',
    [value, c.int64s(lengths)],
    { axis: intAttr(axis) },
    lengths.map(() => c.typeOf(value))
  );
}

function staticSize(c: Call, value: IValue, axis: number): number {
  const size = c.shape(value)[axis];
  return typeof size === 'number' ? size : c.fail('it splits a dimension whose size is not static');
}

const splitStatic = limit('the size of the dimension is static', c => {
  const self = c.tensor('self');
  const size = self.shape?.[c.axis(c.int('dim'), c.rank(self))];
  return typeof size === 'number' ? null : 'it splits a dimension whose size is not static';
});

/** Lengths of parts of `step`, the last one shorter. */
function even(total: number, step: number): number[] {
  if (total === 0) {
    return [0];
  }
  return Array.from({ length: Math.ceil(total / step) }, (_, i) =>
    Math.min(step, total - i * step)
  );
}

function split(c: Call): Lowered {
  const self = c.tensor('self');
  const axis = c.axis(c.int('dim'), c.rank(self));
  return splitInto(c, self, axis, even(staticSize(c, self, axis), c.int('split_size')));
}

function chunk(c: Call): Lowered {
  const self = c.tensor('self');
  const axis = c.axis(c.int('dim'), c.rank(self));
  const total = staticSize(c, self, axis);
  return splitInto(c, self, axis, even(total, Math.max(1, Math.ceil(total / c.int('chunks')))));
}

function splitSizes(c: Call): Lowered {
  const self = c.tensor('self');
  return splitInto(c, self, c.axis(c.int('dim'), c.rank(self)), c.ints('split_sizes'));
}

function unbind(c: Call): Lowered {
  const self = c.tensor('self');
  const axis = c.axis(c.int('dim'), c.rank(self));
  const count = staticSize(c, self, axis);
  return splitInto(c, self, axis, new Array<number>(count).fill(1)).map(part =>
    c.squeeze(part, [axis])
  );
}

/** Parts that end at the given places, the last one with the rest; a place before the one ahead of it gives an empty part. */
function splitAt(c: Call, self: IValue, axis: number, places: readonly Size[]): IValue[] {
  const total = c.shape(self)[axis];
  if (typeof total === 'number' && places.every(place => typeof place === 'number')) {
    // Places count as the ends of slices do: negative ones from the back, none beyond the ends.
    const ends = [...(places as number[]), total].map(place =>
      Math.min(Math.max(place < 0 ? place + total : place, 0), total)
    );
    const lengths = ends.map((end, i) => end - (i === 0 ? 0 : ends[i - 1]));
    if (lengths.every(length => length >= 0)) {
      return splitInto(c, self, axis, lengths);
    }
  }
  return [...places, Infinity].map((end, i) =>
    slice(c, self, axis, i === 0 ? 0 : places[i - 1], end)
  );
}

/** So many parts of nearly one length, the longer ones first. */
function splitEvenly(c: Call, self: IValue, axis: number, count: number): IValue[] {
  const total = staticSize(c, self, axis);
  const lengths = Array.from(
    { length: count },
    (_, i) => Math.floor(total / count) + (i < total % count ? 1 : 0)
  );
  return splitInto(c, self, axis, lengths);
}

function staticSections(dim: (c: Arguments) => number): ILimit {
  return limit('the size of the dimension is static', c => {
    if (!c.isStatic('sections')) {
      return 'a number of parts that is not static';
    }
    const size = c.shape(c.tensor('self'))[dim(c)];
    return typeof size === 'number' ? null : 'it splits a dimension whose size is not static';
  });
}

/** `tensor_split` along a dimension that the operator's name tells. */
function splitsAlong(name: string, dim: (rank: number) => number): IOperator[] {
  const axis = (c: Arguments): number => dim(c.rank(c.tensor('self')));
  return [
    operator(`${name}.int(Tensor(a -> *) self, int sections) -> Tensor(a)[]`, {
      dtype: dtypes.likeFirst,
      arrangement: 'parts',
      limits: [staticSections(axis)],
      lower: c => splitEvenly(c, c.tensor('self'), axis(c), c.int('sections'))
    }),
    operator(`${name}.array(Tensor(a -> *) self, int[] indices) -> Tensor(a)[]`, {
      dtype: dtypes.likeFirst,
      arrangement: 'parts',
      lower: c => splitAt(c, c.tensor('self'), axis(c), c.ints('indices'))
    })
  ];
}

/** The dimension that `dim` names. */
function namedAxis(c: Arguments): number {
  return c.axis(c.int('dim'), c.rank(c.tensor('self')));
}

/** Tile, after the tensor got as many dimensions as there are factors. */
function repeat(c: Call, factors: readonly Size[]): IValue {
  const self = c.tensor('self');
  const missing = factors.length - c.rank(self);
  const wide = c.unsqueeze(
    self,
    Array.from({ length: missing }, (_, i) => i)
  );
  return c.emit('Tile', [wide, c.sizeVector(factors)], {}, c.typeOf(self));
}

function flip(c: Call): Lowered {
  const self = c.tensor('self');
  return reversed(c, self, c.axes(c.ints('dims'), c.rank(self)));
}

/** The value with some of its dimensions backwards. */
export function reversed(c: Call, self: IValue, axes: readonly number[]): IValue {
  if (axes.length === 0) {
    return self;
  }
  const all = (value: number): IValue => c.int64s(axes.map(() => value));
  return c.emit(
    'Slice',
    [self, all(-1), all(-Infinity), c.int64s(axes), all(-1)],
    {},
    c.typeOf(self)
  );
}

function triangle(upper: 0 | 1): (c: Call) => IValue {
  return c => {
    const self = c.tensor('self');
    const k = c.int64s([c.int('diagonal')]);
    const scalar = c.squeeze(k, [0]);
    return c.emit('Trilu', [self, scalar], { upper: intAttr(upper) }, c.typeOf(self));
  };
}

/** ATen counts padding from the last dimension, ONNX lists all starts, then all ends. */
function constantPad(c: Call, self: IValue, pad: readonly Size[], value: IValue | null): IValue {
  const rank = c.rank(self);
  const before = new Array<Size>(rank).fill(0);
  const after = new Array<Size>(rank).fill(0);
  for (let i = 0; i < pad.length / 2; i++) {
    before[rank - 1 - i] = pad[2 * i];
    after[rank - 1 - i] = pad[2 * i + 1];
  }
  return c.emit('Pad', [self, c.sizeVector([...before, ...after]), value]);
}

const PAD_MODES: ReadonlyMap<string, 'reflect' | 'edge' | 'wrap'> = new Map([
  ['reflect', 'reflect'],
  ['replicate', 'edge'],
  ['circular', 'wrap']
]);

/** Shift a dimension around: its end, then its start. Without dimensions the elements are shifted in row-major order. */
function roll(c: Call): IValue {
  const self = c.tensor('self');
  const shifts = c.ints('shifts');
  const dims = c.ints('dims');
  const flat = dims.length === 0;
  const axes = flat ? [0] : c.axes(dims, c.rank(self));
  let value = flat ? c.reshape(self, [-1]) : self;
  axes.forEach((axis, i) => {
    const size = flat ? countOf(c, self) : c.sizeOf(self, axis);
    const start = negativeShift(c, shifts[i], size);
    if (start !== 0) {
      const parts = [slice(c, value, axis, start, Infinity), slice(c, value, axis, 0, start)];
      value = c.emit('Concat', parts, { axis: intAttr(axis) }, c.typeOf(self));
    }
  });
  return flat ? c.reshape(value, sizesOf(c, self)) : value;
}

function countOf(c: Call, value: IValue): Size {
  const shape = c.staticShape(value);
  return shape === null
    ? c.emit('Size', [value], {}, { dtype: 'int64', shape: [] })
    : elementCount(shape);
}

/** Where a slice starts that begins `shift` elements before the end, counted from the end; the shift wraps around. */
function negativeShift(c: Call, shift: number, size: Size): Size {
  if (typeof size === 'number') {
    const wrapped = size === 0 ? 0 : ((shift % size) + size) % size;
    return wrapped === 0 ? 0 : -wrapped;
  }
  const type = { dtype: 'int64', shape: [] } as const;
  return c.emit('Neg', [c.emit('Mod', [c.sizeScalar(shift), size], {}, type)], {}, type);
}

/** Every element several times, one after the other. */
function repeatInterleave(c: Call): IValue {
  const self = c.tensor('self');
  const repeats = c.size('repeats');
  const dim = c.optionalInt('dim');
  const base = dim === null ? c.reshape(self, [-1]) : self;
  const sizes = dim === null ? [-1] : sizesOf(c, self);
  const axis = dim === null ? 0 : c.axis(dim, c.rank(self));
  const ones = sizes.map(() => 1);
  const wide = c.emit(
    'Expand',
    [
      c.emit('Unsqueeze', [base, c.int64s([axis + 1])], {}, c.typeOf(self)),
      c.sizeVector([...ones.slice(0, axis + 1), repeats, ...ones.slice(axis + 1)])
    ],
    {},
    c.typeOf(self)
  );
  return c.reshape(wide, [...sizes.slice(0, axis), -1, ...sizes.slice(axis + 1)]);
}

/** Exchange the last two dimensions. */
function turned(c: Call): IValue {
  return swap(c, c.tensor('self'), -2, -1);
}

/** Where windows of `size`, `step` apart, begin and what they hold: `[windows, size]`. */
function windowPlaces(c: Call, length: Size, size: number, step: number): IValue {
  if (typeof length === 'number') {
    const count = Math.floor((length - size) / step) + 1;
    return c.int64Tensor(
      Array.from({ length: count * size }, (_, i) => Math.floor(i / size) * step + (i % size)),
      [count, size]
    );
  }
  const type = { dtype: 'int64' } as const;
  const end = c.emit('Sub', [length, c.sizeScalar(size - 1)], {}, { ...type, shape: [] });
  const starts = c.emit('Range', [c.sizeScalar(0), end, c.sizeScalar(step)], {}, type);
  const columns = c.emit('Unsqueeze', [starts, c.int64s([1])], {}, type);
  return c.emit('Add', [columns, c.int64s(Array.from({ length: size }, (_, i) => i))], {}, type);
}

/** Windows of one dimension; their elements become the last dimension. */
function unfold(c: Call): IValue {
  const self = c.tensor('self');
  const rank = c.rank(self);
  if (rank === 0) {
    return c.reshape(self, [1]);
  }
  const axis = c.axis(c.int('dimension'), rank);
  const places = windowPlaces(c, c.sizeOf(self, axis), c.int('size'), c.int('step'));
  const read = c.emit('Gather', [self, places], { axis: intAttr(axis) }, c.typeOf(self));
  const perm = Array.from({ length: rank + 1 }, (_, i) => i).filter(i => i !== axis + 1);
  return axis === rank - 1
    ? read
    : c.emit('Transpose', [read], { perm: intsAttr([...perm, axis + 1]) }, c.typeOf(self));
}

/** Sliding blocks of an image as columns: the places of a kernel's rows and columns are gathered along each dimension. */
function imageToColumns(c: Call): IValue {
  const given = c.tensor('self');
  const batched = c.rank(given) === 4;
  const self = batched ? given : c.unsqueeze(given, [0]);
  const [rows, columns] = c.ints('padding', 2);
  const kernel = c.ints('kernel_size', 2);
  const padded =
    rows === 0 && columns === 0
      ? self
      : c.emit('Pad', [self, c.int64s([0, 0, rows, columns, 0, 0, rows, columns])]);
  const blocks = [0, 1].map(i => {
    const size = c.shape(self)[2 + i] as number;
    const [dilation, stride] = [c.ints('dilation', 2)[i], c.ints('stride', 2)[i]];
    const span = dilation * (kernel[i] - 1) + 1;
    return Math.floor((size + 2 * c.ints('padding', 2)[i] - span) / stride) + 1;
  });
  const read = [0, 1].reduce((value, i) => {
    const places = Array.from({ length: kernel[i] * blocks[i] }, (_, at) => {
      const [offset, block] = [Math.floor(at / blocks[i]), at % blocks[i]];
      return offset * c.ints('dilation', 2)[i] + block * c.ints('stride', 2)[i];
    });
    // The first dimension became two by then.
    return c.emit('Gather', [value, c.int64Tensor(places, [kernel[i], blocks[i]])], {
      axis: intAttr(i === 0 ? 2 : 4)
    });
  }, padded);
  const arranged = c.emit('Transpose', [read], { perm: intsAttr([0, 1, 2, 4, 3, 5]) });
  const channels = c.sizeOf(self, 1);
  const merged = typeof channels === 'number' ? channels * kernel[0] * kernel[1] : -1;
  const result = c.reshape(arranged, [c.sizeOf(self, 0), merged, blocks[0] * blocks[1]]);
  return batched ? result : c.emit('Squeeze', [result, c.int64s([0])]);
}

const staticImage = limit('sizes are static', c => {
  const shape = c.shape(c.tensor('self'));
  return shape.slice(-2).every(size => typeof size === 'number') &&
    shape.slice(-3, -2).every(size => typeof size === 'number')
    ? null
    : 'an image whose size is not static';
});

function columnsToImage(c: Call): IValue {
  const given = c.toType(c.tensor('self'), c.outType);
  const batched = c.rank(given) === 3;
  const self = batched ? given : c.unsqueeze(given, [0]);
  const padding = c.ints('padding', 2);
  const result = c.emit(
    'Col2Im',
    [self, c.sizeVector(c.sizes('output_size')), c.int64s(c.ints('kernel_size', 2))],
    {
      dilations: intsAttr(c.ints('dilation', 2)),
      pads: intsAttr([...padding, ...padding]),
      strides: intsAttr(c.ints('stride', 2))
    }
  );
  return batched ? result : c.emit('Squeeze', [result, c.int64s([0])]);
}

/** The diagonal of two dimensions, as the last one: its places gathered from both merged. */
function diagonal(c: Call): IValue {
  const self = c.tensor('self');
  const rank = c.rank(self);
  const [first, second] = c.axes([c.int('dim1'), c.int('dim2')], rank);
  const rest = Array.from({ length: rank }, (_, i) => i).filter(i => i !== first && i !== second);
  const [rows, columns] = [first, second].map(axis => c.shape(self)[axis] as number);
  const offset = c.int('offset');
  const [row, column] = [Math.max(-offset, 0), Math.max(offset, 0)];
  const length = Math.max(Math.min(rows - row, columns - column), 0);
  const places = Array.from({ length }, (_, i) => (row + i) * columns + column + i);
  const merged = c.reshape(c.transpose(self, [...rest, first, second]), [
    ...rest.map(axis => c.sizeOf(self, axis)),
    rows * columns
  ]);
  return c.emit(
    'Gather',
    [merged, c.int64s(places)],
    { axis: intAttr(rest.length) },
    c.typeOf(self)
  );
}

const staticDiagonal = limit('the sizes of both dimensions are static', c => {
  const self = c.tensor('self');
  const axes = c.axes([c.int('dim1'), c.int('dim2')], c.rank(self));
  return axes.every(axis => typeof c.shape(self)[axis] === 'number')
    ? null
    : 'dimensions whose sizes are not static';
});

/** The last dimension on a diagonal of zeros. */
function diagonalEmbedded(c: Call): IValue {
  const self = c.tensor('self');
  const rank = c.rank(self) + 1;
  const length = c.shape(self)[rank - 2] as number;
  const offset = c.int('offset');
  const size = length + Math.abs(offset);
  const [row, column] = [Math.max(-offset, 0), Math.max(offset, 0)];
  // One element more than there are, a zero, fills the places off the diagonal.
  const places = new Array<number>(size * size).fill(length);
  for (let i = 0; i < length; i++) {
    places[(row + i) * size + column + i] = i;
  }
  const ends = [...new Array<number>(2 * rank - 3).fill(0), 1];
  const padded = c.emit('Pad', [self, c.int64s(ends)], {}, c.typeOf(self));
  const last = intAttr(rank - 2);
  const read = c.emit(
    'Gather',
    [padded, c.int64Tensor(places, [size, size])],
    { axis: last },
    c.typeOf(self)
  );
  const [first, second] = c.axes([c.int('dim1'), c.int('dim2')], rank);
  const lead = Array.from({ length: rank - 2 }, (_, i) => i);
  const perm = Array.from({ length: rank }, (_, i) =>
    i === first ? rank - 2 : i === second ? rank - 1 : lead.shift()!
  );
  return perm.every((axis, i) => axis === i)
    ? read
    : c.emit('Transpose', [read], { perm: intsAttr(perm) }, c.typeOf(self));
}

/** One-dimensional tensors as the coordinates of a grid. */
function meshgrid(indexing: (c: Call) => string): (c: Call) => IValue[] {
  return c => {
    const all = c.tensors('tensors').flatMap(value => (value === null ? [] : [value]));
    // With 'xy' the first two dimensions change places.
    const order = all.map((_, i) => i);
    if (indexing(c) === 'xy' && all.length > 1) {
      [order[0], order[1]] = [1, 0];
    }
    const sizes = order.map(i => (c.rank(all[i]) === 0 ? 1 : c.sizeOf(all[i], 0)));
    return all.map((value, i) => {
      const column = c.reshape(
        value,
        order.map(axis => (axis === i ? -1 : 1))
      );
      return c.emit('Expand', [column, c.sizeVector(sizes)], {}, c.typeOf(value));
    });
  };
}

/** Records of this file. */
export const LAYOUT: readonly IOperator[] = [
  /** Reshape. */
  operator('view(Tensor(a) self, SymInt[] size) -> Tensor(a)', {
    dtype: dtypes.likeFirst,
    arrangement: 'whole',
    lower: view
  }),
  operator('_unsafe_view(Tensor self, SymInt[] size) -> Tensor', {
    dtype: dtypes.likeFirst,
    arrangement: 'whole',
    mayReturnOperand: true,
    lower: view
  }),
  operator('reshape(Tensor(a) self, SymInt[] shape) -> Tensor(a)', {
    dtype: dtypes.likeFirst,
    arrangement: 'whole',
    lower: view
  }),
  operator('flatten.using_ints(Tensor(a) self, int start_dim=0, int end_dim=-1) -> Tensor(a)', {
    dtype: dtypes.likeFirst,
    arrangement: 'whole',
    lower: flatten
  }),
  operator('reshape_as(Tensor(a) self, Tensor other) -> Tensor(a)', {
    dtype: dtypes.likeFirst,
    arrangement: 'whole',
    lower: c =>
      c.reshape(c.tensor('self'), sizesOf(c, c.tensor('other')), c.result()?.shape ?? null)
  }),
  operator('ravel(Tensor(a) self) -> Tensor(a)', {
    dtype: dtypes.likeFirst,
    arrangement: 'whole',
    lower: c => c.reshape(c.tensor('self'), [-1])
  }),
  operator('unflatten.int(Tensor(a) self, int dim, SymInt[] sizes) -> Tensor(a)', {
    dtype: dtypes.likeFirst,
    arrangement: 'whole',
    lower: unflatten
  }),
  /** Reshape to the other's shape. */
  operator('view_as(Tensor(a) self, Tensor other) -> Tensor(a)', {
    dtype: dtypes.likeFirst,
    arrangement: 'whole',
    lower: c => c.emit('Reshape', [c.tensor('self'), shapeVector(c, c.tensor('other'))])
  }),
  /** Transpose. */
  operator('permute(Tensor(a) self, int[] dims) -> Tensor(a)', {
    dtype: dtypes.likeFirst,
    arrangement: 'reordered',
    lower: c => {
      const self = c.tensor('self');
      return c.transpose(self, c.axes(c.ints('dims'), c.rank(self)));
    }
  }),
  operator('transpose.int(Tensor(a) self, int dim0, int dim1) -> Tensor(a)', {
    dtype: dtypes.likeFirst,
    arrangement: 'reordered',
    lower: c => swap(c, c.tensor('self'), c.int('dim0'), c.int('dim1'))
  }),
  operator('swapdims(Tensor(a) self, int dim0, int dim1) -> Tensor(a)', {
    dtype: dtypes.likeFirst,
    arrangement: 'reordered',
    lower: c => swap(c, c.tensor('self'), c.int('dim0'), c.int('dim1'))
  }),
  operator('mT(Tensor(a) self) -> Tensor(a)', {
    dtype: dtypes.likeFirst,
    arrangement: 'reordered',
    lower: turned
  }),
  operator('mH(Tensor(a) self) -> Tensor(a)', {
    dtype: dtypes.likeFirst,
    arrangement: 'reordered',
    lower: turned
  }),
  operator('adjoint(Tensor(a) self) -> Tensor(a)', {
    dtype: dtypes.likeFirst,
    arrangement: 'reordered',
    lower: turned
  }),
  operator('matrix_H(Tensor(a) self) -> Tensor(a)', {
    dtype: dtypes.likeFirst,
    arrangement: 'reordered',
    lower: turned
  }),
  operator('moveaxis.int(Tensor(a) self, int source, int destination) -> Tensor(a)', {
    dtype: dtypes.likeFirst,
    arrangement: 'reordered',
    lower: c => movedim(c, [c.int('source')], [c.int('destination')])
  }),
  operator('moveaxis.intlist(Tensor(a) self, int[] source, int[] destination) -> Tensor(a)', {
    dtype: dtypes.likeFirst,
    arrangement: 'reordered',
    lower: c => movedim(c, c.ints('source'), c.ints('destination'))
  }),
  operator('swapaxes(Tensor(a) self, int axis0, int axis1) -> Tensor(a)', {
    dtype: dtypes.likeFirst,
    arrangement: 'reordered',
    lower: c => swap(c, c.tensor('self'), c.int('axis0'), c.int('axis1'))
  }),
  operator('t(Tensor(a) self) -> Tensor(a)', {
    dtype: dtypes.likeFirst,
    arrangement: 'reordered',
    lower: c => {
      const self = c.tensor('self');
      return c.rank(self) < 2 ? self : swap(c, self, 0, 1);
    }
  }),
  operator('numpy_T(Tensor(a) self) -> Tensor(a)', {
    dtype: dtypes.likeFirst,
    arrangement: 'reordered',
    lower: c => {
      const self = c.tensor('self');
      return c.transpose(self, Array.from({ length: c.rank(self) }, (_, i) => i).reverse());
    }
  }),
  operator('movedim.int(Tensor(a) self, int source, int destination) -> Tensor(a)', {
    dtype: dtypes.likeFirst,
    arrangement: 'reordered',
    lower: c => movedim(c, [c.int('source')], [c.int('destination')])
  }),
  operator('movedim.intlist(Tensor(a) self, int[] source, int[] destination) -> Tensor(a)', {
    dtype: dtypes.likeFirst,
    arrangement: 'reordered',
    lower: c => movedim(c, c.ints('source'), c.ints('destination'))
  }),
  /** Squeeze. */
  operator('squeeze(Tensor(a) self) -> Tensor(a)', {
    dtype: dtypes.likeFirst,
    arrangement: 'whole',
    lower: c => squeeze(c, null)
  }),
  operator('squeeze.dim(Tensor(a) self, int dim) -> Tensor(a)', {
    dtype: dtypes.likeFirst,
    arrangement: 'whole',
    lower: c => squeeze(c, [c.int('dim')])
  }),
  operator('squeeze.dims(Tensor(a) self, int[] dim) -> Tensor(a)', {
    dtype: dtypes.likeFirst,
    arrangement: 'whole',
    lower: c => squeeze(c, c.ints('dim'))
  }),
  /** Unsqueeze. */
  operator('unsqueeze(Tensor(a) self, int dim) -> Tensor(a)', {
    dtype: dtypes.likeFirst,
    arrangement: 'whole',
    lower: c => {
      const self = c.tensor('self');
      return c.unsqueeze(self, [c.axis(c.int('dim'), c.rank(self) + 1)]);
    }
  }),
  /** Expand. */
  operator('expand(Tensor(a) self, SymInt[] size, *, bool implicit=False) -> Tensor(a)', {
    dtype: dtypes.likeFirst,
    arrangement: 'whole',
    lower: expand
  }),
  operator('broadcast_to(Tensor(a) self, SymInt[] size) -> Tensor(a)', {
    dtype: dtypes.likeFirst,
    arrangement: 'whole',
    lower: expand
  }),
  operator('expand_as(Tensor(a) self, Tensor other) -> Tensor(a)', {
    dtype: dtypes.likeFirst,
    arrangement: 'whole',
    lower: c => c.emit('Expand', [c.tensor('self'), shapeVector(c, c.tensor('other'))])
  }),
  /** Slice; nothing where it takes all. */
  operator(
    'slice.Tensor(Tensor(a) self, int dim=0, SymInt? start=None, SymInt? end=None, SymInt step=1) -> Tensor(a)',
    { dtype: dtypes.likeFirst, arrangement: 'cut', lower: sliceTensor }
  ),
  /** Slice. */
  operator('narrow(Tensor(a) self, int dim, SymInt start, SymInt length) -> Tensor(a)', {
    dtype: dtypes.likeFirst,
    arrangement: 'cut',
    lower: c => {
      const self = c.tensor('self');
      const axis = c.axis(c.int('dim'), c.rank(self));
      const start = c.size('start');
      const length = c.size('length');
      const end =
        typeof start === 'number' && typeof length === 'number'
          ? start + length
          : c.emit(
              'Add',
              [c.sizeScalar(start), c.sizeScalar(length)],
              {},
              { dtype: 'int64', shape: [] }
            );
      return slice(c, self, axis, start, end);
    }
  }),
  /** Gather. */
  operator('select.int(Tensor(a) self, int dim, SymInt index) -> Tensor(a)', {
    dtype: dtypes.likeFirst,
    arrangement: 'cut',
    lower: select
  }),
  /** Concat. */
  operator('cat(Tensor[] tensors, int dim=0) -> Tensor', {
    exact: 'moved',
    dtype: dtypes.concatenated,
    names: ['concat', 'concatenate'],
    lower: concat
  }),
  /** Unsqueeze, Concat. */
  operator('stack(Tensor[] tensors, int dim=0) -> Tensor', {
    exact: 'moved',
    dtype: dtypes.concatenated,
    lower: stack
  }),
  /** Split. */
  operator('split.Tensor(Tensor(a -> *) self, SymInt split_size, int dim=0) -> Tensor(a)[]', {
    dtype: dtypes.likeFirst,
    arrangement: 'parts',
    limits: [splitStatic],
    lower: split
  }),
  operator('unsafe_split.Tensor(Tensor self, SymInt split_size, int dim=0) -> Tensor[]', {
    dtype: dtypes.likeFirst,
    arrangement: 'parts',
    mayReturnOperand: true,
    limits: [splitStatic],
    lower: split
  }),
  operator('split.sizes(Tensor(a -> *) self, SymInt[] split_size, int dim=0) -> Tensor(a)[]', {
    dtype: dtypes.likeFirst,
    arrangement: 'parts',
    lower: c => {
      const self = c.tensor('self');
      return splitInto(c, self, c.axis(c.int('dim'), c.rank(self)), c.ints('split_size'));
    }
  }),
  operator(
    'split_with_sizes(Tensor(a -> *) self, SymInt[] split_sizes, int dim=0) -> Tensor(a)[]',
    { dtype: dtypes.likeFirst, arrangement: 'parts', lower: splitSizes }
  ),
  operator('unsafe_chunk(Tensor self, int chunks, int dim=0) -> Tensor[]', {
    dtype: dtypes.likeFirst,
    arrangement: 'parts',
    mayReturnOperand: true,
    limits: [splitStatic],
    lower: chunk
  }),
  operator('chunk(Tensor(a -> *) self, int chunks, int dim=0) -> Tensor(a)[]', {
    dtype: dtypes.likeFirst,
    arrangement: 'parts',
    limits: [splitStatic],
    lower: chunk
  }),
  operator(
    'tensor_split.sections(Tensor(a -> *) self, SymInt sections, int dim=0) -> Tensor(a)[]',
    {
      dtype: dtypes.likeFirst,
      arrangement: 'parts',
      limits: [staticSections(namedAxis)],
      lower: c => splitEvenly(c, c.tensor('self'), namedAxis(c), c.int('sections'))
    }
  ),
  /** Split; Slice where sizes are not static. */
  operator(
    'tensor_split.indices(Tensor(a -> *) self, SymInt[] indices, int dim=0) -> Tensor(a)[]',
    {
      dtype: dtypes.likeFirst,
      arrangement: 'parts',
      lower: c => splitAt(c, c.tensor('self'), namedAxis(c), c.sizes('indices'))
    }
  ),
  ...splitsAlong('hsplit', rank => (rank === 1 ? 0 : 1)),
  ...splitsAlong('vsplit', () => 0),
  ...splitsAlong('dsplit', () => 2),
  /** Split, Squeeze. */
  operator('unbind.int(Tensor(a -> *) self, int dim=0) -> Tensor(a)[]', {
    dtype: dtypes.likeFirst,
    arrangement: 'parts',
    limits: [splitStatic],
    lower: unbind
  }),
  /** Unsqueeze, Tile. */
  operator('repeat(Tensor self, SymInt[] repeats) -> Tensor', {
    exact: 'moved',
    dtype: dtypes.likeFirst,
    lower: c => repeat(c, c.sizes('repeats'))
  }),
  operator('tile(Tensor self, SymInt[] dims) -> Tensor', {
    exact: 'moved',
    dtype: dtypes.likeFirst,
    lower: c => {
      const factors = c.sizes('dims');
      const missing = Math.max(c.rank(c.tensor('self')) - factors.length, 0);
      return repeat(c, [...new Array<number>(missing).fill(1), ...factors]);
    }
  }),
  /** Range, Add, Gather, Transpose. */
  operator('unfold(Tensor(a) self, int dimension, int size, int step) -> Tensor(a)', {
    dtype: dtypes.likeFirst,
    arrangement: 'cut',
    lower: unfold
  }),
  operator('unfold_copy(Tensor self, int dimension, int size, int step) -> Tensor', {
    dtype: dtypes.likeFirst,
    lower: unfold
  }),
  /** Pad, Gather, Transpose, Reshape. */
  operator(
    'im2col(Tensor self, int[2] kernel_size, int[2] dilation, int[2] padding, int[2] stride) -> Tensor',
    { dtype: dtypes.likeFirst, limits: [staticImage], lower: imageToColumns }
  ),
  /** Col2Im. */
  operator(
    'col2im(Tensor self, SymInt[2] output_size, int[2] kernel_size, int[2] dilation, int[2] padding, int[2] stride) -> Tensor',
    { dtype: dtypes.likeFirst, lower: columnsToImage }
  ),
  /** Transpose, Reshape, Gather. */
  operator('diagonal(Tensor(a) self, int offset=0, int dim1=0, int dim2=1) -> Tensor(a)', {
    dtype: dtypes.likeFirst,
    arrangement: 'cut',
    limits: [staticDiagonal],
    lower: diagonal
  }),
  /** Pad, Gather, Transpose. */
  operator('diag_embed(Tensor self, int offset=0, int dim1=-2, int dim2=-1) -> Tensor', {
    dtype: dtypes.likeFirst,
    limits: [
      limit('the size of the dimension is static', c => {
        const self = c.tensor('self');
        return typeof c.shape(self)[c.rank(self) - 1] === 'number'
          ? null
          : 'a dimension whose size is not static';
      })
    ],
    lower: diagonalEmbedded
  }),
  /** Reshape, Expand. */
  operator('meshgrid(Tensor[] tensors) -> Tensor[]', {
    dtype: dtypes.likeFirst,
    lower: meshgrid(() => 'ij')
  }),
  operator('meshgrid.indexing(Tensor[] tensors, *, str indexing) -> Tensor[]', {
    dtype: dtypes.likeFirst,
    lower: meshgrid(c => c.string('indexing'))
  }),
  /** Slice with step -1. */
  operator('flip(Tensor self, int[] dims) -> Tensor', {
    dtype: dtypes.likeFirst,
    arrangement: 'whole',
    lower: flip
  }),
  /** Trilu. */
  operator('tril(Tensor self, SymInt diagonal=0) -> Tensor', {
    exact: 'moved',
    dtype: dtypes.likeFirst,
    lower: triangle(0)
  }),
  operator('triu(Tensor self, SymInt diagonal=0) -> Tensor', {
    exact: 'moved',
    dtype: dtypes.likeFirst,
    lower: triangle(1)
  }),
  /** Pad. */
  operator('constant_pad_nd(Tensor self, SymInt[] pad, Scalar value=0) -> Tensor', {
    exact: 'moved',
    dtype: dtypes.likeFirst,
    lower: c => constantPad(c, c.tensor('self'), c.sizes('pad'), c.scalarArgument('value'))
  }),
  operator('pad(Tensor self, SymInt[] pad, str mode="constant", float? value=None) -> Tensor', {
    dtype: dtypes.likeFirst,
    mayReturnOperand: true,
    limits: [
      limit('modes constant, reflect, replicate and circular', c =>
        c.string('mode') === 'constant' || PAD_MODES.has(c.string('mode'))
          ? null
          : `mode ${c.string('mode')}`
      )
    ],
    lower: c => {
      const mode = PAD_MODES.get(c.string('mode'));
      const value = c.has('value') ? c.scalarArgument('value') : null;
      return mode === undefined
        ? constantPad(c, c.tensor('self'), c.sizes('pad'), value)
        : padEdges(c, 'self', mode);
    }
  }),
  /** Slice, Concat. */
  operator('roll(Tensor self, SymInt[1] shifts, int[1] dims=[]) -> Tensor', {
    exact: 'moved',
    dtype: dtypes.likeFirst,
    limits: [
      limit('shifts are static', c => (c.isStatic('shifts') ? null : 'shifts that are not static'))
    ],
    lower: roll
  }),
  /** Unsqueeze, Expand, Reshape. */
  operator(
    'repeat_interleave.self_int(Tensor self, SymInt repeats, int? dim=None, *, SymInt? output_size=None) -> Tensor',
    { dtype: dtypes.likeFirst, lower: repeatInterleave }
  )
];
