/**
 * Probes put into a graph.
 *
 * Probes stand behind all other nodes, that of the value computed last first: onnxruntime then runs each as soon as its value is
 * there (see order.ts), and no value lives longer than it would without. Nodes and values are those of the graph without probes, shared.
 *
 * @packageDocumentation
 */
import { GraphNames, makeValue, staticShape, sweepDeadNodes } from '../model';
import type { IGraph, IValue } from '../model';
import { emitDifference } from './difference';
import { Emitter } from './emitter';
import { groupBy } from './grouping';
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
 * @param source - ONNX operators that the device can run; not changed.
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
  const graph = { ...source };
  const emitter = Emitter.for(graph, GraphNames.forOnnx(graph));
  const probes = new Map<string, ISummaryPorts>();
  for (const { name, value } of inReverseOrder(graph, new Set(names))) {
    probes.set(name, emitSummary(emitter, value, chunk));
  }
  const results = names.map(name => probes.get(name)!);
  emitter.appendTo(graph);
  graph.outputs = [
    ...(keepOutputs ? graph.outputs : []),
    ...results.flatMap(({ counts, figures, shape }) => [counts, figures, shape])
  ];
  sweepDeadNodes(graph, { keepsBodies: true });
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

/** A graph that gives pieces of its values. */
export interface IPiecesGraph {
  readonly graph: IGraph;
  /** Its outputs: float32 or float64 vectors, in the order of the pieces. Pieces with the same elements are one output. */
  readonly vectors: readonly IValue[];
}

/**
 * Take pieces of the values of the reference.
 *
 * @param reference - ONNX operators that the device can run; not changed. Only what the pieces need is computed.
 *
 * @throws Error where a name is none of a value of the graph.
 */
export function piecesGraph(reference: IGraph, pieces: readonly IPiece[]): IPiecesGraph {
  const graph = { ...reference };
  const emitter = Emitter.for(graph, GraphNames.forOnnx(graph));
  const vectors = new Map<string, IValue>();
  const wanted = groupBy(pieces, ({ reference }) => reference);
  for (const { name, value } of inReverseOrder(graph, new Set(wanted.keys()))) {
    for (const piece of wanted.get(name)!) {
      const key = vectorKey(piece);
      if (!vectors.has(key)) {
        vectors.set(key, emitter.plain(emitPiece(emitter, value, piece)));
      }
    }
  }
  emitter.appendTo(graph);
  graph.outputs = [...vectors.values()];
  sweepDeadNodes(graph, { keepsBodies: true });
  return { graph, vectors: pieces.map(piece => vectors.get(vectorKey(piece))!) };
}

/**
 * Fetch whole values, in the order of `names`, in float32 or float64: see {@link IPiecesGraph}, with the sizes they have.
 *
 * @param source - ONNX operators that the device can run; not changed. Only what the values need is computed.
 *
 * @throws Error where a name is none of a value of the graph.
 */
export function valuesGraph(source: IGraph, names: readonly string[]): IPiecesGraph {
  const graph = { ...source };
  const emitter = Emitter.for(graph, GraphNames.forOnnx(graph));
  const given = new Set(graph.inputs);
  const fetched = new Map<string, IValue>();
  for (const { name, value } of inReverseOrder(graph, new Set(names))) {
    const plain = emitter.plain(value);
    const isGiven = given.has(plain);
    fetched.set(
      name,
      isGiven ? emitter.op('Identity', [plain], plain.dtype, staticShape(plain.shape)) : plain
    );
  }
  emitter.appendTo(graph);
  graph.outputs = [...new Set(fetched.values())];
  sweepDeadNodes(graph, { keepsBodies: true });
  return { graph, vectors: names.map(name => fetched.get(name)!) };
}

/** A graph with comparisons. */
export interface IDifferenceGraph {
  readonly graph: IGraph;
  /** The inputs that take the vectors of the reference, in the order of the pieces. */
  readonly references: readonly IValue[];
  /** Vectors for `readDifference`, likewise. */
  readonly probes: readonly IValue[];
}

/**
 * Compare pieces of values of a graph with those of the reference, which become inputs of the graph.
 *
 * @param source - ONNX operators that the device can run; not changed.
 * @param vectors - see {@link IPiecesGraph}.
 * @param chunk - see {@link emitDifference}.
 *
 * @throws Error where a name is none of a value of the graph.
 */
export function differenceGraph(
  source: IGraph,
  pieces: readonly IPiece[],
  vectors: readonly IValue[],
  chunk: number
): IDifferenceGraph {
  const graph = { ...source };
  const names = GraphNames.forOnnx(graph);
  const emitter = Emitter.for(graph, names);
  const inputs = new Map<IValue, IValue>();
  for (const vector of new Set(vectors)) {
    inputs.set(vector, makeValue(names.value('probe/reference'), vector.dtype, vector.shape));
  }
  const references = vectors.map(vector => inputs.get(vector)!);
  const probes = new Map<IPiece, IValue>();
  const wanted = groupBy(pieces.entries(), ([, { value }]) => value);
  for (const { name, value } of inReverseOrder(graph, new Set(wanted.keys()))) {
    for (const [i, piece] of wanted.get(name)!) {
      const part = emitPiece(emitter, value, piece);
      probes.set(piece, emitDifference(emitter, part, references[i], chunk));
    }
  }
  const results = pieces.map(piece => probes.get(piece)!);
  graph.inputs = [...graph.inputs, ...inputs.values()];
  emitter.appendTo(graph);
  graph.outputs = results;
  sweepDeadNodes(graph, { keepsBodies: true });
  return { graph, references, probes: results };
}

/** The same for pieces whose counterparts are the same elements. */
export function vectorKey({ reference, start, end }: IPiece): string {
  return JSON.stringify([reference, start, end]);
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
