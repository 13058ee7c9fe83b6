/**
 * Which operators draw random numbers.
 *
 * @packageDocumentation
 */
import type { Attr, INode } from '../model';

/**
 * Whether two runs of a node may differ: it draws random numbers.
 *
 * #### Notes
 * For ATen these are the operators that PyTorch tags `nondeterministic_seeded`, but for those that draw only with a dropout
 * probability above zero.
 */
export function isRandom({ op, attrs, inputs }: INode): boolean {
  if (op.startsWith('onnx.')) {
    return RANDOM_ONNX.has(op) || (op === 'onnx.Dropout' && (inputs[2] ?? null) !== null);
  }
  if (!op.startsWith('aten.')) {
    return false;
  }
  const base = op.slice('aten.'.length).split('.', 1)[0];
  if (/dropout/u.test(base) || base === 'gru' || base === 'lstm' || base.startsWith('rnn_')) {
    return isOn(attrs.train) && !isZero(attrs.p ?? attrs.dropout);
  }
  if (base.startsWith('rrelu')) {
    return isOn(attrs.training);
  }
  if (/attention/u.test(base)) {
    return attrs.dropout_p !== undefined && !isZero(attrs.dropout_p);
  }
  return RANDOM_ATEN.has(base.endsWith('_') ? base.slice(0, -1) : base);
}

const RANDOM_ONNX: ReadonlySet<string> = new Set([
  'onnx.Bernoulli',
  'onnx.Multinomial',
  'onnx.RandomNormal',
  'onnx.RandomNormalLike',
  'onnx.RandomUniform',
  'onnx.RandomUniformLike'
]);

const RANDOM_ATEN: ReadonlySet<string> = new Set([
  '_sample_dirichlet',
  '_standard_gamma',
  'bernoulli',
  'binomial',
  'cauchy',
  'empty',
  'empty_like',
  'empty_permuted',
  'empty_strided',
  'exponential',
  'geometric',
  'log_normal',
  'multinomial',
  'new_empty',
  'new_empty_strided',
  'normal',
  'normal_functional',
  'poisson',
  'rand',
  'rand_like',
  'randint',
  'randint_like',
  'randn',
  'randn_like',
  'random',
  'randperm',
  'uniform'
]);

function isOn(attr: Attr | undefined): boolean {
  return attr === undefined || attr.kind !== 'bool' || attr.value;
}

function isZero(attr: Attr | undefined): boolean {
  return (attr?.kind === 'float' || attr?.kind === 'int') && Number(attr.value) === 0;
}
