/**
 * Probes put into a graph.
 *
 * Probes stand behind all other nodes, that of the value computed last first: onnxruntime then runs each as soon as its value is
 * there (see order.ts), and no value lives longer than it would without.
 *
 * @packageDocumentation
 */
import { Names } from '../lowering';
import { bodiesOf, cloneGraph, forEachNode, removeDeadNodes } from '../model';
import type { IGraph, INode, IValue, IWeight } from '../model';
import { emitDifference } from './difference';
import { Emitter } from './emitter';
import { executionOrder } from './order';
import type { ISummaryPorts } from './summary';
import { emitSummary } from './summary';

/** A graph with summaries, and where to find them among its outputs. */
export interface ISummaryGraph {
  readonly graph: IGraph;
  /** In the order of the values. */
  readonly probes: readonly ISummaryPorts[];
}

/**
 * Summarise values of a graph.
 *
 * @param source - ONNX operators that the device can run; not changed. Weights are shared.
 * @param names - values of `source`, by name.
 * @param chunk - see {@link emitSummary}.
 * @param keepOutputs - whether the outputs of `source` stay beside those of the probes. Without them only what the probes need is
 * computed.
 *
 * @throws Error where a name is none of a value of the graph.
 */
export function summaryGraph(
  source: IGraph,
  names: readonly string[],
  chunk: number,
  keepOutputs = false
): ISummaryGraph {
  const { graph } = cloneGraph(source);
  const taken = new Names();
  taken.takeAll(graph);
  const emitter = Emitter.for(graph, taken);
  const probes = new Map<string, ISummaryPorts>();
  for (const { name, value } of inReverseOrder(graph, new Set(names))) {
    probes.set(name, emitSummary(emitter, value, chunk));
  }
  const results = names.map(name => probes.get(name)!);
  graph.nodes = [...graph.nodes, ...emitter.nodes];
  graph.outputs = [
    ...(keepOutputs ? graph.outputs : []),
    ...results.flatMap(({ counts, figures, shape }) => [counts, figures, shape])
  ];
  removeDeadNodes(graph);
  return { graph, probes: results };
}

/** A run of elements of a value and its counterpart in the reference. */
export interface IPiece {
  /** Names of the two values. */
  readonly value: string;
  readonly reference: string;
  /** Elements of each. */
  readonly size: number;
  /** First element of the piece, and the one behind its last, in row-major order. */
  readonly start: number;
  readonly end: number;
}

/** A graph with comparisons, and the outputs they give. */
export interface IDifferenceGraph {
  readonly graph: IGraph;
  /** Vectors for `readDifference`, in the order of the pieces. */
  readonly probes: readonly IValue[];
}

/**
 * Compare pieces of values of a graph with those of a reference that is run on the same inputs.
 *
 * @param source - ONNX operators that the device can run; not changed.
 * @param reference - another graph with inputs of the same names; not changed.
 * @param chunk - see {@link emitDifference}.
 *
 * #### Notes
 * Both graphs become one. It first computes the reference up to the pieces wanted, and holds those; then the graph itself, whose
 * inputs wait for them: their shapes are computed from those of the pieces, to no effect. So beside the pieces no more than one
 * of both graphs takes memory at a time. Weights that both have in the same form are one.
 *
 * @throws Error where a name is none of a value of its graph.
 */
export function differenceGraph(
  source: IGraph,
  reference: IGraph,
  pieces: readonly IPiece[],
  chunk: number
): IDifferenceGraph {
  const { graph } = cloneGraph(source);
  const second = cloneGraph(reference).graph;
  const values = inReverseOrder(graph, new Set(pieces.map(piece => piece.value)));
  const names = new Names();
  names.takeAll(graph);
  joinEnds(graph, second);
  const references = inReverseOrder(second, new Set(pieces.map(piece => piece.reference)));
  rename(second, graph, names);
  const emitter = Emitter.for(graph, names);

  const held = new Map<IPiece, IValue>();
  for (const { name, value } of references) {
    for (const piece of pieces.filter(piece => piece.reference === name).reverse()) {
      held.set(piece, emitPiece(emitter, value, piece));
    }
  }
  const gates = emitGates(emitter, graph.inputs, [...held.values()]);
  const first = [...second.nodes, ...emitter.nodes];
  const emitted = emitter.nodes.length;
  replaceValues(graph.nodes, gates);

  const probes = new Map<IPiece, IValue>();
  for (const { name, value } of values) {
    for (const piece of pieces.filter(piece => piece.value === name).reverse()) {
      const part = emitPiece(emitter, gates.get(value) ?? value, piece);
      probes.set(piece, emitDifference(emitter, part, held.get(piece)!, chunk));
    }
  }
  const results = pieces.map(piece => probes.get(piece)!);
  const joined: IGraph = {
    ...graph,
    inputs: [...new Set([...graph.inputs, ...second.inputs])],
    weights: [...new Set([...graph.weights, ...second.weights])],
    nodes: [...first, ...graph.nodes, ...emitter.nodes.slice(emitted)],
    outputs: results
  };
  removeDeadNodes(joined);
  return { graph: joined, probes: results };
}

/** The elements of a piece as a vector. A whole value is not copied. */
function emitPiece(emitter: Emitter, value: IValue, { start, end, size }: IPiece): IValue {
  const flat = emitter.flat(value);
  if (start === 0 && end === size) {
    return flat;
  }
  const at = (index: number): IValue => emitter.constant('int64', [1], [index]);
  return emitter.op('Slice', [flat, at(start), at(end)], value.dtype, [end - start]);
}

/** Copies of the inputs, none of which is there before all of `awaited` are. */
function emitGates(
  emitter: Emitter,
  inputs: readonly IValue[],
  awaited: readonly IValue[]
): Map<IValue, IValue> {
  const shapes = awaited.map(value => emitter.op('Shape', [value], 'int64', [1]));
  const one = emitter.constant('int64', [1], [1]);
  const sum = emitter.reduce('ReduceSum', emitter.concat([...shapes, one], 'int64'));
  const nothing = emitter.op('Mul', [sum, emitter.constant('int64', [1], [0])], 'int64', [1]);
  const gates = new Map<IValue, IValue>();
  for (const input of inputs) {
    const sizes = emitter.op('Shape', [input], 'int64', null);
    const same = emitter.op('Add', [sizes, nothing], 'int64', null);
    const gate = emitter.op('Reshape', [input, same], input.dtype, null);
    gate.shape = input.shape;
    gates.set(input, gate);
  }
  return gates;
}

/** Give `second` the inputs and weights of `graph`, where it has the same. */
function joinEnds(graph: IGraph, second: IGraph): void {
  const replaced = new Map<IValue, IValue>();
  const inputs = new Map(graph.inputs.map(value => [value.name, value]));
  second.inputs = second.inputs.map(value => {
    const same = inputs.get(value.name);
    if (same?.dtype !== value.dtype) {
      throw new Error(`probes: both graphs have an input '${value.name}', of different types`);
    }
    replaced.set(value, same!);
    return same!;
  });
  const weights = new Map(graph.weights.map(entry => [identityOf(entry.weight), entry]));
  second.weights = second.weights.map(entry => {
    const same = weights.get(identityOf(entry.weight));
    if (same) {
      replaced.set(entry.value, same.value);
    }
    return same ?? entry;
  });
  replaceValues(second.nodes, replaced);
}

function identityOf({ data, storage, dtype, shape, strides, storageOffset }: IWeight): string {
  const bytes = data.kind === 'range' ? data.range : storage;
  return JSON.stringify([bytes, dtype, shape, strides, storageOffset]);
}

/** New names for what `second` does not have from `graph`. */
function rename(second: IGraph, graph: IGraph, names: Names): void {
  const shared = new Set([...graph.inputs, ...graph.weights.map(({ value }) => value)]);
  for (const { value } of second.weights) {
    if (!shared.has(value)) {
      value.name = names.value(`reference/${value.name}`);
    }
  }
  forEachNode(second, node => {
    node.name = names.node(`reference/${node.name}`);
    for (const value of [...node.outputs, ...bodiesOf(node).flatMap(body => body.inputs)]) {
      if (value !== null) {
        value.name = names.value(`reference/${value.name}`);
      }
    }
  });
}

/** Let nodes, nested ones included, use other values. */
function replaceValues(nodes: readonly INode[], replaced: ReadonlyMap<IValue, IValue>): void {
  const stack = [...nodes];
  while (stack.length > 0) {
    const node = stack.pop()!;
    node.inputs = node.inputs.map(value => (value && replaced.get(value)) ?? value);
    for (const body of bodiesOf(node)) {
      body.outputs = body.outputs.map(value => replaced.get(value) ?? value);
      for (const inner of body.nodes) {
        stack.push(inner);
      }
    }
  }
}

/** Values by name, the one that is computed last first. */
function inReverseOrder(
  graph: IGraph,
  names: ReadonlySet<string>
): { name: string; value: IValue }[] {
  const found = new Map<string, { name: string; value: IValue }>();
  const constants = graph.nodes.filter(node => node.op === 'onnx.Constant');
  for (const node of [{ outputs: graph.inputs }, ...constants, ...executionOrder(graph)]) {
    for (const value of node.outputs) {
      if (value !== null) {
        found.set(value.name, { name: value.name, value });
      }
    }
  }
  const missing = [...names].find(name => !found.has(name));
  if (missing !== undefined) {
    throw new Error(`probes: the graph has no value '${missing}'`);
  }
  return [...found.values()].filter(({ name }) => names.has(name)).reverse();
}
