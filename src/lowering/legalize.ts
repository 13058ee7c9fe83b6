/**
 * Making a graph of ONNX operators one that a device's kernels can run.
 *
 * @packageDocumentation
 */
import { bodiesOf, cloneGraph, GraphNames, isContiguous, sweepDeadNodes } from '../model';
import type { DType, IGraph, IValue } from '../model';
import { liftConstants } from '../dataflow';
import { NodeBuilder } from '../operators';
import type { ICapabilities } from './capabilities';
import { passesBinding } from './capabilities';
import { asDerived, holdInFloat32 } from './hold';
import { computeWhereKernelsAre } from './lowprecision';
import { castEnds, keepShownOutputs } from './ends';
import { separateCasts } from './separatecasts';
import { computeWeightsLate } from './weightorder';
import { placeWeights } from './weightside';

/** An input or output of a legal graph. */
export interface IBoundary {
  /** The value in the legal graph; its dtype is what the runtime takes or gives. */
  readonly value: IValue;
  /** Position among the inputs or outputs of the graph that was made legal: some outputs cannot be shown. */
  readonly index: number;
  /** The model's own dtype; differs from the value's where the runtime cannot pass it. */
  readonly dtype: DType | null;
}

/** A graph that a device can run, with the types of its ends in the model. */
export interface ILegalGraph {
  readonly graph: IGraph;
  /** In the order of the graph's inputs. */
  readonly inputs: readonly IBoundary[];
  /** In the order of the graph's outputs. */
  readonly outputs: readonly IBoundary[];
}

/**
 * Legalise a graph of ONNX operators, lowered or from a file. The operand is not changed.
 *
 * 1. Weights go to the side of matrix products that the device needs.
 * 2. Values of types the device holds are held in float32, others are computed in where it has kernels. Conversion at the boundary
 *    is the caller's: every value of a narrow type is a float32 value, so inputs are widened and outputs rounded without loss.
 * 3. Weights that are not contiguous are stored anew (`derived` without steps).
 * 4. Outputs that are inputs, weights or other outputs get an Identity, for names must differ.
 * 5. Casts of casts are kept apart, so that all of them run.
 * 6. What is computed from weights alone goes in front, so that it runs right before it is used.
 *
 * The names of weight casts stay; casts added here have a role.
 */
export function legalize(source: IGraph, capabilities: ICapabilities): ILegalGraph {
  const { graph } = cloneGraph(source);
  const names = GraphNames.forOnnx(graph);
  const shown = keepShownOutputs(graph);
  const inputTypes = graph.inputs.map(value => value.dtype);
  const outputTypes = graph.outputs.map(value => value.dtype);
  const outputNames = graph.outputs.map(value => value.name);
  // Those whose bytes lie in a file can refer to them there.
  liftConstants(graph, (_, weight) => (weight.data.kind === 'inline' ? null : weight));
  if (capabilities.weightSide !== null) {
    placeWeights(graph, capabilities.weightSide, names);
  }
  holdInFloat32(graph, capabilities, names);
  computeWhereKernelsAre(graph, capabilities, names);
  castEnds(graph, capabilities.passes, names);
  nameOutputs(graph, outputNames, names);
  sweepDeadNodes(graph);
  storeContiguous(graph);
  separateCasts(graph, names);
  computeWeightsLate(graph);
  return {
    graph,
    inputs: graph.inputs.map((value, i) => ({ value, index: i, dtype: inputTypes[i] })),
    outputs: graph.outputs.map((value, i) => ({ value, index: shown[i], dtype: outputTypes[i] }))
  };
}

/** A graph that the runtime is given as it is, but for outputs that cannot be shown and ends in types that are not passed. */
export function passAsExported(source: IGraph): ILegalGraph {
  const { graph } = cloneGraph(source);
  const names = GraphNames.forOnnx(graph);
  const shown = keepShownOutputs(graph);
  const [inputTypes, outputTypes] = [graph.inputs, graph.outputs].map(values =>
    values.map(({ dtype }) => dtype)
  );
  castEnds(graph, passesBinding, names);
  return {
    graph,
    inputs: graph.inputs.map((value, i) => ({ value, index: i, dtype: inputTypes[i] })),
    outputs: graph.outputs.map((value, i) => ({ value, index: shown[i], dtype: outputTypes[i] }))
  };
}

/** Give every output a name and a producer of its own, the name it had where that is free. */
function nameOutputs(graph: IGraph, wanted: readonly string[], names: GraphNames): void {
  const fixed = new Set<IValue>([...graph.inputs, ...graph.weights.map(({ value }) => value)]);
  let inUse: Set<string> | null = null;
  /** The name, unless another value has it. */
  const take = (value: IValue, name: string): void => {
    inUse ??= namesInUse(graph, fixed);
    if (!inUse.has(name)) {
      value.name = name;
      inUse.add(name);
    }
  };
  const builder = new NodeBuilder(names);
  graph.outputs = graph.outputs.map((value, i) => {
    if (fixed.has(value)) {
      const [copy] = builder.emit(
        'onnx.Identity',
        `output_${i}/Identity`,
        [value],
        {},
        [{ dtype: value.dtype, shape: value.shape }],
        { region: null, module: null, source: null }
      );
      take(copy, wanted[i]);
      return copy;
    }
    fixed.add(value);
    if (value.name !== wanted[i]) {
      take(value, wanted[i]);
    }
    return value;
  });
  builder.appendTo(graph);
}

/** Names of results of the graph's nodes, and of other values. */
function namesInUse(graph: IGraph, others: Iterable<IValue>): Set<string> {
  const inUse = new Set<string>();
  for (const value of others) {
    inUse.add(value.name);
  }
  for (const node of graph.nodes) {
    for (const value of node.outputs) {
      if (value !== null) {
        inUse.add(value.name);
      }
    }
  }
  return inUse;
}

/** Runtimes read stored tensors row by row: others become derived weights. */
function storeContiguous(graph: IGraph): void {
  const stack = [graph];
  while (stack.length > 0) {
    const current = stack.pop()!;
    current.weights = current.weights.map(({ value, weight }) =>
      weight.data.kind !== 'derived' && !isContiguous(weight)
        ? { value, weight: asDerived(weight, null) }
        : { value, weight }
    );
    for (const node of current.nodes) {
      stack.push(...bodiesOf(node));
    }
  }
}
