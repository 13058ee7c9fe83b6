/**
 * Which element types operators arrange or hand on.
 *
 * @packageDocumentation
 */
import type { DType, INode } from '../../model';
import { parameterAt, schemaOf, typesOf } from '../../operators';

/**
 * Whether an operator that looks at no element, or a loop for its state, takes tensors of a type, or a sequence of them; by its specification, not by
 * what a runtime has.
 *
 * @param position - of the operand.
 * @param opset - version of ai.onnx.
 */
export function takesElements(node: INode, position: number, dtype: DType, opset: number): boolean {
  const schema = schemaOf(node, opset);
  const parameter = schema === null ? null : parameterAt(schema.inputs, position);
  if (schema === null || parameter === null) {
    return true;
  }
  const types = typesOf(schema, parameter);
  return types.has(dtype) || types.has(`seq(${dtype})`);
}
