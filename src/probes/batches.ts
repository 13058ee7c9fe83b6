/**
 * Values put together into runs that need little more memory than the model does without probes.
 *
 * @packageDocumentation
 */
import { cloneGraph, elementCount, forEachNode, sizeInBytes, staticShape } from '../model';
import type { IGraph, IValue } from '../model';
import type { IDifferenceGraph, IPiece, ISummaryGraph } from './attach';
import { differenceGraph, summaryGraph } from './attach';
import { peakLiveBytes } from './order';

/** The most that probes may make of the memory of a plain forward. */
export const MEMORY_RATIO = 1.3;

/** What probes may take in any case: the smallest chunks need about this much. */
export const SCRATCH_BYTES = 2 ** 14;

/** Elements that a probe takes at a time, the fastest choice first. */
const CHUNKS = [16384, 4096, 1024, 256, 64];

/** The most probes in one run: graphs stay small, and there is a pause to look whether the work was cancelled. */
const BATCH_PROBES = 16;

/** Memory of one forward, by the sizes of its values. */
export interface IForwardBytes {
  /** Of all weights. */
  readonly weights: number;
  /** The most that computed values take at a time. */
  readonly live: number;
}

/** One run. */
export interface IBatch<T> {
  readonly probes: T;
  /** The most that computed values take at a time in it. */
  readonly liveBytes: number;
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

/** Memory of a forward. */
export function forwardBytes(graph: IGraph): IForwardBytes {
  const storages = new Map<string, number>();
  for (const { weight } of graph.weights) {
    storages.set(weight.storage, sizeInBytes(weight.dtype, elementCount(weight.shape)));
  }
  return {
    weights: [...storages.values()].reduce((sum, bytes) => sum + bytes, 0),
    live: peakLiveBytes(graph, valueBytes)
  };
}

/** The most that computed values may take at a time beside the weights, so that all together stays within the ratio. */
export function liveLimit({ weights, live }: IForwardBytes): number {
  return live + Math.max(SCRATCH_BYTES, Math.floor((MEMORY_RATIO - 1) * (weights + live)));
}

/**
 * Summaries of values, batch by batch. Every batch is made when it is asked for.
 *
 * @param graph - with sizes, see {@link withSizes}.
 * @param names - values by name, best in the order they are computed in.
 * @param limitBytes - see {@link liveLimit}.
 *
 * #### Notes
 * A batch is cut in half until it stays below the limit. One value that does not is summarised all the same; `liveBytes` tells.
 */
export function* summaryBatches(
  graph: IGraph,
  names: readonly string[],
  limitBytes: number
): Iterable<IBatch<ISummaryGraph> & { readonly names: readonly string[] }> {
  let start = 0;
  let largest = CHUNKS[0];
  while (start < names.length) {
    const some = names.slice(start, start + BATCH_PROBES);
    const batch = fitting(some, limitBytes, largest, (part, chunk) =>
      summaryGraph(graph, part, chunk)
    );
    largest = batch.chunk;
    yield { probes: batch.probes, liveBytes: batch.liveBytes, names: batch.part };
    start += batch.part.length;
  }
}

/** A value and its counterpart, by name. */
export interface IComparedPair {
  readonly value: string;
  readonly reference: string;
  /** Elements, and bytes of the counterpart. */
  readonly size: number;
  readonly referenceBytes: number;
}

/**
 * Differences of values to their reference, batch by batch. Every batch is made when it is asked for.
 *
 * #### Notes
 * What a batch holds of the reference, all together, stays below what may be taken beside the forward. A value larger than that
 * is compared in pieces, in several batches.
 *
 * @param spareBytes - what may be taken beside the forward.
 */
export function* differenceBatches(
  graph: IGraph,
  reference: IGraph,
  pairs: readonly IComparedPair[],
  limitBytes: number,
  spareBytes: number
): Iterable<IBatch<IDifferenceGraph> & { readonly pieces: readonly IPiece[] }> {
  // A quarter is left to the chunks.
  const heldBytes = Math.floor(0.75 * spareBytes);
  let largest = CHUNKS[0];
  let waiting = pairs.flatMap(pair => piecesOf(pair, heldBytes));
  while (waiting.length > 0) {
    let held = 0;
    let count = 0;
    while (count < Math.min(waiting.length, BATCH_PROBES)) {
      held += waiting[count].bytes;
      if (count > 0 && held > heldBytes) {
        break;
      }
      count++;
    }
    const batch = fitting(waiting.slice(0, count), limitBytes, largest, (part, chunk) =>
      differenceGraph(
        graph,
        reference,
        part.map(({ piece }) => piece),
        chunk
      )
    );
    largest = batch.chunk;
    const pieces = batch.part.map(({ piece }) => piece);
    yield { probes: batch.probes, liveBytes: batch.liveBytes, pieces };
    waiting = waiting.slice(batch.part.length);
  }
}

/** Elements of the smallest piece. */
const SMALLEST_PIECE = 1024;

function piecesOf(
  { value, reference, size, referenceBytes }: IComparedPair,
  heldBytes: number
): { piece: IPiece; bytes: number }[] {
  if (referenceBytes <= heldBytes) {
    return [{ piece: { value, reference, size, start: 0, end: size }, bytes: referenceBytes }];
  }
  const elementBytes = referenceBytes / size;
  // A piece is copied out of both values.
  const length = Math.max(SMALLEST_PIECE, Math.floor(heldBytes / (2 * elementBytes)));
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
function fitting<I, T extends { readonly graph: IGraph }>(
  items: readonly I[],
  limitBytes: number,
  largest: number,
  build: (part: readonly I[], chunk: number) => T
): IBatch<T> & { readonly part: readonly I[]; readonly chunk: number } {
  let part = items;
  for (;;) {
    for (const chunk of CHUNKS.filter(size => size <= largest)) {
      const probes = build(part, chunk);
      const liveBytes = peakLiveBytes(probes.graph, valueBytes);
      if (liveBytes <= limitBytes || (part.length === 1 && chunk === CHUNKS.at(-1))) {
        return { probes, liveBytes, part, chunk };
      }
    }
    part = part.slice(0, Math.ceil(part.length / 2));
  }
}
