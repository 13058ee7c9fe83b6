/**
 * The dtypes of operators' results: the rules that records of operators refer to.
 *
 * @packageDocumentation
 */
import type { Attr, DType, INode, IValue } from '../../model';
import { castTarget, DTYPES, isFloating } from '../../model';
import { hasProjections } from './projections';
import type { IOperandType, PromotionOperand } from './promotion';
import {
  DEFAULT_FLOAT,
  promoteOperands,
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

const firstTensor = (node: INode): IValue | null =>
  node.inputs.find(value => value !== null && value.kind === 'tensor') ?? null;

export const likeFirst: DtypeRule = node => firstTensor(node)?.dtype ?? null;

export const givenDtype = (node: INode): DType | null => {
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

export const promoted = (node: INode): DType | null => resultType(operandsOf(node));

export const promotedFloat = (node: INode): DType | null => {
  const dtype = resultType(operandsOf(node));
  return dtype === null ? null : toFloating(dtype);
};

export const floating: DtypeRule = node => {
  const dtype = firstTensor(node)?.dtype ?? null;
  return dtype === null ? null : toFloating(dtype);
};

export const likeFirstOrDtype: DtypeRule = node => givenDtype(node) ?? likeFirst(node);

export const summed: DtypeRule = node => {
  const given = givenDtype(node);
  const dtype = firstTensor(node)?.dtype ?? null;
  if (given !== null || dtype === null) {
    return given;
  }
  const { kind } = DTYPES[dtype];
  return kind === 'int' || kind === 'uint' || kind === 'bool' ? 'int64' : dtype;
};

export const normed: DtypeRule = node => {
  const dtype = givenDtype(node) ?? firstTensor(node)?.dtype ?? null;
  return dtype === null ? null : toReal(toFloating(dtype));
};

/** First result like the first tensor, second int64. */
export const withIndices: DtypeRule = node => [firstTensor(node)?.dtype ?? null, 'int64'];

/** First result like the first tensor, the others not known: saved statistics and random states differ by device. */
export const firstOnly: DtypeRule = node =>
  node.outputs.map((_, index) => (index === 0 ? (firstTensor(node)?.dtype ?? null) : null));

/** `any` and `all` keep uint8 and give bool for the rest. */
export const anyAll: DtypeRule = node => (firstTensor(node)?.dtype === 'uint8' ? 'uint8' : 'bool');

/** dtype of a Python number: what `torch.full` and `torch.arange` infer. */
const numbersDtype = (operands: readonly PromotionOperand[]): DType | null =>
  operands.length === 0 ? null : resultType(operands);

export const counted: DtypeRule = node => {
  const given = givenDtype(node);
  if (given !== null) {
    return given;
  }
  const dtype = numbersDtype(operandsOf(node, ['start', 'end', 'step']));
  return dtype === null || dtype === 'bool' ? 'int64' : dtype;
};

export const filled: DtypeRule = node =>
  givenDtype(node) ?? numbersDtype(operandsOf(node, ['fill_value']));

/** `where(condition, self, other)`: the condition takes no part in promotion. */
export const chosen: DtypeRule = node =>
  node.attrs.self === undefined ? 'int64' : resultType(operandsOf(node, ['self', 'other']));

/** Division with a rounding mode keeps integers. */
export const quotient: DtypeRule = node => {
  const mode = node.attrs.rounding_mode as Attr | undefined;
  return mode?.kind === 'string' ? promoted(node) : promotedFloat(node);
};

/** The dtype of an operand, by the name of its argument: of the last one where that is a list. */
const operandDtype = (node: INode, name: string): DType | null => {
  const given = node.attrs[name] as Attr | undefined;
  const attr = given?.kind === 'list' ? given.items.at(-1) : given;
  return attr?.kind === 'input' ? (node.inputs[attr.index]?.dtype ?? null) : null;
};

/** Numbers of double precision, complex where an operand is. */
export const doublePrecision: DtypeRule = node =>
  node.inputs.some(value => value?.dtype && DTYPES[value.dtype].kind === 'complex')
    ? 'complex128'
    : 'float64';

/** Cells of recurrent layers add to their last state, whatever autocast makes of the products inside. */
export const likeState: DtypeRule = node => {
  const dtype = operandDtype(node, 'hx');
  const input = likeFirst(node) as DType | null;
  // A state of less precision than the input: the result is as precise as the products, which autocast may act on.
  const isWide = dtype !== null && input !== null && promoteTypes(dtype, input) === dtype;
  return node.outputs.map(() => (isWide && isFloating(dtype) ? dtype : null));
};

/** Probabilities of classes are multiplied with the logarithms, and the weights; numbers of classes choose among the logarithms. */
export const crossEntropy: DtypeRule = node => {
  const dtype = operandDtype(node, 'target');
  return dtype !== null && isFloating(dtype) ? promoted(node) : likeFirst(node);
};

export const concatenated: DtypeRule = node => resultType(operandsOf(node, ['tensors']));

/** `_softmax(half_to_float=True)` of a 16-bit input gives float32. */
export const rawSoftmax: DtypeRule = node => {
  const flag = node.attrs.half_to_float as Attr | undefined;
  return flag?.kind === 'bool' && flag.value ? 'float32' : likeFirst(node);
};

export const complexOf: DtypeRule = node => {
  const dtype = firstTensor(node)?.dtype ?? null;
  return dtype === null ? null : toComplex(toFloating(dtype));
};

export const realPart: DtypeRule = node => {
  const dtype = firstTensor(node)?.dtype ?? null;
  return dtype === null ? null : toReal(dtype);
};

/** Reductions with a `dim` overload that also gives indices. */
export const extremum: DtypeRule = node => {
  const dtype = firstTensor(node)?.dtype ?? null;
  return node.outputs.length > 1 ? [dtype, 'int64'] : dtype;
};

export const positions: DtypeRule = node => {
  const flag = node.attrs.out_int32 as Attr | undefined;
  return flag?.kind === 'bool' && flag.value ? 'int32' : 'int64';
};

/** States and sequence have the dtype of the input, unless the layer is made of operators that autocast acts on by themselves. */
export const lstmLayer: DtypeRule = node => {
  const dtype = hasProjections(node) ? null : likeFirst(node);
  return node.outputs.map(() => dtype as DType | null);
};

/** `bool`. */
export const bool: DtypeRule = () => 'bool';

/** `int64`. */
export const int64: DtypeRule = () => 'int64';

/** The `dtype` argument where given, else int64. */
export const givenOrInt64: DtypeRule = node => {
  const attr = node.attrs.dtype as Attr | undefined;
  // None is not the default here: PyTorch then takes its default dtype, which exports do not record.
  return attr?.kind === 'none' ? null : (givenDtype(node) ?? 'int64');
};

/** The `dtype` argument where given, else the default float. */
export const givenOrFloat: DtypeRule = node => givenDtype(node) ?? DEFAULT_FLOAT;

/** The dtype that a cast is to, else as {@link likeFirstOrDtype}. */
export const castTo: DtypeRule = node => castTarget(node) ?? likeFirstOrDtype(node);

/** `square` is `pow(self, 2)`, and the number 2 turns bool into int64. */
export const squared: DtypeRule = node =>
  firstTensor(node)?.dtype === 'bool' ? 'int64' : likeFirst(node);

/** As the argument `target`: losses that are written over `1 - target`. */
export const likeTarget: DtypeRule = node => operandDtype(node, 'target');

/** The type that floating-point numbers made of several groups of arguments have in common. */
export const promotedFloats =
  (...groups: readonly (readonly string[])[]): DtypeRule =>
  node => {
    const types = groups
      .map(names => operandsOf(node, names))
      .map((operands): IOperandType | null => {
        const dtype = resultType(operands);
        const strength = operands.some(isWithDimensions) ? 'tensor' : 'scalar';
        return dtype && { dtype: toFloating(dtype), strength };
      })
      .reduce((types: IOperandType[] | null, type) => types && type && [...types, type], []);
    return types && promoteOperands(types);
  };

/** First result like the first tensor, second a mask. */
export const withMask: DtypeRule = node => [firstTensor(node)?.dtype ?? null, 'bool'];

/** First result like the first tensor, the others int64. */
export const withCounts: DtypeRule = node =>
  node.outputs.map((_, i) => (i === 0 ? (firstTensor(node)?.dtype ?? null) : 'int64'));

/** Each result like the operand at its place. */
export const likeEach: DtypeRule = node => node.inputs.map(value => value?.dtype ?? null);

/** First result real, the others like the first tensor. */
export const realThenLike: DtypeRule = node => {
  const real = realPart(node) as DType | null;
  return node.outputs.map((_, i) => (i === 0 ? real : (likeFirst(node) as DType | null)));
};

/** Second of three results real, the others like the first tensor. */
export const realInMiddle: DtypeRule = node => {
  const real = realPart(node) as DType | null;
  return node.outputs.map((_, i) => (i === 1 ? real : (likeFirst(node) as DType | null)));
};

/** As another rule, of the real part: distances and absolute values. */
export const realOf =
  (rule: (node: INode) => DType | null): DtypeRule =>
  node => {
    const dtype = rule(node);
    return dtype && toReal(dtype);
  };

/** Promotion of some arguments; the others have no say. */
export const promotedOf =
  (...names: readonly string[]) =>
  (node: INode): DType | null =>
    resultType(operandsOf(node, names));

/** The common type of all tensors, those without dimensions among them: operators that give them dimensions first. */
export const promotedTypes = (node: INode): DType | null => {
  const dtypes = node.inputs.flatMap(value => (value?.kind === 'tensor' ? [value.dtype] : []));
  return dtypes.length === 0 ? null : dtypes.reduce((a, b) => a && b && promoteTypes(a, b));
};

/** The same, as floating-point numbers. */
export const promotedTypesFloat: DtypeRule = node => {
  const dtype = promotedTypes(node);
  return dtype && toFloating(dtype);
};

/** The dtype that products are to have. */
export const givenOutDtype: DtypeRule = node => {
  const attr = node.attrs.out_dtype as Attr | undefined;
  return attr?.kind === 'dtype' ? attr.value : likeFirst(node);
};

/** Distances of an anchor to two tensors, and of these to each other where they are swapped. */
export const tripletDistances = (node: INode): DType | null => {
  const swap = node.attrs.swap as Attr | undefined;
  const isSwapping = swap?.kind === 'bool' && swap.value;
  return promotedFloats(
    ['anchor', 'positive'],
    ['anchor', 'negative'],
    ...(isSwapping ? [['positive', 'negative']] : [])
  )(node) as DType | null;
};

function isWithDimensions(operand: PromotionOperand): boolean {
  return operand.kind === 'value' && operand.value.shape?.length !== 0;
}

/** A variance or deviation, which is real, and a mean. */
export const realMoment: DtypeRule = node => [
  normed(node) as DType | null,
  floating(node) as DType | null
];

/** The last result not known, the others like the first tensor: what only the backward pass reads. */
export const allButLast: DtypeRule = node => {
  const dtype = firstTensor(node)?.dtype ?? null;
  return node.outputs.map((_, i) => (i < node.outputs.length - 1 ? dtype : null));
};

/** `input - target * log(input)`; of an input that is a logarithm `exp(input) - target * input`. */
export const poissonLoss: DtypeRule = node => {
  const isLog = node.attrs.log_input as Attr | undefined;
  if (isLog?.kind !== 'bool' || isLog.value) {
    return promotedFloats(['input'], ['input', 'target'])(node);
  }
  const types = ['input', 'target'].map((name): IOperandType | null => {
    const operands = operandsOf(node, [name]);
    const dtype = resultType(operands);
    const strength = operands.some(isWithDimensions) ? 'tensor' : 'scalar';
    return dtype && { dtype: name === 'input' ? toFloating(dtype) : dtype, strength };
  });
  return types.includes(null) ? null : promoteOperands(types as IOperandType[]);
};
