/**
 * Statistics of the values inside a model, reduced where the model runs.
 *
 * @packageDocumentation
 */
import { writeOnnx } from '../formats';
import type { IGraph, IValue } from '../model';
import { CastlensError, elementCount, staticShape } from '../model';
import type { ITensor } from '../numerics';
import { elementsOf, spreadOf } from '../numerics';
import type {
  IComparedPair,
  IComparison,
  IDifferenceSums,
  IGathering,
  IProbedValue,
  ISkippedValue,
  ISummary
} from '../probes';
import {
  difference,
  differenceBatches,
  differenceOf,
  forwardBytes,
  gatherings,
  groupBy,
  headroomIn,
  heldRoomBytes,
  mergeDifferences,
  mostHeldBytes,
  SCRATCH_BYTES,
  probedValues,
  readDifference,
  readSummary,
  summarise,
  summaryBatches,
  valueBytes,
  withSizes
} from '../probes';
import type { IActivationStatsResult, IVariant, Params } from '../protocol';
import type { IJob, IMaterializedGraph } from '../runtime';
import { breathe, loadOrt, RenamedGraph, RuntimeSession, withPeakRss } from '../runtime';
import { bindInputs } from './inputs';
import type { LoadedModel } from './modelstore';
import { explainRefusal } from './refusedoperators';
import { sessionOptions } from './sessionoptions';
import { feedsOf } from './sessions';
import type { VariantSessions } from './sessions';
import type { IActivationRow } from './statstable';
import type { IPreparedVariant } from './variant';
import { planVariantGraph, prepareVariant } from './variant';

/** The table as it travels, and what is known of its making. */
export interface IActivationStatsTable {
  readonly bytes: Uint8Array;
  readonly result: IActivationStatsResult;
}

/** How the memory for the table is used. */
export interface IProbingOptions {
  /** What may be taken beside a plain forward in any case. */
  readonly scratchBytes: number;
  /** Whether values are fetched whole where there is room for them, instead of reduced on the device. */
  readonly isFetching: boolean;
}

const WITHIN_SCRATCH: IProbingOptions = { scratchBytes: SCRATCH_BYTES, isFetching: true };

/** Timed forwards of the plain model; their median is what probing is compared with. */
const PLAIN_RUNS = 3;

/**
 * Run a variant with probes on its values, in batches, and compare them with those of the `float32` program.
 *
 * #### Notes
 * Plain forwards are timed first, then one is profiled: the sizes of all values are those it had. Then follow the summaries, which make
 * no value live longer, and the differences, for which values of the reference are held while the variant runs (see batches.ts). Where all
 * values fit the memory that this may take, they are fetched whole instead, in a few runs (see gather.ts). The job is looked at between runs.
 *
 * @throws CastlensError('bad-argument') for the reference `onnxruntime` and for values and modules that there are none of; else
 * where the model cannot be run, or the job was cancelled.
 */
export async function activationStatsTable(
  loaded: LoadedModel,
  sessions: VariantSessions,
  params: Params<'activationStats'>,
  job: IJob,
  options: IProbingOptions = WITHIN_SCRATCH
): Promise<IActivationStatsTable> {
  const start = performance.now();
  const { variant, reference: isCompared = true } = params;
  if (variant.cache === 'onnxruntime') {
    throw new CastlensError('bad-argument', 'the values of "onnxruntime" cannot be summarised', {
      hint: 'The runtime may fuse them away, and probes would keep it from doing so. Choose another cache mode'
    });
  }
  await loadOrt();
  const inputs = await bindInputs(loaded.model, params.inputs ?? {});
  job.progress?.({ text: `Loading ${variant.cache}`, fraction: 0 });
  await breathe(job);
  const program = await Program.make(loaded, sessions, variant, inputs.tensors, job);
  let reference: Program | null = null;
  try {
    const plain = await program.measure();
    await breathe(job);
    await program.learnSizes();
    if (isCompared) {
      const float32: IVariant = { ...variant, cache: 'float32', passes: [] };
      job.progress?.({ text: 'Loading float32', fraction: 0 });
      await breathe(job);
      reference = await Program.make(loaded, sessions, float32, inputs.tensors, job);
      await reference.learnSizes();
    }
    const found = probedValues(program, loaded.explicitUnder(variant.regions).graph, reference);
    const values = chosen(found.values, found.skipped, params);
    const probing = new Probing(program, reference, values, job, options);
    await probing.run();
    const rows = probing.rows();
    const { encodeActivationStats } = await import('./statstable');
    return {
      bytes: encodeActivationStats(rows),
      result: {
        variant,
        runtime: plain.runtime,
        inputs: inputs.label,
        rows: rows.length,
        batches: probing.runs,
        reference: isCompared,
        skipped: found.skipped,
        cost: {
          plainMs: plain.ms,
          plainLoadMs: plain.loadMs,
          probedMs: probing.ms,
          totalMs: performance.now() - start,
          plainBytes: forwardBytes(program.legal),
          probedBytes: probing.bytes,
          plainPeakRssBytes: plain.peakBytes,
          probedPeakRssBytes: probing.peakBytes
        }
      }
    };
  } finally {
    program.dispose();
    reference?.dispose();
  }
}

/** The values that are asked for. */
function chosen(
  values: readonly IProbedValue[],
  skipped: readonly ISkippedValue[],
  { values: names, modules }: Params<'activationStats'>
): IProbedValue[] {
  if (names === undefined && modules === undefined) {
    return [...values];
  }
  for (const name of names ?? []) {
    if (!values.some(value => value.name === name)) {
      const reason = skipped.find(value => value.name === name)?.reason;
      throw new CastlensError('bad-argument', `value "${name}" cannot be summarised`, {
        found: reason ?? 'no value of that name is computed from the inputs'
      });
    }
  }
  const isIn = (value: IProbedValue, module: string): boolean =>
    module === '' || value.module === module || value.module.startsWith(`${module}.`);
  for (const module of modules ?? []) {
    if (!values.some(value => isIn(value, module))) {
      throw new CastlensError('bad-argument', `module "${module}" computes no value`);
    }
  }
  const wanted = new Set(names);
  return values.filter(
    value => wanted.has(value.name) || (modules ?? []).some(module => isIn(value, module))
  );
}

/** A variant that probes can be put into. */
class Program {
  /** Plan a variant and convert its weights. */
  static async make(
    loaded: LoadedModel,
    sessions: VariantSessions,
    variant: IVariant,
    inputs: ReadonlyMap<string, ITensor>,
    job: IJob
  ): Promise<Program> {
    const prepared = prepareVariant(loaded, variant);
    const planned = planVariantGraph(loaded, variant).graph;
    const materialized = await sessions.materialize(prepared, job).catch(async (error: unknown) => {
      await loaded.checkFiles();
      throw error;
    });
    return new Program(loaded, sessions, prepared, planned, materialized, inputs);
  }

  private constructor(
    private readonly _loaded: LoadedModel,
    private readonly _sessions: VariantSessions,
    private readonly _prepared: IPreparedVariant,
    /** In the dialect of the file. */
    readonly planned: IGraph,
    private readonly _materialized: IMaterializedGraph,
    private readonly _inputs: ReadonlyMap<string, ITensor>
  ) {
    this._legal = _materialized.graph;
  }

  /** What the device runs; with the sizes that values had once they are known. */
  get legal(): IGraph {
    return this._legal;
  }

  /** Median time of a forward after the first one, and the most memory of the process from loading to the end. */
  async measure(): Promise<IPlain & { peakBytes: number | null }> {
    const { result, peakBytes } = await withPeakRss(() => this._timed());
    return { ...result, peakBytes };
  }

  /** Profile one forward for the sizes of all values. */
  async learnSizes(): Promise<void> {
    const feeds = feedsOf(this._legal, this._inputs);
    const renamed = new RenamedGraph(this._legal);
    const { kernels } = await this._with(renamed.graph, true, async session => {
      await session.run(renamed.feeds(feeds));
      return renamed.restore(session.endProfile());
    });
    const results = new Map(kernels.map(({ node, outputShapes }) => [node, outputShapes]));
    const inputs = new Map([...feeds].map(([name, { shape }]) => [name, shape]));
    this._legal = withSizes(this._legal, results, inputs);
  }

  /**
   * Load a graph made of this one and run it, once; the time is that of both. Nothing of it stays loaded.
   *
   * @param more - inputs that this one does not have, by name.
   * @param into - memory for all outputs, by name; in new memory where left out.
   */
  run(
    graph: IGraph,
    { more = new Map(), into }: IRunOptions = {}
  ): Promise<{ results: Results; ms: number }> {
    const feeds = new Map([...feedsOf(graph, this._inputs), ...more]);
    const start = performance.now();
    return this._with(graph, false, async session => {
      if (into !== undefined) {
        await session.runInto(feeds, into);
      }
      const results = into ?? (await session.run(feeds));
      return { results, ms: performance.now() - start };
    });
  }

  dispose(): void {
    this._materialized.dispose();
  }

  private _timed(): Promise<IPlain> {
    const loading = performance.now();
    return this._with(this._legal, false, async session => {
      const loadMs = performance.now() - loading;
      const run = session.prepareRun(feedsOf(this._legal, this._inputs));
      await run();
      const samples: number[] = [];
      for (let i = 0; i < PLAIN_RUNS; i++) {
        const start = performance.now();
        await run();
        samples.push(performance.now() - start);
      }
      return { ms: spreadOf(samples).median, loadMs, runtime: session.describe() };
    });
  }

  /**
   * Load a graph, do something with it, and give it up. Where the device is full, once more without the variants that are only kept.
   *
   * #### Notes
   * Weights are read from the file anew, and may be mapped: it is looked at before and after, so that nothing of another one is in what
   * `work` found.
   */
  private _with<T>(
    graph: IGraph,
    profile: boolean,
    work: (session: RuntimeSession) => Promise<T>
  ): Promise<T> {
    return this._sessions.withRoom(() => this._try(graph, profile, work));
  }

  private async _try<T>(
    graph: IGraph,
    profile: boolean,
    work: (session: RuntimeSession) => Promise<T>
  ): Promise<T> {
    const options = sessionOptions(this._prepared.variant);
    let session: RuntimeSession | null = null;
    try {
      session = await RuntimeSession.create(writeOnnx(graph), { ...options, profile });
      await this._loaded.checkFiles();
      const result = await work(session);
      await this._loaded.checkFiles();
      return result;
    } catch (error) {
      await this._loaded.checkFiles();
      throw await explainRefusal(error, this._prepared, this._loaded);
    } finally {
      await session?.dispose();
    }
  }

  private _legal: IGraph;
}

/** What a forward without probes takes. */
interface IPlain {
  /** Of one forward, and of loading before it. */
  readonly ms: number;
  readonly loadMs: number;
  readonly runtime: string;
}

/** Outputs of a run, by name. */
type Results = ReadonlyMap<string, ITensor>;

/** How a graph with probes is run. */
interface IRunOptions {
  readonly more?: ReadonlyMap<string, ITensor>;
  readonly into?: ReadonlyMap<string, ITensor>;
}

/** The runs for the table, with probes or of the reference, and what they found. */
class Probing {
  constructor(
    private readonly _program: Program,
    private readonly _reference: Program | null,
    private readonly _values: readonly IProbedValue[],
    private readonly _job: IJob,
    private readonly _options: IProbingOptions
  ) {}

  /** Runs so far, and the time they took with loading. */
  runs = 0;
  ms = 0;
  /** The most that weights and values took at a time, counted. */
  bytes = 0;
  /** The largest resident set of the process; null where it cannot be measured. */
  peakBytes: number | null = null;

  /** Summarise all values and compare them: on the device, or here where there is memory to fetch them. */
  async run(): Promise<void> {
    const found = this._options.isFetching ? this._gatherings() : null;
    if (found !== null) {
      return this._gather(found);
    }
    await this._summarise();
    await this._compare();
  }

  /** Values that are the same in the graph that runs are summarised once. */
  private get _places(): string[] {
    return [...new Set(this._values.map(({ place }) => place))];
  }

  private _gatherings(): IGathering[] | null {
    const { legal } = this._program;
    const reference = this._reference?.legal ?? null;
    const compared = groupBy(
      reference === null ? [] : this._pairs(reference, sizesIn(legal)),
      ({ value }) => value
    );
    const values = this._places.map(value => ({
      value,
      references: (compared.get(value) ?? []).map(pair => pair.reference)
    }));
    return gatherings(
      legal,
      reference,
      values,
      mostHeldBytes(legal, reference ?? legal, this._options.scratchBytes)
    );
  }

  private async _gather(found: readonly IGathering[]): Promise<void> {
    const all = found.reduce((sum, { items }) => sum + items.length, 0);
    const held = new HeldVectors(Math.max(0, ...found.map(({ heldBytes }) => heldBytes)));
    for (const batch of found) {
      this._tell('Reading values', this._summaries.size, all, 0, 1);
      await breathe(this._job);
      const { graph, reference } = batch;
      const into = held.layOut([...graph.vectors, ...(reference?.vectors ?? [])]);
      const { peakBytes } = await withPeakRss(async () => {
        await this._run(this._program, graph.graph, { into: pick(into, graph.vectors) });
        await breathe(this._job);
        if (reference !== null) {
          await this._run(this._reference!, reference.graph, {
            into: pick(into, reference.vectors)
          });
        }
      });
      this._note(batch.bytes, peakBytes);
      for (const [i, { value, references }] of batch.items.entries()) {
        const elements = into.get(graph.vectors[i])!;
        this._summaries.set(value, summarise(elements, batch.shapes[i]));
        references.forEach((name, j) => {
          const counterpart = into.get(reference!.vectors[batch.counterparts[i][j]])!;
          const numbers = [elements, counterpart].map(({ data }) => data as Float32Array);
          this._differences.set(pairKey(value, name), difference(numbers[0], numbers[1]));
        });
        if (i % 64 === 0) {
          await breathe(this._job);
        }
      }
    }
  }

  private async _summarise(): Promise<void> {
    const places = this._places;
    for (const { graph, probes, items, bytes } of summaryBatches(
      this._program.legal,
      places,
      this._options.scratchBytes
    )) {
      const end = this._reference === null ? 1 : 0.5;
      this._tell('Summarising values', this._summaries.size, places.length, 0, end);
      const read = await this._batch(bytes, () => this._run(this._program, graph));
      probes.forEach(({ shape, counts, figures }, i) => {
        this._summaries.set(items[i], readSummary(read(shape), read(counts), read(figures)));
      });
    }
  }

  /** Compare all values that have a counterpart in the reference. */
  private async _compare(): Promise<void> {
    if (this._reference === null) {
      return;
    }
    const reference = this._reference;
    const sizes = new Map([...this._summaries].map(([name, { stats }]) => [name, stats.count]));
    const pairs = this._pairs(reference.legal, sizes);
    const wanted = pairs.reduce((sum, { size }) => sum + size, 0);
    let done = 0;
    const held = new HeldVectors(
      heldRoomBytes(this._program.legal, reference.legal, pairs, this._options.scratchBytes)
    );
    for (const batch of differenceBatches(
      this._program.legal,
      reference.legal,
      pairs,
      this._options.scratchBytes
    )) {
      const share = Math.floor((done / wanted) * pairs.length);
      this._tell('Comparing with float32', share, pairs.length, 0.5, 1);
      const read = await this._batch(batch.bytes, () => this._compareBatch(reference, batch, held));
      batch.items.forEach(({ value, reference, start, end }, i) => {
        const key = pairKey(value, reference);
        const sums = readDifference(read(batch.second.probes[i]));
        const before = this._differences.get(key);
        this._differences.set(key, before ? mergeDifferences(before, sums) : sums);
        done += end - start;
      });
    }
  }

  /** The table, in the order of the values. */
  rows(): IActivationRow[] {
    return this._values.map(({ name, dtype, module, place, reference, limit }) => {
      const summary = this._summaries.get(place)!;
      const sums = reference === null ? null : this._differences.get(pairKey(place, reference));
      return {
        name,
        dtype,
        module,
        shape: summary.shape,
        stats: summary.stats,
        headroom: limit === null ? null : headroomIn(limit, summary),
        difference: sums ? differenceOf(sums) : null
      };
    });
  }

  /** Places to compare, each once. Values whose counterpart has other sizes are left out. */
  private _pairs(reference: IGraph, sizesByPlace: ReadonlyMap<string, number>): IComparedPair[] {
    const counterparts = new Map<string, IValue>();
    for (const node of [{ outputs: reference.inputs }, ...reference.nodes]) {
      for (const value of node.outputs) {
        if (value !== null) {
          counterparts.set(value.name, value);
        }
      }
    }
    const pairs = new Map<string, IComparedPair>();
    for (const { place, reference: name } of this._values) {
      const counterpart = name === null ? undefined : counterparts.get(name);
      const sizes = staticShape(counterpart?.shape ?? null);
      const size = sizesByPlace.get(place) ?? 0;
      if (name !== null && counterpart?.dtype && sizes !== null && size > 0) {
        if (elementCount(sizes) === size) {
          const referenceDtype = counterpart.dtype;
          pairs.set(pairKey(place, name), { value: place, reference: name, size, referenceDtype });
        }
      }
    }
    return [...pairs.values()];
  }

  /** The reference, then the variant: only one of both is loaded at a time. */
  private async _compareBatch(
    reference: Program,
    { first, second }: IComparison,
    held: HeldVectors
  ): Promise<Results> {
    const into = held.layOut(first.vectors);
    await this._run(reference, first.graph, { into: pick(into, first.vectors) });
    await breathe(this._job);
    const vectors = second.references.map(({ name }, i): [string, ITensor] => [
      name,
      into.get(first.vectors[i])!
    ]);
    return this._run(this._program, second.graph, { more: new Map(vectors) });
  }

  /** One batch; how to read its results. */
  private async _batch(
    bytes: number,
    run: () => Promise<Results>
  ): Promise<(value: IValue) => number[]> {
    await breathe(this._job);
    const { result, peakBytes } = await withPeakRss(run);
    this._note(bytes, peakBytes);
    return ({ name }) => Array.from(result.get(name)!.data as ArrayLike<number | bigint>, Number);
  }

  private _note(bytes: number, peakBytes: number | null): void {
    this.bytes = Math.max(this.bytes, bytes);
    this.peakBytes = peakBytes === null ? null : Math.max(this.peakBytes ?? 0, peakBytes);
  }

  /** Say how many of how many values are done; the step takes the request from the share `start` to `end`. */
  private _tell(text: string, done: number, all: number, start: number, end: number): void {
    const fraction = start + (end - start) * (all === 0 ? 1 : done / all);
    this._job.progress?.({ text, done, total: all, fraction });
  }

  private async _run(program: Program, graph: IGraph, options?: IRunOptions): Promise<Results> {
    const { results, ms } = await program.run(graph, options);
    this.runs++;
    this.ms += ms;
    return results;
  }

  private readonly _summaries = new Map<string, ISummary>();
  private readonly _differences = new Map<string, IDifferenceSums>();
}

/** Elements of every value whose sizes are known, by name. */
function sizesIn(graph: IGraph): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { outputs } of [{ outputs: graph.inputs }, ...graph.nodes]) {
    for (const value of outputs) {
      const shape = staticShape(value?.shape ?? null);
      if (value !== null && shape !== null) {
        sizes.set(value.name, elementCount(shape));
      }
    }
  }
  return sizes;
}

function pick(
  places: ReadonlyMap<IValue, ITensor>,
  vectors: readonly IValue[]
): Map<string, ITensor> {
  return new Map(vectors.map(value => [value.name, places.get(value)!]));
}

function pairKey(value: string, reference: string): string {
  return JSON.stringify([value, reference]);
}

/** Memory for what the reference computed, used again by every batch. */
class HeldVectors {
  /** @param sizeBytes - of all vectors of a batch. */
  constructor(sizeBytes: number) {
    this._memory = new ArrayBuffer(sizeBytes);
  }

  /** Places for float32 and float64 vectors. What was there before is lost. */
  layOut(vectors: readonly IValue[]): Map<IValue, ITensor> {
    const places = new Map<IValue, ITensor>();
    // Larger elements first: so each vector starts at a multiple of its element size.
    const isDouble = ({ dtype }: IValue): number => Number(dtype === 'float64');
    let end = 0;
    for (const value of [...new Set(vectors)].sort((a, b) => isDouble(b) - isDouble(a))) {
      const bytes = new Uint8Array(this._memory, end, valueBytes(value));
      const data = elementsOf(value.dtype!, bytes);
      places.set(value, { dtype: value.dtype!, shape: staticShape(value.shape)!, data });
      end += bytes.length;
    }
    return places;
  }

  private readonly _memory: ArrayBuffer;
}
