/**
 * Reading elements by index, and choosing between tensors.
 *
 * @packageDocumentation
 */
import { isFloating } from '../../../model';
import type { DType, Dim, IValue } from '../../../model';
import { intAttr, intsAttr } from '../../builder';
import type { Call } from '../call';
import * as dtypes from '../dtypes';
import { limit, operator } from '../operator';
import type { IOperator, Lowered } from '../operator';
import { slice } from './layout';
import { operand } from './operands';

function gather(c: Call, data: IValue, indices: IValue, axis: number): IValue {
  return c.emit('Gather', [data, indices], { axis: intAttr(axis) }, c.typeOf(data));
}

/** A dimension whose size depends on the elements of a mask. */
const SELECTED: Dim = { kind: 'opaque', text: 'selected' };

/** Where the true elements of a mask stand: one index tensor per dimension of the mask. */
function placesOf(c: Call, mask: IValue): IValue[] {
  const columns = c.emit('NonZero', [c.castTo(mask, 'bool')], {}, { dtype: 'int64' });
  return Array.from({ length: c.rank(mask) }, (_, axis) =>
    c.emit(
      'Gather',
      [columns, c.sizeScalar(axis)],
      { axis: intAttr(0) },
      { dtype: 'int64', shape: [SELECTED] }
    )
  );
}

/** How `self[indices]` is read and written: rows of the indexed dimensions, brought to the front. */
export interface IIndexing {
  /** `self` with the indexed dimensions in front. */
  readonly front: IValue;
  /** The permutation that brought them there. */
  readonly order: readonly number[];
  /** For GatherND and ScatterND. */
  readonly rows: IValue;
  /**
   * The permutation from what GatherND reads, new dimensions in front, to what ATen returns: the new dimensions stand in place of
   * the indexed ones if those stood side by side, as in NumPy.
   */
  readonly placing: readonly number[];
}

/** Prepare `self[indices]`; None stands for a whole dimension, and masks cover as many dimensions as they have. */
export function indexing(c: Call, self: IValue): IIndexing {
  const axes: number[] = [];
  const tensors: IValue[] = [];
  let axis = 0;
  for (const value of c.tensors('indices')) {
    const given = value === null ? [null] : isMask(value) ? placesOf(c, value) : [value];
    for (const tensor of given) {
      if (tensor !== null) {
        axes.push(axis);
        tensors.push(c.castTo(tensor, 'int64'));
      }
      axis++;
    }
  }
  const rest = Array.from({ length: c.rank(self) }, (_, i) => i).filter(i => !axes.includes(i));
  const order = [...axes, ...rest];
  const newRank = Math.max(...tensors.map(value => c.rank(value)));
  const adjacent = axes.every((one, i) => i === 0 || one === axes[i - 1] + 1);
  const before = adjacent ? axes[0] : 0;
  const placing = [
    ...Array.from({ length: before }, (_, i) => newRank + i),
    ...Array.from({ length: newRank }, (_, i) => i),
    ...Array.from({ length: rest.length - before }, (_, i) => newRank + before + i)
  ];
  const rows = c.emit(
    'Concat',
    broadcastTogether(c, tensors).map(value =>
      c.emit('Unsqueeze', [value, c.int64s([newRank])], {}, { dtype: 'int64' })
    ),
    { axis: intAttr(newRank) },
    { dtype: 'int64' }
  );
  return { front: c.transpose(self, order), order, rows, placing };
}

function isMask(value: IValue): boolean {
  return value.dtype === 'bool' || value.dtype === 'uint8';
}

/** Transpose a value whose rank is not known to be that of the permutation's. */
export function arranged(c: Call, value: IValue, perm: readonly number[]): IValue {
  return perm.every((axis, i) => axis === i)
    ? value
    : c.emit('Transpose', [value], { perm: intsAttr(perm) }, c.typeOf(value));
}

/** The places of elements that are not zero, one row for each. */
function nonzero(c: Call, value: IValue): IValue {
  const flags = c.castTo(value, 'bool');
  const columns = c.emit('NonZero', [flags], {}, { dtype: 'int64' });
  return c.emit('Transpose', [columns], { perm: intsAttr([1, 0]) }, { dtype: 'int64' });
}

/** The elements where a mask is true, row by row. */
function maskedSelect(c: Call): IValue {
  const [self, mask] = [c.tensor('self'), c.tensor('mask')];
  const shape = (value: IValue): IValue => c.emit('Shape', [value], {}, { dtype: 'int64' });
  const wide = c.emit('Expand', [self, shape(mask)], {}, c.typeOf(self));
  const where = c.emit('Expand', [mask, shape(self)], {}, { dtype: 'bool' });
  return c.emit('GatherND', [wide, nonzero(c, where)], {}, c.typeOf(self));
}

/** `self[indices]`. One index tensor is a Gather; several, and masks, are rows for GatherND. */
function index(c: Call): Lowered {
  const self = c.tensor('self');
  const given = c
    .tensors('indices')
    .flatMap((value, axis) => (value === null ? [] : [{ value, axis }]));
  if (given.length === 0) {
    return self;
  }
  if (given.length === 1 && !isMask(given[0].value)) {
    return gather(c, self, c.castTo(given[0].value, 'int64'), given[0].axis);
  }
  const { front, rows, placing } = indexing(c, self);
  return arranged(c, c.emit('GatherND', [front, rows], {}, c.typeOf(self)), placing);
}

/** Indices into dimension `dim` that broadcast with `self` in all others, or into all elements without `dim`. */
function takeAlong(c: Call): IValue {
  const self = c.tensor('self');
  const indices = c.castTo(c.tensor('indices'), 'int64');
  const dim = c.optionalInt('dim');
  if (dim === null) {
    const flat = c.reshape(self, [-1]);
    return gather(c, flat, c.reshape(indices, [-1]), 0);
  }
  const rank = c.rank(self);
  const axis = c.axis(dim, rank);
  // Both broadcast: each is expanded by the other's shape with a 1 in place of the indexed dimension.
  const others = (value: IValue): IValue =>
    c.sizeVector(Array.from({ length: rank }, (_, i) => (i === axis ? 1 : c.sizeOf(value, i))));
  const data = c.emit('Expand', [self, others(indices)], {}, c.typeOf(self));
  const places = c.emit('Expand', [indices, others(self)], {}, { dtype: 'int64' });
  return c.emit('GatherElements', [data, places], { axis: intAttr(axis) }, c.typeOf(self));
}

/** Whether each element is among others, by comparing all with all. */
function isIn(c: Call): IValue {
  const elements = c.tensor('elements');
  const tests = c.schema.args.some(arg => arg.name === 'test_elements')
    ? c.castTo(c.reshape(c.tensor('test_elements'), [-1]), comparable(elements))
    : c.scalar(c.number('test_element'), comparable(elements));
  const one = c.unsqueeze(c.castTo(elements, comparable(elements)), [c.rank(elements)]);
  const equal = c.emit('Equal', [one, tests], {}, { dtype: 'bool' });
  const flags = c.castTo(equal, 'int32');
  const any = c.emit(
    'ReduceMax',
    [flags, c.int64s([-1])],
    { keepdims: intAttr(0) },
    { dtype: 'int32' }
  );
  const found = c.castTo(any, 'bool');
  return c.bool('invert') ? c.emit('Not', [found], {}, { dtype: 'bool' }) : found;
}

function comparable(value: IValue): DType {
  return value.dtype !== null && isFloating(value.dtype) ? 'float32' : 'int64';
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

/** Records of this file. */
export const INDEXING: readonly IOperator[] = [
  /** Gather. */
  operator(
    'embedding(Tensor weight, Tensor indices, SymInt padding_idx=-1, bool scale_grad_by_freq=False, bool sparse=False) -> Tensor',
    {
      exact: 'moved',
      dtype: dtypes.likeFirst,
      lower: c => gather(c, c.tensor('weight'), c.tensor('indices'), 0)
    }
  ),
  /** Gather. */
  operator('index_select(Tensor self, int dim, Tensor index) -> Tensor', {
    exact: 'moved',
    dtype: dtypes.likeFirst,
    lower: c => {
      const self = c.tensor('self');
      return gather(c, self, c.tensor('index'), c.axis(c.int('dim'), c.rank(self)));
    }
  }),
  /** GatherElements. */
  operator('gather(Tensor self, int dim, Tensor index, *, bool sparse_grad=False) -> Tensor', {
    exact: 'moved',
    dtype: dtypes.likeFirst,
    lower: c => {
      const self = c.tensor('self');
      return c.emit(
        'GatherElements',
        [self, c.tensor('index')],
        { axis: intAttr(c.axis(c.int('dim'), c.rank(self))) },
        c.typeOf(self)
      );
    }
  }),
  /** Gather; Transpose, GatherND; NonZero for masks. */
  operator('index.Tensor(Tensor self, Tensor?[] indices) -> Tensor', {
    dtype: dtypes.likeFirst,
    lower: index
  }),
  operator('_unsafe_index.Tensor(Tensor self, Tensor?[] indices) -> Tensor', {
    dtype: dtypes.likeFirst,
    lower: index
  }),
  /** NonZero, Transpose. */
  operator('nonzero(Tensor self) -> Tensor', {
    dtype: dtypes.int64,
    lower: c => nonzero(c, c.tensor('self'))
  }),
  /** Expand, NonZero, Transpose, GatherND. */
  operator('masked_select(Tensor self, Tensor mask) -> Tensor', {
    dtype: dtypes.likeFirst,
    lower: maskedSelect
  }),
  /** Reshape: the only element, as a number that sizes and arithmetic may depend on. */
  ...['item', '_local_scalar_dense'].map(name =>
    operator(`${name}(Tensor self) -> Scalar`, {
      lower: c => {
        const self = c.tensor('self');
        const dtype = self.dtype === null || self.dtype === 'bool' ? 'bool' : self.dtype;
        const wide = isFloating(dtype) ? 'float64' : dtype === 'bool' ? 'bool' : 'int64';
        return c.reshape(c.castTo(self, wide), [], []);
      }
    })
  ),
  /** Expand, GatherElements. */
  operator('take_along_dim(Tensor self, Tensor indices, int? dim=None) -> Tensor', {
    dtype: dtypes.likeFirst,
    lower: takeAlong
  }),
  /** Reshape, Gather. */
  operator('take(Tensor self, Tensor index) -> Tensor', {
    dtype: dtypes.likeFirst,
    lower: c =>
      gather(c, c.reshape(c.tensor('self'), [-1]), c.castTo(c.tensor('index'), 'int64'), 0)
  }),
  /** Equal, ReduceMax. */
  operator(
    'isin.Tensor_Tensor(Tensor elements, Tensor test_elements, *, bool assume_unique=False, bool invert=False) -> Tensor',
    { dtype: dtypes.bool, lower: isIn }
  ),
  operator(
    'isin.Tensor_Scalar(Tensor elements, Scalar test_element, *, bool assume_unique=False, bool invert=False) -> Tensor',
    { dtype: dtypes.bool, lower: isIn }
  ),
  /** OneHot. */
  operator('one_hot(Tensor self, int num_classes=-1) -> Tensor', {
    dtype: dtypes.int64,
    limits: [
      limit('num_classes is given', c =>
        c.int('num_classes') > 0 ? null : 'a number of classes that depends on the data'
      )
    ],
    lower: c =>
      c.emit('OneHot', [
        c.tensor('self'),
        c.scalar(c.int('num_classes'), 'int64'),
        c.int64s([0, 1])
      ])
  }),
  /** Where. */
  operator('where.self(Tensor condition, Tensor self, Tensor other) -> Tensor', {
    exact: 'moved',
    dtype: dtypes.chosen,
    lower: where
  }),
  operator('where.ScalarSelf(Tensor condition, Scalar self, Tensor other) -> Tensor', {
    exact: 'moved',
    dtype: dtypes.chosen,
    lower: where
  }),
  operator('where.ScalarOther(Tensor condition, Tensor self, Scalar other) -> Tensor', {
    exact: 'moved',
    dtype: dtypes.chosen,
    lower: where
  }),
  operator('where.Scalar(Tensor condition, Scalar self, Scalar other) -> Tensor', {
    exact: 'moved',
    dtype: dtypes.chosen,
    lower: where
  }),
  operator('masked_fill.Scalar(Tensor self, Tensor mask, Scalar value) -> Tensor', {
    exact: 'moved',
    dtype: dtypes.likeFirst,
    lower: maskedFill
  }),
  operator('masked_fill_.Scalar(Tensor(a!) self, Tensor mask, Scalar value) -> Tensor(a!)', {
    dtype: dtypes.likeFirst,
    lower: maskedFill
  }),
  operator('masked_fill.Tensor(Tensor self, Tensor mask, Tensor value) -> Tensor', {
    exact: 'moved',
    dtype: dtypes.likeFirst,
    lower: maskedFill
  }),
  /** Concat, Slice, Sub. */
  operator(
    'diff(Tensor self, int n=1, int dim=-1, Tensor? prepend=None, Tensor? append=None) -> Tensor',
    { dtype: dtypes.promoted, lower: diff }
  )
];
