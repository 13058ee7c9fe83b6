/**
 * Weights as the runtime needs them: contiguous byte ranges, cast where the variant holds them in another type.
 *
 * @packageDocumentation
 */
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

import type { DType, IGraph, IWeight } from '../model';
import {
  CastlensError,
  contiguousStrides,
  DTYPES,
  elementCount,
  isContiguous,
  sizeInBytes,
  weightsOf,
  withWeights
} from '../model';
import { canCast } from '../numerics';
import { versionOf } from '../protocol';
import type { IJob } from './job';
import { privateFolder } from './tempdir';
import { temporaryFailure } from './temporaryfailure';
import { checkExtent, WeightChunks } from './weightreader';
import type { IWriteTask } from './weightwork';
import type { WeightWorkers } from './weightworkers';

/** A graph whose weights are all plain. */
export interface IMaterializedGraph {
  /** The graph given with other weights; values, and nodes without nested graphs, are shared with it. */
  readonly graph: IGraph;
  /** Weights converted by this call. */
  readonly convertedWeights: number;
  /** Weights whose conversion was taken from an earlier call. */
  readonly takenWeights: number;
  /** Bytes read and bytes written by this call. */
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Time this call took, milliseconds. */
  readonly ms: number;
  /** Give the converted bytes up, after the sessions that refer to them. Idempotent. */
  dispose(): void;
}

/**
 * Converts weights into temporary files, and keeps conversions for later.
 *
 * #### Notes
 * Weights are read, cast and written in bounded chunks by the threads of a pool; their bytes never pass through this one.
 * Files lie in the private folder of the process. A file is deleted when nobody holds it and it is not kept; kept files are
 * deleted, the least recently used first, once they take more than the limit.
 */
export class WeightConverter {
  /** @param workers - read, cast and write; the caller's, who disposes them. */
  constructor(
    private readonly _workers: WeightWorkers,
    options: WeightConverter.IOptions = {}
  ) {
    this._keepBytes = options.keepBytes ?? DEFAULT_KEEP_BYTES;
  }

  /**
   * Make every weight of a graph, nested graphs included, a contiguous run of bytes: `range`, or `inline` where it was inline
   * or has no elements.
   *
   * #### Notes
   * Contiguous ranges are only narrowed to their view; nothing is read. Derived and strided weights are read in bounded chunks,
   * cast, and written to one file, each at a multiple of 64 bytes. The same conversion asked for twice in a graph is done once.
   * Conversions are kept. With `reuse`, those of earlier calls are taken where source bytes, view and steps are the same and
   * the file has not changed.
   *
   * @throws CastlensError where a weight reaches beyond its file, a cast is not supported, the disk is full, or the job was
   * cancelled; nothing is left on disk then.
   */
  async materialize(
    graph: IGraph,
    options: WeightConverter.IMaterializeOptions
  ): Promise<IMaterializedGraph> {
    const start = performance.now();
    const plans = new Map<IWeight, IPlannedWeight>();
    const stamps = new Map<string, IFileStamp>();
    for (const weight of weightsOf(graph)) {
      if (!plans.has(weight)) {
        plans.set(weight, planWeight(weight, stamps));
      }
    }
    const held = new Set<ConvertedFile>();
    const places = new Map<string, IPlace>();
    const work = new Map<string, IConversion>();
    for (const { conversion } of plans.values()) {
      if (conversion === null) {
        continue;
      }
      const kept = options.reuse ? this._kept.get(conversion.key) : undefined;
      if (kept) {
        held.add(kept.file);
        places.set(conversion.key, kept);
      } else {
        work.set(conversion.key, conversion);
      }
    }
    // Hold them before the first yield, so that a concurrent call cannot delete them.
    for (const file of held) {
      file.hold();
      file.lastUse = ++this._clock;
    }
    let written = { bytesRead: 0, bytesWritten: 0 };
    try {
      if (work.size > 0) {
        const file = new ConvertedFile();
        file.hold();
        file.lastUse = ++this._clock;
        held.add(file);
        written = await convertAll([...work.values()], file, places, this._workers, options);
        this._keep(work.keys(), places);
      }
    } catch (error) {
      held.forEach(file => file.release());
      throw error;
    }
    this._trim();
    let disposed = false;
    return {
      graph: withWeights(graph, weight => {
        const { plain, conversion } = plans.get(weight)!;
        return conversion === null ? plain : placed(weight, places.get(conversion.key)!);
      }),
      convertedWeights: work.size,
      takenWeights: places.size - work.size,
      ...written,
      ms: performance.now() - start,
      dispose: () => {
        if (!disposed) {
          disposed = true;
          held.forEach(file => file.release());
          this._trim();
        }
      }
    };
  }

  /** Forget kept conversions. Files still held are deleted when they are given up. */
  clear(): void {
    const files = new Set([...this._kept.values()].map(place => place.file));
    this._kept.clear();
    files.forEach(file => file.drop());
  }

  /** Keep conversions for later calls; those that a concurrent call has kept meanwhile stay. */
  private _keep(keys: Iterable<string>, places: ReadonlyMap<string, IPlace>): void {
    for (const key of keys) {
      if (!this._kept.has(key)) {
        const place = places.get(key)!;
        place.file.keep = true;
        this._kept.set(key, place);
      }
    }
  }

  /** Delete kept files beyond the limit. */
  private _trim(): void {
    const files = [...new Set([...this._kept.values()].map(place => place.file))];
    let total = files.reduce((sum, file) => sum + file.sizeBytes, 0);
    files.sort((a, b) => a.lastUse - b.lastUse);
    for (const file of files) {
      if (total <= this._keepBytes) {
        return;
      }
      if (!file.isHeld) {
        total -= file.sizeBytes;
        for (const [key, place] of this._kept) {
          if (place.file === file) {
            this._kept.delete(key);
          }
        }
        file.drop();
      }
    }
  }

  private readonly _kept = new Map<string, IPlace>();
  private readonly _keepBytes: number;
  private _clock = 0;
}

/** A namespace for `WeightConverter` statics. */
export namespace WeightConverter {
  /** Options of a converter. */
  export interface IOptions {
    /** Size up to which conversions are kept for reuse, in bytes (default 8 GiB). */
    readonly keepBytes?: number;
  }

  /** Options of `materialize()`. */
  export interface IMaterializeOptions extends IJob {
    /** Take conversions of earlier calls (`frozen`, and after an update of weights), or do it all again (`folded`). */
    readonly reuse: boolean;
  }
}

const DEFAULT_KEEP_BYTES = 8 * 1024 ** 3;

const ALIGNMENT = 64;

/** A temporary file of converted weights. */
class ConvertedFile {
  readonly path = join(privateFolder(), `weights-${randomBytes(6).toString('hex')}.bin`);
  /** Whether it stays when nobody holds it. */
  keep = false;
  sizeBytes = 0;
  lastUse = 0;

  get isHeld(): boolean {
    return this._holders > 0;
  }

  hold(): void {
    this._holders++;
  }

  release(): void {
    this._holders--;
    this._removeIfUnused();
  }

  /** No longer keep it for others. */
  drop(): void {
    this.keep = false;
    this._removeIfUnused();
  }

  private _removeIfUnused(): void {
    if (this._holders === 0 && !this.keep) {
      rmSync(this.path, { force: true });
    }
  }

  private _holders = 0;
}

/** Where converted bytes lie. */
interface IPlace {
  readonly file: ConvertedFile;
  readonly offset: number;
  readonly length: number;
}

/** One conversion to do. */
interface IConversion {
  readonly key: string;
  readonly source: IWeight;
  readonly steps: readonly DType[];
}

/** What becomes of a weight: itself, narrowed to its view, or a conversion. */
interface IPlannedWeight {
  readonly plain: IWeight;
  readonly conversion: IConversion | null;
}

interface IFileStamp {
  readonly sizeBytes: number;
  readonly text: string;
}

function planWeight(weight: IWeight, stamps: Map<string, IFileStamp>): IPlannedWeight {
  if (weight.dtype === 'string') {
    // In memory already, and nothing casts them ahead of the forward.
    return { plain: weight, conversion: null };
  }
  const { source, steps } = resolveSteps(weight);
  checkExtent(source);
  if (elementCount(weight.shape) === 0) {
    const data = { kind: 'inline', bytes: new Uint8Array(0) } as const;
    return { plain: plainWeight(weight, data), conversion: null };
  }
  if (source.data.kind === 'range') {
    checkRange(source, stamps);
  }
  if (steps.length > 0 || !isContiguous(source)) {
    return { plain: weight, conversion: { key: keyOf(source, steps, stamps), source, steps } };
  }
  const start = (source.storageOffset * DTYPES[source.dtype].bits) / 8;
  const length = sizeInBytes(source.dtype, elementCount(source.shape));
  switch (source.data.kind) {
    case 'range': {
      const { file, offset } = source.data.range;
      const range = { file, offset: offset + start, length };
      return { plain: plainWeight(weight, { kind: 'range', range }), conversion: null };
    }
    case 'inline': {
      const bytes = source.data.bytes.subarray(start, start + length);
      return { plain: plainWeight(weight, { kind: 'inline', bytes }), conversion: null };
    }
    case 'derived':
      throw new Error('unreachable: resolved above');
  }
}

/** The stored weight a derived one comes from, and all casts on the way. */
function resolveSteps(weight: IWeight): { source: IWeight; steps: DType[] } {
  const steps: DType[] = [];
  let source = weight;
  while (source.data.kind === 'derived') {
    const entry = source.names[0];
    const inner = source.data.source;
    if (!isContiguous(source) || source.storageOffset !== 0) {
      throw new CastlensError('bad-argument', 'a derived weight must be contiguous', { entry });
    }
    if (elementCount(source.shape) !== elementCount(inner.shape)) {
      throw new CastlensError(
        'bad-argument',
        'a derived weight must have all elements of its source',
        {
          entry,
          expected: `[${inner.shape.join(', ')}]`,
          found: `[${source.shape.join(', ')}]`
        }
      );
    }
    steps.unshift(...source.data.steps);
    source = inner;
  }
  let dtype = source.dtype;
  for (const step of steps) {
    if (!canCast(dtype, step)) {
      throw new CastlensError('bad-argument', `castlens cannot cast ${dtype} to ${step}`, {
        entry: weight.names[0]
      });
    }
    dtype = step;
  }
  if (dtype !== weight.dtype) {
    throw new CastlensError('bad-argument', 'the casts of a weight do not lead to its type', {
      entry: weight.names[0],
      expected: weight.dtype,
      found: [source.dtype, ...steps].join(' to ')
    });
  }
  return { source, steps: steps.filter((step, i) => step !== (steps[i - 1] ?? source.dtype)) };
}

function checkRange(weight: IWeight, stamps: Map<string, IFileStamp>): void {
  if (weight.data.kind !== 'range') {
    return;
  }
  const { file, offset, length } = weight.data.range;
  let stamp = stamps.get(file);
  if (!stamp) {
    try {
      const stats = statSync(file);
      stamp = { sizeBytes: stats.size, text: versionOf(stats) };
    } catch (cause) {
      throw new CastlensError('file-not-found', 'the file with the weight cannot be read', {
        file,
        entry: weight.names[0],
        found: (cause as Error).message,
        cause
      });
    }
    stamps.set(file, stamp);
  }
  if (offset < 0 || length < 0 || offset + length > stamp.sizeBytes) {
    throw new CastlensError('bad-file', 'the file ends before the weight does', {
      file,
      entry: weight.names[0],
      expected: `at least ${offset + length} bytes`,
      found: `${stamp.sizeBytes} bytes`
    });
  }
}

/** Identity of a conversion: the bytes, how they are looked at, and what they become. */
function keyOf(
  source: IWeight,
  steps: readonly DType[],
  stamps: ReadonlyMap<string, IFileStamp>
): string {
  const { data, dtype, shape, strides, storageOffset } = source;
  const view = [dtype, shape, strides, storageOffset, steps];
  if (data.kind === 'range') {
    const { file, offset, length } = data.range;
    return JSON.stringify([file, stamps.get(file)!.text, offset, length, ...view]);
  }
  return JSON.stringify([inlineId(source), ...view]);
}

const inlineIds = new WeakMap<Uint8Array, number>();
let nextInlineId = 0;

/** Bytes in memory are the same only where they are the same object. */
function inlineId(weight: IWeight): number {
  const bytes = weight.data.kind === 'inline' ? weight.data.bytes : new Uint8Array(0);
  let id = inlineIds.get(bytes);
  if (id === undefined) {
    id = nextInlineId++;
    inlineIds.set(bytes, id);
  }
  return id;
}

/** Cast all sources into one new file, each at a multiple of 64 bytes; `places` says where. */
async function convertAll(
  work: readonly IConversion[],
  file: ConvertedFile,
  places: Map<string, IPlace>,
  workers: WeightWorkers,
  job: IJob
): Promise<{ bytesRead: number; bytesWritten: number }> {
  const tasks: (IWriteTask & { readonly bytes: number })[] = [];
  let end = 0;
  let total = 0;
  for (const { key, source, steps } of work) {
    const offset = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
    const length = sizeInBytes(steps.at(-1) ?? source.dtype, elementCount(source.shape));
    places.set(key, { file, offset, length });
    end = offset + length;
    const chunks = new WeightChunks(source);
    const target = { file: file.path, position: offset };
    for (let chunk = 0; chunk < chunks.count; chunk++) {
      const bytes = chunks.sizeBytes(chunk);
      tasks.push({ kind: 'write', weight: source, chunk, steps, target, bytes });
      total += bytes;
    }
  }
  createFile(file.path);
  file.sizeBytes = end;
  let bytesRead = 0;
  let bytesWritten = 0;
  let done = 0;
  for await (const written of workers.run(tasks, total, job)) {
    bytesRead += tasks[done++].bytes;
    bytesWritten += written;
    job.progress?.({ text: 'Converting weights', done: bytesRead, total, unit: 'bytes' });
  }
  return { bytesRead, bytesWritten };
}

function createFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (cause) {
    throw temporaryFailure('converted weights', path, cause);
  }
}

function placed(weight: IWeight, place: IPlace): IWeight {
  const range = { file: place.file.path, offset: place.offset, length: place.length };
  return plainWeight(weight, { kind: 'range', range });
}

function plainWeight(weight: IWeight, data: IWeight['data']): IWeight {
  return { ...weight, strides: contiguousStrides(weight.shape), storageOffset: 0, data };
}
