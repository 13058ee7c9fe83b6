/**
 * Reading elements by index, and choosing between tensors.
 *
 * @packageDocumentation
 */
import type { IValue } from '../../../model';
import { intAttr } from '../../builder';
import type { Call } from '../call';
import { rule } from '../rule';
import type { IRule, Lowered } from '../rule';
import { slice } from './layout';
import { operand } from './operands';

function gather(c: Call, data: IValue, indices: IValue, axis: number): IValue {
  return c.emit('Gather', [data, indices], { axis: intAttr(axis) }, c.typeOf(data));
}

/** Indices of the true elements of a mask, one row each. */
function rowsOf(c: Call, mask: IValue): IValue {
  const columns = c.emit('NonZero', [mask], {}, { dtype: 'int64' });
  return c.emit(
    'Transpose',
    [columns],
    { perm: { kind: 'list', items: [intAttr(1), intAttr(0)] } },
    {
      dtype: 'int64'
    }
  );
}

/**
 * `self[indices]` with None for whole dimensions.
 *
 * One index tensor is a Gather. Several are broadcast together, joined into rows and read by GatherND, with the indexed dimensions
 * in front; the new dimensions go back to their place if the indexed ones stood side by side, as in NumPy.
 */
function index(c: Call): Lowered {
  const self = c.tensor('self');
  const rank = c.rank(self);
  const given = c
    .tensors('indices')
    .flatMap((value, axis) => (value === null ? [] : [{ value, axis }]));
  if (given.length === 0) {
    return self;
  }
  if (given.length === 1) {
    const { value, axis } = given[0];
    if (value.dtype === 'bool' || value.dtype === 'uint8') {
      return maskIndex(c, self, c.castTo(value, 'bool'), axis);
    }
    return gather(c, self, c.castTo(value, 'int64'), axis);
  }
  const axes = given.map(({ axis }) => axis);
  const rest = Array.from({ length: rank }, (_, i) => i).filter(i => !axes.includes(i));
  const front = c.transpose(self, [...axes, ...rest]);
  const { rows, rank: newRank } = indexRows(
    c,
    given.map(({ value }) => value)
  );
  const read = c.emit('GatherND', [front, rows], {}, c.typeOf(self));
  const adjacent = axes.every((axis, i) => i === 0 || axis === axes[i - 1] + 1);
  if (!adjacent || axes[0] === 0) {
    return read;
  }
  const before = axes[0];
  const perm = [
    ...Array.from({ length: before }, (_, i) => newRank + i),
    ...Array.from({ length: newRank }, (_, i) => i),
    ...Array.from({ length: rest.length - before }, (_, i) => newRank + before + i)
  ];
  return c.emit(
    'Transpose',
    [read],
    { perm: { kind: 'list', items: perm.map(intAttr) } },
    c.typeOf(self)
  );
}

/** Index tensors broadcast together, as rows for GatherND and ScatterND, and their rank. */
export function indexRows(c: Call, indices: readonly IValue[]): { rows: IValue; rank: number } {
  const tensors = indices.map(value => c.castTo(value, 'int64'));
  const rank = Math.max(...tensors.map(value => c.rank(value)));
  const rows = c.emit(
    'Concat',
    broadcastTogether(c, tensors).map(value =>
      c.emit('Unsqueeze', [value, c.int64s([rank])], {}, { dtype: 'int64' })
    ),
    { axis: intAttr(rank) },
    { dtype: 'int64' }
  );
  return { rows, rank };
}

/** One mask over dimensions `axis ...`: its true elements, in order, as one new dimension in their place. */
function maskIndex(c: Call, self: IValue, mask: IValue, axis: number): IValue {
  const rank = c.rank(self);
  const covered = Array.from({ length: c.rank(mask) }, (_, i) => axis + i);
  const rest = Array.from({ length: rank }, (_, i) => i).filter(i => !covered.includes(i));
  const front = c.transpose(self, [...covered, ...rest]);
  const read = c.emit('GatherND', [front, rowsOf(c, mask)], {}, c.typeOf(self));
  if (axis === 0) {
    return read;
  }
  const perm = [
    ...Array.from({ length: axis }, (_, i) => i + 1),
    0,
    ...Array.from({ length: rest.length - axis }, (_, i) => axis + 1 + i)
  ];
  return c.emit(
    'Transpose',
    [read],
    { perm: { kind: 'list', items: perm.map(intAttr) } },
    c.typeOf(self)
  );
}

/** Expand index tensors to their common shape, which the shape of their sum is. */
function broadcastTogether(c: Call, tensors: readonly IValue[]): IValue[] {
  const shapes = tensors.map(value => c.staticShape(value)?.join(','));
  if (shapes[0] !== undefined && shapes.every(shape => shape === shapes[0])) {
    return [...tensors];
  }
  const sum = tensors.reduce((a, b) => c.emit('Add', [a, b], {}, { dtype: 'int64' }));
  const shape = c.emit('Shape', [sum], {}, { dtype: 'int64' });
  return tensors.map(value => c.emit('Expand', [value, shape], {}, { dtype: 'int64' }));
}

function masksAlone(c: Call): string | null {
  const given = c.tensors('indices').filter(value => value !== null);
  const mask = given.some(value => value.dtype === 'bool' || value.dtype === 'uint8');
  return mask && given.length > 1 ? 'a mask together with other indices' : null;
}

function where(c: Call): IValue {
  return c.emit('Where', [
    c.castTo(c.tensor('condition'), 'bool'),
    operand(c, 'self'),
    operand(c, 'other')
  ]);
}

function maskedFill(c: Call): IValue {
  return c.emit('Where', [
    c.castTo(c.tensor('mask'), 'bool'),
    operand(c, 'value'),
    operand(c, 'self')
  ]);
}

/** `torch.diff`: differences of neighbours, `n` times. */
function diff(c: Call): IValue {
  const self = c.tensor('self');
  const axis = c.axis(c.int('dim'), c.rank(self));
  const parts = [c.optionalTensor('prepend'), self, c.optionalTensor('append')].flatMap(value =>
    value === null ? [] : [value]
  );
  let value =
    parts.length === 1 ? self : c.emit('Concat', parts, { axis: intAttr(axis) }, c.typeOf(self));
  for (let i = 0; i < c.int('n'); i++) {
    const later = slice(c, value, axis, 1, Infinity);
    const earlier = slice(c, value, axis, 0, -1);
    value =
      c.outType === 'bool' ? c.emit('Xor', [later, earlier]) : c.emit('Sub', [later, earlier]);
  }
  return value;
}

/** Rules of this file. */
export const INDEXING_RULES: readonly IRule[] = [
  /** Gather. */
  rule(
    'embedding(Tensor weight, Tensor indices, SymInt padding_idx=-1, bool scale_grad_by_freq=False, bool sparse=False) -> Tensor',
    c => gather(c, c.tensor('weight'), c.tensor('indices'), 0)
  ),
  /** Gather. */
  rule('index_select(Tensor self, int dim, Tensor index) -> Tensor', c => {
    const self = c.tensor('self');
    return gather(c, self, c.tensor('index'), c.axis(c.int('dim'), c.rank(self)));
  }),
  /** GatherElements. */
  rule('gather(Tensor self, int dim, Tensor index, *, bool sparse_grad=False) -> Tensor', c => {
    const self = c.tensor('self');
    return c.emit(
      'GatherElements',
      [self, c.tensor('index')],
      { axis: intAttr(c.axis(c.int('dim'), c.rank(self))) },
      c.typeOf(self)
    );
  }),
  /** Gather; Transpose, GatherND; NonZero for masks. */
  rule('index.Tensor(Tensor self, Tensor?[] indices) -> Tensor', index, masksAlone),
  /** OneHot. */
  rule(
    'one_hot(Tensor self, int num_classes=-1) -> Tensor',
    c =>
      c.emit('OneHot', [
        c.tensor('self'),
        c.scalar(c.int('num_classes'), 'int64'),
        c.int64s([0, 1])
      ]),
    c => (c.int('num_classes') > 0 ? null : 'a number of classes that depends on the data')
  ),
  /** Where. */
  rule('where.self(Tensor condition, Tensor self, Tensor other) -> Tensor', where),
  rule('where.ScalarSelf(Tensor condition, Scalar self, Tensor other) -> Tensor', where),
  rule('where.ScalarOther(Tensor condition, Tensor self, Scalar other) -> Tensor', where),
  rule('where.Scalar(Tensor condition, Scalar self, Scalar other) -> Tensor', where),
  rule('masked_fill.Scalar(Tensor self, Tensor mask, Scalar value) -> Tensor', maskedFill),
  rule('masked_fill_.Scalar(Tensor self, Tensor mask, Scalar value) -> Tensor', maskedFill),
  rule('masked_fill.Tensor(Tensor self, Tensor mask, Tensor value) -> Tensor', maskedFill),
  /** Concat, Slice, Sub. */
  rule(
    'diff(Tensor self, int n=1, int dim=-1, Tensor? prepend=None, Tensor? append=None) -> Tensor',
    diff
  )
];
