/**
 * Operators that give a view of every tensor in a list, as one operator for each.
 *
 * What is known of views follows the first operand to the results. Of these operators each result is a view of the operand in the
 * same place.
 *
 * @packageDocumentation
 */
import type { Attr, INode, IValue } from '../model';
import { formatShape, staticShape } from '../model';

/**
 * The operators that a node stands for: itself, or one for every tensor of its list, with the results of the node.
 *
 * @param nameOf - gives names that are not taken.
 */
export function viewsByOperand(node: INode, nameOf: (wanted: string) => string): readonly INode[] {
  const single = SINGLE.get(node.op);
  if (single !== undefined) {
    return operandsOf(node).map((operand, i) => viewOf(node, i, nameOf, single, [operand], {}));
  }
  return node.op === 'aten.broadcast_tensors.default'
    ? (eachBroadcast(node, nameOf) ?? [node])
    : [node];
}

/** By the operator on a list, the one on a tensor. */
const SINGLE: ReadonlyMap<string, string> = new Map(
  [1, 2, 3].map(rank => [`aten.atleast_${rank}d.Sequence`, `aten.atleast_${rank}d.default`])
);

/** `expand` of every operand. Null where a size is known at run time only and no other operand has it. */
function eachBroadcast(node: INode, nameOf: (wanted: string) => string): INode[] | null {
  const operands = operandsOf(node);
  const made: INode[] = [];
  for (const [i, operand] of operands.entries()) {
    const shape = node.outputs[i]?.shape ?? null;
    if (shape === null) {
      return null;
    }
    const sizes = staticShape(shape);
    if (sizes !== null) {
      const size: Attr = { kind: 'list', items: sizes.map(value => ({ kind: 'int', value })) };
      made.push(viewOf(node, i, nameOf, 'aten.expand.default', [operand], { size }));
      continue;
    }
    const like = operands.find(
      other => other.shape !== null && formatShape(other.shape) === formatShape(shape)
    );
    if (like === undefined) {
      return null;
    }
    const other: Attr = { kind: 'input', index: 1 };
    made.push(viewOf(node, i, nameOf, 'aten.expand_as.default', [operand, like], { other }));
  }
  return made;
}

/** The tensors of the list. */
function operandsOf(node: INode): IValue[] {
  const { tensors } = node.attrs;
  return tensors.kind === 'list'
    ? tensors.items.flatMap(item => {
        const value = item.kind === 'input' ? node.inputs[item.index] : null;
        return value === null ? [] : [value];
      })
    : [];
}

function viewOf(
  node: INode,
  index: number,
  nameOf: (wanted: string) => string,
  op: string,
  inputs: IValue[],
  attrs: Record<string, Attr>
): INode {
  return {
    ...node,
    name: index === 0 ? node.name : nameOf(`${node.name}_${index}`),
    op,
    inputs,
    attrs: { self: { kind: 'input', index: 0 }, ...attrs },
    outputs: [node.outputs[index] ?? null]
  };
}
