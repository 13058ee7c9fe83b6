/**
 * What generic algorithms need to know of an operator, in every dialect: is it a cast, is it layout only.
 *
 * @packageDocumentation
 */
import type { DType } from './dtype';
import type { Attr, INode } from './graph';
import { viewArrangement } from './views';

/**
 * Target dtype of a node that does nothing but cast its first input; null for every other node.
 *
 * #### Notes
 * `aten._to_copy` and `aten.to` also move between devices and layouts; those parts do not change values.
 */
export function castTarget(node: INode): DType | null {
  switch (node.op) {
    case 'onnx.Cast':
    case 'aten._to_copy.default':
    case 'aten.to.dtype':
    case 'aten.to.dtype_layout':
    case 'aten.to.device':
    case 'prims.convert_element_type.default': {
      const attr: Attr | undefined = node.op === 'onnx.Cast' ? node.attrs.to : node.attrs.dtype;
      return attr?.kind === 'dtype' ? attr.value : null;
    }
    case 'onnx.CastLike':
      return node.inputs[1]?.dtype ?? null;
    case 'aten.to.other':
    case 'aten.type_as.default':
      return node.inputs[1]?.dtype ?? null;
    default:
      return null;
  }
}

/** Whether the node is a cast whose result has another dtype than its input. */
export function changesDtype(node: INode): boolean {
  const target = castTarget(node);
  const source = node.inputs[0]?.dtype ?? null;
  return target !== null && source !== null && target !== source;
}

/**
 * Whether the node's first result holds elements of its first input unchanged, only arranged anew, for every input:
 * transpose, permute, view, reshape, expand, slice, dropout outside of training, ... A cast commutes with each of these. Operators
 * that make several copies of every element in memory (`repeat`, `Tile`) are none: PyTorch casts what they made, not the tensor
 * itself.
 */
export function isLayoutOnly(node: INode): boolean {
  const arrangement = viewArrangement(node.op);
  return (
    arrangement === 'whole' ||
    arrangement === 'cut' ||
    LAYOUT_ONLY.has(node.op) ||
    isIdleDropout(node)
  );
}

/** Whether the node is a dropout that drops nothing, because the program was exported for inference. */
function isIdleDropout({ op, attrs }: INode): boolean {
  return DROPOUTS.has(op) && attrs.train?.kind === 'bool' && !attrs.train.value;
}

const DROPOUTS: ReadonlySet<string> = new Set([
  'aten.alpha_dropout.default',
  'aten.dropout.default',
  'aten.feature_alpha_dropout.default',
  'aten.feature_dropout.default'
]);

/** What `torch.vmap` leaves in training IR: a dimension that the calls in between do not see, and its return. */
export const BATCH_DIM = {
  add: 'torch._functorch.predispatch._add_batch_dim',
  remove: 'torch._functorch.predispatch._remove_batch_dim'
} as const;

/** Layout-only operators that share no memory with their operand, and those of ONNX. */
const LAYOUT_ONLY: ReadonlySet<string> = new Set([
  'aten.clone.default',
  'aten.flip.default',
  'aten.lift_fresh_copy.default',
  BATCH_DIM.add,
  BATCH_DIM.remove,
  'onnx.Expand',
  'onnx.Flatten',
  'onnx.Identity',
  'onnx.Reshape',
  'onnx.Slice',
  'onnx.Squeeze',
  'onnx.Transpose',
  'onnx.Unsqueeze'
]);

/**
 * Whether every result holds elements of the first operand unchanged: the layout-only operators, and those that cut their
 * operand into several parts.
 */
export function isArrangement(node: INode): boolean {
  return isLayoutOnly(node) || cutsIntoParts(node);
}

/** Whether the results of a node are the parts of its first operand, one after the other along a dimension. */
export function cutsIntoParts(node: INode): boolean {
  return SPLITTING.has(node.op) || viewArrangement(node.op) === 'parts';
}

const SPLITTING: ReadonlySet<string> = new Set([
  'onnx.Split',
  // A sequence of parts, and one of them.
  'onnx.SplitToSequence',
  'onnx.SequenceAt'
]);

/** Whether a node hands on its operand as it is, not even as a view: casts to the dtype it has already. */
export function isTransparent(node: INode): boolean {
  return !changesDtype(node) && (castTarget(node) !== null || node.op.startsWith('aten.to.'));
}
