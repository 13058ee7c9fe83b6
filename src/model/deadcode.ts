/**
 * Dropping what no output needs.
 *
 * @packageDocumentation
 */
import type { IGraph, INode, IValue } from './graph';
import { bodiesOf, forEachNode } from './graph';

/** What else than their results nodes are kept for. */
export interface ISweepOptions {
  /** Who writes to which memory; absent where nothing is written in place. */
  readonly writes?: IWrites;
  /**
   * Leave nested graphs as they are, and keep what they use: for graphs that share theirs with another one.
   */
  readonly keepsBodies?: boolean;
}

/** Operators that write in place, and the memory that values share. */
export interface IWrites {
  /** A representative of all values that may share memory with `value`. */
  groupOf(value: IValue): IValue;
  /** The operand that a node writes to; null for all that write nothing. */
  targetOf(node: INode): IValue | null;
}

/**
 * Drop nodes whose results reach no output, as `run_decompositions()` does, and weights nothing uses; in nested graphs too. Node order
 * is kept. Linear in operands.
 *
 * #### Notes
 * An in-place operator is kept, though nothing uses its result, where memory it writes to is read by a later node that is
 * kept, or is an output. Checks without results (`_assert_tensor_metadata`, ...) are dropped.
 *
 * @returns the nodes dropped, in order.
 */
export function sweepDeadNodes(
  graph: IGraph,
  { writes, keepsBodies = false }: ISweepOptions = {}
): INode[] {
  const live = new Set<IValue>();
  // Representatives of memory that a kept later node, or an output, reads.
  const readLater = new Set<IValue>();
  const read = (value: IValue | null): void => {
    if (value !== null) {
      live.add(value);
      if (writes !== undefined) {
        readLater.add(writes.groupOf(value));
      }
    }
  };
  const isNeeded = (node: INode): boolean => {
    if (node.outputs.some(value => value !== null && live.has(value))) {
      return true;
    }
    const target = writes?.targetOf(node) ?? null;
    return target !== null && readLater.has(writes!.groupOf(target));
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
    if (!isNeeded(node)) {
      dropped.push(node);
      continue;
    }
    frame.kept.push(node);
    node.inputs.forEach(read);
    for (const body of bodiesOf(node)) {
      if (keepsBodies) {
        readAll(body, read);
      } else {
        stack.push(enter(body));
      }
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

/** Read whatever is used in a graph and those nested in it. */
function readAll(graph: IGraph, read: (value: IValue | null) => void): void {
  graph.outputs.forEach(read);
  forEachNode(graph, node => {
    node.inputs.forEach(read);
    bodiesOf(node).forEach(body => body.outputs.forEach(read));
  });
}
