/**
 * Whether a node only arranges the elements of its first operand anew, in every dialect.
 *
 * @packageDocumentation
 */
import { BATCH_DIM } from '../model';
import type { INode } from '../model';
import { viewArrangement } from './views';

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
