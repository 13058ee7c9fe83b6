/**
 * How results hold the elements of the first operand, in every dialect.
 *
 * @packageDocumentation
 */
import type { INode, IValue } from '../model';
import { operatorOf } from './aten/registry';
import type { Arrangement } from './aten/operator';

/**
 * Whether the node's first result holds elements of its first input unchanged, only arranged anew, for every input:
 * transpose, permute, view, reshape, expand, slice, dropout outside of training, ... A cast commutes with each of these. Operators
 * that make several copies of every element in memory (`repeat`, `Tile`) are none: PyTorch casts what they made, not the tensor
 * itself.
 */
export function isLayoutOnly(node: INode): boolean {
  const arrangement = arrangementOf(node.op);
  return (
    arrangement === 'whole' ||
    arrangement === 'reordered' ||
    arrangement === 'cut' ||
    node.picks === true ||
    (arrangement === 'outside training' && isOutsideTraining(node))
  );
}

/**
 * Mark the nodes of a lowered operator that pick elements as a view does.
 *
 * @param first - index of the first node that a layout-only operator on `source` was lowered to; all after it are of that operator too.
 */
export function markPicks(nodes: readonly INode[], first: number, source: IValue): void {
  const arranged = new Set([source]);
  for (let i = first; i < nodes.length; i++) {
    const node = nodes[i];
    const [operand] = node.inputs;
    if (operand && arranged.has(operand)) {
      if (PICKING.has(node.op)) {
        node.picks = true;
      }
      if (isArrangement(node)) {
        node.outputs.forEach(value => value !== null && arranged.add(value));
      }
    }
  }
}

const PICKING: ReadonlySet<string> = new Set([
  'onnx.Gather',
  'onnx.GatherElements',
  'onnx.GatherND'
]);

/** Whether the program was exported for inference. */
function isOutsideTraining({ attrs }: INode): boolean {
  return attrs.train?.kind === 'bool' && !attrs.train.value;
}

/**
 * Whether every result holds elements of the first operand unchanged: the layout-only operators, and those that cut their
 * operand into several parts.
 */
export function isArrangement(node: INode): boolean {
  return isLayoutOnly(node) || cutsIntoParts(node);
}

/** Whether a layout-only node leaves its elements in their order, where its result has as many: a slice with a negative step does not. */
export function keepsOrder(node: INode): boolean {
  const arrangement = arrangementOf(node.op);
  return (
    arrangement !== 'reordered' &&
    node.picks !== true &&
    node.op !== 'onnx.Slice' &&
    isLayoutOnly(node)
  );
}

/** Whether the results of a node are the parts of its first operand, one after the other along a dimension. */
export function cutsIntoParts(node: INode): boolean {
  return arrangementOf(node.op) === 'parts';
}

/** Whether a result may hold only some of the elements of the first operand. */
export function cutsOut(node: INode): boolean {
  const arrangement = arrangementOf(node.op);
  return arrangement === 'parts' || arrangement === 'cut' || node.picks === true;
}

/** Whether an operator finds elements by their place in memory, which the strides of its first operand tell. */
export function addressesMemory(op: string): boolean {
  return operatorOf(op)?.addressesMemory ?? false;
}

function arrangementOf(op: string): Arrangement | null {
  return operatorOf(op)?.arrangement ?? ONNX.get(op) ?? null;
}

const ONNX: ReadonlyMap<string, Arrangement> = new Map([
  ['onnx.Expand', 'whole'],
  ['onnx.Flatten', 'whole'],
  ['onnx.Identity', 'whole'],
  ['onnx.Reshape', 'whole'],
  ['onnx.Slice', 'cut'],
  ['onnx.Split', 'parts'],
  // A sequence of parts, and one of them.
  ['onnx.SplitToSequence', 'parts'],
  ['onnx.SequenceAt', 'parts'],
  ['onnx.Squeeze', 'whole'],
  ['onnx.Transpose', 'reordered'],
  ['onnx.Unsqueeze', 'whole']
]);
