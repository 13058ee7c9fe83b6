/**
 * Sizes computed when the model runs: int64 scalars.
 *
 * @packageDocumentation
 */
import type { IValue } from '../../../model';
import type { Call } from '../call';
import { rule } from '../rule';
import type { IRule } from '../rule';

const INT64 = { dtype: 'int64', shape: [] } as const;

function arithmetic(op: string): (c: Call) => IValue {
  return c => c.emit(op, operands(c), {}, INT64);
}

function operands(c: Call): [IValue, IValue] {
  return [c.sizeScalar(c.size('a')), c.sizeScalar(c.size('b'))];
}

/** Rounds towards minus infinity, as Python does: the remainder has the divisor's sign. */
function floorDivide(c: Call): IValue {
  const [a, b] = operands(c);
  const rest = c.emit('Mod', [a, b], {}, INT64);
  return c.emit('Div', [c.emit('Sub', [a, rest], {}, INT64), b], {}, INT64);
}

function comparison(op: string): (c: Call) => IValue {
  return c => c.emit(op, operands(c), {}, { dtype: 'bool', shape: [] });
}

/** Rules of this file. */
export const SYMBOLIC_RULES: readonly IRule[] = [
  /** Shape, Squeeze. */
  rule('sym_size.int(Tensor self, int dim) -> SymInt', c => {
    const self = c.tensor('self');
    return c.sizeScalar(c.sizeOf(self, c.axis(c.int('dim'), c.rank(self))));
  }),
  /** Size. */
  rule('sym_numel(Tensor self) -> SymInt', c => c.emit('Size', [c.tensor('self')], {}, INT64)),
  /** Add. */
  rule('_operator::add(int a, int b) -> int', arithmetic('Add')),
  /** Sub. */
  rule('_operator::sub(int a, int b) -> int', arithmetic('Sub')),
  /** Mul. */
  rule('_operator::mul(int a, int b) -> int', arithmetic('Mul')),
  /** Mod, Sub, Div. */
  rule('_operator::floordiv(int a, int b) -> int', floorDivide),
  /** Mod. */
  rule('_operator::mod(int a, int b) -> int', arithmetic('Mod')),
  /** Pow. */
  rule('_operator::pow(int a, int b) -> int', arithmetic('Pow')),
  /** Neg. */
  rule('_operator::neg(int a) -> int', c => c.emit('Neg', [c.sizeScalar(c.size('a'))], {}, INT64)),
  /** Max. */
  rule('torch::sym_max(int a, int b) -> int', arithmetic('Max')),
  /** Min. */
  rule('torch::sym_min(int a, int b) -> int', arithmetic('Min')),
  /** Equal. */
  rule('_operator::eq(int a, int b) -> bool', comparison('Equal')),
  /** GreaterOrEqual. */
  rule('_operator::ge(int a, int b) -> bool', comparison('GreaterOrEqual')),
  /** Greater. */
  rule('_operator::gt(int a, int b) -> bool', comparison('Greater')),
  /** LessOrEqual. */
  rule('_operator::le(int a, int b) -> bool', comparison('LessOrEqual')),
  /** Less. */
  rule('_operator::lt(int a, int b) -> bool', comparison('Less'))
];
