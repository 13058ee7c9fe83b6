/**
 * Constants written into graphs.
 *
 * @packageDocumentation
 */
import type { IGraph, IValue, IWeight } from '../model';
import { graphsOf } from '../model';

/**
 * Make weights of Constant nodes, in place, each of the graph or nested graph that holds it. Linear in nodes.
 *
 * @param weightOf - the weight that the tensor of a node becomes; null where it stays.
 */
export function liftConstants(
  graph: IGraph,
  weightOf: (value: IValue, tensor: IWeight) => IWeight | null
): void {
  for (const one of graphsOf(graph)) {
    one.nodes = one.nodes.filter(({ op, attrs, outputs: [value] }) => {
      const tensor = op === 'onnx.Constant' ? attrs.value : undefined;
      const weight = tensor?.kind === 'tensor' && value ? weightOf(value, tensor.value) : null;
      if (weight === null) {
        return true;
      }
      one.weights.push({ value: value!, weight });
      return false;
    });
  }
}
