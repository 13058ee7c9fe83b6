/**
 * Operators that arrange elements anew: views, permutations, slices, joins.
 *
 * @packageDocumentation
 */
import { elementCount } from '../../../model';
import type { IValue } from '../../../model';
import { intAttr } from '../../builder';
import type { Call, Size } from '../call';
import { rule } from '../rule';
import type { IRule, Lowered } from '../rule';
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

function splitStatic(c: Call): string | null {
  const self = c.tensor('self');
  const size = self.shape?.[c.axis(c.int('dim'), c.rank(self))];
  return typeof size === 'number' ? null : 'it splits a dimension whose size is not static';
}

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

/** Tile, after the tensor got as many dimensions as there are factors. */
function repeat(c: Call): IValue {
  const self = c.tensor('self');
  const factors = c.sizes('repeats');
  const missing = factors.length - c.rank(self);
  const wide = c.unsqueeze(
    self,
    Array.from({ length: missing }, (_, i) => i)
  );
  return c.emit('Tile', [wide, c.sizeVector(factors)], {}, c.typeOf(self));
}

function flip(c: Call): Lowered {
  const self = c.tensor('self');
  const axes = c.axes(c.ints('dims'), c.rank(self));
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

/** Rules of this file. */
export const LAYOUT_RULES: readonly IRule[] = [
  /** Reshape. */
  rule('view(Tensor self, SymInt[] size) -> Tensor', view),
  rule('_unsafe_view(Tensor self, SymInt[] size) -> Tensor', view),
  rule('reshape(Tensor self, SymInt[] shape) -> Tensor', view),
  rule('flatten.using_ints(Tensor self, int start_dim=0, int end_dim=-1) -> Tensor', flatten),
  rule('unflatten.int(Tensor self, int dim, SymInt[] sizes) -> Tensor', unflatten),
  /** Reshape to the other's shape. */
  rule('view_as(Tensor self, Tensor other) -> Tensor', c =>
    c.emit('Reshape', [c.tensor('self'), shapeVector(c, c.tensor('other'))])
  ),
  /** Transpose. */
  rule('permute(Tensor self, int[] dims) -> Tensor', c => {
    const self = c.tensor('self');
    return c.transpose(self, c.axes(c.ints('dims'), c.rank(self)));
  }),
  rule('transpose.int(Tensor self, int dim0, int dim1) -> Tensor', c =>
    swap(c, c.tensor('self'), c.int('dim0'), c.int('dim1'))
  ),
  rule('swapaxes(Tensor self, int axis0, int axis1) -> Tensor', c =>
    swap(c, c.tensor('self'), c.int('axis0'), c.int('axis1'))
  ),
  rule('t(Tensor self) -> Tensor', c => {
    const self = c.tensor('self');
    return c.rank(self) < 2 ? self : swap(c, self, 0, 1);
  }),
  rule('numpy_T(Tensor self) -> Tensor', c => {
    const self = c.tensor('self');
    return c.transpose(self, Array.from({ length: c.rank(self) }, (_, i) => i).reverse());
  }),
  rule('movedim.int(Tensor self, int source, int destination) -> Tensor', c =>
    movedim(c, [c.int('source')], [c.int('destination')])
  ),
  rule('movedim.intlist(Tensor self, int[] source, int[] destination) -> Tensor', c =>
    movedim(c, c.ints('source'), c.ints('destination'))
  ),
  /** Squeeze. */
  rule('squeeze(Tensor self) -> Tensor', c => squeeze(c, null)),
  rule('squeeze.dim(Tensor self, int dim) -> Tensor', c => squeeze(c, [c.int('dim')])),
  rule('squeeze.dims(Tensor self, int[] dim) -> Tensor', c => squeeze(c, c.ints('dim'))),
  /** Unsqueeze. */
  rule('unsqueeze(Tensor self, int dim) -> Tensor', c => {
    const self = c.tensor('self');
    return c.unsqueeze(self, [c.axis(c.int('dim'), c.rank(self) + 1)]);
  }),
  /** Expand. */
  rule('expand(Tensor self, SymInt[] size, *, bool implicit=False) -> Tensor', expand),
  rule('expand_as(Tensor self, Tensor other) -> Tensor', c =>
    c.emit('Expand', [c.tensor('self'), shapeVector(c, c.tensor('other'))])
  ),
  /** Slice; nothing where it takes all. */
  rule(
    'slice.Tensor(Tensor self, int dim=0, SymInt? start=None, SymInt? end=None, SymInt step=1) -> Tensor',
    sliceTensor
  ),
  /** Slice. */
  rule('narrow(Tensor self, int dim, SymInt start, SymInt length) -> Tensor', c => {
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
  }),
  /** Gather. */
  rule('select.int(Tensor self, int dim, SymInt index) -> Tensor', select),
  /** Concat. */
  rule('cat(Tensor[] tensors, int dim=0) -> Tensor', concat),
  /** Unsqueeze, Concat. */
  rule('stack(Tensor[] tensors, int dim=0) -> Tensor', stack),
  /** Split. */
  rule('split.Tensor(Tensor self, SymInt split_size, int dim=0) -> Tensor[]', split, splitStatic),
  rule(
    'unsafe_split.Tensor(Tensor self, SymInt split_size, int dim=0) -> Tensor[]',
    split,
    splitStatic
  ),
  rule('split.sizes(Tensor self, SymInt[] split_size, int dim=0) -> Tensor[]', c => {
    const self = c.tensor('self');
    return splitInto(c, self, c.axis(c.int('dim'), c.rank(self)), c.ints('split_size'));
  }),
  rule('split_with_sizes(Tensor self, SymInt[] split_sizes, int dim=0) -> Tensor[]', splitSizes),
  rule('chunk(Tensor self, int chunks, int dim=0) -> Tensor[]', chunk, splitStatic),
  /** Split, Squeeze. */
  rule('unbind.int(Tensor self, int dim=0) -> Tensor[]', unbind, splitStatic),
  /** Unsqueeze, Tile. */
  rule('repeat(Tensor self, SymInt[] repeats) -> Tensor', repeat),
  /** Slice with step -1. */
  rule('flip(Tensor self, int[] dims) -> Tensor', flip),
  /** Trilu. */
  rule('tril(Tensor self, int diagonal=0) -> Tensor', triangle(0)),
  rule('triu(Tensor self, int diagonal=0) -> Tensor', triangle(1)),
  /** Pad. */
  rule('constant_pad_nd(Tensor self, SymInt[] pad, Scalar value=0) -> Tensor', c =>
    constantPad(c, c.tensor('self'), c.sizes('pad'), c.scalarArgument('value'))
  ),
  rule(
    'pad(Tensor self, SymInt[] pad, str mode="constant", float? value=None) -> Tensor',
    c => {
      const mode = PAD_MODES.get(c.string('mode'));
      const value = c.has('value') ? c.scalarArgument('value') : null;
      return mode === undefined
        ? constantPad(c, c.tensor('self'), c.sizes('pad'), value)
        : padEdges(c, 'self', mode);
    },
    c =>
      c.string('mode') === 'constant' || PAD_MODES.has(c.string('mode'))
        ? null
        : `mode ${c.string('mode')}`
  ),
  /** Slice, Concat. */
  rule('roll(Tensor self, SymInt[1] shifts, int[1] dims=[]) -> Tensor', roll, c =>
    c.isStatic('shifts') ? null : 'shifts that are not static'
  ),
  /** Unsqueeze, Expand, Reshape. */
  rule(
    'repeat_interleave.self_int(Tensor self, SymInt repeats, int? dim=None, *, SymInt? output_size=None) -> Tensor',
    repeatInterleave
  )
];
