/**
 * What onnxruntime's profile says it ran.
 *
 * @packageDocumentation
 */
import { CastlensError } from '../model';

/** One execution of a kernel. */
export interface IKernelEvent {
  /** Name of the graph's node. */
  readonly node: string;
  /** Operator, such as `Cast`. */
  readonly op: string;
  readonly provider: string;
  /** Wall time on the CPU, launch time on a GPU; microseconds. */
  readonly durationUs: number;
  /** Bytes of those inputs that are weights (initializers); 0 where there are none. */
  readonly weightBytes: number;
  /** Bytes of all inputs and outputs. */
  readonly bytesMoved: number;
  /** Sizes of the results, those left out not counted. */
  readonly outputShapes: readonly (readonly number[])[];
}

/** Kernels of all runs in one profile, in the order of their start. */
export interface IProfile {
  readonly kernels: readonly IKernelEvent[];
  /** Forwards in the profile. */
  readonly runs: number;
}

/** A cast that the runtime added to the graph it was given. */
export interface IInsertedCast {
  /** The value of the graph that it casts, or that it makes. */
  readonly value: string;
  /** Whether what it casts is a weight. */
  readonly isWeight: boolean;
  /** Executions in one forward. */
  readonly perForward: number;
  /** Bytes read plus bytes written in one forward. */
  readonly bytesMoved: number;
}

/** Casts of weights that were executed. Counts are of one forward: the mean where forwards differ. */
export interface IExecutedCasts {
  /** All of them. */
  readonly total: number;
  /** Those of the graph handed to the runtime. */
  readonly planned: number;
  /** Those the runtime inserted. */
  readonly inserted: number;
  /** Everything the runtime inserted, casts of activations too, in order. */
  readonly insertedCasts: readonly IInsertedCast[];
  /** Runs of each of the planned ones, by node name; 0 where the runtime never ran it. */
  readonly runs: ReadonlyMap<string, number>;
}

/** Whether a profile is there to its end. What is cut off would be counted as not executed. */
export function isWholeProfile(text: string): boolean {
  return text.trimEnd().endsWith(']');
}

/**
 * Parse a profile file of onnxruntime (Chrome trace format).
 *
 * #### Notes
 * Events of unknown form are passed over; a profile cut off at the end (the process died) gives its complete events.
 *
 * @throws CastlensError where the text is no list of events.
 */
export function parseProfile(text: string): IProfile {
  const events = parseEvents(text);
  const kernels: { start: number; event: IKernelEvent }[] = [];
  let runs = 0;
  for (const event of events) {
    if (event.cat === 'Session' && event.name === 'model_run') {
      runs++;
    }
    const kernel = kernelEvent(event);
    if (kernel !== null) {
      kernels.push({ start: toNumber(event.ts), event: kernel });
    }
  }
  kernels.sort((a, b) => a.start - b.start);
  return { kernels: kernels.map(({ event }) => event), runs: Math.max(runs, 1) };
}

/**
 * Count the weight casts that really ran.
 *
 * @param plannedNodes - names of the nodes that are weight casts in the graph handed to the runtime.
 * @param weightNames - names of the weights' values in that graph.
 * @param graphNodes - names of all its nodes, so that none of them is taken for one the runtime inserted.
 *
 * #### Notes
 * Casts inserted by the runtime are named `InsertedCast_VALUE` or `InsertedPrecisionFreeCast_VALUE`; they are weight casts where
 * the value is a weight, or where the profile says that they read an initializer. A cast of the result of a planned
 * weight cast is not counted: it is a cast of an activation to the runtime.
 */
export function executedCasts(
  profile: IProfile,
  plannedNodes: Iterable<string>,
  weightNames: Iterable<string>,
  graphNodes: Iterable<string> = []
): IExecutedCasts {
  const planned = new Map<string, number>();
  for (const node of plannedNodes) {
    planned.set(node, 0);
  }
  const weights = new Set(weightNames);
  const own = new Set(graphNodes);
  const inserted = new Map<string, { isWeight: boolean; times: number; bytes: number }>();
  for (const { node, op, weightBytes, bytesMoved } of profile.kernels) {
    if (op !== 'Cast') {
      continue;
    }
    const count = planned.get(node);
    const value = own.has(node) ? undefined : INSERTED.exec(node)?.groups?.value;
    if (count !== undefined) {
      planned.set(node, count + 1);
    } else if (value !== undefined) {
      const before = inserted.get(value) ?? { isWeight: false, times: 0, bytes: 0 };
      inserted.set(value, {
        isWeight: before.isWeight || weightBytes > 0 || weights.has(value),
        times: before.times + 1,
        bytes: before.bytes + bytesMoved
      });
    }
  }
  const insertedCasts = [...inserted].map(([value, { isWeight, times, bytes }]) => ({
    value,
    isWeight,
    perForward: times / profile.runs,
    bytesMoved: bytes / profile.runs
  }));
  const insertedOnWeights = insertedCasts
    .filter(({ isWeight }) => isWeight)
    .reduce((sum, { perForward }) => sum + perForward, 0);
  const runs = new Map([...planned].map(([node, times]) => [node, times / profile.runs]));
  const executed = [...runs.values()].reduce((sum, times) => sum + times, 0);
  return {
    total: executed + insertedOnWeights,
    planned: executed,
    inserted: insertedOnWeights,
    insertedCasts,
    runs
  };
}

const INSERTED = /^Inserted(?:PrecisionFree)?Cast_(?<value>.*)$/s;

const KERNEL_SUFFIX = '_kernel_time';

type JsonObject = Readonly<Record<string, unknown>>;

function kernelEvent(event: JsonObject): IKernelEvent | null {
  const { cat, name, dur, args } = event;
  if (cat !== 'Node' || typeof name !== 'string' || !name.endsWith(KERNEL_SUFFIX)) {
    return null;
  }
  const details = isObject(args) ? args : {};
  return {
    node: name.slice(0, -KERNEL_SUFFIX.length),
    op: typeof details.op_name === 'string' ? details.op_name : '',
    provider: typeof details.provider === 'string' ? details.provider : '',
    durationUs: toNumber(dur),
    weightBytes: toNumber(details.parameter_size),
    bytesMoved:
      toNumber(details.parameter_size) +
      toNumber(details.activation_size) +
      toNumber(details.output_size),
    outputShapes: toShapes(details.output_type_shape)
  };
}

/** `[{"float": [2, 3]}, ...]`; empty where it is anything else. */
function toShapes(value: unknown): number[][] {
  const shapes: number[][] = [];
  for (const item of Array.isArray(value) ? value : []) {
    const [sizes] = isObject(item) ? Object.values(item) : [];
    if (!Array.isArray(sizes)) {
      return [];
    }
    shapes.push(sizes.map(toNumber));
  }
  return shapes;
}

function parseEvents(text: string): JsonObject[] {
  let events: unknown;
  try {
    events = JSON.parse(text);
  } catch (cause) {
    // A line is an event: leave out the one that was being written, and what follows.
    const end = text.lastIndexOf('}},');
    try {
      events = JSON.parse(`${text.slice(0, end + 2)}]`);
    } catch {
      throw new CastlensError('runtime', 'the profile of onnxruntime cannot be read', {
        found: (cause as Error).message,
        cause
      });
    }
  }
  if (!Array.isArray(events)) {
    throw new CastlensError('runtime', 'the profile of onnxruntime cannot be read', {
      expected: 'a list of events',
      found: typeof events
    });
  }
  return events.filter(isObject);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Numbers come as numbers or, in `args`, as text. */
function toNumber(value: unknown): number {
  const number = typeof value === 'string' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : 0;
}
