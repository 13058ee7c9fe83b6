/**
 * Which element types operators arrange or hand on.
 *
 * @packageDocumentation
 */
import type { DType, INode } from '../../model';

/**
 * Whether an operator that looks at no element, or a loop for its state, takes tensors of a floating-point type; by its specification, not by
 * what a runtime has.
 *
 * Source: the operators' history in onnx 1.23; for 8 bits e4m3 and e5m2. Those of 16 bits and more that are not named are taken by all.
 *
 * @param opset - version of ai.onnx.
 */
export function takesElements({ op }: INode, dtype: DType, opset: number): boolean {
  const since = SINCE.get(op);
  if (since === undefined || dtype === 'float64' || dtype === 'float32' || dtype === 'float16') {
    return true;
  }
  return opset >= (dtype === 'bfloat16' ? since[0] : since[1]);
}

/** First operator set with bfloat16, and with types of 8 bits. */
const SINCE: ReadonlyMap<string, readonly [number, number]> = new Map([
  ['onnx.Expand', [13, Infinity]],
  ['onnx.Flatten', [13, 21]],
  ['onnx.Identity', [13, 19]],
  ['onnx.Loop', [16, 19]],
  ['onnx.Reshape', [13, 19]],
  ['onnx.Scan', [16, 19]],
  ['onnx.SequenceAt', [Infinity, Infinity]],
  ['onnx.Shape', [13, 19]],
  ['onnx.Size', [13, 19]],
  ['onnx.Slice', [13, Infinity]],
  ['onnx.Split', [13, Infinity]],
  ['onnx.SplitToSequence', [24, Infinity]],
  ['onnx.Squeeze', [13, 21]],
  ['onnx.Transpose', [13, 21]],
  ['onnx.Unsqueeze', [13, 21]]
]);
