/**
 * Losses: what a prediction is away from its target, element by element or by class, then as mean or sum.
 *
 * Sources: aten/src/ATen/native/Loss.cpp, LossNLL.cpp.
 *
 * @packageDocumentation
 */
import { isFloating } from '../../../model';
import type { IValue } from '../../../model';
import { intAttr } from '../../builder';
import type { Arguments } from '../arguments';
import type { Call } from '../call';
import * as dtypes from '../dtypes';
import type { DtypeRule } from '../dtypes';
import { limit, operator } from '../operator';
import type { ILimit, IOperator } from '../operator';
import { distanceOf, positiveOrder } from './matmul';
import { operand } from './operands';
import { logOnePlus } from './unary';

/** `at::Reduction`: 0 keeps every element, 1 is the mean, 2 the sum. */
function settled(c: Call, each: IValue): IValue {
  const reduction = c.int('reduction');
  return reduction === 0
    ? each
    : c.emit(reduction === 1 ? 'ReduceMean' : 'ReduceSum', [each], { keepdims: intAttr(0) });
}

function sum(c: Call, value: IValue): IValue {
  return c.emit('ReduceSum', [value], { keepdims: intAttr(0) });
}

/** `self` and `target` in the type computed in. */
function both(c: Call): [IValue, IValue] {
  return [operand(c, 'self'), operand(c, 'target')];
}

/** A rule for a loss of every element or row, with the means of reduction at its end. */
function elementwise(
  schema: string,
  dtype: DtypeRule,
  loss: (c: Call) => IValue,
  limits: readonly ILimit[] = []
): IOperator {
  return operator(schema, { dtype, limits, lower: c => settled(c, loss(c)) });
}

function distance(c: Call): IValue {
  return c.emit('Abs', [c.emit('Sub', both(c))]);
}

function halfSquare(c: Call, value: IValue): IValue {
  return c.emit('Mul', [c.emit('Mul', [value, value]), c.scalar(0.5)]);
}

/** `d < beta ? d² / 2 beta : d - beta / 2` of the distance d. */
function smoothL1(c: Call): IValue {
  const beta = c.number('beta');
  const far = distance(c);
  if (beta === 0) {
    return far;
  }
  const near = c.emit('Div', [halfSquare(c, far), c.scalar(beta)]);
  return c.emit('Where', [
    c.emit('Less', [far, c.scalar(beta)], {}, { dtype: 'bool' }),
    near,
    c.emit('Sub', [far, c.scalar(beta / 2)])
  ]);
}

/** `d <= delta ? d² / 2 : delta (d - delta / 2)` of the distance d. */
function huber(c: Call): IValue {
  const delta = c.number('delta');
  const far = distance(c);
  const linear = c.emit('Sub', [far, c.scalar(delta / 2)]);
  return c.emit('Where', [
    c.emit('LessOrEqual', [far, c.scalar(delta)], {}, { dtype: 'bool' }),
    halfSquare(c, far),
    c.emit('Mul', [linear, c.scalar(delta)])
  ]);
}

/** Times the argument `weight`, where there is one. */
function weighted(c: Call, loss: IValue): IValue {
  return c.has('weight') ? c.emit('Mul', [loss, operand(c, 'weight')]) : loss;
}

/** `(t - 1) log(1 - p) - t log(p)`, logarithms of at least -100. */
function crossEntropyOfTwo(c: Call): IValue {
  const [self, target] = both(c);
  const bounded = (value: IValue): IValue => c.emit('Max', [value, c.scalar(-100)]);
  const no = bounded(logOnePlus(c, c.emit('Neg', [self])));
  const yes = bounded(c.emit('Log', [self]));
  const loss = c.emit('Sub', [
    c.emit('Mul', [c.emit('Sub', [target, c.scalar(1)]), no]),
    c.emit('Mul', [target, yes])
  ]);
  return weighted(c, loss);
}

/** `(1 - t) x + (1 + (w - 1) t) log(1 + exp(-x))`, w the weights of positive answers. */
function crossEntropyOfLogits(c: Call): IValue {
  const [self, target] = both(c);
  const soft = c.emit('Softplus', [c.emit('Neg', [self])]);
  const extra = (): IValue =>
    c.emit('Add', [
      c.emit('Mul', [c.emit('Sub', [operand(c, 'pos_weight'), c.scalar(1)]), target]),
      c.scalar(1)
    ]);
  const loss = c.emit('Add', [
    c.emit('Mul', [c.emit('Sub', [c.scalar(1), target]), self]),
    c.has('pos_weight') ? c.emit('Mul', [extra(), soft]) : soft
  ]);
  return weighted(c, loss);
}

/** `t log(t) - t x`, zero where t is; `exp(t) (t - x)` of a target that is a logarithm. */
function divergence(c: Call): IValue {
  const [self, target] = both(c);
  if (c.bool('log_target')) {
    return c.emit('Mul', [c.emit('Exp', [target]), c.emit('Sub', [target, self])]);
  }
  const zero = c.emit('Equal', [target, c.scalar(0)], {}, { dtype: 'bool' });
  const own = c.emit('Mul', [target, c.emit('Log', [target])]);
  return c.emit('Sub', [c.emit('Where', [zero, c.scalar(0), own]), c.emit('Mul', [target, self])]);
}

/** Dimension of the classes: `[C]`, `[N, C]`, `[N, C, ...]`. */
function classAxis(c: Call): number {
  return c.rank(c.tensor('self')) === 1 ? 0 : 1;
}

/** Losses by target, and what each counts in their mean. */
interface IWeighed {
  readonly loss: IValue;
  readonly share: IValue;
}

/**
 * Minus the logarithm of each target's class, times the weight of the class; nothing for targets that are `ignore_index`.
 *
 * @param scale - factor of that logarithm.
 * @param others - one number per target to add, what label smoothing takes from the other classes.
 */
function ofClasses(c: Call, logs: IValue, scale = 1, others: IValue | null = null): IWeighed {
  const axis = classAxis(c);
  const target = c.castTo(c.tensor('target'), 'int64');
  const ignore = c.sizeScalar(c.size('ignore_index'));
  const ignored = c.emit('Equal', [target, ignore], {}, { dtype: 'bool' });
  const places = c.emit('Where', [ignored, c.sizeScalar(0), target], {}, { dtype: 'int64' });
  const read = c.emit(
    'GatherElements',
    [logs, c.emit('Unsqueeze', [places, c.int64s([axis])], {}, { dtype: 'int64' })],
    { axis: intAttr(axis) }
  );
  const chosen = c.emit('Neg', [c.emit('Squeeze', [read, c.int64s([axis])])]);
  const weight = c.has('weight')
    ? c.emit('Gather', [operand(c, 'weight'), places], { axis: intAttr(0) })
    : null;
  const own = weight === null ? chosen : c.emit('Mul', [chosen, weight]);
  const scaled = scale === 1 ? own : c.emit('Mul', [own, c.scalar(scale)]);
  const loss = others === null ? scaled : c.emit('Add', [scaled, others]);
  return {
    loss: c.emit('Where', [ignored, c.scalar(0), loss]),
    share: c.emit('Where', [ignored, c.scalar(0), weight ?? c.scalar(1)])
  };
}

/** The mean counts targets by the weights of their classes, and those that are ignored not at all. */
function settledByShare(c: Call, { loss, share }: IWeighed): IValue {
  return c.int('reduction') === 1 ? c.emit('Div', [sum(c, loss), sum(c, share)]) : settled(c, loss);
}

function negativeLogLikelihood(c: Call): IValue {
  return settledByShare(c, ofClasses(c, operand(c, 'self')));
}

/** A class for each row of numbers. */
const classTargets = limit('targets with one dimension less than the input', c =>
  c.rank(c.tensor('target')) === c.rank(c.tensor('self')) - 1
    ? null
    : 'a target that has not one dimension less than the input'
);

/** Whether the target holds a probability for every class. */
function isProbable(c: Arguments): boolean {
  const target = c.tensor('target');
  return (
    c.rank(target) === c.rank(c.tensor('self')) && target.dtype !== null && isFloating(target.dtype)
  );
}

/** The sum over the classes, each times its weight, negative. */
function overClasses(c: Call, value: IValue): IValue {
  const rank = c.rank(c.tensor('self'));
  const shape = [-1, ...new Array<number>(Math.max(rank - 2, 0)).fill(1)];
  const all = c.has('weight')
    ? c.emit('Mul', [value, c.reshape(operand(c, 'weight'), shape)])
    : value;
  const total = c.emit('ReduceSum', [all, c.int64s([classAxis(c)])], { keepdims: intAttr(0) });
  return c.emit('Neg', [total]);
}

/** What label smoothing moves to every class: `label_smoothing / C`. */
function smoothing(c: Call): IValue {
  const amount = c.number('label_smoothing');
  const count = c.sizeOf(c.tensor('self'), classAxis(c));
  return typeof count === 'number'
    ? c.scalar(amount / count)
    : c.emit('Div', [c.scalar(amount), c.castTo(count, c.computeType)]);
}

function crossEntropy(c: Call): IValue {
  const amount = c.number('label_smoothing');
  const logs = c.emit('LogSoftmax', [operand(c, 'self')], { axis: intAttr(classAxis(c)) });
  if (isProbable(c)) {
    const target = operand(c, 'target');
    const smooth =
      amount === 0
        ? target
        : c.emit('Add', [c.emit('Mul', [target, c.scalar(1 - amount)]), smoothing(c)]);
    return settled(c, overClasses(c, c.emit('Mul', [logs, smooth])));
  }
  const others = amount === 0 ? null : c.emit('Mul', [overClasses(c, logs), smoothing(c)]);
  return settledByShare(c, ofClasses(c, logs, 1 - amount, others));
}

/** `log(1 + exp(-t x))`. */
function softMargin(c: Call): IValue {
  const [self, target] = both(c);
  return c.emit('Softplus', [c.emit('Neg', [c.emit('Mul', [self, target])])]);
}

/** `max(0, margin - x (a - b))`. */
function marginRanking(c: Call): IValue {
  const difference = c.emit('Sub', [operand(c, 'input1'), operand(c, 'input2')]);
  const ranked = c.emit('Mul', [c.emit('Neg', [operand(c, 'target')]), difference]);
  const shifted = c.emit('Add', [ranked, c.scalar(c.number('margin'))]);
  return c.emit('Max', [shifted, c.scalar(0)]);
}

/** Where the target is not `value`: the loss, else nothing. */
function unless(c: Call, value: number, loss: IValue): IValue {
  const equal = c.emit('Equal', [operand(c, 'target'), c.scalar(value)], {}, { dtype: 'bool' });
  return c.emit('Where', [equal, c.scalar(0), loss]);
}

/** `x` of targets 1, `max(0, margin - x)` of targets -1; both of others. */
function hinge(c: Call): IValue {
  const self = operand(c, 'self');
  const short = c.emit('Sub', [c.scalar(c.number('margin')), self]);
  return c.emit('Add', [unless(c, 1, c.emit('Max', [short, c.scalar(0)])), unless(c, -1, self)]);
}

/** `exp(x) - t x`, or `x - t log(x + eps)`; with what Stirling's formula adds for targets above 1. */
function poisson(c: Call): IValue {
  const [input, target] = [operand(c, 'input'), operand(c, 'target')];
  const logs = c.bool('log_input')
    ? input
    : c.emit('Log', [c.emit('Add', [input, c.scalar(c.number('eps'))])]);
  const loss = c.emit('Sub', [
    c.bool('log_input') ? c.emit('Exp', [input]) : input,
    c.emit('Mul', [target, logs])
  ]);
  if (!c.bool('full')) {
    return loss;
  }
  const own = c.emit('Sub', [c.emit('Mul', [target, c.emit('Log', [target])]), target]);
  const root = c.emit('Log', [c.emit('Mul', [target, c.scalar(2 * Math.PI)])]);
  const stirling = c.emit('Add', [own, c.emit('Mul', [root, c.scalar(0.5)])]);
  const few = c.emit('LessOrEqual', [target, c.scalar(1)], {}, { dtype: 'bool' });
  return c.emit('Add', [loss, c.emit('Where', [few, c.scalar(0), stirling])]);
}

/** `1 - cos` of targets 1, `max(0, cos - margin)` of targets -1. */
function cosineEmbedding(c: Call): IValue {
  const [a, b] = [operand(c, 'input1'), operand(c, 'input2')];
  const axis = c.int64s([c.rank(c.tensor('target'))]);
  const product = (x: IValue, y: IValue): IValue =>
    c.emit('ReduceSum', [c.emit('Mul', [x, y]), axis], { keepdims: intAttr(0) });
  const square = (x: IValue): IValue => c.emit('Add', [product(x, x), c.scalar(1e-12)]);
  const cosine = c.emit('Div', [
    product(a, b),
    c.emit('Sqrt', [c.emit('Mul', [square(a), square(b)])])
  ]);
  const apart = c.emit('Sub', [cosine, c.scalar(c.number('margin'))]);
  const is = (value: number): IValue =>
    c.emit('Equal', [operand(c, 'target'), c.scalar(value)], {}, { dtype: 'bool' });
  return c.emit('Where', [
    is(1),
    c.emit('Sub', [c.scalar(1), cosine]),
    c.emit('Where', [is(-1), c.emit('Max', [apart, c.scalar(0)]), c.scalar(0)])
  ]);
}

/** `max(0, margin + d(anchor, positive) - d(anchor, negative))`, the negative's distance from either with `swap`. */
function tripletMargin(c: Call): IValue {
  const near = distanceOf(c, 'anchor', 'positive');
  const other = distanceOf(c, 'anchor', 'negative');
  const far = c.bool('swap')
    ? c.emit('Min', [other, distanceOf(c, 'positive', 'negative')])
    : other;
  const shifted = c.emit('Add', [near, c.scalar(c.number('margin'))]);
  return c.emit('Max', [c.emit('Sub', [shifted, far]), c.scalar(0)]);
}

/** `max(0, margin - x_t + x_j) ^ p` of all classes j but the target t, times the target's weight, over the number of classes. */
function multiMargin(c: Call): IValue {
  const self = operand(c, 'self');
  const axis = classAxis(c);
  const target = c.castTo(c.tensor('target'), 'int64');
  const column = c.emit('Unsqueeze', [target, c.int64s([axis])], {}, { dtype: 'int64' });
  const own = c.emit('GatherElements', [self, column], { axis: intAttr(axis) });
  const margin = c.emit('Sub', [c.scalar(c.number('margin')), own]);
  const short = c.emit('Max', [c.emit('Add', [margin, self]), c.scalar(0)]);
  const loss = c.number('p') === 2 ? c.emit('Mul', [short, short]) : short;
  const weighted = c.has('weight')
    ? c.emit('Mul', [loss, c.emit('Gather', [operand(c, 'weight'), column], { axis: intAttr(0) })])
    : loss;
  const classes = c.emit(
    'Range',
    [c.sizeScalar(0), c.sizeScalar(c.sizeOf(self, axis)), c.sizeScalar(1)],
    {},
    { dtype: 'int64' }
  );
  const itself = c.emit('Equal', [classes, column], {}, { dtype: 'bool' });
  return c.emit(
    'ReduceMean',
    [c.emit('Where', [itself, c.scalar(0), weighted]), c.int64s([axis])],
    {
      keepdims: intAttr(0)
    }
  );
}

const BY_CLASS = 'Tensor self, Tensor target, Tensor? weight';

/** Records of this file. */
export const LOSS: readonly IOperator[] = [
  /** Sub, Mul. */
  elementwise(
    'mse_loss(Tensor self, Tensor target, int reduction=1) -> Tensor',
    dtypes.promoted,
    c => {
      const difference = c.emit('Sub', both(c));
      return c.emit('Mul', [difference, difference]);
    }
  ),
  /** Sub, Abs. */
  elementwise(
    'l1_loss(Tensor self, Tensor target, int reduction=1) -> Tensor',
    dtypes.realOf(dtypes.promoted),
    distance
  ),
  /** Sub, Abs, Mul, Less, Where. */
  elementwise(
    'smooth_l1_loss(Tensor self, Tensor target, int reduction=1, float beta=1.) -> Tensor',
    dtypes.promoted,
    smoothL1
  ),
  /** Sub, Abs, Mul, LessOrEqual, Where. */
  elementwise(
    'huber_loss(Tensor self, Tensor target, int reduction=1, float delta=1.) -> Tensor',
    dtypes.likeFirst,
    huber
  ),
  /** Log, Max, Mul, Sub. */
  elementwise(
    'binary_cross_entropy(Tensor self, Tensor target, Tensor? weight=None, int reduction=1) -> Tensor',
    dtypes.promotedOf('self', 'target'),
    crossEntropyOfTwo
  ),
  /** Softplus, Mul, Add. */
  elementwise(
    'binary_cross_entropy_with_logits(Tensor self, Tensor target, Tensor? weight=None, Tensor? pos_weight=None, int reduction=1) -> Tensor',
    dtypes.likeTarget,
    crossEntropyOfLogits
  ),
  /** Log, Mul, Equal, Where, Sub. */
  elementwise(
    'kl_div(Tensor self, Tensor target, int reduction=1, *, bool log_target=False) -> Tensor',
    dtypes.promoted,
    divergence
  ),
  /** Mul, Softplus. */
  elementwise(
    'soft_margin_loss(Tensor self, Tensor target, int reduction=1) -> Tensor',
    dtypes.likeFirst,
    softMargin
  ),
  /** Sub, Mul, Add, Max. */
  elementwise(
    'margin_ranking_loss(Tensor input1, Tensor input2, Tensor target, float margin=0., int reduction=1) -> Tensor',
    dtypes.promotedFloat,
    marginRanking
  ),
  /** Sub, Max, Equal, Where, Add. */
  elementwise(
    'hinge_embedding_loss(Tensor self, Tensor target, float margin=1., int reduction=1) -> Tensor',
    dtypes.likeFirst,
    hinge
  ),
  /** Exp, Mul, Sub; Log, LessOrEqual, Where for the whole formula. */
  elementwise(
    'poisson_nll_loss(Tensor input, Tensor target, bool log_input, bool full, float eps, int reduction) -> Tensor',
    dtypes.poissonLoss,
    poisson
  ),
  /** Mul, ReduceSum, Sqrt, Div, Equal, Where. */
  elementwise(
    'cosine_embedding_loss(Tensor input1, Tensor input2, Tensor target, float margin=0., int reduction=1) -> Tensor',
    dtypes.promotedFloats(['input1'], ['input2']),
    cosineEmbedding
  ),
  /** Sub, Add, ReduceL2, Max. */
  elementwise(
    'triplet_margin_loss(Tensor anchor, Tensor positive, Tensor negative, float margin=1., float p=2., float eps=9.9999999999999995e-07, bool swap=False, int reduction=1) -> Tensor',
    dtypes.realOf(dtypes.tripletDistances),
    tripletMargin,
    [positiveOrder]
  ),
  /** GatherElements, Sub, Add, Max, Range, Equal, Where, ReduceMean. */
  elementwise(
    'multi_margin_loss(Tensor self, Tensor target, Scalar p=1, Scalar margin=1, Tensor? weight=None, int reduction=1) -> Tensor',
    dtypes.promotedOf('self', 'weight'),
    multiMargin,
    [classTargets]
  ),
  /** Equal, Where, GatherElements, Neg. */
  ...['nll_loss', 'nll_loss2d', 'nll_loss_nd'].map(name =>
    operator(`${name}(${BY_CLASS}=None, int reduction=1, SymInt ignore_index=-100) -> Tensor`, {
      dtype: dtypes.likeFirst,
      limits: [classTargets],
      lower: negativeLogLikelihood
    })
  ),
  ...['nll_loss_forward', 'nll_loss2d_forward'].map(name =>
    operator(
      `${name}(${BY_CLASS}, int reduction, SymInt ignore_index) -> (Tensor output, Tensor total_weight)`,
      { dtype: dtypes.likeFirst, limits: [classTargets], makes: 1, lower: negativeLogLikelihood }
    )
  ),
  /** LogSoftmax, and as nll_loss; Mul, ReduceSum, Neg where the target holds probabilities. */
  operator(
    `cross_entropy_loss(${BY_CLASS}=None, int reduction=1, SymInt ignore_index=-100, float label_smoothing=0.0) -> Tensor`,
    {
      dtype: dtypes.crossEntropy,
      limits: [
        limit('targets with as many dimensions as the input, or one less', c =>
          isProbable(c) ? null : classTargets.refuse(c)
        )
      ],
      lower: crossEntropy
    }
  )
];
