/**
 * Sizes computed when the model runs: int64 scalars.
 *
 * @packageDocumentation
 */
import { isFloating } from '../../../model';
import type { IValue } from '../../../model';
import type { Arguments } from '../arguments';
import type { Call } from '../call';
import { limit, operator } from '../operator';
import type { IOperator } from '../operator';

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

function isFloatArgument(c: Arguments, name: string): boolean {
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
const integersOnly = limit('integers', c =>
  ['a', 'b'].some(name => isFloatArgument(c, name)) ? 'operands that are no integers' : null
);

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

/** Records of this file. */
export const SYMBOLIC: readonly IOperator[] = [
  /** Shape, Squeeze. */
  operator('sym_size.int(Tensor self, int dim) -> SymInt', {
    lower: c => {
      const self = c.tensor('self');
      return c.sizeScalar(c.sizeOf(self, c.axis(c.int('dim'), c.rank(self))));
    }
  }),
  /** Size. */
  operator('sym_numel(Tensor self) -> SymInt', {
    lower: c => c.emit('Size', [c.tensor('self')], {}, INT64)
  }),
  /** Add. */
  operator('_operator::add(int a, int b) -> int', { lower: arithmetic('Add') }),
  /** Sub. */
  operator('_operator::sub(int a, int b) -> int', { lower: arithmetic('Sub') }),
  /** Mul. */
  operator('_operator::mul(int a, int b) -> int', { lower: arithmetic('Mul') }),
  /** Mod, Sub, Div. */
  operator('_operator::floordiv(int a, int b) -> int', {
    limits: [integersOnly],
    lower: floorDivide
  }),
  /** Div. */
  operator('_operator::truediv(int a, int b) -> float', {
    lower: c => c.emit('Div', floats(c), {}, FLOAT64)
  }),
  /** Cast. */
  operator('torch::sym_float(int a) -> float', { lower: c => c.scalarArgument('a', 'float64') }),
  /** Floor, Cast. */
  operator('math::floor(float x) -> int', { lower: rounded('Floor') }),
  /** Ceil, Cast. */
  operator('math::ceil(float x) -> int', { lower: rounded('Ceil') }),
  /** Cast, which rounds towards zero. */
  operator('math::trunc(float x) -> int', {
    lower: c => c.castTo(c.scalarArgument('x', 'float64'), 'int64')
  }),
  /** Mod. */
  operator('_operator::mod(int a, int b) -> int', {
    limits: [integersOnly],
    lower: arithmetic('Mod')
  }),
  /** Pow. */
  operator('_operator::pow(int a, int b) -> int', {
    limits: [integersOnly],
    lower: arithmetic('Pow')
  }),
  /** Neg. */
  operator('_operator::neg(int a) -> int', {
    lower: c =>
      isFloatArgument(c, 'a')
        ? c.emit('Neg', [c.scalarArgument('a', 'float64')], {}, FLOAT64)
        : c.emit('Neg', [c.sizeScalar(c.size('a'))], {}, INT64)
  }),
  /** Max. */
  operator('torch::sym_max(int a, int b) -> int', { lower: arithmetic('Max') }),
  /** Min. */
  operator('torch::sym_min(int a, int b) -> int', { lower: arithmetic('Min') }),
  /** Equal. */
  operator('_operator::eq(int a, int b) -> bool', { lower: comparison('Equal') }),
  /** GreaterOrEqual. */
  operator('_operator::ge(int a, int b) -> bool', { lower: comparison('GreaterOrEqual') }),
  /** Greater. */
  operator('_operator::gt(int a, int b) -> bool', { lower: comparison('Greater') }),
  /** LessOrEqual. */
  operator('_operator::le(int a, int b) -> bool', { lower: comparison('LessOrEqual') }),
  /** Less. */
  operator('_operator::lt(int a, int b) -> bool', { lower: comparison('Less') })
];
