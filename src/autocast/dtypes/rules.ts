/**
 * The dtypes of operators' results, by ATen's rules.
 *
 * @packageDocumentation
 */
import type { Attr, DType, INode, IValue } from '../../model';
import { BATCH_DIM, castTarget, DTYPES, isFloating, perOperator } from '../../model';
import {
  BOOLEAN,
  FACTORY,
  FLOATING,
  INTEGER,
  LIKE_FIRST,
  LIKE_FIRST_OR_DTYPE,
  NORMS,
  PROMOTING,
  PROMOTING_FLOAT,
  SUMMING,
  TO_COMPLEX,
  TO_REAL,
  WITH_INDICES
} from './families';
import { hasProjections } from '../policy';
import type { PromotionOperand } from './promotion';
import {
  DEFAULT_FLOAT,
  promoteTypes,
  resultType,
  toComplex,
  toFloating,
  toReal
} from './promotion';

/**
 * Computes the dtypes of a node's results from those of its operands: one dtype for all results, or one per result.
 * Null stands for "not known".
 */
export type DtypeRule = (node: INode) => DType | null | readonly (DType | null)[];

/**
 * The rule for an operator, or null where there is none.
 *
 * @param op - as graphs name it, `aten.linear.default`.
 */
export const dtypeRule = perOperator((op: string): DtypeRule | null => {
  if (!op.startsWith('aten.')) {
    return LIBRARY_RULES.get(op) ?? null;
  }
  const name = op.slice('aten.'.length);
  const exact = RULES.get(name);
  if (exact !== undefined) {
    return exact;
  }
  const dot = name.indexOf('.');
  const base = dot < 0 ? name : name.slice(0, dot);
  if (name.endsWith('.out') || name.endsWith('_out')) {
    return null;
  }
  return isInPlaceName(base) ? likeFirst : (RULES.get(base) ?? null);
});

/** Whether a base name is that of an in-place operator: `relu_`, `__iand__`, but not `__and__`. */
export function isInPlaceName(base: string): boolean {
  return base.endsWith('__') ? base.startsWith('__i') : base.endsWith('_');
}

/** Whether a node writes to its first operand (`aten.relu_.default`). */
export function isInPlace(node: INode): boolean {
  return isInPlaceOperator(node.op);
}

const isInPlaceOperator = perOperator(op => {
  if (!op.startsWith('aten.')) {
    return false;
  }
  const start = 'aten.'.length;
  const dot = op.indexOf('.', start);
  return isInPlaceName(op.slice(start, dot < 0 ? undefined : dot));
});

/** Whether a node changes what its first operand's memory holds: in place, and not only `detach_` or `requires_grad_`. */
export function writesInPlace(node: INode): boolean {
  return isInPlace(node) && !ONLY_IN_NAME.has(node.op);
}

/** In-place operators that change no element. */
const ONLY_IN_NAME: ReadonlySet<string> = new Set([
  'aten.detach_.default',
  'aten.requires_grad_.default'
]);

const firstTensor = (node: INode): IValue | null =>
  node.inputs.find(value => value !== null && value.kind === 'tensor') ?? null;

const likeFirst: DtypeRule = node => firstTensor(node)?.dtype ?? null;

const dtypeArgument = (node: INode): DType | null => {
  const attr = node.attrs.dtype as Attr | undefined;
  return attr?.kind === 'dtype' ? attr.value : null;
};

/** Operands and literals of the named arguments, lists flattened; all arguments but `alpha` and the like by default. */
function operandsOf(node: INode, names?: readonly string[]): PromotionOperand[] {
  const operands: PromotionOperand[] = [];
  const add = (attr: Attr): void => {
    switch (attr.kind) {
      case 'input': {
        const value = node.inputs[attr.index];
        if (value) {
          operands.push({ kind: 'value', value });
        }
        break;
      }
      case 'list':
        attr.items.forEach(add);
        break;
      default:
        operands.push({ kind: 'literal', literal: attr });
    }
  };
  for (const name of names ?? PROMOTED_ARGUMENTS) {
    const attr = node.attrs[name] as Attr | undefined;
    if (attr !== undefined) {
      add(attr);
    }
  }
  return operands;
}

/** Arguments that take part in promotion, by their names in ATen's schemas. */
const PROMOTED_ARGUMENTS: readonly string[] = [
  'self',
  'input',
  'other',
  'exponent',
  'tensor1',
  'tensor2',
  'vec1',
  'vec2',
  'end',
  'weight',
  'target',
  'min',
  'max',
  'prepend',
  'append',
  'values',
  'input1',
  'input2',
  'x1',
  'x2'
];

const promoted: DtypeRule = node => resultType(operandsOf(node));

const promotedFloat: DtypeRule = node => {
  const dtype = resultType(operandsOf(node));
  return dtype === null ? null : toFloating(dtype);
};

const floating: DtypeRule = node => {
  const dtype = firstTensor(node)?.dtype ?? null;
  return dtype === null ? null : toFloating(dtype);
};

const likeFirstOrDtype: DtypeRule = node => dtypeArgument(node) ?? likeFirst(node);

const summing: DtypeRule = node => {
  const given = dtypeArgument(node);
  const dtype = firstTensor(node)?.dtype ?? null;
  if (given !== null || dtype === null) {
    return given;
  }
  const { kind } = DTYPES[dtype];
  return kind === 'int' || kind === 'uint' || kind === 'bool' ? 'int64' : dtype;
};

const norm: DtypeRule = node => {
  const dtype = dtypeArgument(node) ?? firstTensor(node)?.dtype ?? null;
  return dtype === null ? null : toReal(toFloating(dtype));
};

/** First result like the first tensor, second int64. */
const withIndices: DtypeRule = node => [firstTensor(node)?.dtype ?? null, 'int64'];

/** First result like the first tensor, the others not known: saved statistics and random states differ by device. */
const firstOnly: DtypeRule = node =>
  node.outputs.map((_, index) => (index === 0 ? (firstTensor(node)?.dtype ?? null) : null));

/** `any` and `all` keep uint8 and give bool for the rest. */
const anyAll: DtypeRule = node => (firstTensor(node)?.dtype === 'uint8' ? 'uint8' : 'bool');

/** dtype of a Python number: what `torch.full` and `torch.arange` infer. */
const numbersDtype = (operands: readonly PromotionOperand[]): DType | null =>
  operands.length === 0 ? null : resultType(operands);

const arange: DtypeRule = node => {
  const given = dtypeArgument(node);
  if (given !== null) {
    return given;
  }
  const dtype = numbersDtype(operandsOf(node, ['start', 'end', 'step']));
  return dtype === null || dtype === 'bool' ? 'int64' : dtype;
};

const full: DtypeRule = node =>
  dtypeArgument(node) ?? numbersDtype(operandsOf(node, ['fill_value']));

/** `where(condition, self, other)`: the condition takes no part in promotion. */
const where: DtypeRule = node =>
  node.attrs.self === undefined ? 'int64' : resultType(operandsOf(node, ['self', 'other']));

/** Division with a rounding mode keeps integers. */
const divide: DtypeRule = node => {
  const mode = node.attrs.rounding_mode as Attr | undefined;
  return mode?.kind === 'string' ? promoted(node) : promotedFloat(node);
};

/** The dtype of an operand, by the name of its argument: of the last one where that is a list. */
const operandDtype = (node: INode, name: string): DType | null => {
  const given = node.attrs[name] as Attr | undefined;
  const attr = given?.kind === 'list' ? given.items.at(-1) : given;
  return attr?.kind === 'input' ? (node.inputs[attr.index]?.dtype ?? null) : null;
};

/** The type that floating-point numbers made of several groups of operands have in common. */
function promotedFloats(node: INode, groups: readonly (readonly string[])[]): DType | null {
  return groups
    .map(names => resultType(operandsOf(node, names)))
    .map(dtype => dtype && toFloating(dtype))
    .reduce((a, b) => a && b && promoteTypes(a, b));
}

/** Numbers of double precision, complex where an operand is. */
const doublePrecision: DtypeRule = node =>
  node.inputs.some(value => value?.dtype && DTYPES[value.dtype].kind === 'complex')
    ? 'complex128'
    : 'float64';

/** Cells of recurrent layers add to their last state, whatever autocast makes of the products inside. */
const cell: DtypeRule = node => {
  const dtype = operandDtype(node, 'hx');
  return node.outputs.map(() => dtype);
};

/** Probabilities of classes are multiplied with the logarithms, and the weights; numbers of classes choose among the logarithms. */
const crossEntropy: DtypeRule = node => {
  const dtype = operandDtype(node, 'target');
  return dtype !== null && isFloating(dtype) ? promoted(node) : likeFirst(node);
};

const concatenate: DtypeRule = node => resultType(operandsOf(node, ['tensors']));

/** `_softmax(half_to_float=True)` of a 16-bit input gives float32. */
const rawSoftmax: DtypeRule = node => {
  const flag = node.attrs.half_to_float as Attr | undefined;
  return flag?.kind === 'bool' && flag.value ? 'float32' : likeFirst(node);
};

const toComplexRule: DtypeRule = node => {
  const dtype = firstTensor(node)?.dtype ?? null;
  return dtype === null ? null : toComplex(toFloating(dtype));
};

const toRealRule: DtypeRule = node => {
  const dtype = firstTensor(node)?.dtype ?? null;
  return dtype === null ? null : toReal(dtype);
};

/** Reductions with a `dim` overload that also gives indices. */
const extremum: DtypeRule = node => {
  const dtype = firstTensor(node)?.dtype ?? null;
  return node.outputs.length > 1 ? [dtype, 'int64'] : dtype;
};

const searching: DtypeRule = node => {
  const flag = node.attrs.out_int32 as Attr | undefined;
  return flag?.kind === 'bool' && flag.value ? 'int32' : 'int64';
};

const family = (names: readonly string[], rule: DtypeRule): [string, DtypeRule][] =>
  names.map(name => [name, rule]);

/** States and sequence have the dtype of the input, unless the layer is made of operators that autocast acts on by themselves. */
const lstm: DtypeRule = node => {
  const dtype = hasProjections(node) ? null : likeFirst(node);
  return node.outputs.map(() => dtype as DType | null);
};

/** Operators outside of ATen: those of `torch.vmap`, and what libraries register of their own. */
const LIBRARY_RULES: ReadonlyMap<string, DtypeRule> = new Map([
  [BATCH_DIM.add, likeFirst],
  [BATCH_DIM.remove, likeFirst],
  // The product of groups of rows of the transformers library's experts: like its input.
  ['transformers.grouped_mm_fallback.default', likeFirst]
]);

/** By exact overload, then by base name. */
const RULES: ReadonlyMap<string, DtypeRule> = new Map<string, DtypeRule>([
  ...family(LIKE_FIRST, likeFirst),
  ...family(PROMOTING, promoted),
  ...family(PROMOTING_FLOAT, promotedFloat),
  ...family(FLOATING, floating),
  ...family(BOOLEAN, () => 'bool'),
  ...family(INTEGER, () => 'int64'),
  ...family(WITH_INDICES, withIndices),
  ...family(SUMMING, summing),
  ...family(NORMS, norm),
  ...family(
    LIKE_FIRST_OR_DTYPE,
    node => castTarget(node) ?? (likeFirstOrDtype(node) as DType | null)
  ),
  ...family(FACTORY, node => dtypeArgument(node) ?? DEFAULT_FLOAT),
  ...family(TO_COMPLEX, toComplexRule),
  ...family(TO_REAL, toRealRule),
  // `square` is `pow(self, 2)`, and the number 2 turns bool into int64.
  ['square', node => (firstTensor(node)?.dtype === 'bool' ? 'int64' : likeFirst(node))],
  ['randint', node => dtypeArgument(node) ?? 'int64'],
  ['randperm', node => dtypeArgument(node) ?? 'int64'],
  ['arange', arange],
  ['full', full],
  ['where', where],
  ['div', divide],
  ['divide', divide],
  ['cross_entropy_loss', crossEntropy],
  // The losses are written over `1 - target`.
  ['binary_cross_entropy_with_logits', node => operandDtype(node, 'target')],
  ['cosine_embedding_loss', node => promotedFloats(node, [['input1'], ['input2']])],
  ['poisson_nll_loss', node => promotedFloats(node, [['input'], ['input', 'target']])],
  [
    'triplet_margin_loss',
    node =>
      promotedFloats(node, [
        ['anchor', 'positive'],
        ['anchor', 'negative']
      ])
  ],
  ['float_power', doublePrecision],
  ['gru_cell', cell],
  ['lstm_cell', cell],
  ['einsum', concatenate],
  ['cat', concatenate],
  ['concat', concatenate],
  ['concatenate', concatenate],
  ['stack', concatenate],
  ['hstack', concatenate],
  ['column_stack', concatenate],
  ['vstack', concatenate],
  ['dstack', concatenate],
  ['any', anyAll],
  ['all', anyAll],
  ['max', extremum],
  ['min', extremum],
  ['median', extremum],
  ['nanmedian', extremum],
  ['max.other', promoted],
  ['min.other', promoted],
  ['searchsorted', searching],
  ['bucketize', searching],
  ['_safe_softmax', likeFirstOrDtype],
  ['_softmax', rawSoftmax],
  ['_log_softmax', rawSoftmax],
  ['lstm.input', lstm],
  ['native_dropout', node => [firstTensor(node)?.dtype ?? null, 'bool']],
  ['native_layer_norm', firstOnly],
  ['native_group_norm', firstOnly],
  ['native_batch_norm', firstOnly],
  ['_native_batch_norm_legit', firstOnly],
  ['_native_batch_norm_legit_no_training', firstOnly],
  ['_fused_rms_norm', firstOnly],
  ['_weight_norm_interface', firstOnly],
  ['_embedding_bag', firstOnly],
  ['embedding_bag', firstOnly],
  ['_scaled_dot_product_flash_attention', firstOnly],
  ['_scaled_dot_product_flash_attention_for_cpu', firstOnly],
  ['_scaled_dot_product_efficient_attention', firstOnly],
  ['_scaled_dot_product_cudnn_attention', firstOnly],
  [
    '_unique2',
    node => node.outputs.map((_, i) => (i === 0 ? (firstTensor(node)?.dtype ?? null) : 'int64'))
  ],
  ['broadcast_tensors', node => node.inputs.map(value => value?.dtype ?? null)],
  ['view.dtype', dtypeArgument],
  ['repeat_interleave', likeFirst],
  ['pow.Scalar', promoted],
  ['bernoulli', likeFirst],
  ['fft_fftfreq', node => dtypeArgument(node) ?? DEFAULT_FLOAT],
  ['quantile', likeFirst],
  ['nanquantile', likeFirst],
  ['fft_rfftfreq', node => dtypeArgument(node) ?? DEFAULT_FLOAT]
]);
