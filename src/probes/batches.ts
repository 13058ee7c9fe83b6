/**
 * Values put together into runs that need little more memory than the model does without probes.
 *
 * @packageDocumentation
 */
import { cloneGraph, elementCount, forEachNode, sizeInBytes, staticShape } from '../model';
import type { DType, IGraph, IValue } from '../model';
import type { IDifferenceGraph, IPiece, IPiecesGraph, ISummaryGraph } from './attach';
import { differenceGraph, piecesGraph, summaryGraph, vectorKey } from './attach';
import { plainDtype } from './emitter';
import { peakLiveBytes } from './order';

/**
 * The most that probes may make of the memory of a plain forward: of the graph where it is summarised, of the larger one of the graph
 * and its reference where both are compared.
 */
export const MEMORY_RATIO = 1.3;

/** What probes may take in any case, which is less than the process takes by itself: with less, small models would take many runs. */
export const SCRATCH_BYTES = 2 ** 26;

/** Elements that a probe takes at a time, the fastest choice first. */
const CHUNKS = [32768, 8192, 2048, 512];

/** Memory that onnxruntime takes for the nodes of one probe, whatever they reduce (measured: 360 KB). */
const PROBE_BYTES = 2 ** 19;

/** The most probes in one run: there is a pause to look whether the work was cancelled. */
const MOST_PROBES = 512;

/** Probes are as many as half of what may be taken beside a plain forward has room for. */
function probesPerBatch(spare: number): number {
  return Math.min(MOST_PROBES, Math.max(16, Math.floor(spare / 2 / PROBE_BYTES)));
}

/**
 * A copy whose values have the sizes they had in a run.
 *
 * @param results - sizes of the results of every node, by its name.
 * @param inputs - sizes of inputs, by name.
 */
export function withSizes(
  source: IGraph,
  results: ReadonlyMap<string, readonly (readonly number[])[]>,
  inputs: ReadonlyMap<string, readonly number[]>
): IGraph {
  const { graph } = cloneGraph(source);
  for (const input of graph.inputs) {
    input.shape = inputs.get(input.name) ?? input.shape;
  }
  forEachNode(graph, node => {
    const shapes = results.get(node.name) ?? [];
    const values = node.outputs.filter(value => value !== null);
    if (shapes.length === values.length) {
      values.forEach((value, i) => (value.shape = shapes[i]));
    }
  });
  return graph;
}

/** Bytes of a value whose sizes are known; 0 of all others. */
export function valueBytes({ dtype, shape }: IValue): number {
  const sizes = staticShape(shape);
  return dtype === null || sizes === null ? 0 : sizeInBytes(dtype, elementCount(sizes));
}

/**
 * Memory of one forward, by the sizes of weights and values: all weights, and the most that computed values take at a time.
 *
 * @param elsewhere - values that lie in memory of the caller.
 */
export function forwardBytes(graph: IGraph, elsewhere: ReadonlySet<IValue> = NONE): number {
  const storages = new Map<string, number>();
  for (const { weight } of graph.weights) {
    storages.set(weight.storage, sizeInBytes(weight.dtype, elementCount(weight.shape)));
  }
  const weights = [...storages.values()].reduce((sum, bytes) => sum + bytes, 0);
  return weights + peakLiveBytes(graph, value => (elsewhere.has(value) ? 0 : valueBytes(value)));
}

const NONE: ReadonlySet<IValue> = new Set();

/** What probes may take beside a plain forward, so that all together stays within the ratio, or within {@link SCRATCH_BYTES} more. */
export function spareBytes(plainBytes: number, scratchBytes = SCRATCH_BYTES): number {
  return Math.max(scratchBytes, Math.floor((MEMORY_RATIO - 1) * plainBytes));
}

/** Probes of one run, or of two, one after the other. */
export interface IBatch<I> {
  /** What is summarised or compared. */
  readonly items: readonly I[];
  /** The most that weights, values and what is held between runs take at a time. */
  readonly bytes: number;
}

/**
 * Summaries of values, batch by batch. Every batch is made when it is asked for.
 *
 * @param graph - with sizes, see {@link withSizes}.
 * @param names - values by name, best in the order they are computed in.
 *
 * #### Notes
 * A batch is cut in half until it takes no more than a plain forward and what may be taken beside it. One value that does not fit is
 * summarised all the same; `bytes` tells.
 */
export function* summaryBatches(
  graph: IGraph,
  names: readonly string[],
  scratchBytes = SCRATCH_BYTES
): Iterable<ISummaryGraph & IBatch<string>> {
  const plainBytes = forwardBytes(graph);
  const limitBytes = plainBytes + spareBytes(plainBytes, scratchBytes);
  const most = probesPerBatch(spareBytes(plainBytes, scratchBytes));
  let start = 0;
  let largest = CHUNKS[0];
  while (start < names.length) {
    const some = names.slice(start, start + most);
    const { batch, chunk } = fitting(some, limitBytes, largest, (items, chunk) => {
      const summaries = summaryGraph(graph, items, chunk);
      return { ...summaries, items, bytes: forwardBytes(summaries.graph) };
    });
    largest = chunk;
    yield batch;
    start += batch.items.length;
  }
}

/** A value and its counterpart, by name. */
export interface IComparedPair {
  readonly value: string;
  readonly reference: string;
  /** Elements, and the dtype of the counterpart. */
  readonly size: number;
  readonly referenceDtype: DType;
}

/** What is held lies in one buffer: JavaScript has none of any size. */
const MOST_HELD_BYTES = 2 ** 31;

/** The most that is held of values at a time, however much there is to compare. */
export function mostHeldBytes(
  graph: IGraph,
  reference: IGraph,
  scratchBytes = SCRATCH_BYTES
): number {
  // A quarter of what may be taken is left to the chunks.
  const spare = Math.floor(0.75 * spareBytes(largerBytes(graph, reference), scratchBytes));
  return Math.min(spare, MOST_HELD_BYTES);
}

/** Room for what any batch of {@link differenceBatches} holds of the reference. */
export function heldRoomBytes(
  graph: IGraph,
  reference: IGraph,
  pairs: readonly IComparedPair[],
  scratchBytes = SCRATCH_BYTES
): number {
  const all = pairs.reduce(
    (sum, { size, referenceDtype }) => sum + heldSize(size, referenceDtype),
    0
  );
  return Math.min(all, mostHeldBytes(graph, reference, scratchBytes));
}

/** Bytes of elements of the reference as they are held. */
function heldSize(size: number, referenceDtype: DType): number {
  return sizeInBytes(plainDtype(referenceDtype), size);
}

function largerBytes(graph: IGraph, reference: IGraph): number {
  return Math.max(forwardBytes(graph), forwardBytes(reference));
}

/** What two runs compare: the first computes pieces of the reference, the second takes them in. */
export interface IComparison extends IBatch<IPiece> {
  readonly first: IPiecesGraph;
  readonly second: IDifferenceGraph;
  /** Bytes of all vectors that the second takes from the first. */
  readonly heldBytes: number;
}

/**
 * Differences of values to their reference, batch by batch. Every batch is made when it is asked for.
 *
 * #### Notes
 * Reference and graph are never loaded at the same time. What a batch holds of the reference, at most {@link mostHeldBytes}, is in memory
 * during both of its runs. All together takes no more than the larger one of the two plain forwards and what may be taken beside it.
 * A value too large to be held is compared in pieces, in several batches.
 */
export function* differenceBatches(
  graph: IGraph,
  reference: IGraph,
  pairs: readonly IComparedPair[],
  scratchBytes = SCRATCH_BYTES
): Iterable<IComparison> {
  const plainBytes = largerBytes(graph, reference);
  const limitBytes = plainBytes + spareBytes(plainBytes, scratchBytes);
  const most = probesPerBatch(spareBytes(plainBytes, scratchBytes));
  const mostHeld = mostHeldBytes(graph, reference, scratchBytes);
  let largest = CHUNKS[0];
  let waiting = pairs.flatMap(pair => piecesOf(pair, mostHeld));
  while (waiting.length > 0) {
    const held = new Set<string>();
    const some: IPiece[] = [];
    let heldBytes = 0;
    for (const { piece, bytes } of waiting.slice(0, most)) {
      heldBytes += held.has(vectorKey(piece)) ? 0 : bytes;
      if (some.length > 0 && heldBytes > mostHeld) {
        break;
      }
      held.add(vectorKey(piece));
      some.push(piece);
    }
    const { batch, chunk } = fitting(some, limitBytes, largest, (items, chunk) =>
      comparison(graph, reference, items, chunk)
    );
    largest = chunk;
    yield batch;
    waiting = waiting.slice(batch.items.length);
  }
}

function comparison(
  graph: IGraph,
  reference: IGraph,
  items: readonly IPiece[],
  chunk: number
): IComparison {
  const first = piecesGraph(reference, items);
  const second = differenceGraph(graph, items, first.vectors, chunk);
  const held = new Set(first.vectors);
  const heldBytes = [...held].reduce((sum, value) => sum + valueBytes(value), 0);
  const runBytes = Math.max(forwardBytes(first.graph, held), forwardBytes(second.graph));
  return { first, second, items, heldBytes, bytes: heldBytes + runBytes };
}

/** Elements of the smallest piece. */
const SMALLEST_PIECE = 1024;

function piecesOf(
  { value, reference, size, referenceDtype }: IComparedPair,
  mostHeld: number
): { piece: IPiece; bytes: number }[] {
  const elementBytes = heldSize(1, referenceDtype);
  if (size * elementBytes <= mostHeld) {
    const bytes = size * elementBytes;
    return [{ piece: { value, reference, size, start: 0, end: size }, bytes }];
  }
  // A piece is copied out of both values.
  const length = Math.max(SMALLEST_PIECE, Math.floor(mostHeld / (2 * elementBytes)));
  const pieces: { piece: IPiece; bytes: number }[] = [];
  for (let start = 0; start < size; start += length) {
    const end = Math.min(start + length, size);
    const bytes = 2 * elementBytes * (end - start);
    pieces.push({ piece: { value, reference, size, start, end }, bytes });
  }
  return pieces;
}

/**
 * The first of the items, as many as fit, with the largest chunks that fit.
 *
 * @param largest - where to start. What was too large for one batch is not tried again for the next.
 */
function fitting<I, B extends IBatch<I>>(
  items: readonly I[],
  limitBytes: number,
  largest: number,
  build: (part: readonly I[], chunk: number) => B
): { batch: B; chunk: number } {
  let part = items;
  for (;;) {
    for (const chunk of CHUNKS.filter(size => size <= largest)) {
      const batch = build(part, chunk);
      if (batch.bytes <= limitBytes || (part.length === 1 && chunk === CHUNKS.at(-1))) {
        return { batch, chunk };
      }
    }
    part = part.slice(0, Math.ceil(part.length / 2));
  }
}
