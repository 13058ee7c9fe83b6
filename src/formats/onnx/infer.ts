/**
 * Element types of the results of ONNX operators.
 *
 * For most operators they follow from the type variables of their schema. Here are those whose type an attribute or a nested graph tells
 * (https://github.com/onnx/onnx/blob/main/docs/Operators.md), and ONNX Runtime's contrib operators.
 *
 * @packageDocumentation
 */
import type { Attr, DType, INode } from '../../model';
import { DTYPES } from '../../model';
import type { IOnnxSchema } from '../../operators';
import { parameterAt, schemaOf, typesOf } from '../../operators';
import { dtypeOfElementType } from './elementtypes';

/** Element type of one output, given the node and its index. Null where it cannot be told. */
type OutputType = (node: INode, index: number) => DType | null;

const always =
  (dtype: DType): OutputType =>
  () =>
    dtype;

const input =
  (position: number): OutputType =>
  node =>
    node.inputs[position]?.dtype ?? null;

/** Types of the outputs in order; the last serves all further ones. */
const outputs =
  (...types: OutputType[]): OutputType =>
  (node, index) =>
    types[Math.min(index, types.length - 1)](node, index);

/** An attribute that holds an element type, else `otherwise`. */
const attribute =
  (name: string, otherwise: OutputType): OutputType =>
  (node, index) => {
    const attr = node.attrs[name];
    if (attr?.kind === 'dtype') {
      return attr.value;
    }
    if (attr?.kind === 'int' && attr.value !== 0) {
      return dtypeOfElementType(Number(attr.value));
    }
    return otherwise(node, index);
  };

/** The first of several that is known. */
const firstOf =
  (...types: OutputType[]): OutputType =>
  (node, index) => {
    for (const type of types) {
      const dtype = type(node, index);
      if (dtype !== null) {
        return dtype;
      }
    }
    return null;
  };

const constant: OutputType = node => {
  const { attrs } = node;
  if (attrs.value?.kind === 'tensor') {
    return attrs.value.value.dtype;
  }
  if (attrs.value_float !== undefined || attrs.value_floats !== undefined) {
    return 'float32';
  }
  if (attrs.value_int !== undefined || attrs.value_ints !== undefined) {
    return 'int64';
  }
  return attrs.value_string !== undefined || attrs.value_strings !== undefined ? 'string' : null;
};

const constantOfShape: OutputType = node =>
  node.attrs.value?.kind === 'tensor' ? node.attrs.value.value.dtype : 'float32';

/** Results of a nested graph, after the first `skipped` of them. */
const body =
  (name: string, skipped: number): OutputType =>
  (node, index) => {
    const attr = node.attrs[name];
    return attr?.kind === 'graph' ? (attr.value.outputs[index + skipped]?.dtype ?? null) : null;
  };

const FLOAT32 = always('float32');
const SAME = input(0);

/** Operators whose attributes or nested graphs tell the type of a result. */
const ONNX_TYPES: Readonly<Record<string, OutputType>> = {
  Bernoulli: attribute('dtype', SAME),
  BitCast: attribute('to', () => null),
  BlackmanWindow: attribute('output_datatype', FLOAT32),
  Cast: attribute('to', () => null),
  Constant: constant,
  ConstantOfShape: constantOfShape,
  DequantizeLinear: attribute('output_dtype', input(1)),
  EyeLike: attribute('dtype', SAME),
  HammingWindow: attribute('output_datatype', FLOAT32),
  HannWindow: attribute('output_datatype', FLOAT32),
  If: firstOf(body('then_branch', 0), body('else_branch', 0)),
  LayerNormalization: outputs(SAME, attribute('stash_type', FLOAT32)),
  Loop: body('body', 1),
  MelWeightMatrix: attribute('output_datatype', FLOAT32),
  Multinomial: attribute('dtype', always('int32')),
  QuantizeLinear: attribute('output_dtype', firstOf(input(2), always('uint8'))),
  RandomNormal: attribute('dtype', FLOAT32),
  RandomNormalLike: attribute('dtype', SAME),
  RandomUniform: attribute('dtype', FLOAT32),
  RandomUniformLike: attribute('dtype', SAME),
  Scan: body('body', 0),
  SequenceEmpty: attribute('dtype', FLOAT32)
};

/** ONNX Runtime's own operators whose result is not of the type of their first input. */
const CONTRIB_TYPES: Readonly<Record<string, OutputType>> = {
  DequantizeLinear: input(1),
  DynamicQuantizeMatMul: FLOAT32,
  EmbedLayerNormalization: outputs(input(2), always('int32')),
  MatMulInteger16: always('int32'),
  MatMulIntegerToFloat: input(2),
  QAttention: input(2),
  QuantizeLinear: firstOf(input(2), always('uint8')),
  SkipLayerNormalization: outputs(SAME, FLOAT32, FLOAT32, SAME)
};

/** Operators whose results are sequences: their element type is that of the tensors in them. */
const SEQUENCE_OPS: ReadonlySet<string> = new Set([
  'onnx.SequenceConstruct',
  'onnx.SequenceEmpty',
  'onnx.SequenceErase',
  'onnx.SequenceInsert',
  'onnx.SequenceMap',
  'onnx.SplitToSequence'
]);

/** Whether a result of a node is a sequence, not a tensor: made by an operator of sequences, or handed on. */
export function returnsSequence(node: INode, index: number): boolean {
  const { attrs } = node;
  const returned = (body: Attr | undefined, skipped: number): boolean =>
    body?.kind === 'graph' && body.value.outputs[index + skipped]?.kind === 'other';
  switch (node.op) {
    case 'onnx.If':
      return returned(attrs.then_branch, 0);
    case 'onnx.Loop':
      return returned(attrs.body, 1);
    case 'onnx.Identity':
      return node.inputs[0]?.kind === 'other';
    default:
      return SEQUENCE_OPS.has(node.op);
  }
}

/**
 * Element type of an output of a node whose inputs have theirs.
 *
 * @param opset - version of ai.onnx.
 * @returns null where it follows neither from the operator nor from its inputs. For operators of unknown domains it is
 * always null: what they return is theirs to say.
 */
export function inferDtype(node: INode, index: number, opset: number): DType | null {
  const split = node.op.lastIndexOf('.');
  const domain = node.op.slice(0, split);
  const name = node.op.slice(split + 1);
  if (domain === 'onnx') {
    return Object.hasOwn(ONNX_TYPES, name)
      ? ONNX_TYPES[name](node, index)
      : typeOfSchema(node, index, schemaOf(node, opset));
  }
  if (domain === 'com.microsoft') {
    const type = Object.hasOwn(CONTRIB_TYPES, name) ? CONTRIB_TYPES[name] : SAME;
    return type(node, index);
  }
  return null;
}

/** The one type that a result can be, or that of an operand with the same type variable; else that of the first operand. */
function typeOfSchema(node: INode, index: number, schema: IOnnxSchema | null): DType | null {
  const parameter = schema === null ? null : parameterAt(schema.outputs, index);
  if (schema === null || parameter === null) {
    return SAME(node, index);
  }
  const types = typesOf(schema, parameter);
  if (types.size === 1) {
    const [type] = types;
    return Object.hasOwn(DTYPES, type) ? (type as DType) : null;
  }
  const sameType = node.inputs.filter(
    (_, i) => parameterAt(schema.inputs, i)?.type === parameter.type
  );
  return sameType.length === 0
    ? SAME(node, index)
    : (sameType.find(value => value?.dtype)?.dtype ?? null);
}
