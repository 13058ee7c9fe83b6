/**
 * Constant nodes that hold weights.
 *
 * @packageDocumentation
 */
import { Destinations } from '../../dataflow';
import type { IGraph, INode, IValue, IWeight } from '../../model';
import { bodiesOf } from '../../model';

/**
 * Make weights of the graph, or of the nested graph that holds them, of the tensors in Constant nodes that are cast, in
 * place. Tensors too large to have been read are weights whatever is done with them; other ones are numbers of an operator. So are all
 * without dimensions: exporters write Python's numbers so, and cast them.
 * Linear in operands.
 */
export function liftConstants(graph: IGraph): void {
  const destinations = new Destinations(graph);
  const graphs = [graph];
  for (const current of graphs) {
    current.nodes = current.nodes.filter(node => {
      graphs.push(...bodiesOf(node));
      const weight = tensorOf(node);
      const [value] = node.outputs;
      if (
        weight === null ||
        !value ||
        !(weight.data.kind === 'range' || isCast(value, destinations))
      ) {
        return true;
      }
      current.weights.push({ value, weight: { ...weight, names: [value.name] } });
      return false;
    });
  }
}

function tensorOf({ op, attrs }: INode): IWeight | null {
  const { value } = attrs;
  if (op !== 'onnx.Constant' || value?.kind !== 'tensor') {
    return null;
  }
  const { dtype, shape } = value.value;
  return dtype !== 'string' && shape.length > 0 ? value.value : null;
}

/** Whether a value is cast to another dtype, directly or behind layout operators. */
function isCast(value: IValue, destinations: Destinations): boolean {
  let found = false;
  destinations.follow([value], ({ step }) => {
    found ||= step === 'cast';
    return !found && step !== null;
  });
  return found;
}
