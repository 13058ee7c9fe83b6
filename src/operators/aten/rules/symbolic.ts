/**
 * Sizes computed when the model runs: int64 scalars.
 *
 * @packageDocumentation
 */
import { isFloating } from '../../../model';
import type { IValue } from '../../../model';
import type { Call } from '../call';
import { rule } from '../rule';
import type { IRule } from '../rule';

const INT64 = { dtype: 'int64', shape: [] } as const;
/** Python's floats. */
const FLOAT64 = { dtype: 'float64', shape: [] } as const;

/** The operator on integers; on floats as soon as one operand is one, as in Python. */
function arithmetic(op: string): (c: Call) => IValue {
  return c => {
    const isFloat = ['a', 'b'].some(name => isFloatArgument(c, name));
    return isFloat ? c.emit(op, floats(c), {}, FLOAT64) : c.emit(op, operands(c), {}, INT64);
  };
}

function isFloatArgument(c: Call, name: string): boolean {
  if (!c.isValue(name)) {
    return c.numberType(name) === 'float32';
  }
  const { kind, dtype } = c.tensor(name);
  return kind === 'float' || (dtype !== null && isFloating(dtype));
}

function operands(c: Call): [IValue, IValue] {
  return [c.sizeScalar(c.size('a')), c.sizeScalar(c.size('b'))];
}

function floats(c: Call): [IValue, IValue] {
  return [c.scalarArgument('a', 'float64'), c.scalarArgument('b', 'float64')];
}

/** Floats have other rules for these operators. */
function integersOnly(c: Call): string | null {
  return ['a', 'b'].some(name => isFloatArgument(c, name)) ? 'operands that are no integers' : null;
}

function rounded(op: string): (c: Call) => IValue {
  return c => c.castTo(c.emit(op, [c.scalarArgument('x', 'float64')], {}, FLOAT64), 'int64');
}

/** Rounds towards minus infinity, as Python does: the remainder has the divisor's sign. */
function floorDivide(c: Call): IValue {
  const [a, b] = operands(c);
  const rest = c.emit('Mod', [a, b], {}, INT64);
  return c.emit('Div', [c.emit('Sub', [a, rest], {}, INT64), b], {}, INT64);
}

function comparison(op: string): (c: Call) => IValue {
  return c => {
    const isFloat = ['a', 'b'].some(name => isFloatArgument(c, name));
    return c.emit(op, isFloat ? floats(c) : operands(c), {}, { dtype: 'bool', shape: [] });
  };
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
  rule('_operator::floordiv(int a, int b) -> int', floorDivide, integersOnly),
  /** Div. */
  rule('_operator::truediv(int a, int b) -> float', c => c.emit('Div', floats(c), {}, FLOAT64)),
  /** Cast. */
  rule('torch::sym_float(int a) -> float', c => c.scalarArgument('a', 'float64')),
  /** Floor, Cast. */
  rule('math::floor(float x) -> int', rounded('Floor')),
  /** Ceil, Cast. */
  rule('math::ceil(float x) -> int', rounded('Ceil')),
  /** Cast, which rounds towards zero. */
  rule('math::trunc(float x) -> int', c => c.castTo(c.scalarArgument('x', 'float64'), 'int64')),
  /** Mod. */
  rule('_operator::mod(int a, int b) -> int', arithmetic('Mod'), integersOnly),
  /** Pow. */
  rule('_operator::pow(int a, int b) -> int', arithmetic('Pow'), integersOnly),
  /** Neg. */
  rule('_operator::neg(int a) -> int', c =>
    isFloatArgument(c, 'a')
      ? c.emit('Neg', [c.scalarArgument('a', 'float64')], {}, FLOAT64)
      : c.emit('Neg', [c.sizeScalar(c.size('a'))], {}, INT64)
  ),
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
