/**
 * Values fetched whole, where there is memory for them, and reduced here.
 *
 * Probes on thousands of values make a graph that takes longer to load than to run many times over. Values that fit the memory that
 * may be taken anyhow are cheaper to fetch: two loads, of the graph and of its reference, serve all of them.
 *
 * @packageDocumentation
 */
import type { IGraph, IValue } from '../model';
import { elementCount, sizeInBytes, staticShape } from '../model';
import type { ITensor } from '../numerics';
import { bytesOf, TensorStats } from '../numerics';
import type { IPiecesGraph } from './attach';
import { valuesGraph } from './attach';
import type { IBatch } from './batches';
import { forwardBytes, valueBytes } from './batches';
import type { IDifferenceSums } from './difference';
import { plainDtype } from './emitter';
import type { ISummary } from './summary';

/** A value to fetch, and the values of the reference it is compared with; by name. */
export interface IFetchedValue {
  readonly value: string;
  readonly references: readonly string[];
}

/** Values of one run of the graph and one of its reference. */
export interface IGathering extends IBatch<IFetchedValue> {
  readonly graph: IPiecesGraph;
  /** Null where nothing is compared. */
  readonly reference: IPiecesGraph | null;
  /** Of each item: where its references stand among the vectors of `reference`. */
  readonly counterparts: readonly (readonly number[])[];
  /** Sizes of each item. */
  readonly shapes: readonly (readonly number[])[];
  /** Bytes of all vectors. */
  readonly heldBytes: number;
}

/** The most runs of a graph that values are fetched in; where it would take more, probes reduce them on the device. */
const MOST_GATHERINGS = 4;

/**
 * Divide values into as few runs as there is memory for.
 *
 * @param graph - with sizes, as `reference`.
 * @param roomBytes - what all vectors of a run and its reference may take.
 *
 * @returns null where values are too large for that, or too many, or their sizes are not known.
 */
export function gatherings(
  graph: IGraph,
  reference: IGraph | null,
  values: readonly IFetchedValue[],
  roomBytes: number
): IGathering[] | null {
  const own = valuesOf(graph);
  const others = reference === null ? new Map<string, IValue>() : valuesOf(reference);
  const parts: IFetchedValue[][] = [];
  let part: IFetchedValue[] = [];
  let held = new Set<IValue>();
  let heldBytes = 0;
  for (const item of values) {
    const needed = [own.get(item.value), ...item.references.map(name => others.get(name))];
    if (needed.some(value => !value?.dtype || staticShape(value.shape) === null)) {
      return null;
    }
    const sizes = (known: ReadonlySet<IValue>): number =>
      needed.reduce((sum, value) => sum + (known.has(value!) ? 0 : plainBytes(value!)), 0);
    if (part.length > 0 && heldBytes + sizes(held) > roomBytes) {
      parts.push(part);
      part = [];
      held = new Set();
      heldBytes = 0;
    }
    heldBytes += sizes(held);
    if (heldBytes > roomBytes || parts.length >= MOST_GATHERINGS) {
      return null;
    }
    needed.forEach(value => held.add(value!));
    part.push(item);
  }
  return [...parts, ...(part.length > 0 ? [part] : [])].map(items =>
    gathering(graph, reference, items, own)
  );
}

function gathering(
  graph: IGraph,
  reference: IGraph | null,
  items: readonly IFetchedValue[],
  own: ReadonlyMap<string, IValue>
): IGathering {
  const first = valuesGraph(
    graph,
    items.map(({ value }) => value)
  );
  const names = [...new Set(items.flatMap(({ references }) => references))];
  const second = reference === null || names.length === 0 ? null : valuesGraph(reference, names);
  const positions = new Map(names.map((name, i) => [name, i]));
  const vectors = [first, second].map(one => new Set(one?.vectors));
  const heldBytes = vectors
    .flatMap(one => [...one])
    .reduce((sum, value) => sum + valueBytes(value), 0);
  const runBytes = Math.max(
    forwardBytes(first.graph, vectors[0]),
    second === null ? 0 : forwardBytes(second.graph, vectors[1])
  );
  return {
    graph: first,
    reference: second,
    items,
    counterparts: items.map(({ references }) => references.map(name => positions.get(name)!)),
    shapes: items.map(({ value }) => staticShape(own.get(value)!.shape)!),
    heldBytes,
    bytes: heldBytes + runBytes
  };
}

function plainBytes({ dtype, shape }: IValue): number {
  return sizeInBytes(plainDtype(dtype!), elementCount(staticShape(shape)!));
}

function valuesOf(graph: IGraph): Map<string, IValue> {
  const values = new Map<string, IValue>();
  for (const { outputs } of [{ outputs: graph.inputs }, ...graph.nodes]) {
    for (const value of outputs) {
      if (value !== null) {
        values.set(value.name, value);
      }
    }
  }
  return values;
}

/** What a probe finds out about a value, from its elements in float32 or float64. */
export function summarise(elements: ITensor, shape: readonly number[]): ISummary {
  const stats = new TensorStats(elements.dtype);
  stats.add(bytesOf(elements.data));
  let least = Infinity;
  const data = elements.data as Float32Array | Float64Array;
  for (let i = 0; i < data.length; i++) {
    const magnitude = Math.abs(data[i]);
    if (magnitude > 0 && magnitude < least) {
      least = magnitude;
    }
  }
  return { shape, stats: stats.result(), minMagnitude: least < Infinity ? least : null };
}

/** What a comparison on the device sums up, from the elements of both. */
export function difference(
  value: ArrayLike<number>,
  reference: ArrayLike<number>
): IDifferenceSums {
  let [lost, compared, error, elementError, scale] = [0, 0, 0, 0, 0];
  let [errors, values, references, products] = [0, 0, 0, 0];
  for (let i = 0; i < value.length; i++) {
    const x = value[i];
    const r = reference[i];
    if (!Number.isFinite(r)) {
      continue;
    }
    if (!Number.isFinite(x)) {
      lost++;
      continue;
    }
    compared++;
    const e = Math.abs(x - r);
    const magnitude = Math.abs(r);
    if (e > error) {
      error = e;
    }
    if (magnitude > scale) {
      scale = magnitude;
    }
    if (magnitude > 0 && e / magnitude > elementError) {
      elementError = e / magnitude;
    }
    errors += e * e;
    values += x * x;
    references += r * r;
    products += x * r;
  }
  return {
    lost,
    compared,
    error,
    elementError,
    scale,
    errors,
    values,
    references,
    products
  };
}
