/**
 * Inputs and outputs of a graph in types that the runtime's binding passes.
 *
 * @packageDocumentation
 */
import type { DType, GraphNames, IGraph, IValue } from '../model';
import { DTYPES, isLowPrecision, isPacked, makeValue } from '../model';
import type { Provenance } from '../operators';
import { dtypeAttr, NodeBuilder } from '../operators';

/**
 * The type in which elements of a type that cannot be passed are taken and given: one that holds every value of it. Itself where there
 * is none.
 */
export function carrierOf(dtype: DType): DType {
  if (isLowPrecision(dtype)) {
    return 'float32';
  }
  return isPacked(dtype) ? (DTYPES[dtype].kind === 'int' ? 'int8' : 'uint8') : dtype;
}

/** Whether an output can be handed to a caller: a tensor of numbers or truth values. */
export function isShown({ kind, dtype }: IValue): boolean {
  return kind !== 'other' && (dtype === null || !UNSHOWN.has(DTYPES[dtype].kind));
}

const UNSHOWN: ReadonlySet<string> = new Set(['string', 'complex']);

/**
 * Leave outputs out that cannot be handed to a caller, in place.
 *
 * @returns the positions of those that stay.
 */
export function keepShownOutputs(graph: IGraph): number[] {
  const kept = [...graph.outputs.keys()].filter(i => isShown(graph.outputs[i]));
  graph.outputs = kept.map(i => graph.outputs[i]);
  return kept;
}

/**
 * Give inputs and outputs of types that are not passed the type that carries them, in place, with a cast of role `boundary` behind or
 * before each.
 */
export function castEnds(
  graph: IGraph,
  passes: (dtype: DType) => boolean,
  names: GraphNames
): void {
  const isOpen = ({ dtype }: IValue): boolean =>
    dtype !== null && !passes(dtype) && carrierOf(dtype) !== dtype;
  const first = new NodeBuilder(names);
  const last = new NodeBuilder(names);
  const carried = (value: IValue): IValue => {
    const end = makeValue(value.name, carrierOf(value.dtype!), value.shape);
    value.name = names.value(`${value.name}:${value.dtype}`);
    return end;
  };
  const emit = (builder: NodeBuilder, source: IValue, result: IValue, name: string): void => {
    const attrs = { to: dtypeAttr(result.dtype!) };
    builder.emitInto(result, 'onnx.Cast', name, [source], attrs, NOWHERE, 'boundary');
  };
  graph.inputs = graph.inputs.map(value => {
    if (!isOpen(value)) {
      return value;
    }
    const end = carried(value);
    emit(first, end, value, `${end.name}/boundary`);
    return end;
  });
  graph.outputs = graph.outputs.map((value, i) => {
    if (!isOpen(value)) {
      return value;
    }
    const end = carried(value);
    emit(last, value, end, `${end.name}/boundary_${i}`);
    return end;
  });
  first.prependTo(graph);
  last.appendTo(graph);
}

const NOWHERE: Provenance = { region: null, module: null, source: null };
