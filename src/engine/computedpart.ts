/**
 * The part of a graph that depends on weights alone, apart from the rest.
 *
 * @packageDocumentation
 */
import {
  asComputedWeight,
  goForward,
  GraphEditor,
  Makers,
  SameValues,
  WeightFlows
} from '../dataflow';
import { isRandom } from '../operators';
import type { IGraph, INode, IValue, IWeight } from '../model';
import {
  bodiesOf,
  forEachNode,
  GraphNames,
  graphsOf,
  isFloating,
  makeValue,
  usesOf
} from '../model';
import type { DType } from '../model';

/** What is computed from weights once, when a variant is loaded. */
export interface IComputedPart {
  /** Computes the values; its outputs are what the rest of the graph uses. It has no inputs. */
  readonly graph: IGraph;
  /** Outputs of `graph`, and the weights of the rest that they become; those have no bytes yet. */
  readonly results: readonly { readonly output: IValue; readonly weight: IWeight }[];
}

/** Dtypes that onnxruntime gives to its caller; bfloat16 is given as float32. */
const PASSED: ReadonlySet<DType> = new Set<DType>([
  'float32',
  'float64',
  'float16',
  'bfloat16',
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
  'bool'
]);

/** Operators that runtimes pack constant operands of; by number of the first operand packed. */
const PACKING: ReadonlySet<string> = new Set([
  'onnx.ConvTranspose',
  'onnx.Gemm',
  'onnx.GRU',
  'onnx.LSTM',
  'onnx.MatMul',
  'onnx.RNN'
]);

/** Operators whose results hold every element several times: they are left to the forward. */
const GROWING: ReadonlySet<string> = new Set(['onnx.Expand', 'onnx.Identity', 'onnx.Tile']);

/**
 * Take what depends on weights alone out of a legal graph, in place, as AOTInductor's constant folding does.
 *
 * What the rest uses of it becomes weights of the rest, without bytes yet. The operators are the same ones, on the same operands: run by
 * the same runtime they give the same bits.
 *
 * #### Notes
 * Left where they are: weights that are only arranged; what holds graphs, draws random numbers or depends on a weight that the program
 * writes to; copies of a computed weight at the end (`Expand`); and values of types that the runtime does not hand over.
 *
 * #### Complexity
 * Linear in operands.
 *
 * @returns null where there is nothing to compute.
 */
export function splitComputed(graph: IGraph): IComputedPart | null {
  const flows = new WeightFlows(graph);
  const folded = new Set<INode>();
  const order: INode[] = [];
  forEachNode(graph, node => {
    if (isComputed(node, flows)) {
      folded.add(node);
      order.push(node);
    }
  });
  if (folded.size === 0) {
    return null;
  }
  const uses = usesOf(graph);
  const ends = new Set(graphsOf(graph).flatMap(one => one.outputs));
  const given = handedOnValues(graph);
  const isUsedByRest = (value: IValue): boolean =>
    ends.has(value) ||
    given.operands.has(value) ||
    (uses.get(value) ?? []).some(({ node }) => !folded.has(node));
  for (const node of [...order].reverse()) {
    const used = node.outputs.filter(value => value !== null && isUsedByRest(value));
    if (
      used.length > 0 &&
      (GROWING.has(node.op) || used.some(value => !value?.dtype || !PASSED.has(value.dtype)))
    ) {
      folded.delete(node);
    }
  }
  const kept = order.filter(node => folded.has(node));
  const results = kept.flatMap(node =>
    node.outputs.filter((value): value is IValue => value !== null && isUsedByRest(value))
  );
  if (results.length === 0) {
    return null;
  }
  const names = GraphNames.forOnnx(graph);
  const part = partOf(graph, kept, results, given.origins, names);
  const weights = new Map(results.map((value, i) => [value, part.results[i].weight]));
  takeOut(graph, folded, weights, names);
  return part;
}

/** Whether a node computes something of weights: more than an arrangement or a floating-point cast of one of them. */
function isComputed(node: INode, flows: WeightFlows): boolean {
  const results = node.outputs.filter(value => value !== null);
  return (
    results.length > 0 &&
    bodiesOf(node).length === 0 &&
    !isRandom(node) &&
    results.every(value => {
      const flow = flows.of(value);
      return (
        flow?.kind === 'computed' ||
        (flow?.kind === 'stored' && flow.lineage.isCast && !isFloating(flow.lineage.weight.dtype))
      );
    })
  );
}

/** What bodies are given: the operands, and by value in a body the operand it stands for. */
function handedOnValues(graph: IGraph): {
  readonly operands: ReadonlySet<IValue>;
  readonly origins: SameValues;
} {
  const operands = new Set<IValue>();
  const origins = new SameValues();
  goForward(graph, {
    handedOn: (value, operand) => {
      operands.add(operand);
      origins.set(value, operand);
    }
  });
  return { operands, origins };
}

/** A graph of its own that computes `results`. */
function partOf(
  graph: IGraph,
  folded: readonly INode[],
  results: readonly IValue[],
  origins: SameValues,
  names: GraphNames
): IComputedPart {
  const makers = new Makers(graph);
  const weights = new Map(
    graphsOf(graph).flatMap(one => one.weights.map(({ value, weight }) => [value, weight] as const))
  );
  const usedWeights = new Map<IValue, IWeight>();
  const cone = makers.coneOf(folded, operand => {
    const value = origins.resolve(operand);
    const weight = weights.get(value);
    if (weight !== undefined) {
      usedWeights.set(value, weight);
    }
    return weight === undefined ? makers.of(value) : null;
  });
  const nodes: INode[] = cone.map(node => ({
    ...node,
    inputs: node.inputs.map(value => (value === null ? null : origins.resolve(value)))
  }));
  const outputs = results.map((value, i) => {
    if (value.dtype !== 'bfloat16') {
      return value;
    }
    // The runtime hands over no bfloat16; the way through float32 and back changes nothing.
    const wide = makeValue(names.value(`${value.name}/float32`), 'float32', value.shape);
    nodes.push({
      name: names.node(`computed_${i}/Cast`),
      op: 'onnx.Cast',
      inputs: [value],
      attrs: { to: { kind: 'dtype', value: 'float32' } },
      outputs: [wide],
      region: null,
      module: null,
      source: null,
      role: 'boundary'
    });
    return wide;
  });
  return {
    graph: {
      name: `${graph.name}/computed`,
      inputs: [],
      outputs,
      nodes,
      weights: [...usedWeights].map(([value, weight]) => ({ value, weight })),
      opsets: { ...graph.opsets }
    },
    results: outputs.map((output, i) => ({ output, weight: asComputedWeight(results[i]) }))
  };
}

/** Make weights of `results`, and drop the nodes that computed them. */
function takeOut(
  graph: IGraph,
  folded: ReadonlySet<INode>,
  results: ReadonlyMap<IValue, IWeight>,
  names: GraphNames
): void {
  for (const [value, weight] of results) {
    graph.weights.push({ value, weight });
  }
  let copies = 0;
  const copy = (value: IValue): { node: INode; made: IValue } => {
    const made = makeValue(names.value(`${value.name}/copy_${copies}`), value.dtype, value.shape);
    const node: INode = {
      name: names.node(`computed_copy_${copies++}`),
      op: 'onnx.Identity',
      inputs: [value],
      attrs: {},
      outputs: [made],
      region: null,
      module: null,
      source: null
    };
    return { node, made };
  };
  const editor = new GraphEditor(graph, names);
  folded.forEach(node => editor.remove(node));
  for (const one of graphsOf(graph)) {
    for (const node of one.nodes) {
      if (!folded.has(node) && PACKING.has(node.op)) {
        // The runtime must not know the operand to be constant: its kernel for packed ones adds up in another order.
        node.inputs = node.inputs.map((value, i) => {
          const mayBePacked = i > 0 && value !== null && results.has(value);
          if (!mayBePacked || (node.op === 'onnx.MatMul' && (value.shape?.length ?? 2) > 2)) {
            return value;
          }
          const { node: hidden, made } = copy(value);
          editor.insertBefore(node, hidden);
          return made;
        });
      }
    }
    // What a graph returns is the result of one of its own nodes, under the name that it has.
    one.outputs.forEach((value, i) => {
      if (!results.has(value)) {
        return;
      }
      const { node, made } = copy(value);
      [value.name, made.name] = [made.name, value.name];
      editor.append(one, node);
      one.outputs[i] = made;
    });
  }
  editor.finish();
}
