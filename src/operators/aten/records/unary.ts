/**
 * Elementwise functions of one tensor, activations among them.
 *
 * @packageDocumentation
 */
import { isFloating, isLowPrecision } from '../../../model';
import type { Attr, DType, IValue } from '../../../model';
import { floatAttr, intAttr, stringAttr } from '../../builder';
import type { Call } from '../call';
import * as dtypes from '../dtypes';
import type { DtypeRule } from '../dtypes';
import { limit, operator, withInPlace } from '../operator';
import type { IFacts, IOperator } from '../operator';
import { operand } from './operands';

/** The operand in the type computed in; integers given to floating-point functions are converted. */
function self(c: Call): IValue {
  return operand(c, 'self');
}

/** The function itself and its in-place form. */
function both(name: string, args: string, facts: IFacts): readonly IOperator[] {
  return withInPlace(operator(`${name}(Tensor self${args}) -> Tensor`, facts));
}

/** Functions that ONNX has too: ATen name, ONNX operator, dtype of the result, other names. */
const DIRECT: readonly (readonly [
  name: string,
  op: string,
  dtype: DtypeRule,
  ...names: string[]
])[] = [
  ['abs', 'Abs', dtypes.realPart, 'absolute'],
  ['acos', 'Acos', dtypes.floating, 'arccos'],
  ['acosh', 'Acosh', dtypes.floating, 'arccosh'],
  ['asin', 'Asin', dtypes.floating, 'arcsin'],
  ['asinh', 'Asinh', dtypes.floating, 'arcsinh'],
  ['atan', 'Atan', dtypes.floating, 'arctan'],
  ['atanh', 'Atanh', dtypes.floating, 'arctanh'],
  ['ceil', 'Ceil', dtypes.likeFirst],
  ['cos', 'Cos', dtypes.floating],
  ['cosh', 'Cosh', dtypes.floating],
  ['erf', 'Erf', dtypes.floating, 'special_erf'],
  ['exp', 'Exp', dtypes.floating],
  ['floor', 'Floor', dtypes.likeFirst],
  ['log', 'Log', dtypes.floating],
  ['neg', 'Neg', dtypes.likeFirst, 'negative'],
  ['reciprocal', 'Reciprocal', dtypes.floating],
  ['relu', 'Relu', dtypes.likeFirst],
  ['round', 'Round', dtypes.likeFirst],
  ['sigmoid', 'Sigmoid', dtypes.floating, 'special_expit'],
  ['sign', 'Sign', dtypes.likeFirst],
  ['sin', 'Sin', dtypes.floating],
  ['sinh', 'Sinh', dtypes.floating],
  ['sqrt', 'Sqrt', dtypes.floating],
  ['tan', 'Tan', dtypes.floating],
  ['tanh', 'Tanh', dtypes.floating]
];

/** Those of {@link DIRECT} that are one operation of IEEE 754. */
const EXACT: Readonly<Record<string, IFacts['exact']>> = {
  abs: 'operation',
  neg: 'operation',
  sqrt: 'quotient'
};

function clampTo(c: Call, value: IValue, min: IValue | null, max: IValue | null): IValue {
  const low = min === null ? value : c.emit('Max', [value, min]);
  return max === null ? low : c.emit('Min', [low, max]);
}

function optionalOperand(c: Call, name: string): IValue | null {
  return c.has(name) ? operand(c, name) : null;
}

/** `min(max(x + 3, 0), 6)`. */
function relu6Of3(c: Call): IValue {
  const shifted = c.emit('Add', [self(c), c.scalar(3)]);
  return clampTo(c, shifted, c.scalar(0), c.scalar(6));
}

/** Softplus of `beta * x` over beta, computed without overflow. */
function softplus(c: Call): IValue {
  const beta = c.number('beta');
  const x = self(c);
  const scaled = beta === 1 ? x : c.emit('Mul', [x, c.scalar(beta)]);
  const soft = c.emit('Softplus', [scaled]);
  const back = beta === 1 ? soft : c.emit('Div', [soft, c.scalar(beta)]);
  const linear = c.emit(
    'Greater',
    [scaled, c.scalar(c.number('threshold'))],
    {},
    { dtype: 'bool' }
  );
  return c.emit('Where', [linear, x, back]);
}

/** `scale * (x > 0 ? x : alpha * (exp(x * input_scale) - 1))`. */
function elu(c: Call): IValue {
  const x = self(c);
  const [scale, inputScale] = [c.number('scale'), c.number('input_scale')];
  const attrs = { alpha: floatAttr(c.number('alpha')) };
  if (inputScale === 1) {
    const value = c.emit('Elu', [x], attrs);
    return scale === 1 ? value : c.emit('Mul', [value, c.scalar(scale)]);
  }
  const negative = c.emit('Elu', [c.emit('Mul', [x, c.scalar(inputScale)])], attrs);
  const above = c.emit('Greater', [x, c.scalar(0)], {}, { dtype: 'bool' });
  return c.emit('Mul', [c.emit('Where', [above, x, negative]), c.scalar(scale)]);
}

/** Replacements for what is no number. The defaults for infinities are the ends of the operand's own type. */
function nanToNumber(c: Call): IValue {
  const x = self(c);
  if (!isFloating(c.outType)) {
    return x;
  }
  const largest = LARGEST.get(c.outType)!;
  const replaced = (value: IValue, op: string, attrs: Record<string, Attr>, by: number): IValue =>
    c.emit('Where', [
      c.emit(op, [x], attrs, { dtype: 'bool' }),
      c.roundedScalar(by, c.outType),
      value
    ]);
  const numbers = replaced(x, 'IsNaN', {}, c.optionalNumber('nan') ?? 0);
  const below = replaced(
    numbers,
    'IsInf',
    { detect_negative: intAttr(0) },
    c.optionalNumber('posinf') ?? largest
  );
  return replaced(
    below,
    'IsInf',
    { detect_positive: intAttr(0) },
    c.optionalNumber('neginf') ?? -largest
  );
}

/** The largest finite number of a type. */
const LARGEST: ReadonlyMap<DType, number> = new Map([
  ['float16', 65504],
  ['bfloat16', (2 - 2 ** -7) * 2 ** 127],
  ['float32', (2 - 2 ** -23) * 2 ** 127],
  ['float64', Number.MAX_VALUE]
]);

/** LeakyRelu with the mean of the two slopes. */
function middleSlope(c: Call): IValue {
  const alpha = floatAttr((c.number('lower') + c.number('upper')) / 2);
  return c.emit('LeakyRelu', [self(c)], { alpha });
}

/** The operand as floating-point numbers, which integers are converted to. */
function floatingSelf(c: Call): IValue {
  const x = c.tensor('self');
  return x.dtype !== null && isFloating(x.dtype) ? x : c.castTo(x, 'float32');
}

/** Whether elements have a negative sign; that of a zero shows in its reciprocal. */
export function isNegative(c: Call, value: IValue): IValue {
  const bool = { dtype: 'bool' } as const;
  const dtype = value.dtype!;
  const below = c.emit('Less', [value, c.scalar(0, dtype)], {}, { ...bool });
  if (!isFloating(dtype)) {
    return below;
  }
  const type = isLowPrecision(dtype) ? 'float32' : dtype;
  const inverse = c.emit('Reciprocal', [c.toType(value, type)], {}, { dtype: type });
  const minusZero = c.emit('Equal', [inverse, c.scalar(-Infinity, type)], {}, { ...bool });
  return c.emit('Or', [below, minusZero], {}, { ...bool });
}

/**
 * `log(1 + x)`, exact also where the sum rounds most of x away: times x over what is left of it.
 *
 * Source: W. Kahan's `log1p`, in D. Goldberg, What Every Computer Scientist Should Know About Floating-Point Arithmetic, theorem 4.
 */
export function logOnePlus(c: Call, x: IValue): IValue {
  const sum = c.emit('Add', [x, c.scalar(1)]);
  const left = c.emit('Sub', [sum, c.scalar(1)]);
  const equal = (a: IValue, b: IValue): IValue => c.emit('Equal', [a, b], {}, { dtype: 'bool' });
  // Equal also where x is infinite.
  const lost = c.emit('Where', [equal(left, x), c.scalar(1), c.emit('Div', [x, left])]);
  const log = c.emit('Mul', [c.emit('Log', [sum]), lost]);
  return c.emit('Where', [equal(left, c.scalar(0)), x, log]);
}

/** `exp(x) - 1`, exact also where x is small: times x over the logarithm of the power, which has the same error. */
function powerMinusOne(c: Call, x: IValue): IValue {
  const power = c.emit('Exp', [x]);
  const less = c.emit('Sub', [power, c.scalar(1)]);
  const none = c.emit('Equal', [less, c.scalar(0)], {}, { dtype: 'bool' });
  const exact = c.emit('Mul', [less, c.emit('Div', [x, c.emit('Log', [power])])]);
  const small = c.emit('Less', [c.emit('Abs', [x]), c.scalar(0.5)], {}, { dtype: 'bool' });
  return c.emit('Where', [small, c.emit('Where', [none, x, exact]), less]);
}

/** Records of this file. */
export const UNARY: readonly IOperator[] = [
  ...DIRECT.flatMap(([name, op, dtype, ...names]) =>
    both(name, '', { dtype, names, exact: EXACT[name], lower: c => c.emit(op, [self(c)]) })
  ),
  /** Sqrt, Reciprocal. */
  ...both('rsqrt', '', {
    dtype: dtypes.floating,
    lower: c => c.emit('Reciprocal', [c.emit('Sqrt', [self(c)])])
  }),
  /** Exp, Sub, Equal, Log, Div, Mul, Abs, Less, Where. */
  ...both('expm1', '', {
    dtype: dtypes.floating,
    names: ['special_expm1'],
    lower: c => powerMinusOne(c, self(c))
  }),
  /** Add, Sub, Equal, Div, Where, Log, Mul. */
  ...both('log1p', '', {
    dtype: dtypes.floating,
    names: ['special_log1p'],
    lower: c => logOnePlus(c, self(c))
  }),
  /** Log, Mul. */
  ...both('log2', '', {
    dtype: dtypes.floating,
    lower: c => c.emit('Div', [c.emit('Log', [self(c)]), c.scalar(Math.LN2)])
  }),
  /** Log, Mul. */
  ...both('log10', '', {
    dtype: dtypes.floating,
    lower: c => c.emit('Div', [c.emit('Log', [self(c)]), c.scalar(Math.LN10)])
  }),
  /** Pow. */
  ...both('exp2', '', {
    dtype: dtypes.floating,
    names: ['special_exp2'],
    lower: c => c.emit('Pow', [c.scalar(2), self(c)])
  }),
  /** Mul. */
  ...both('square', '', {
    dtype: dtypes.squared,
    lower: c => {
      const x = self(c);
      return c.emit('Mul', [x, x]);
    }
  }),
  /** Sign, Abs, Floor, Mul. */
  ...both('trunc', '', {
    dtype: dtypes.likeFirst,
    names: ['fix'],
    lower: c => {
      const x = self(c);
      return c.emit('Mul', [c.emit('Sign', [x]), c.emit('Floor', [c.emit('Abs', [x])])]);
    }
  }),
  /** Sigmoid, Mul. */
  ...both('silu', '', {
    dtype: dtypes.likeFirst,
    lower: c => {
      const x = self(c);
      return c.emit('Mul', [x, c.emit('Sigmoid', [x])]);
    }
  }),
  /** Gelu. */
  ...both('gelu', ", *, str approximate='none'", {
    dtype: dtypes.likeFirst,
    lower: c => c.emit('Gelu', [self(c)], { approximate: stringAttr(c.string('approximate')) })
  }),
  /** Add, Max, Min, Div. */
  ...both('hardsigmoid', '', {
    dtype: dtypes.likeFirst,
    lower: c => c.emit('Div', [relu6Of3(c), c.scalar(6)])
  }),
  /** Add, Max, Min, Mul, Div. */
  ...both('hardswish', '', {
    dtype: dtypes.likeFirst,
    lower: c => c.emit('Div', [c.emit('Mul', [self(c), relu6Of3(c)]), c.scalar(6)])
  }),
  /** Max, Min. */
  ...both('hardtanh', ', Scalar min_val=-1, Scalar max_val=1', {
    dtype: dtypes.likeFirst,
    lower: c => clampTo(c, self(c), operand(c, 'min_val'), operand(c, 'max_val'))
  }),
  /** Max, Min. */
  ...both('relu6', '', {
    dtype: dtypes.likeFirst,
    lower: c => clampTo(c, self(c), c.scalar(0), c.scalar(6))
  }),
  /** Max, Min. */
  ...both('clamp', ', Scalar? min=None, Scalar? max=None', {
    dtype: dtypes.promoted,
    names: ['clip'],
    lower: c => clampTo(c, self(c), optionalOperand(c, 'min'), optionalOperand(c, 'max'))
  }),
  /** Max, Min. */
  operator('clamp.Tensor(Tensor self, Tensor? min=None, Tensor? max=None) -> Tensor', {
    dtype: dtypes.promoted,
    names: ['clip.Tensor'],
    lower: c => clampTo(c, self(c), optionalOperand(c, 'min'), optionalOperand(c, 'max'))
  }),
  /** Max. */
  operator('clamp_min.Tensor(Tensor self, Tensor min) -> Tensor', {
    dtype: dtypes.promoted,
    lower: c => clampTo(c, self(c), operand(c, 'min'), null)
  }),
  /** Min. */
  operator('clamp_max.Tensor(Tensor self, Tensor max) -> Tensor', {
    dtype: dtypes.promoted,
    lower: c => clampTo(c, self(c), null, operand(c, 'max'))
  }),
  /** Max. */
  ...both('clamp_min', ', Scalar min', {
    dtype: dtypes.promoted,
    lower: c => clampTo(c, self(c), operand(c, 'min'), null)
  }),
  /** Min. */
  ...both('clamp_max', ', Scalar max', {
    dtype: dtypes.promoted,
    lower: c => clampTo(c, self(c), null, operand(c, 'max'))
  }),
  /** LeakyRelu. */
  ...both('leaky_relu', ', Scalar negative_slope=0.01', {
    dtype: dtypes.likeFirst,
    lower: c => c.emit('LeakyRelu', [self(c)], { alpha: floatAttr(c.number('negative_slope')) })
  }),
  /** Elu; Mul for the other scales. */
  operator('elu(Tensor self, Scalar alpha=1, Scalar scale=1, Scalar input_scale=1) -> Tensor', {
    dtype: dtypes.likeFirst,
    lower: elu
  }),
  /** Softplus, Greater, Where. */
  operator('softplus(Tensor self, Scalar beta=1, Scalar threshold=20) -> Tensor', {
    dtype: dtypes.likeFirst,
    lower: softplus
  }),
  /** Softplus, Tanh, Mul. */
  ...both('mish', '', {
    dtype: dtypes.likeFirst,
    lower: c => {
      const x = self(c);
      return c.emit('Mul', [x, c.emit('Tanh', [c.emit('Softplus', [x])])]);
    }
  }),
  /** Sigmoid, Log. */
  operator('log_sigmoid(Tensor self) -> Tensor', {
    dtype: dtypes.likeFirst,
    lower: c => c.emit('Neg', [c.emit('Softplus', [c.emit('Neg', [self(c)])])])
  }),
  /** Selu. */
  ...both('selu', '', { dtype: dtypes.likeFirst, lower: c => c.emit('Selu', [self(c)]) }),
  /** Celu. */
  ...both('celu', ', Scalar alpha=1.0', {
    dtype: dtypes.likeFirst,
    lower: c => c.emit('Celu', [self(c)], { alpha: floatAttr(c.number('alpha')) })
  }),
  /** PRelu; the weight stands along dimension 1. */
  operator('prelu(Tensor self, Tensor weight) -> Tensor', {
    agree: 'all',
    dtype: dtypes.likeFirst,
    lower: c => {
      const x = self(c);
      const weight = c.toType(c.tensor('weight'), c.outType);
      const rank = c.rank(x);
      const slope =
        rank < 2 ? weight : c.reshape(weight, [-1, ...new Array<number>(rank - 2).fill(1)]);
      return c.emit('PRelu', [x, slope]);
    }
  }),
  /** Split, Sigmoid, Mul. */
  operator('glu(Tensor self, int dim=-1) -> Tensor', {
    dtype: dtypes.likeFirst,
    lower: c => {
      const x = self(c);
      const axis = intAttr(c.axis(c.int('dim'), c.rank(x)));
      const [value, gate] = c.emitMany('Split', [x], { axis, num_outputs: intAttr(2) }, [{}, {}]);
      return c.emit('Mul', [value, c.emit('Sigmoid', [gate])]);
    }
  }),
  /** IsNaN, IsInf, Where; the ends of the type computed in stand for infinities by default. */
  operator(
    'nan_to_num(Tensor self, float? nan=None, float? posinf=None, float? neginf=None) -> Tensor',
    { dtype: dtypes.likeFirst, lower: nanToNumber }
  ),
  /** Abs, Greater, Where. */
  operator('hardshrink(Tensor self, Scalar lambd=0.5) -> Tensor', {
    dtype: dtypes.likeFirst,
    lower: c => {
      const x = self(c);
      const far = c.emit(
        'Greater',
        [c.emit('Abs', [x]), operand(c, 'lambd')],
        {},
        { dtype: 'bool' }
      );
      return c.emit('Where', [far, x, c.scalar(0)]);
    }
  }),
  /** Shrink. */
  operator('softshrink(Tensor self, Scalar lambd=0.5) -> Tensor', {
    dtype: dtypes.likeFirst,
    lower: c =>
      c.emit('Shrink', [self(c)], {
        lambd: floatAttr(c.number('lambd')),
        bias: floatAttr(c.number('lambd'))
      })
  }),
  /** LessOrEqual, Where. */
  ...both('threshold', ', Scalar threshold, Scalar value', {
    dtype: dtypes.likeFirst,
    lower: c => {
      const x = self(c);
      const below = c.emit('LessOrEqual', [x, operand(c, 'threshold')], {}, { dtype: 'bool' });
      return c.emit('Where', [below, operand(c, 'value'), x]);
    }
  }),
  /** Erf, Sub. */
  ...both('erfc', '', {
    dtype: dtypes.floating,
    names: ['special_erfc'],
    lower: c => c.emit('Sub', [c.scalar(1), c.emit('Erf', [self(c)])])
  }),
  /** Sign, Abs, Floor, Mul, Sub. */
  ...both('frac', '', {
    dtype: dtypes.likeFirst,
    lower: c => {
      const x = self(c);
      const whole = c.emit('Mul', [c.emit('Sign', [x]), c.emit('Floor', [c.emit('Abs', [x])])]);
      return c.emit('Sub', [x, whole]);
    }
  }),
  /** Max, Min, Sub, Div, Log. */
  operator('logit(Tensor self, float? eps=None) -> Tensor', {
    dtype: dtypes.floating,
    names: ['special_logit'],
    lower: c => {
      const eps = c.optionalNumber('eps');
      const x = eps === null ? self(c) : clampTo(c, self(c), c.scalar(eps), c.scalar(1 - eps));
      return c.emit('Log', [c.emit('Div', [x, c.emit('Sub', [c.scalar(1), x])])]);
    }
  }),
  /** Mul. */
  ...both('deg2rad', '', {
    dtype: dtypes.floating,
    lower: c => c.emit('Mul', [self(c), c.scalar(Math.PI / 180)])
  }),
  ...both('rad2deg', '', {
    dtype: dtypes.floating,
    lower: c => c.emit('Mul', [self(c), c.scalar(180 / Math.PI)])
  }),
  /** LeakyRelu with the slope in the middle, as outside of training. */
  operator(
    'rrelu(Tensor self, Scalar lower=0.125, Scalar upper=0.33333333333333331, bool training=False, Generator? generator=None) -> Tensor',
    {
      dtype: dtypes.likeFirst,
      limits: [
        limit('outside training only', c =>
          c.bool('training') ? 'slopes drawn at random in training mode' : null
        )
      ],
      lower: middleSlope
    }
  ),
  operator(
    'rrelu_with_noise_functional(Tensor self, Tensor noise, Scalar lower=0.125, Scalar upper=0.33333333333333331, bool training=False, Generator? generator=None) -> (Tensor, Tensor noise_out)',
    {
      dtype: dtypes.firstOnly,
      limits: [
        limit('outside training only', c =>
          c.bool('training') ? 'slopes drawn at random in training mode' : null
        )
      ],
      makes: 1,
      lower: middleSlope
    }
  ),
  /** Mul, Sin, Div, Equal, Where. */
  ...both('sinc', '', {
    dtype: dtypes.floating,
    names: ['special_sinc'],
    lower: c => {
      const x = c.emit('Mul', [self(c), c.scalar(Math.PI)]);
      const zero = c.emit('Equal', [x, c.scalar(0)], {}, { dtype: 'bool' });
      return c.emit('Where', [zero, c.scalar(1), c.emit('Div', [c.emit('Sin', [x]), x])]);
    }
  }),
  /** Sign. */
  ...both('sgn', '', { dtype: dtypes.likeFirst, lower: c => c.emit('Sign', [self(c)]) }),
  /** Less, Reciprocal, Equal, Or. */
  operator('signbit(Tensor self) -> Tensor', {
    dtype: dtypes.bool,
    lower: c => isNegative(c, c.tensor('self'))
  }),
  /** IsInf, IsNaN, Or, Not; numbers other than floats are finite. */
  operator('isfinite(Tensor self) -> Tensor', {
    dtype: dtypes.bool,
    lower: c => {
      const bool = { dtype: 'bool' } as const;
      const x = floatingSelf(c);
      const either = c.emit(
        'Or',
        [c.emit('IsInf', [x], {}, { ...bool }), c.emit('IsNaN', [x], {}, { ...bool })],
        {},
        { ...bool }
      );
      return c.emit('Not', [either], {}, { ...bool });
    }
  }),
  /** IsInf. */
  operator('isposinf(Tensor self) -> Tensor', {
    dtype: dtypes.bool,
    lower: c =>
      c.emit('IsInf', [floatingSelf(c)], { detect_negative: intAttr(0) }, { dtype: 'bool' })
  }),
  operator('isneginf(Tensor self) -> Tensor', {
    dtype: dtypes.bool,
    lower: c =>
      c.emit('IsInf', [floatingSelf(c)], { detect_positive: intAttr(0) }, { dtype: 'bool' })
  }),
  /** IsNaN. */
  operator('isnan(Tensor self) -> Tensor', {
    dtype: dtypes.bool,
    lower: c => c.emit('IsNaN', [c.tensor('self')], {}, { dtype: 'bool' })
  }),
  /** IsInf. */
  operator('isinf(Tensor self) -> Tensor', {
    dtype: dtypes.bool,
    lower: c => c.emit('IsInf', [c.tensor('self')], {}, { dtype: 'bool' })
  })
];
