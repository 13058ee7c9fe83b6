/**
 * Constant nodes that hold weights.
 *
 * @packageDocumentation
 */
import { Destinations, liftConstants } from '../../dataflow';
import type { IGraph, IValue } from '../../model';

/**
 * Make weights of the graph, or of the nested graph that holds them, of the tensors in Constant nodes that are cast, in
 * place. Tensors too large to have been read are weights whatever is done with them; other ones are numbers of an operator. So are all
 * without dimensions: exporters write Python's numbers so, and cast them.
 * Linear in operands.
 */
export function liftCastConstants(graph: IGraph): void {
  const destinations = new Destinations(graph);
  liftConstants(graph, (value, weight) => {
    const { data, dtype, shape } = weight;
    const mayBeWeight = dtype !== 'string' && shape.length > 0;
    return mayBeWeight && (data.kind === 'range' || isCast(value, destinations))
      ? { ...weight, names: [value.name] }
      : null;
  });
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
