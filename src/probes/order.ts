/**
 * The order in which onnxruntime runs a graph, and the memory that its values take in that order.
 *
 * @packageDocumentation
 */
import type { IGraph, INode, IValue } from '../model';
import { bodiesOf } from '../model';

/**
 * Nodes in the order of execution.
 *
 * #### Notes
 * onnxruntime's sequential executor takes the nodes as a depth-first search leaves them that starts at the nodes nobody uses and
 * goes against the edges, later nodes of the file first (`GraphViewer` and `Graph::ReverseDFSFrom` in onnxruntime/core/graph).
 * So what a probe needs is run before anything else when the probe stands last. Constants are no nodes to it.
 *
 * #### Complexity
 * Linear in operands but for sorting those of a node.
 */
export function executionOrder(graph: IGraph): INode[] {
  const nodes = graph.nodes.filter(node => node.op !== 'onnx.Constant');
  const makers = new Map<IValue, number>();
  nodes.forEach((node, i) => {
    for (const value of node.outputs) {
      if (value !== null) {
        makers.set(value, i);
      }
    }
  });
  const sources = nodes.map(node => {
    const indices: number[] = [];
    for (const value of operandsOf(node)) {
      const maker = value === null ? undefined : makers.get(value);
      if (maker !== undefined) {
        indices.push(maker);
      }
    }
    return indices.sort((a, b) => a - b);
  });
  const isUsed = new Uint8Array(nodes.length);
  sources.forEach(indices => indices.forEach(index => (isUsed[index] = 1)));
  const stack: number[] = [];
  nodes.forEach((_, i) => isUsed[i] || stack.push(i));
  const isVisited = new Uint8Array(nodes.length);
  const order: INode[] = [];
  while (stack.length > 0) {
    const entry = stack.pop()!;
    // Entries below zero leave a node.
    if (entry < 0) {
      order.push(nodes[~entry]);
    } else if (!isVisited[entry]) {
      isVisited[entry] = 1;
      stack.push(~entry);
      for (const source of sources[entry]) {
        if (!isVisited[source]) {
          stack.push(source);
        }
      }
    }
  }
  return order;
}

/**
 * The most bytes that computed values take at any time of one run: results of nodes from their making to their last use, outputs
 * of the graph to the end, and for a node with nested graphs the most that those take at a time.
 *
 * @param sizeOf - bytes of a value.
 *
 * #### Notes
 * Inputs and weights are not counted. Operators that only change the shape share the memory of their operand, as in
 * onnxruntime, unless their result is an output; its other reuse of buffers is not counted.
 */
export function peakLiveBytes(graph: IGraph, sizeOf: (value: IValue) => number): number {
  const order = executionOrder(graph);
  const roots = new Map<IValue, IValue>();
  const rootOf = (value: IValue): IValue => roots.get(value) ?? value;
  const outputs = new Set(graph.outputs);
  const lastUse = new Map<IValue, number>();
  order.forEach((node, i) => {
    const [source] = node.inputs;
    const [result] = node.outputs;
    if (RESHAPES.has(node.op) && source && result && !outputs.has(result)) {
      roots.set(result, rootOf(source));
    }
    for (const values of [operandsOf(node), node.outputs]) {
      for (const value of values) {
        if (value !== null) {
          lastUse.set(rootOf(value), i);
        }
      }
    }
  });
  graph.outputs.forEach(value => lastUse.set(rootOf(value), order.length));
  const dying = order.map((): IValue[] => []);
  const made = new Set<IValue>();
  for (const node of order) {
    for (const value of node.outputs) {
      if (value !== null && !roots.has(value)) {
        made.add(value);
        dying[lastUse.get(value)!]?.push(value);
      }
    }
  }
  let live = 0;
  let peak = 0;
  order.forEach((node, i) => {
    for (const value of node.outputs) {
      live += value !== null && made.has(value) ? sizeOf(value) : 0;
    }
    const inside = Math.max(0, ...bodiesOf(node).map(body => peakLiveBytes(body, sizeOf)));
    peak = Math.max(peak, live + inside);
    for (const value of dying[i]) {
      live -= sizeOf(value);
    }
  });
  return peak;
}

/** Operators whose result is their first operand in another shape. */
const RESHAPES: ReadonlySet<string> = new Set([
  'onnx.Flatten',
  'onnx.Identity',
  'onnx.Reshape',
  'onnx.Squeeze',
  'onnx.Unsqueeze'
]);

/** Operands of a node, and values of the graphs outside that its nested graphs use. */
function operandsOf(node: INode): readonly (IValue | null)[] {
  const stack = [...bodiesOf(node)];
  if (stack.length === 0) {
    return node.inputs;
  }
  const found = [...node.inputs];
  while (stack.length > 0) {
    const body = stack.pop()!;
    found.push(...body.outputs);
    for (const inner of body.nodes) {
      found.push(...inner.inputs);
      stack.push(...bodiesOf(inner));
    }
  }
  return found;
}
