/**
 * Where what is computed from weights alone stands among the nodes.
 *
 * @packageDocumentation
 */
import { bringForward, nodesOfWeights } from '../dataflow';
import type { IGraph } from '../model';

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
  bringForward(graph, nodesOfWeights(graph));
}
