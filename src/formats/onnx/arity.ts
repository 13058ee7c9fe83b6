/**
 * How many inputs and outputs the operators of ai.onnx take.
 *
 * @packageDocumentation
 */
import { CastlensError } from '../../model';
import { describeNode } from './order';
import type { IRawNode } from './rawmodel';
import { normalizeDomain } from './rawmodel';

const MANY = Infinity;

/**
 * Fewest and most inputs, fewest and most outputs, and the operators that have them in some version of the operator set. From the schemas
 * of the `onnx` package with all their versions (`onnx.defs.get_all_schemas_with_history()`, operator sets 1 to 28).
 */
const COUNTS: readonly (readonly [number, number, number, number, string])[] = [
  [0, 0, 1, 1, 'Constant RandomNormal RandomUniform SequenceEmpty'],
  [0, 1, 1, 1, 'Optional OptionalHasElement'],
  [
    1,
    1,
    1,
    1,
    'Abs Acos Acosh ArgMax ArgMin Asin Asinh Atan Atanh AveragePool Bernoulli BitCast BitwiseNot ' +
      'BlackmanWindow Cast Ceil Celu ConcatFromSequence ConstantOfShape Cos Cosh DepthToSpace Det Elu Erf ' +
      'Exp EyeLike Flatten Floor Gelu GlobalAveragePool GlobalLpPool GlobalMaxPool HammingWindow HannWindow ' +
      'HardSigmoid HardSwish Hardmax Identity ImageDecoder IsInf IsNaN LRN LeakyRelu Log LogSoftmax ' +
      'LpNormalization LpPool MeanVarianceNormalization Mish Multinomial Neg NonZero Not OptionalGetElement ' +
      'RandomNormalLike RandomUniformLike Reciprocal RegexFullMatch Relu Round Selu SequenceLength Shape ' +
      'Shrink Sigmoid Sign Sin Sinh Size Softmax Softplus Softsign SpaceToDepth Sqrt StringNormalizer Swish ' +
      'Tan Tanh TfIdfVectorizer ThresholdedRelu Transpose'
  ],
  [1, 1, 1, 2, 'MaxPool'],
  [1, 1, 1, 4, 'Unique'],
  [1, 1, 1, MANY, 'If'],
  [1, 1, 2, 2, 'StringSplit'],
  [1, 1, 3, 3, 'DynamicQuantizeLinear'],
  [
    1,
    2,
    1,
    1,
    'ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ' +
      'ReduceSumSquare Reshape SequenceErase SplitToSequence Squeeze Trilu Unsqueeze Upsample'
  ],
  [1, 2, 1, MANY, 'Split'],
  [1, 2, 2, 2, 'TopK'],
  [1, 3, 1, 1, 'Clip DFT'],
  [1, 3, 1, 2, 'Dropout'],
  [1, 4, 1, 1, 'Pad Resize'],
  [1, 5, 1, 1, 'Slice'],
  [1, MANY, 1, 1, 'Concat Einsum Max Mean Min SequenceConstruct Sum'],
  [1, MANY, 1, MANY, 'Scan SequenceMap'],
  [
    2,
    2,
    1,
    1,
    'Add AffineGrid And BitShift BitwiseAnd BitwiseOr BitwiseXor CastLike CenterCropPad Compress CumProd ' +
      'CumSum Div Equal Expand Gather GatherElements GatherND Greater GreaterOrEqual GridSample Less ' +
      'LessOrEqual MatMul MaxRoiPool Mod Mul Or PRelu Pow RMSNormalization ReverseSequence SequenceAt ' +
      'StringConcat Sub SwiGLU Xor'
  ],
  [
    2,
    3,
    1,
    1,
    'Conv ConvTranspose DequantizeLinear Gemm MaxUnpool NegativeLogLikelihoodLoss QuantizeLinear ' +
      'SequenceInsert TensorScatter Tile'
  ],
  [2, 3, 1, 2, 'SoftmaxCrossEntropyLoss'],
  [2, 3, 1, 3, 'LayerNormalization'],
  [2, 4, 1, 1, 'ConvInteger MatMulInteger STFT'],
  [2, 4, 2, 2, 'CausalConvWithState'],
  [2, 5, 1, 1, 'NonMaxSuppression'],
  [2, MANY, 1, MANY, 'Loop'],
  [
    3,
    3,
    1,
    1,
    'Col2Im GroupNormalization InstanceNormalization OneHot Range RoiAlign Scatter ScatterElements ' +
      'ScatterND Where'
  ],
  [3, 4, 1, 1, 'RotaryEmbedding'],
  [3, 5, 1, 1, 'DeformConv'],
  [3, 6, 0, 2, 'GRU RNN'],
  [3, 6, 2, 2, 'LinearAttention'],
  [3, 7, 1, 4, 'Attention'],
  [3, 8, 0, 3, 'LSTM'],
  [5, 5, 1, 1, 'MelWeightMatrix'],
  [5, 5, 1, 5, 'BatchNormalization'],
  [8, 8, 1, 1, 'QLinearMatMul'],
  [8, 9, 1, 1, 'QLinearConv']
];

const BY_OPERATOR = new Map(
  COUNTS.flatMap(([fewestInputs, mostInputs, fewestOutputs, mostOutputs, names]) =>
    names
      .split(' ')
      .map(name => [name, { fewestInputs, mostInputs, fewestOutputs, mostOutputs }] as const)
  )
);

/**
 * Refuse a node with fewer or more inputs or outputs than its operator has in any version. Left out is what has no name, or stands behind
 * all that is given.
 *
 * @throws CastlensError that names the node.
 */
export function checkArity(file: string, node: IRawNode, index: number): void {
  const counts = normalizeDomain(node.domain) === '' ? BY_OPERATOR.get(node.opType) : undefined;
  if (counts === undefined) {
    return;
  }
  const check = (what: string, names: readonly string[], fewest: number, most: number): void => {
    const given = names.findLastIndex(name => name !== '') + 1;
    if (given > most || names.length < fewest) {
      const range = fewest === most ? `${most}` : `${fewest} to ${most === MANY ? 'any' : most}`;
      throw new CastlensError('bad-file', `a node has the wrong number of ${what}`, {
        file,
        entry: describeNode(node, index),
        expected: `${range} ${what}, as ${node.opType} has`,
        found: String(given)
      });
    }
  };
  check('inputs', node.inputs, counts.fewestInputs, counts.mostInputs);
  check('outputs', node.outputs, counts.fewestOutputs, counts.mostOutputs);
}
