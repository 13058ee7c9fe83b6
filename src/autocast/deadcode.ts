/**
 * Dropping what no output needs.
 *
 * @packageDocumentation
 */
import type { IGraph, INode, IValue } from '../model';
import { bodiesOf } from '../model';
import { findAliases } from './aliasing';
import { writesInPlace } from './dtypes';

/**
 * Drop nodes whose results reach no output, as `run_decompositions()` does, and weights nothing uses; in nested graphs too.
 * Node order is kept.
 * Linear in operands.
 *
 * #### Notes
 * An in-place operator is kept, though nothing uses its result, where memory it writes to is read by a later node that is
 * kept, or is an output. Checks without results (`_assert_tensor_metadata`, ...) are dropped.
 *
 * @returns the nodes dropped, in order.
 */
export function dropDeadNodes(graph: IGraph): INode[] {
  const aliases = findAliases(graph);
  const live = new Set<IValue>();
  // Representatives of memory that a kept later node, or an output, reads.
  const readLater = new Set<IValue>();
  const read = (value: IValue | null): void => {
    if (value === null) {
      return;
    }
    live.add(value);
    if (!aliases.isFunctional) {
      readLater.add(aliases.groupOf(value));
    }
  };
  const dropped: INode[] = [];
  // Backwards; a nested graph is gone through when the node that holds it is kept, before the nodes ahead of that node.
  const enter = (one: IGraph): IFrame => {
    one.outputs.forEach(read);
    return { graph: one, next: one.nodes.length - 1, kept: [] };
  };
  const stack: IFrame[] = [enter(graph)];
  while (stack.length > 0) {
    const frame = stack[stack.length - 1];
    if (frame.next < 0) {
      frame.graph.nodes = frame.kept.reverse();
      frame.graph.weights = frame.graph.weights.filter(({ value }) => live.has(value));
      stack.pop();
      continue;
    }
    const node = frame.graph.nodes[frame.next--];
    const target = node.inputs[0] ?? null;
    if (
      node.outputs.some(value => value !== null && live.has(value)) ||
      (writesInPlace(node) && target !== null && readLater.has(aliases.groupOf(target)))
    ) {
      frame.kept.push(node);
      node.inputs.forEach(read);
      bodiesOf(node).forEach(body => stack.push(enter(body)));
    } else {
      dropped.push(node);
    }
  }
  return dropped.reverse();
}

interface IFrame {
  readonly graph: IGraph;
  /** Index of the node to look at next. */
  next: number;
  /** Nodes kept so far, last first. */
  readonly kept: INode[];
}
