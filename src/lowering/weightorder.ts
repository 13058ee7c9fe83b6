/**
 * Where what is computed from weights alone stands among the nodes.
 *
 * @packageDocumentation
 */
import { bodiesOf } from '../model';
import type { IGraph, INode, IValue } from '../model';

/**
 * Put what depends on weights alone (casts, and what arranges or holds their results) in front of all other nodes, in place, nested
 * graphs included. Order within the two groups stays.
 *
 * #### Notes
 * onnxruntime does not run nodes in the order of the file. Of the operands of a node it computes first the one whose maker stands
 * *last* in the file (`Graph::ReverseDFSFrom` over `NodeCompare`, see also `executionOrder` of src/probes). As exported, the cast of a
 * layer's weight stands behind the layers before it: so it runs before them, and so do all others, and at the end of a chain of
 * layers the results of all casts are in memory at once. In front, a cast runs when all else its user needs is there, and its result is
 * given up right after. What runs, and in what order but for this, stays the same in all cache modes.
 *
 * #### Complexity
 * Linear in operands.
 */
export function computeWeightsLate(graph: IGraph): void {
  const ofWeights = new Set<IValue>();
  // Grows while it is gone through: a nested graph comes after the one whose weights it uses.
  const graphs = [graph];
  for (const current of graphs) {
    current.weights.forEach(({ value }) => ofWeights.add(value));
    const early: INode[] = [];
    const others: INode[] = [];
    for (const node of current.nodes) {
      const bodies = bodiesOf(node);
      graphs.push(...bodies);
      const isConstant = node.op === 'onnx.Constant';
      if (isConstant || (bodies.length === 0 && takesOnly(node, ofWeights))) {
        node.outputs.forEach(value => value !== null && ofWeights.add(value));
        early.push(node);
      } else {
        others.push(node);
      }
    }
    current.nodes = [...early, ...others];
  }
}

/** Whether a node has operands, and all of them are among `values`. */
function takesOnly({ inputs }: INode, values: ReadonlySet<IValue>): boolean {
  const operands = inputs.filter(value => value !== null);
  return operands.length > 0 && operands.every(value => values.has(value));
}
