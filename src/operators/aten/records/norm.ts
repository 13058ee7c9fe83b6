/**
 * Normalisation.
 *
 * @packageDocumentation
 */
import type { IValue } from '../../../model';
import { floatAttr, intAttr } from '../../builder';
import type { Call, Size } from '../call';
import * as dtypes from '../dtypes';
import { limit, operator } from '../operator';
import type { IOperator, Lowered } from '../operator';

/** A scale or shift in the compute type, ones or zeros where the operator has none. */
function parameter(c: Call, name: string, sizes: readonly Size[], otherwise: number): IValue {
  const given = c.optionalTensor(name);
  return given === null
    ? c.emit('Expand', [c.scalar(otherwise), c.sizeVector(sizes)])
    : c.toType(given, c.outType);
}

/** LayerNormalization over the last dimensions; mean and reciprocal deviation only where they are used. */
function layerNorm(c: Call, withMoments: boolean): Lowered {
  const shape = c.ints('normalized_shape');
  const input = c.toType(c.tensor('input'), c.outType);
  const inputs = [input, parameter(c, 'weight', shape, 1)];
  if (c.has('bias')) {
    inputs.push(c.toType(c.tensor('bias'), c.outType));
  }
  const attrs = { axis: intAttr(-shape.length), epsilon: floatAttr(c.number('eps')) };
  const types = withMoments ? [{}, {}, {}] : [{}];
  return c.emitMany('LayerNormalization', inputs, attrs, types);
}

/** `x / sqrt(mean(x^2) + eps) * weight`. The default eps is the machine epsilon of the type computed in. */
function rmsNorm(c: Call): IValue {
  const count = c.ints('normalized_shape').length;
  const input = c.toType(c.tensor('input'), c.outType);
  const rank = c.rank(input);
  const axes = Array.from({ length: count }, (_, i) => rank - count + i);
  const eps = c.optionalNumber('eps') ?? (c.computeType === 'float64' ? 2 ** -52 : 2 ** -23);
  const squares = c.emit('Mul', [input, input]);
  const mean = c.emit('ReduceMean', [squares, c.int64s(axes)], { keepdims: intAttr(1) });
  const deviation = c.emit('Sqrt', [c.emit('Add', [mean, c.scalar(eps)])]);
  const normal = c.emit('Mul', [input, c.emit('Reciprocal', [deviation])]);
  return c.has('weight')
    ? c.emit('Mul', [normal, c.toType(c.tensor('weight'), c.outType)])
    : normal;
}

function batchNorm(c: Call): IValue {
  const input = c.toType(c.tensor('input'), c.outType);
  const channels = [c.sizeOf(c.tensor('running_mean'), 0)];
  return c.emit(
    'BatchNormalization',
    [
      input,
      parameter(c, 'weight', channels, 1),
      parameter(c, 'bias', channels, 0),
      c.toType(c.tensor('running_mean'), c.outType),
      c.toType(c.tensor('running_var'), c.outType)
    ],
    { epsilon: floatAttr(c.number('eps')) }
  );
}

/** With the running statistics, or in training, and where there are none, with those of the input. */
function eitherBatchNorm(c: Call): IValue {
  return c.bool('training') || !c.has('running_mean') ? ownBatchNorm(c).normal : batchNorm(c);
}

/** Running statistics after a step of training, the variance with Bessel's correction. */
function trainedBatchNorm(c: Call): (IValue | null)[] {
  const { normal, mean, variance, inverse } = ownBatchNorm(c);
  const flat = (value: IValue): IValue => c.reshape(value, [-1]);
  const input = c.tensor('input');
  const sizes = Array.from({ length: c.rank(input) }, (_, i) => i)
    .filter(axis => axis !== 1)
    .map(axis => c.castTo(c.sizeScalar(c.sizeOf(input, axis)), c.computeType));
  const count = sizes.reduce((a, b) => c.emit('Mul', [a, b]));
  const unbiased = c.emit('Mul', [
    flat(variance),
    c.emit('Div', [count, c.emit('Sub', [count, c.scalar(1)])])
  ]);
  const momentum = c.number('momentum');
  const step = (name: string, own: IValue): IValue => {
    const running = c.toType(c.tensor(name), c.outType);
    return c.emit('Add', [
      c.emit('Mul', [running, c.scalar(1 - momentum)]),
      c.emit('Mul', [own, c.scalar(momentum)])
    ]);
  };
  return [
    normal,
    flat(mean),
    flat(inverse),
    step('running_mean', flat(mean)),
    step('running_var', unbiased)
  ];
}

/**
 * Group norm by reshaping each group to a row: ONNX's own GroupNormalization has other parameters before operator set 21.
 */
function groupNorm(c: Call, name: string, groups: number): IValue {
  const input = c.toType(c.tensor(name), c.outType);
  const rank = c.rank(input);
  const sizes = Array.from({ length: rank }, (_, i) => c.sizeOf(input, i));
  const rows = c.reshape(input, [sizes[0], groups, -1]);
  const mean = c.emit('ReduceMean', [rows, c.int64s([2])], { keepdims: intAttr(1) });
  const centred = c.emit('Sub', [rows, mean]);
  const squares = c.emit('Mul', [centred, centred]);
  const variance = c.emit('ReduceMean', [squares, c.int64s([2])], { keepdims: intAttr(1) });
  const deviation = c.emit('Sqrt', [c.emit('Add', [variance, c.scalar(c.number('eps'))])]);
  const normal = c.reshape(c.emit('Div', [centred, deviation]), sizes);
  return scaleChannels(c, normal, rank);
}

/** `value * weight + bias` by channel, as far as there are any. */
function scaleChannels(c: Call, value: IValue, rank: number): IValue {
  const perChannel = (parameter: IValue): IValue =>
    c.reshape(c.toType(parameter, c.outType), [-1, ...new Array<number>(rank - 2).fill(1)]);
  const weight = c.optionalTensor('weight');
  const bias = c.optionalTensor('bias');
  const scaled = weight === null ? value : c.emit('Mul', [value, perChannel(weight)]);
  return bias === null ? scaled : c.emit('Add', [scaled, perChannel(bias)]);
}

/**
 * Each channel of each example by itself, as a group norm with as many groups as channels; as a batch norm with the running
 * statistics.
 */
function instanceNorm(c: Call): IValue {
  return c.bool('use_input_stats')
    ? groupNorm(c, 'input', c.shape(c.tensor('input'))[1] as number)
    : batchNorm(c);
}

const ownStatistics = limit('channels are static', c => {
  if (!c.bool('use_input_stats')) {
    return c.has('running_mean') && c.has('running_var') ? null : 'no running statistics';
  }
  return typeof c.shape(c.tensor('input'))[1] === 'number' ? null : 'channels that are not static';
});

/** The statistics of each channel over all examples and positions, and what is normal by them. */
function ownBatchNorm(c: Call): Record<'normal' | 'mean' | 'variance' | 'inverse', IValue> {
  const input = c.toType(c.tensor('input'), c.outType);
  const rank = c.rank(input);
  const axes = c.int64s(Array.from({ length: rank }, (_, i) => i).filter(i => i !== 1));
  const mean = c.emit('ReduceMean', [input, axes], { keepdims: intAttr(1) });
  const centred = c.emit('Sub', [input, mean]);
  const squares = c.emit('Mul', [centred, centred]);
  const variance = c.emit('ReduceMean', [squares, axes], { keepdims: intAttr(1) });
  const deviation = c.emit('Sqrt', [c.emit('Add', [variance, c.scalar(c.number('eps'))])]);
  const inverse = c.emit('Reciprocal', [deviation]);
  const normal = scaleChannels(c, c.emit('Div', [centred, deviation]), rank);
  return { normal, mean, variance, inverse };
}

/** `v * g / |v|`, the norm over all dimensions but one; also the norms. */
function weightNorm(c: Call): IValue[] {
  const v = c.toType(c.tensor('v'), c.outType);
  const rank = c.rank(v);
  const dim = c.int('dim');
  // -1 stands for one norm of everything here.
  const kept = dim === -1 ? -1 : c.axis(dim, rank);
  const axes = Array.from({ length: rank }, (_, i) => i).filter(axis => axis !== kept);
  const norms = c.emit('ReduceL2', [v, c.int64s(axes)], { keepdims: intAttr(1) });
  const g = c.toType(c.tensor('g'), c.outType);
  return [c.emit('Mul', [v, c.emit('Div', [g, norms])]), norms];
}

/** `a . b` over the product of their lengths, neither taken shorter than eps. */
function cosineSimilarity(c: Call): IValue {
  const [a, b] = ['x1', 'x2'].map(name => c.toType(c.tensor(name), c.outType));
  const axes = c.int64s([c.axis(c.int('dim'), Math.max(c.rank(a), c.rank(b)))]);
  const shared = { keepdims: intAttr(0) };
  const eps = c.scalar(c.number('eps'));
  // The length of a broadcast operand is that of each of its copies.
  const dot = (x: IValue, y: IValue): IValue =>
    c.emit('ReduceSum', [c.emit('Mul', [x, y]), axes], shared);
  const length = (x: IValue, other: IValue): IValue => {
    const zero = c.emit('Mul', [other, c.scalar(0)]);
    const wide = c.emit('Add', [x, zero]);
    return c.emit('Max', [c.emit('Sqrt', [dot(wide, wide)]), eps]);
  };
  return c.emit('Div', [dot(a, b), c.emit('Mul', [length(a, b), length(b, a)])]);
}

/** Records of this file. */
export const NORM: readonly IOperator[] = [
  /** LayerNormalization. */
  operator(
    'layer_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight=None, Tensor? bias=None, float eps=1.0000000000000001e-05, bool cudnn_enable=True) -> Tensor',
    { dtype: dtypes.likeFirst, lower: c => layerNorm(c, false) }
  ),
  operator(
    'native_layer_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight, Tensor? bias, float eps) -> (Tensor, Tensor, Tensor)',
    { dtype: dtypes.firstOnly, lower: c => layerNorm(c, true) }
  ),
  /** Mul, ReduceMean, Add, Sqrt, Reciprocal. */
  operator(
    'rms_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight=None, float? eps=None) -> Tensor',
    { dtype: dtypes.likeFirst, lower: rmsNorm }
  ),
  /** BatchNormalization. */
  operator(
    'batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool training, float momentum, float eps, bool cudnn_enabled) -> Tensor',
    { dtype: dtypes.likeFirst, lower: eitherBatchNorm }
  ),
  operator(
    '_native_batch_norm_legit_no_training(Tensor input, Tensor? weight, Tensor? bias, Tensor running_mean, Tensor running_var, float momentum, float eps) -> (Tensor, Tensor, Tensor)',
    { dtype: dtypes.firstOnly, makes: 1, lower: batchNorm }
  ),
  /** ReduceMean, Sub, Mul, Sqrt, Div, Add; also the running statistics after it. */
  operator(
    '_native_batch_norm_legit_functional(Tensor input, Tensor? weight, Tensor? bias, Tensor running_mean, Tensor running_var, bool training, float momentum, float eps) -> (Tensor, Tensor, Tensor, Tensor running_mean_out, Tensor running_var_out)',
    {
      dtype: dtypes.firstOnly,
      limits: [
        limit('in training only', c =>
          c.bool('training') ? null : 'running statistics outside of training'
        )
      ],
      lower: trainedBatchNorm
    }
  ),
  /** Reshape, ReduceMean, Sub, Mul, Sqrt, Div, Add. */
  operator(
    'group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, float eps=1.0000000000000001e-05, bool cudnn_enabled=True) -> Tensor',
    { dtype: dtypes.likeFirst, lower: c => groupNorm(c, 'input', c.int('num_groups')) }
  ),
  /** ReduceMean, Sub, Mul, Sqrt, Div, Add. */
  operator(
    '_native_batch_norm_legit.no_stats(Tensor input, Tensor? weight, Tensor? bias, bool training, float momentum, float eps) -> (Tensor, Tensor, Tensor)',
    { dtype: dtypes.firstOnly, makes: 1, lower: c => ownBatchNorm(c).normal }
  ),
  operator(
    'instance_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool use_input_stats, float momentum, float eps, bool cudnn_enabled) -> Tensor',
    { dtype: dtypes.likeFirst, limits: [ownStatistics], lower: instanceNorm }
  ),
  operator(
    'native_group_norm(Tensor input, Tensor? weight, Tensor? bias, SymInt N, SymInt C, SymInt HxW, int group, float eps) -> (Tensor, Tensor, Tensor)',
    { dtype: dtypes.firstOnly, makes: 1, lower: c => groupNorm(c, 'input', c.int('group')) }
  ),
  /** ReduceL2, Div, Mul. */
  operator('_weight_norm(Tensor v, Tensor g, int dim=0) -> Tensor', {
    dtype: dtypes.likeFirst,
    lower: c => weightNorm(c)[0]
  }),
  operator('_weight_norm_interface(Tensor v, Tensor g, int dim=0) -> (Tensor, Tensor)', {
    dtype: dtypes.firstOnly,
    lower: weightNorm
  }),
  /** Mul, ReduceSum, Sqrt, Max, Div. */
  operator('cosine_similarity(Tensor x1, Tensor x2, int dim=1, float eps=1e-08) -> Tensor', {
    dtype: dtypes.promotedTypesFloat,
    lower: cosineSimilarity
  })
];
