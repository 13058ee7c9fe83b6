/**
 * Matrix products. Weights stand on the right here, as in ATen; legalisation turns them to the side the device needs.
 *
 * @packageDocumentation
 */
import type { IValue } from '../../../model';
import type { Call } from '../call';
import { rule } from '../rule';
import type { IRule } from '../rule';

/** Rules of this file. */
export const MATMUL_RULES: readonly IRule[] = [
  /** MatMul, Add. The weight is transposed lazily: legalisation takes it as stored. */
  rule('linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor', c => {
    const weight = c.tensor('weight');
    const right = c.rank(weight) === 2 ? c.transpose(weight, [1, 0]) : weight;
    return addBias(c, product(c, c.tensor('input'), right), c.optionalTensor('bias'));
  }),
  /** MatMul, Mul, Add: `beta * self + alpha * (mat1 @ mat2)`. */
  rule(
    'addmm(Tensor self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1) -> Tensor',
    c => scaledSum(c, 'mat1', 'mat2')
  ),
  /** MatMul, Mul, Add. */
  rule(
    'baddbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> Tensor',
    c => scaledSum(c, 'batch1', 'batch2')
  ),
  /** MatMul, Mul, Add. */
  rule(
    'addmv(Tensor self, Tensor mat, Tensor vec, *, Scalar beta=1, Scalar alpha=1) -> Tensor',
    c => scaledSum(c, 'mat', 'vec')
  ),
  /** MatMul. */
  rule('mm(Tensor self, Tensor mat2) -> Tensor', c =>
    product(c, c.tensor('self'), c.tensor('mat2'))
  ),
  /** MatMul. */
  rule('bmm(Tensor self, Tensor mat2) -> Tensor', c =>
    product(c, c.tensor('self'), c.tensor('mat2'))
  ),
  /** MatMul, which broadcasts and treats vectors as ATen does. */
  rule('matmul(Tensor self, Tensor other) -> Tensor', c =>
    product(c, c.tensor('self'), c.tensor('other'))
  ),
  /** MatMul. */
  rule('mv(Tensor self, Tensor vec) -> Tensor', c => product(c, c.tensor('self'), c.tensor('vec'))),
  /** MatMul. */
  rule('dot(Tensor self, Tensor tensor) -> Tensor', c =>
    product(c, c.tensor('self'), c.tensor('tensor'))
  ),
  /** Unsqueeze, Mul: the outer product of two vectors. */
  rule('outer(Tensor self, Tensor vec2) -> Tensor', c =>
    c.emit('Mul', [
      c.unsqueeze(c.toType(c.tensor('self'), c.outType), [1]),
      c.toType(c.tensor('vec2'), c.outType)
    ])
  )
];

/** MatMul with the shape of its result where it is static. */
export function product(c: Call, a: IValue, b: IValue): IValue {
  return c.emit('MatMul', [c.toType(a, c.outType), c.toType(b, c.outType)]);
}

function addBias(c: Call, value: IValue, bias: IValue | null): IValue {
  return bias === null ? value : c.emit('Add', [value, c.toType(bias, c.outType)]);
}

function scaledSum(c: Call, left: string, right: string): IValue {
  const beta = c.number('beta');
  const scaled = times(c, product(c, c.tensor(left), c.tensor(right)), c.number('alpha'));
  // beta = 0 ignores `self` altogether, NaN included.
  return beta === 0 ? scaled : addBias(c, scaled, times(c, c.tensor('self'), beta));
}

function times(c: Call, value: IValue, factor: number): IValue {
  return factor === 1 ? value : c.emit('Mul', [c.toType(value, c.outType), c.scalar(factor)]);
}
