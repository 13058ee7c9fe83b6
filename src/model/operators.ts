/**
 * What a node tells of itself in every dialect: is it a cast, does it hand on its operand.
 *
 * @packageDocumentation
 */
import type { DType } from './dtype';
import type { Attr, INode } from './graph';

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

/** What `torch.vmap` leaves in training IR: a dimension that the calls in between do not see, and its return. */
export const BATCH_DIM = {
  add: 'torch._functorch.predispatch._add_batch_dim',
  remove: 'torch._functorch.predispatch._remove_batch_dim'
} as const;

/** Whether a node hands on its operand as it is, not even as a view: casts to the dtype it has already. */
export function isTransparent(node: INode): boolean {
  return !changesDtype(node) && (castTarget(node) !== null || node.op.startsWith('aten.to.'));
}
