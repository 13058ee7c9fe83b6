/**
 * Operators that make no new numbers: every element of their result is an element of an operand, or exactly representable if the
 * operands are.
 *
 * @packageDocumentation
 */
import { bodiesOf, isFloating, isLosslessCast } from '../model';
import { isLayoutOnly } from '../operators';
import type { DType, INode, IValue } from '../model';

const EXACT: ReadonlySet<string> = new Set([
  'onnx.Abs',
  'onnx.Ceil',
  'onnx.Clip',
  'onnx.Compress',
  'onnx.Concat',
  'onnx.ConcatFromSequence',
  'onnx.Constant',
  'onnx.ConstantOfShape',
  'onnx.DepthToSpace',
  'onnx.Floor',
  'onnx.Gather',
  'onnx.GatherElements',
  'onnx.GatherND',
  'onnx.GlobalMaxPool',
  'onnx.Max',
  'onnx.MaxPool',
  'onnx.Min',
  'onnx.Neg',
  'onnx.OneHot',
  'onnx.Pad',
  'onnx.ReduceMax',
  'onnx.ReduceMin',
  'onnx.Relu',
  'onnx.ReverseSequence',
  'onnx.Round',
  'onnx.SequenceAt',
  'onnx.SequenceConstruct',
  'onnx.Sign',
  'onnx.SpaceToDepth',
  'onnx.Split',
  'onnx.SplitToSequence',
  'onnx.TopK',
  'onnx.Trilu',
  'onnx.Unique',
  'onnx.Where'
]);

/**
 * Whether the results of a node need no rounding to `result`, because every floating operand has values of that type already.
 *
 * @param dtypeOf - the logical dtype of an operand.
 */
export function isExact(
  node: INode,
  result: DType,
  dtypeOf: (value: IValue) => DType | null
): boolean {
  // Results of nested graphs were rounded there.
  if (bodiesOf(node).length > 0) {
    return true;
  }
  if (!EXACT.has(node.op) && !isLayoutOnly(node)) {
    return false;
  }
  return node.inputs.every(value => {
    if (value === null) {
      return true;
    }
    const dtype = dtypeOf(value);
    return dtype === null
      ? value.kind === 'other'
      : !isFloating(dtype) || isLosslessCast(dtype, result);
  });
}
