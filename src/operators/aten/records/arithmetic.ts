/**
 * Elementwise arithmetic of two operands, comparisons and logic.
 *
 * @packageDocumentation
 */
import { isFloating } from '../../../model';
import type { IValue } from '../../../model';
import { intAttr } from '../../builder';
import type { Call } from '../call';
import * as dtypes from '../dtypes';
import { limit, operator, withInPlace } from '../operator';
import type { IFacts, IOperator } from '../operator';
import { comparands, operand } from './operands';
import { isNegative } from './unary';

/** Both spellings of a binary operator, and the in-place ones. */
function variants(
  name: string,
  extra: string,
  facts: IFacts,
  overloads?: readonly string[]
): readonly IOperator[] {
  return spellings(name, extra, facts, overloads).flatMap(withInPlace);
}

/** A binary operator with a tensor and with a Python number. */
function spellings(
  name: string,
  extra: string,
  facts: IFacts,
  overloads: readonly string[] = ['Tensor', 'Scalar']
): IOperator[] {
  return overloads.map(overload => {
    const other = overload.startsWith('Tensor') ? 'Tensor' : 'Scalar';
    return operator(`${name}.${overload}(Tensor self, ${other} other${extra}) -> Tensor`, facts);
  });
}

/** `other * alpha`. */
function scaled(c: Call): IValue {
  const other = operand(c, 'other');
  const alpha = c.number('alpha');
  return alpha === 1 ? other : c.emit('Mul', [other, c.scalar(alpha)]);
}

function add(c: Call): IValue {
  if (c.outType === 'bool') {
    return c.emit('Or', [operand(c, 'self'), operand(c, 'other')]);
  }
  return c.emit('Add', [operand(c, 'self'), scaled(c)]);
}

function multiply(c: Call): IValue {
  return c.emit(c.outType === 'bool' ? 'And' : 'Mul', [operand(c, 'self'), operand(c, 'other')]);
}

/** Division with ATen's rounding modes. Integers divide exactly: floor by way of the remainder with the divisor's sign. */
function divide(c: Call): IValue {
  const self = operand(c, 'self');
  const other = operand(c, 'other');
  const mode =
    c.schema.args.some(arg => arg.name === 'rounding_mode') && c.has('rounding_mode')
      ? c.string('rounding_mode')
      : null;
  return quotient(c, self, other, mode);
}

function quotient(c: Call, self: IValue, other: IValue, mode: string | null): IValue {
  if (mode === null) {
    return c.emit('Div', [self, other]);
  }
  if (!isFloating(c.outType)) {
    if (mode === 'trunc') {
      return c.emit('Div', [self, other]);
    }
    const rest = c.emit('Mod', [self, other]);
    return c.emit('Div', [c.emit('Sub', [self, rest]), other]);
  }
  const exact = c.emit('Div', [self, other]);
  if (mode === 'floor') {
    return c.emit('Floor', [exact]);
  }
  return c.emit('Mul', [c.emit('Sign', [exact]), c.emit('Floor', [c.emit('Abs', [exact])])]);
}

function floorDivide(c: Call): IValue {
  return quotient(c, operand(c, 'self'), operand(c, 'other'), 'floor');
}

/** Remainder with the divisor's sign, as Python's. */
function remainder(c: Call): IValue {
  const self = operand(c, 'self');
  const other = operand(c, 'other');
  if (!isFloating(c.outType)) {
    return c.emit('Mod', [self, other]);
  }
  const whole = c.emit('Floor', [c.emit('Div', [self, other])]);
  return c.emit('Sub', [self, c.emit('Mul', [whole, other])]);
}

function compare(op: string, negate = false): (c: Call) => IValue {
  return c => {
    const result = c.emit(op, comparands(c, 'self', 'other'), {}, { dtype: 'bool' });
    return negate ? c.emit('Not', [result], {}, { dtype: 'bool' }) : result;
  };
}

function logical(op: string): (c: Call) => IValue {
  return c =>
    c.emit(
      op,
      [c.castTo(c.tensor('self'), 'bool'), c.castTo(c.tensor('other'), 'bool')],
      {},
      {
        dtype: 'bool'
      }
    );
}

/** Bitwise operators: logical ones on truth values. */
function bitwise(integer: string, truth: string): (c: Call) => IValue {
  return c =>
    c.emit(c.outType === 'bool' ? truth : integer, [operand(c, 'self'), operand(c, 'other')]);
}

function bitwiseRules(name: string, dunder: string, integer: string, truth: string): IOperator[] {
  const facts = { dtype: dtypes.promoted, lower: bitwise(integer, truth) };
  return [...variants(name, '', facts), ...spellings(`__${dunder}__`, '', facts)];
}

/** A number as the base: `operand('self')` is a constant. */
function power(c: Call): IValue {
  const exponent = c.isValue('exponent') ? null : c.number('exponent');
  const self = operand(c, 'self');
  switch (exponent) {
    case 1:
      return c.emit('Identity', [self]);
    case 2:
      return c.emit('Mul', [self, self]);
    case 3:
      return c.emit('Mul', [c.emit('Mul', [self, self]), self]);
    case 0.5:
      return c.emit('Sqrt', [self]);
    case -0.5:
      return c.emit('Reciprocal', [c.emit('Sqrt', [self])]);
    case -1:
      return c.emit('Reciprocal', [self]);
    default:
      return c.emit('Pow', [self, operand(c, 'exponent')]);
  }
}

/** `self + value * combine(tensor1, tensor2)`. */
function fused(op: string): (c: Call) => IValue {
  return c => {
    const value = c.number('value');
    const both = c.emit(op, [operand(c, 'tensor1'), operand(c, 'tensor2')]);
    const term = value === 1 ? both : c.emit('Mul', [both, c.scalar(value)]);
    return c.emit('Add', [operand(c, 'self'), term]);
  };
}

/** `self + weight * (end - self)`. */
function lerp(c: Call): IValue {
  const self = operand(c, 'self');
  const change = c.emit('Sub', [operand(c, 'end'), self]);
  return c.emit('Add', [self, c.emit('Mul', [operand(c, 'weight'), change])]);
}

/** The angle of (other, self): that of the quotient, moved to its quadrant. */
function atan2(c: Call): IValue {
  const y = operand(c, 'self');
  const x = operand(c, 'other');
  const angle = c.emit('Atan', [c.emit('Div', [y, x])]);
  const test = (op: string, value: IValue): IValue =>
    c.emit(op, [value, c.scalar(0)], {}, { dtype: 'bool' });
  const turn = c.emit('Where', [test('Less', y), c.scalar(-Math.PI), c.scalar(Math.PI)]);
  const left = c.emit('Where', [test('Less', x), c.emit('Add', [angle, turn]), angle]);
  // Where x is 0 the quotient has no angle.
  const upright = c.emit('Mul', [c.emit('Sign', [y]), c.scalar(Math.PI / 2)]);
  return c.emit('Where', [test('Equal', x), upright, left]);
}

/** `log(exp(self) + exp(other))`, about the larger one. */
function logAddExp(c: Call): IValue {
  const a = operand(c, 'self');
  const b = operand(c, 'other');
  const distance = c.emit('Abs', [c.emit('Sub', [a, b])]);
  const small = c.emit('Exp', [c.emit('Neg', [distance])]);
  const rest = c.emit('Log', [c.emit('Add', [small, c.scalar(1)])]);
  return c.emit('Add', [c.emit('Max', [a, b]), rest]);
}

/** `self * log(other)`, and 0 where self is 0. */
function xlogy(c: Call): IValue {
  const self = operand(c, 'self');
  const other = operand(c, 'other');
  const product = c.emit('Mul', [self, c.emit('Log', [other])]);
  const bool = { dtype: 'bool' } as const;
  const zero = c.emit('Equal', [self, c.scalar(0)], {}, { ...bool });
  const nan = c.emit('IsNaN', [other], {}, { ...bool });
  return c.emit('Where', [nan, other, c.emit('Where', [zero, c.scalar(0), product])]);
}

/** The magnitude of one operand with the sign of the other. */
function copySign(c: Call): IValue {
  const size = c.emit('Abs', [operand(c, 'self')]);
  const other = operand(c, 'other');
  return c.emit('Where', [isNegative(c, other), c.emit('Neg', [size]), size]);
}

/** 0 below zero, 1 above it, `values` at it. */
function heaviside(c: Call): IValue {
  const self = operand(c, 'self');
  const is = (op: string): IValue => c.emit(op, [self, c.scalar(0)], {}, { dtype: 'bool' });
  const step = c.emit('Where', [is('Greater'), c.scalar(1), c.scalar(0)]);
  return c.emit('Where', [is('Equal'), operand(c, 'values'), step]);
}

/** `|self - other| <= atol + rtol * |other|`, or equal, which infinities may be. */
function isClose(c: Call): IValue {
  const [self, other] = comparands(c, 'self', 'other').map(value =>
    value.dtype !== null && isFloating(value.dtype) ? value : c.castTo(value, 'float64')
  );
  const type = { dtype: self.dtype } as const;
  const bool = { dtype: 'bool' } as const;
  const number = (name: string): IValue => c.scalar(c.number(name), self.dtype!);
  const size = c.emit('Abs', [other], {}, { ...type });
  const relative = c.emit('Mul', [size, number('rtol')], {}, { ...type });
  const allowed = c.emit('Add', [relative, number('atol')], {}, { ...type });
  const error = c.emit('Abs', [c.emit('Sub', [self, other], {}, { ...type })], {}, { ...type });
  const near = c.emit('LessOrEqual', [error, allowed], {}, { ...bool });
  const infinite = c.emit('IsInf', [error], {}, { ...bool });
  const close = c.emit('And', [near, c.emit('Not', [infinite], {}, { ...bool })], {}, { ...bool });
  const equal = c.emit('Equal', [self, other], {}, { ...bool });
  const result = c.emit('Or', [close, equal], {}, { ...bool });
  if (!c.bool('equal_nan')) {
    return result;
  }
  const nans = [self, other].map(value => c.emit('IsNaN', [value], {}, { ...bool }));
  return c.emit('Or', [result, c.emit('And', nans, {}, { ...bool })], {}, { ...bool });
}

/** Shifts of two's complement integers: products with powers of two, and quotients rounded down. */
function shift(to: 'left' | 'right'): (c: Call) => IValue {
  return c => {
    const type = { dtype: 'int64' } as const;
    const self = operand(c, 'self', 'int64');
    const power = c.isValue('other')
      ? c.emit('Pow', [c.scalar(2, 'int64'), operand(c, 'other', 'int64')], {}, { ...type })
      : c.scalar(2 ** c.number('other'), 'int64');
    if (to === 'left') {
      return c.castTo(c.emit('Mul', [self, power], {}, { ...type }), c.outType);
    }
    const whole = c.emit(
      'Sub',
      [self, c.emit('Mod', [self, power], {}, { ...type })],
      {},
      { ...type }
    );
    return c.castTo(c.emit('Div', [whole, power], {}, { ...type }), c.outType);
  };
}

/** Shifts by less than the operand is wide, which all targets agree on. */
const smallShift = limit('shifts of 0 to 30', c => {
  const by = c.isValue('other') ? 0 : c.number('other');
  return by >= 0 && by < 31 ? null : 'a shift by less than 0 or more than 30';
});

/** `log2(2^self + 2^other)`, about the larger one. */
function logAddExp2(c: Call): IValue {
  const a = operand(c, 'self');
  const b = operand(c, 'other');
  const distance = c.emit('Abs', [c.emit('Sub', [a, b])]);
  const small = c.emit('Pow', [c.scalar(2), c.emit('Neg', [distance])]);
  const rest = c.emit('Log', [c.emit('Add', [small, c.scalar(1)])]);
  return c.emit('Add', [c.emit('Max', [a, b]), c.emit('Div', [rest, c.scalar(Math.LN2)])]);
}

/** Records of this file. */
export const ARITHMETIC: readonly IOperator[] = [
  /** Add (Or for truth values), Mul for alpha. */
  ...variants('add', ', *, Scalar alpha=1', {
    exact: 'operation',
    dtype: dtypes.promoted,
    lower: add
  }),
  /** Sub, Mul for alpha. */
  ...variants('sub', ', *, Scalar alpha=1', {
    exact: 'operation',
    dtype: dtypes.promoted,
    names: ['subtract'],
    lower: c => c.emit('Sub', [operand(c, 'self'), scaled(c)])
  }),
  /** Sub with its operands exchanged. */
  ...spellings('rsub', ', Scalar alpha=1', {
    exact: 'operation',
    dtype: dtypes.promoted,
    lower: c => {
      const self = operand(c, 'self');
      const alpha = c.number('alpha');
      return c.emit('Sub', [
        operand(c, 'other'),
        alpha === 1 ? self : c.emit('Mul', [self, c.scalar(alpha)])
      ]);
    }
  }),
  /** Mul (And for truth values). */
  ...variants('mul', '', {
    exact: 'operation',
    dtype: dtypes.promoted,
    names: ['multiply'],
    lower: multiply
  }),
  /** Div: the result is floating point. */
  ...variants('div', '', {
    exact: 'quotient',
    dtype: dtypes.quotient,
    names: ['divide', 'true_divide'],
    lower: divide
  }),
  /** Div; Floor, Mod, Sub, Sign, Abs for the rounding modes. */
  ...variants(
    'div',
    ', *, str? rounding_mode',
    { exact: 'quotient', dtype: dtypes.quotient, names: ['divide'], lower: divide },
    ['Tensor_mode', 'Scalar_mode']
  ),
  /** Div, Floor; Mod, Sub, Div for integers. */
  operator('floor_divide(Tensor self, Tensor other) -> Tensor', {
    dtype: dtypes.promoted,
    lower: floorDivide
  }),
  operator('floor_divide.Scalar(Tensor self, Scalar other) -> Tensor', {
    dtype: dtypes.promoted,
    lower: floorDivide
  }),
  operator('floor_divide_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)', {
    dtype: dtypes.likeFirst,
    lower: floorDivide
  }),
  operator('floor_divide_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)', {
    dtype: dtypes.likeFirst,
    lower: floorDivide
  }),
  /** Mod; Div, Floor, Mul, Sub for floats. */
  ...variants('remainder', '', { dtype: dtypes.promoted, lower: remainder }),
  /** Mod with fmod: the dividend's sign. */
  ...variants('fmod', '', {
    dtype: dtypes.promoted,
    lower: c => c.emit('Mod', [operand(c, 'self'), operand(c, 'other')], { fmod: intAttr(1) })
  }),
  /** Mul, Sqrt, Reciprocal or Pow. */
  operator('pow.Tensor_Scalar(Tensor self, Scalar exponent) -> Tensor', {
    dtype: dtypes.promoted,
    lower: power
  }),
  /** Pow. */
  operator('pow.Tensor_Tensor(Tensor self, Tensor exponent) -> Tensor', {
    dtype: dtypes.promoted,
    lower: power
  }),
  /** Pow. */
  operator('pow.Scalar(Scalar self, Tensor exponent) -> Tensor', {
    dtype: dtypes.promoted,
    lower: c => c.emit('Pow', [operand(c, 'self'), operand(c, 'exponent')])
  }),
  /** Mul, Add. */
  operator('addcmul(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor', {
    dtype: dtypes.promoted,
    lower: fused('Mul')
  }),
  /** Div, Mul, Add. */
  operator('addcdiv(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor', {
    dtype: dtypes.promoted,
    lower: fused('Div')
  }),
  /** Div, Atan, Where. */
  operator('atan2(Tensor self, Tensor other) -> Tensor', {
    dtype: dtypes.promotedFloat,
    names: ['arctan2'],
    lower: atan2
  }),
  /** Max, Sub, Abs, Exp, Log, Add. */
  operator('logaddexp(Tensor self, Tensor other) -> Tensor', {
    dtype: dtypes.promoted,
    lower: logAddExp
  }),
  operator('logaddexp2(Tensor self, Tensor other) -> Tensor', {
    dtype: dtypes.promoted,
    lower: logAddExp2
  }),
  /** Log, Mul, Equal, IsNaN, Where. */
  operator('xlogy.Tensor(Tensor self, Tensor other) -> Tensor', {
    dtype: dtypes.promotedFloat,
    names: ['special_xlogy.default'],
    lower: xlogy
  }),
  operator('xlogy.Scalar_Self(Scalar self, Tensor other) -> Tensor', {
    dtype: dtypes.promotedFloat,
    lower: xlogy
  }),
  operator('xlogy.Scalar_Other(Tensor self, Scalar other) -> Tensor', {
    dtype: dtypes.promotedFloat,
    lower: xlogy
  }),
  /** Abs, Less, Reciprocal, Equal, Or, Neg, Where. */
  ...spellings('copysign', '', { dtype: dtypes.promotedFloat, lower: copySign }),
  /** Mul, Add, Sqrt. */
  operator('hypot(Tensor self, Tensor other) -> Tensor', {
    dtype: dtypes.promoted,
    lower: c => {
      const [a, b] = [operand(c, 'self'), operand(c, 'other')];
      return c.emit('Sqrt', [c.emit('Add', [c.emit('Mul', [a, a]), c.emit('Mul', [b, b])])]);
    }
  }),
  /** Greater, Equal, Where. */
  operator('heaviside(Tensor self, Tensor values) -> Tensor', {
    dtype: dtypes.promoted,
    lower: heaviside
  }),
  /** Pow, Mul. */
  operator('ldexp.Tensor(Tensor self, Tensor other) -> Tensor', {
    dtype: dtypes.promotedFloat,
    lower: c =>
      c.emit('Mul', [operand(c, 'self'), c.emit('Pow', [c.scalar(2), operand(c, 'other')])])
  }),
  /** Sub, Abs, Mul, Add, LessOrEqual, IsInf, Equal. */
  operator(
    'isclose(Tensor self, Tensor other, float rtol=1.0000000000000001e-05, float atol=1e-08, bool equal_nan=False) -> Tensor',
    { dtype: dtypes.bool, lower: isClose }
  ),
  /** As pow, in float64. */
  ...[
    'Tensor_Scalar(Tensor self, Scalar exponent)',
    'Tensor_Tensor(Tensor self, Tensor exponent)'
  ].map(args =>
    operator(`float_power.${args} -> Tensor`, { dtype: dtypes.doublePrecision, lower: power })
  ),
  /** Mul, or Mod, Sub, Div, in int64. */
  ...(['left', 'right'] as const).flatMap(to =>
    [
      `__${to[0]}shift__.Scalar(Tensor self, Scalar other)`,
      `__${to[0]}shift__.Tensor(Tensor self, Tensor other)`,
      `bitwise_${to}_shift.Tensor(Tensor self, Tensor other)`,
      `bitwise_${to}_shift.Tensor_Scalar(Tensor self, Scalar other)`
    ].map(args =>
      operator(`${args} -> Tensor`, {
        dtype: dtypes.promoted,
        limits: [smallShift],
        lower: shift(to)
      })
    )
  ),
  /** Sub, Mul, Add. */
  operator('lerp.Scalar(Tensor self, Tensor end, Scalar weight) -> Tensor', {
    agree: 'all',
    dtype: dtypes.promoted,
    lower: lerp
  }),
  operator('lerp.Tensor(Tensor self, Tensor end, Tensor weight) -> Tensor', {
    agree: 'all',
    dtype: dtypes.promoted,
    lower: lerp
  }),
  /** Max. */
  operator('maximum(Tensor self, Tensor other) -> Tensor', {
    dtype: dtypes.promoted,
    lower: c => c.emit('Max', [operand(c, 'self'), operand(c, 'other')])
  }),
  /** Min. */
  operator('minimum(Tensor self, Tensor other) -> Tensor', {
    dtype: dtypes.promoted,
    lower: c => c.emit('Min', [operand(c, 'self'), operand(c, 'other')])
  }),
  /** Equal. */
  ...spellings('eq', '', { exact: 'moved', dtype: dtypes.bool, lower: compare('Equal') }),
  /** Equal, Not. */
  ...spellings('ne', '', {
    exact: 'moved',
    dtype: dtypes.bool,
    names: ['not_equal'],
    lower: compare('Equal', true)
  }),
  /** Less. */
  ...spellings('lt', '', {
    exact: 'moved',
    dtype: dtypes.bool,
    names: ['less'],
    lower: compare('Less')
  }),
  /** LessOrEqual. */
  ...spellings('le', '', {
    exact: 'moved',
    dtype: dtypes.bool,
    names: ['less_equal'],
    lower: compare('LessOrEqual')
  }),
  /** Greater. */
  ...spellings('gt', '', {
    exact: 'moved',
    dtype: dtypes.bool,
    names: ['greater'],
    lower: compare('Greater')
  }),
  /** GreaterOrEqual. */
  ...spellings('ge', '', {
    exact: 'moved',
    dtype: dtypes.bool,
    names: ['greater_equal'],
    lower: compare('GreaterOrEqual')
  }),
  /** And. */
  operator('logical_and(Tensor self, Tensor other) -> Tensor', {
    exact: 'moved',
    dtype: dtypes.bool,
    lower: logical('And')
  }),
  /** Or. */
  operator('logical_or(Tensor self, Tensor other) -> Tensor', {
    exact: 'moved',
    dtype: dtypes.bool,
    lower: logical('Or')
  }),
  /** Xor. */
  operator('logical_xor(Tensor self, Tensor other) -> Tensor', {
    dtype: dtypes.bool,
    lower: logical('Xor')
  }),
  /** Not. */
  operator('logical_not(Tensor self) -> Tensor', {
    exact: 'moved',
    dtype: dtypes.bool,
    lower: c => c.emit('Not', [c.castTo(c.tensor('self'), 'bool')], {}, { dtype: 'bool' })
  }),
  /** BitwiseAnd, And. */
  ...bitwiseRules('bitwise_and', 'and', 'BitwiseAnd', 'And'),
  /** BitwiseOr, Or. */
  ...bitwiseRules('bitwise_or', 'or', 'BitwiseOr', 'Or'),
  /** BitwiseXor, Xor. */
  ...bitwiseRules('bitwise_xor', 'xor', 'BitwiseXor', 'Xor'),
  /** BitwiseNot, Not. */
  operator('bitwise_not(Tensor self) -> Tensor', {
    dtype: dtypes.likeFirst,
    lower: c => c.emit(c.outType === 'bool' ? 'Not' : 'BitwiseNot', [c.tensor('self')])
  })
];
