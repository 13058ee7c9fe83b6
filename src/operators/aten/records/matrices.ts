/**
 * Tensors put side by side as rows, columns and layers, turned over, and the diagonals of matrices.
 *
 * @packageDocumentation
 */
import type { IValue } from '../../../model';
import { intAttr } from '../../builder';
import type { Call } from '../call';
import * as dtypes from '../dtypes';
import { limit, operator } from '../operator';
import type { IOperator } from '../operator';
import { operand } from './operands';
import { reversed } from './layout';

/** With at least as many dimensions as wanted: those missing are put where NumPy puts them. */
function atLeast(c: Call, value: IValue, rank: number): IValue {
  const missing = rank - c.rank(value);
  if (missing <= 0) {
    return value;
  }
  // `[n]` becomes `[1, n, 1]`, `[m, n]` becomes `[m, n, 1]`.
  const behind = rank === 3 && missing < 3;
  const axes = [...new Array<number>(missing).keys()];
  return c.unsqueeze(value, behind ? (missing === 1 ? [2] : [0, 2]) : axes);
}

/** Tensors with at least so many dimensions, joined along one that depends on their own number. */
function stacked(rank: number, dim: (rank: number) => number): (c: Call) => IValue {
  return c => {
    const all = c.tensors('tensors').map(value => atLeast(c, c.toType(value!, c.outType), rank));
    return c.emit('Concat', all, { axis: intAttr(dim(c.rank(all[0]))) });
  };
}

/** Vectors as columns, beside matrices. */
function columns(c: Call): IValue {
  const all = c.tensors('tensors').map(given => {
    const value = c.toType(given!, c.outType);
    const rank = c.rank(value);
    return rank === 0 ? c.unsqueeze(value, [0, 1]) : rank === 1 ? c.unsqueeze(value, [1]) : value;
  });
  return c.emit('Concat', all, { axis: intAttr(1) });
}

/** Quarter turns in the plane of two dimensions. */
function turned(c: Call): IValue {
  const self = c.tensor('self');
  const [first, second] = c.axes(c.ints('dims'), c.rank(self));
  const turns = ((c.int('k') % 4) + 4) % 4;
  if (turns % 2 === 0) {
    return turns === 0 ? self : reversed(c, self, [first, second]);
  }
  const perm = Array.from({ length: c.rank(self) }, (_, i) => i);
  [perm[first], perm[second]] = [second, first];
  // Once: the second dimension is turned over, then both are exchanged.
  return turns === 1
    ? c.transpose(reversed(c, self, [second]), perm)
    : reversed(c, c.transpose(self, perm), [second]);
}

/** Places of a diagonal in the rows of a matrix written one after the other. */
function places(rows: number, width: number, offset: number): number[] {
  const [row, column] = [Math.max(-offset, 0), Math.max(offset, 0)];
  const length = Math.max(Math.min(rows - row, width - column), 0);
  return Array.from({ length }, (_, i) => (row + i) * width + column + i);
}

/** A diagonal of a matrix. */
function diagonalOf(c: Call, offset: number): IValue {
  const self = c.tensor('self');
  const [rows, width] = c.staticShape(self)!;
  const flat = c.reshape(self, [rows * width]);
  const at = c.int64s(places(rows, width, offset));
  return c.emit('Gather', [flat, at], { axis: intAttr(0) }, c.typeOf(self));
}

/** The diagonal of a matrix, or the matrix with a vector as its diagonal. */
function diag(c: Call): IValue {
  const self = c.tensor('self');
  const offset = c.int('diagonal');
  if (c.rank(self) === 2) {
    return diagonalOf(c, offset);
  }
  const [length] = c.staticShape(self)!;
  const size = length + Math.abs(offset);
  // One element more than there are, a zero, fills the places off the diagonal.
  const from = new Array<number>(size * size).fill(length);
  places(size, size, offset).forEach((place, i) => {
    from[place] = i;
  });
  const padded = c.emit('Pad', [self, c.int64s([0, 1])], {}, c.typeOf(self));
  const at = c.int64Tensor(from, [size, size]);
  return c.emit('Gather', [padded, at], { axis: intAttr(0) }, c.typeOf(self));
}

const staticSizes = limit('sizes are static', c =>
  c.staticShape(c.tensor('self')) === null ? 'sizes that are not static' : null
);

/** Every element of the first times the whole second. */
function kronecker(c: Call): IValue {
  const [self, other] = [operand(c, 'self'), operand(c, 'other')];
  const rank = Math.max(c.rank(self), c.rank(other));
  const shape = (value: IValue): number[] => {
    const own = c.staticShape(value)!;
    return [...new Array<number>(rank - own.length).fill(1), ...own];
  };
  const [left, right] = [shape(self), shape(other)];
  const product = c.emit('Mul', [
    c.reshape(
      self,
      left.flatMap(size => [size, 1])
    ),
    c.reshape(
      other,
      right.flatMap(size => [1, size])
    )
  ]);
  return c.reshape(
    product,
    left.map((size, i) => size * right[i])
  );
}

/** All operands in the shape they have in common. */
function broadcast(c: Call): IValue[] {
  return c.tensors('tensors').map((value, i) => {
    const shape = c.staticShape(c.result(i) ?? value!)!;
    return c.emit('Expand', [value!, c.int64s(shape)], {}, { dtype: value!.dtype, shape });
  });
}

/** Records of this file. */
export const MATRIX: readonly IOperator[] = [
  /** Unsqueeze, Concat. */
  operator('hstack(Tensor[] tensors) -> Tensor', {
    exact: 'moved',
    dtype: dtypes.concatenated,
    lower: stacked(1, rank => (rank === 1 ? 0 : 1))
  }),
  ...['vstack', 'row_stack'].map(name =>
    operator(`${name}(Tensor[] tensors) -> Tensor`, {
      dtype: dtypes.concatenated,
      lower: stacked(2, () => 0)
    })
  ),
  operator('dstack(Tensor[] tensors) -> Tensor', {
    dtype: dtypes.concatenated,
    lower: stacked(3, () => 2)
  }),
  operator('column_stack(Tensor[] tensors) -> Tensor', {
    dtype: dtypes.concatenated,
    lower: columns
  }),
  /** Unsqueeze. */
  ...[1, 2, 3].map(rank =>
    operator(`atleast_${rank}d(Tensor self) -> Tensor`, {
      dtype: dtypes.likeFirst,
      arrangement: 'whole',
      mayReturnOperand: true,
      lower: c => atLeast(c, c.tensor('self'), rank)
    })
  ),
  /** Slice. */
  operator('flipud(Tensor self) -> Tensor', {
    dtype: dtypes.likeFirst,
    lower: c => reversed(c, c.tensor('self'), [0])
  }),
  operator('fliplr(Tensor self) -> Tensor', {
    dtype: dtypes.likeFirst,
    lower: c => reversed(c, c.tensor('self'), [1])
  }),
  /** Slice, Transpose. */
  operator('rot90(Tensor self, int k=1, int[] dims=[0, 1]) -> Tensor', {
    dtype: dtypes.likeFirst,
    lower: turned
  }),
  /** Gather. */
  operator('diag(Tensor self, int diagonal=0) -> Tensor', {
    dtype: dtypes.likeFirst,
    limits: [staticSizes],
    lower: diag
  }),
  /** Gather, ReduceSum. */
  operator('trace(Tensor self) -> Tensor', {
    dtype: dtypes.summed,
    limits: [staticSizes],
    lower: c => {
      const elements = c.toType(diagonalOf(c, 0), c.outType);
      return c.emit('ReduceSum', [elements, c.int64s([0])], { keepdims: intAttr(0) });
    }
  }),
  /** Reshape, Mul. */
  operator('kron(Tensor self, Tensor other) -> Tensor', {
    dtype: dtypes.promotedTypes,
    limits: [
      limit('sizes are static', c =>
        ['self', 'other'].every(name => c.staticShape(c.tensor(name)) !== null)
          ? null
          : 'sizes that are not static'
      )
    ],
    lower: kronecker
  }),
  /** Expand. */
  operator('broadcast_tensors(Tensor[] tensors) -> Tensor[]', {
    dtype: dtypes.likeEach,
    limits: [
      limit('sizes are static', c =>
        c.tensors('tensors').every((value, i) => c.staticShape(c.result(i) ?? value!) !== null)
          ? null
          : 'sizes that are not static'
      )
    ],
    lower: broadcast
  })
];
