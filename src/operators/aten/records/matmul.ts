/**
 * Matrix products. Weights stand on the right here, as in ATen; legalisation turns them to the side the device needs.
 *
 * @packageDocumentation
 */
import type { IValue } from '../../../model';
import { intAttr, stringAttr } from '../../builder';
import type { Call } from '../call';
import * as dtypes from '../dtypes';
import { limit, operator } from '../operator';
import type { IOperator } from '../operator';

/** A positive p: the others count, or do not converge. */
export const positiveOrder = limit('p is positive', c =>
  c.number('p') > 0 ? null : `p = ${c.number('p')}`
);

/** Records of this file. */
export const MATMUL: readonly IOperator[] = [
  /** MatMul, Add. The weight is transposed lazily: legalisation takes it as stored. */
  operator('linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor', {
    agree: 'all',
    factors: ['input', 'weight'],
    dtype: dtypes.likeFirst,
    lower: c => {
      const weight = c.tensor('weight');
      const right = c.rank(weight) === 2 ? c.transpose(weight, [1, 0]) : weight;
      return addBias(c, product(c, c.tensor('input'), right), c.optionalTensor('bias'));
    }
  }),
  /** MatMul, Mul, Add: `beta * self + alpha * (mat1 @ mat2)`. */
  operator(
    'addmm(Tensor self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1) -> Tensor',
    {
      agree: 'all',
      factors: ['mat1', 'mat2'],
      dtype: dtypes.likeFirst,
      lower: c => scaledSum(c, 'mat1', 'mat2')
    }
  ),
  /** MatMul, Mul, Add. */
  operator(
    'baddbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> Tensor',
    {
      agree: 'all',
      factors: ['batch1', 'batch2'],
      dtype: dtypes.likeFirst,
      lower: c => scaledSum(c, 'batch1', 'batch2')
    }
  ),
  /** MatMul, Mul, Add. */
  operator(
    'addmv(Tensor self, Tensor mat, Tensor vec, *, Scalar beta=1, Scalar alpha=1) -> Tensor',
    {
      agree: 'all',
      factors: ['mat', 'vec'],
      dtype: dtypes.likeFirst,
      lower: c => scaledSum(c, 'mat', 'vec')
    }
  ),
  /** MatMul. */
  operator('mm(Tensor self, Tensor mat2) -> Tensor', {
    agree: 'all',
    factors: 'all',
    dtype: dtypes.likeFirst,
    lower: c => product(c, c.tensor('self'), c.tensor('mat2'))
  }),
  /** MatMul. */
  operator('bmm(Tensor self, Tensor mat2) -> Tensor', {
    agree: 'all',
    factors: 'all',
    dtype: dtypes.likeFirst,
    lower: c => product(c, c.tensor('self'), c.tensor('mat2'))
  }),
  /** MatMul, which broadcasts and treats vectors as ATen does. */
  operator('matmul(Tensor self, Tensor other) -> Tensor', {
    agree: 'all',
    factors: 'all',
    dtype: dtypes.likeFirst,
    lower: c => product(c, c.tensor('self'), c.tensor('other'))
  }),
  /** MatMul. */
  operator('mv(Tensor self, Tensor vec) -> Tensor', {
    agree: 'all',
    factors: 'all',
    dtype: dtypes.likeFirst,
    lower: c => product(c, c.tensor('self'), c.tensor('vec'))
  }),
  /** MatMul. */
  operator('dot(Tensor self, Tensor tensor) -> Tensor', {
    agree: 'all',
    factors: 'all',
    dtype: dtypes.likeFirst,
    lower: c => product(c, c.tensor('self'), c.tensor('tensor'))
  }),
  operator('vdot(Tensor self, Tensor other) -> Tensor', {
    agree: 'all',
    dtype: dtypes.likeFirst,
    lower: c => product(c, c.tensor('self'), c.tensor('other'))
  }),
  /** Mul, ReduceSum along a dimension of both operands, which broadcast. */
  operator('linalg_vecdot(Tensor x, Tensor y, *, int dim=-1) -> Tensor', {
    dtype: dtypes.likeFirst,
    lower: c => {
      const [x, y] = ['x', 'y'].map(name => c.toType(c.tensor(name), c.outType));
      const axis = c.axis(c.int('dim'), Math.max(c.rank(x), c.rank(y)));
      const products = c.emit('Mul', [x, y]);
      return c.emit('ReduceSum', [products, c.int64s([axis])], { keepdims: intAttr(0) });
    }
  }),
  operator('linalg_multi_dot(Tensor[] tensors) -> Tensor', {
    factors: 'all',
    dtype: dtypes.likeFirst,
    lower: c =>
      c
        .tensors('tensors')
        .flatMap(value => (value === null ? [] : [value]))
        .reduce((a, b) => product(c, a, b))
  }),
  /** Einsum. */
  operator('einsum(str equation, Tensor[] tensors, *, int[]? path=None) -> Tensor', {
    factors: 'all',
    dtype: dtypes.concatenated,
    lower: c =>
      einsum(
        c,
        c.string('equation').replace(/ /g, ''),
        c.tensors('tensors').flatMap(value => (value === null ? [] : [value]))
      )
  }),
  operator('tensordot(Tensor self, Tensor other, int[] dims_self, int[] dims_other) -> Tensor', {
    agree: 'all',
    factors: 'all',
    dtype: dtypes.likeFirst,
    lower: tensordot
  }),
  /** Einsum, Add. */
  operator('bilinear(Tensor input1, Tensor input2, Tensor weight, Tensor? bias=None) -> Tensor', {
    agree: 'all',
    dtype: dtypes.promoted,
    lower: bilinear
  }),
  /** Unsqueeze, Mul, ReduceSum. */
  operator(
    '_trilinear(Tensor i1, Tensor i2, Tensor i3, int[] expand1, int[] expand2, int[] expand3, int[] sumdim, int unroll_dim=1) -> Tensor',
    { dtype: dtypes.promoted, lower: trilinear }
  ),
  /** Sub, ReduceL2. */
  operator('cdist(Tensor x1, Tensor x2, float p=2., int? compute_mode=None) -> Tensor', {
    dtype: dtypes.likeFirst,
    limits: [positiveOrder],
    lower: distances
  }),
  operator('_cdist_forward(Tensor x1, Tensor x2, float p, int? compute_mode) -> Tensor', {
    dtype: dtypes.likeFirst,
    limits: [positiveOrder],
    lower: distances
  }),
  /** Sub, Add, ReduceL2. */
  operator(
    'pairwise_distance(Tensor x1, Tensor x2, float p=2., float eps=9.9999999999999995e-07, bool keepdim=False) -> Tensor',
    {
      dtype: dtypes.realOf(dtypes.promotedFloat),
      limits: [positiveOrder],
      lower: c => distanceOf(c, 'x1', 'x2', c.bool('keepdim'))
    }
  ),
  /** Gather, Mul, Sub. */
  operator('linalg_cross(Tensor self, Tensor other, *, int dim=-1) -> Tensor', {
    dtype: dtypes.promoted,
    lower: cross
  }),
  operator('cross(Tensor self, Tensor other, int? dim=None) -> Tensor', {
    dtype: dtypes.promoted,
    lower: cross
  }),
  /** Einsum over the last dimensions; Mul with a number. */
  operator('inner(Tensor self, Tensor other) -> Tensor', {
    agree: 'all',
    factors: 'all',
    dtype: dtypes.promoted,
    lower: c => {
      const [self, other] = [c.tensor('self'), c.tensor('other')];
      const ranks = [c.rank(self), c.rank(other)];
      return ranks.includes(0)
        ? c.emit('Mul', [c.toType(self, c.outType), c.toType(other, c.outType)])
        : contracted(c, self, other, [ranks[0] - 1], [ranks[1] - 1]);
    }
  }),
  /** MatMul, ReduceSum, Mul, Add: `beta * self + alpha * sum(batch1 @ batch2)`. */
  operator(
    'addbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> Tensor',
    {
      agree: 'all',
      factors: ['batch1', 'batch2'],
      dtype: dtypes.likeFirst,
      lower: c => {
        const products = product(c, c.tensor('batch1'), c.tensor('batch2'));
        const sum = c.emit('ReduceSum', [products, c.int64s([0])], { keepdims: intAttr(0) });
        return addedTo(c, sum);
      }
    }
  ),
  /** Unsqueeze, Mul, Add: `beta * self + alpha * outer(vec1, vec2)`. */
  operator(
    'addr(Tensor self, Tensor vec1, Tensor vec2, *, Scalar beta=1, Scalar alpha=1) -> Tensor',
    { dtype: dtypes.promotedTypes, lower: c => addedTo(c, outer(c, 'vec1', 'vec2')) }
  ),
  /** LessOrEqual, ReduceSum, Gather, MatMul, Where: the grouped product of the transformers library's experts. */
  operator(
    'transformers::grouped_mm_fallback.default(Tensor input, Tensor weight, Tensor offs) -> Tensor',
    { dtype: dtypes.likeFirst, lower: groupedProduct }
  ),
  /** Unsqueeze, Mul: the outer product of two vectors. */
  operator('outer(Tensor self, Tensor vec2) -> Tensor', {
    dtype: dtypes.promoted,
    names: ['ger'],
    lower: c => outer(c, 'self', 'vec2')
  })
];

function outer(c: Call, column: string, row: string): IValue {
  return c.emit('Mul', [
    c.unsqueeze(c.toType(c.tensor(column), c.outType), [1]),
    c.toType(c.tensor(row), c.outType)
  ]);
}

/** Operands of one type in an equation as `torch.einsum` writes it, which is ONNX's. */
function einsum(c: Call, equation: string, operands: readonly IValue[]): IValue {
  return c.emit(
    'Einsum',
    operands.map(value => c.toType(value, c.outType)),
    { equation: stringAttr(equation) }
  );
}

/** Sums over pairs of dimensions: an equation of letters that the pairs share. */
function tensordot(c: Call): IValue {
  const [self, other] = [c.tensor('self'), c.tensor('other')];
  return contracted(c, self, other, c.ints('dims_self'), c.ints('dims_other'));
}

/** The sum of products over pairs of dimensions. */
function contracted(
  c: Call,
  self: IValue,
  other: IValue,
  ofSelf: readonly number[],
  ofOther: readonly number[]
): IValue {
  const left = Array.from({ length: c.rank(self) }, (_, i) => letter(i));
  const right = Array.from({ length: c.rank(other) }, (_, i) => letter(left.length + i));
  const dimsOther = c.axes(ofOther, right.length);
  const summed = c.axes(ofSelf, left.length).map((axis, i) => {
    right[dimsOther[i]] = left[axis];
    return left[axis];
  });
  const kept = [...left, ...right].filter(label => !summed.includes(label));
  return einsum(c, `${left.join('')},${right.join('')}->${kept.join('')}`, [self, other]);
}

function letter(index: number): string {
  return String.fromCharCode('a'.charCodeAt(0) + index);
}

/** Products of three tensors with dimensions inserted, summed over some of them. */
function trilinear(c: Call): IValue {
  const factors = [1, 2, 3].map(i =>
    c.unsqueeze(c.toType(c.tensor(`i${i}`), c.outType), c.ints(`expand${i}`))
  );
  const product = factors.reduce((a, b) => c.emit('Mul', [a, b]));
  return c.emit('ReduceSum', [product, c.int64s(c.ints('sumdim'))], { keepdims: intAttr(0) });
}

function bilinear(c: Call): IValue {
  const operands = ['input1', 'weight', 'input2'].map(name => c.tensor(name));
  const value = einsum(c, '...i,oij,...j->...o', operands);
  return addBias(c, value, c.optionalTensor('bias'));
}

/** Distances between all rows of two matrices. */
function distances(c: Call): IValue {
  const [a, b] = ['x1', 'x2'].map(name => c.toType(c.tensor(name), c.outType));
  const difference = c.emit('Sub', [
    c.unsqueeze(a, [c.rank(a) - 1]),
    c.unsqueeze(b, [c.rank(b) - 2])
  ]);
  return lengths(c, difference, c.number('p'));
}

/** p-norms along the last dimension. */
function lengths(c: Call, value: IValue, p: number, keepdim = false): IValue {
  const attrs = { keepdims: intAttr(keepdim ? 1 : 0) };
  const last = c.int64s([-1]);
  if (p === 1 || p === 2) {
    return c.emit(p === 1 ? 'ReduceL1' : 'ReduceL2', [value, last], attrs);
  }
  const sizes = c.emit('Abs', [value]);
  if (p === Infinity) {
    return c.emit('ReduceMax', [sizes, last], attrs);
  }
  const sum = c.emit('ReduceSum', [c.emit('Pow', [sizes, c.scalar(p)]), last], attrs);
  return c.emit('Pow', [sum, c.scalar(1 / p)]);
}

/** The length of `x1 - x2 + eps` along the last dimension; `p` and `eps` are arguments of the call. */
export function distanceOf(c: Call, x1: string, x2: string, keepdim = false): IValue {
  const [a, b] = [x1, x2].map(name => c.toType(c.tensor(name), c.outType));
  const difference = c.emit('Add', [c.emit('Sub', [a, b]), c.scalar(c.number('eps'))]);
  return lengths(c, difference, c.number('p'), keepdim);
}

/** The cross product along a dimension of size 3. */
function cross(c: Call): IValue {
  const [self, other] = ['self', 'other'].map(name => c.toType(c.tensor(name), c.outType));
  // Without a dimension it is the first of size 3.
  const dim = c.optionalInt('dim') ?? c.shape(self).indexOf(3);
  const axis = c.axis(dim, Math.max(c.rank(self), c.rank(other)));
  const turned = (value: IValue, order: readonly number[]): IValue =>
    c.emit('Gather', [value, c.int64s(order)], { axis: intAttr(axis) });
  const term = (a: readonly number[], b: readonly number[]): IValue =>
    c.emit('Mul', [turned(self, a), turned(other, b)]);
  return c.emit('Sub', [term([1, 2, 0], [2, 0, 1]), term([2, 0, 1], [1, 2, 0])]);
}

/**
 * Rows in groups, each group times the matrix of its own: every row is multiplied by the matrix of the first group that ends behind
 * it. Rows behind the last group are zero.
 */
function groupedProduct(c: Call): IValue {
  const input = c.toType(c.tensor('input'), c.outType);
  const weight = c.toType(c.tensor('weight'), c.outType);
  const ends = c.castTo(c.tensor('offs'), 'int64');
  const rows = c.sizeScalar(c.sizeOf(input, 0));
  const row = c.unsqueeze(
    c.emit('Range', [c.sizeScalar(0), rows, c.sizeScalar(1)], {}, { dtype: 'int64' }),
    [1]
  );
  const behind = c.emit('LessOrEqual', [ends, row], {}, { dtype: 'bool' });
  const group = c.emit(
    'ReduceSum',
    [c.castTo(behind, 'int64'), c.int64s([1])],
    { keepdims: intAttr(0) },
    { dtype: 'int64' }
  );
  const none = c.reshape(
    c.emit('Equal', [group, c.sizeScalar(c.sizeOf(weight, 0))], {}, { dtype: 'bool' }),
    [-1, 1]
  );
  const last = c.emit(
    'Sub',
    [c.sizeScalar(c.sizeOf(weight, 0)), c.sizeScalar(1)],
    {},
    { dtype: 'int64' }
  );
  const matrix = c.emit('Gather', [weight, c.emit('Min', [group, last], {}, { dtype: 'int64' })], {
    axis: intAttr(0)
  });
  const products = c.emit('MatMul', [c.unsqueeze(input, [1]), matrix]);
  return c.emit('Where', [none, c.scalar(0), c.emit('Squeeze', [products, c.int64s([1])])]);
}

/** MatMul with the shape of its result where it is static. */
export function product(c: Call, a: IValue, b: IValue): IValue {
  return c.emit('MatMul', [c.toType(a, c.outType), c.toType(b, c.outType)]);
}

function addBias(c: Call, value: IValue, bias: IValue | null): IValue {
  return bias === null ? value : c.emit('Add', [value, c.toType(bias, c.outType)]);
}

function scaledSum(c: Call, left: string, right: string): IValue {
  return addedTo(c, product(c, c.tensor(left), c.tensor(right)));
}

/** `beta * self + alpha * value`. */
function addedTo(c: Call, value: IValue): IValue {
  const beta = c.number('beta');
  const scaled = times(c, value, c.number('alpha'));
  // beta = 0 ignores `self` altogether, NaN included.
  return beta === 0 ? scaled : addBias(c, scaled, times(c, c.tensor('self'), beta));
}

function times(c: Call, value: IValue, factor: number): IValue {
  return factor === 1 ? value : c.emit('Mul', [c.toType(value, c.outType), c.scalar(factor)]);
}
