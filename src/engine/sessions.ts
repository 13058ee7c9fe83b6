/**
 * Variants loaded into the runtime.
 *
 * @packageDocumentation
 */
import { totalmem } from 'node:os';

import type { IGraph } from '../model';
import { bodiesOf, CastlensError, elementCount, isPacked, sizeInBytes, weightsOf } from '../model';
import { writeOnnx } from '../formats';
import type { ITensor } from '../numerics';
import { bytesOf, castBytes, elementsOf } from '../numerics';
import type { IFinding, IVariant } from '../protocol';
import type {
  IExecutedCasts,
  IJob,
  IMaterializedGraph,
  IMemorySnapshot,
  IProcessMemory,
  WeightWorkers
} from '../runtime';
import {
  loadOrt,
  memoryGrowth,
  parseDevice,
  processMemory,
  RenamedGraph,
  RuntimeSession,
  WeightConverter
} from '../runtime';
import type { IComputedCost, IComputedGraph } from './computedweights';
import { computeWeights } from './computedweights';
import { exportedGraphRefused, invalidGraphRefused } from './executionfindings';
import type { LoadedModel } from './modelstore';
import { explainRefusal } from './refusedoperators';
import { sessionOptions } from './sessionoptions';
import type { INamedTensor } from './outputs';
import { inLogicalDtype } from './outputs';
import type { ILease, IPooled } from './pool';
import { Pool } from './pool';
import type { IPreparedVariant } from './variant';
import { prepareAsExported, prepareVariant } from './variant';

/** How much a `VariantSessions` keeps loaded. */
export interface ISessionLimits {
  /** Memory of sessions that are not in use, in bytes. Pages of mapped files do not count: the system can drop them. */
  readonly bytes: number;
}

/** The limits where nobody says otherwise: a quarter of the machine's memory. */
export const DEFAULT_SESSION_LIMITS: ISessionLimits = { bytes: totalmem() / 4 };

/** Every session has threads of its own. */
const MOST_SESSIONS = 16;

/** Loads variants, and keeps them loaded while memory allows; one per engine. */
export class VariantSessions {
  /** @param workers - convert weights. */
  constructor(workers: WeightWorkers, limits: ISessionLimits = DEFAULT_SESSION_LIMITS) {
    this._converter = new WeightConverter(workers);
    this._pool = new Pool({ bytes: limits.bytes, items: MOST_SESSIONS });
  }

  /**
   * A variant loaded into the runtime, from an earlier call where its files have not changed since. Calls for one variant at the same
   * time share one load. Where the device is full, a second try is made without the variants that are only kept; and so it is when the
   * variant is run or profiled for the first time.
   *
   * @throws CastlensError where the model cannot be lowered, a weight cannot be read, or the runtime refuses the graph.
   */
  take(loaded: LoadedModel, variant: IVariant, job: IJob): Promise<ILease<VariantSession>> {
    const { model, update, key: version } = loaded;
    const { passes, ...rest } = variant;
    const group = JSON.stringify([
      model.path,
      update?.source ?? null,
      model.programs?.chosen ?? null
    ]);
    const key = JSON.stringify([group, [...passes].sort(), Object.entries(rest).sort()]);
    return this._pool.take(
      { key, group, version },
      shared => this.withRoom(() => this.load(loaded, variant, shared)),
      job
    );
  }

  /** Give up what is kept. */
  clear(): Promise<void> {
    return this._pool.clear();
  }

  /**
   * Plan a variant, convert the weights it holds in another form, and load it. Whoever asks disposes it.
   *
   * @throws CastlensError where the model cannot be lowered, a weight cannot be read, or the runtime refuses the graph.
   */
  async load(loaded: LoadedModel, variant: IVariant, job: IJob): Promise<VariantSession> {
    const findings: IFinding[] = [];
    if (variant.cache === 'onnxruntime' && loaded.model.format === 'onnx') {
      if (loaded.typeErrors.length > 0) {
        findings.push(invalidGraphRefused(loaded.typeErrors));
      } else {
        try {
          return await this._load(loaded, prepareAsExported(loaded, variant), [], job);
        } catch (error) {
          if (!(error instanceof CastlensError) || error.code !== 'runtime') {
            throw error;
          }
          findings.push(exportedGraphRefused(error));
        }
      }
    }
    const prepared = prepareVariant(loaded, variant);
    try {
      return await this._load(loaded, prepared, findings, job);
    } catch (error) {
      throw await explainRefusal(error, prepared, loaded);
    }
  }

  /**
   * The graph of a variant with the weights it holds in another form converted, for whoever adds to it what is not part of the
   * variant. Conversions of `folded` are kept too: nobody asks how long they take.
   *
   * @returns what the caller disposes after the sessions made of it.
   *
   * @throws CastlensError where a weight cannot be read.
   */
  materialize(prepared: IPreparedVariant, job: IJob): Promise<IMaterializedGraph> {
    return computeWeights(this._converter, prepared, { ...job, reuse: true });
  }

  /**
   * Do what may find the device full: then once more, without the variants that are only kept.
   *
   * @param work - is told whether variants have been given up for it.
   */
  async withRoom<T>(work: (isSecond: boolean) => Promise<T>): Promise<T> {
    try {
      return await work(false);
    } catch (error) {
      if (error instanceof CastlensError && error.code === 'out-of-memory') {
        await this._pool.giveUpIdle();
        return work(true);
      }
      throw error;
    }
  }

  private async _load(
    loaded: LoadedModel,
    prepared: IPreparedVariant,
    findings: readonly IFinding[],
    job: IJob
  ): Promise<VariantSession> {
    const { variant } = prepared;
    // The runtime's own libraries are nobody's.
    await loadOrt();
    const before = await processMemory(parseDevice(variant.device));
    const converted = await computeWeights(this._converter, prepared, {
      ...job,
      // Loading a folded model casts its weights; after an update only those that changed.
      reuse: variant.cache !== 'folded' || loaded.update !== null
    });
    let session: RuntimeSession | null = null;
    try {
      const bytes = writeOnnx(converted.graph);
      session = await RuntimeSession.create(bytes, sessionOptions(variant));
      await loaded.checkFiles();
      return new VariantSession(
        loaded,
        prepared,
        findings,
        converted,
        bytes,
        session,
        before,
        work => this.withRoom(work)
      );
    } catch (error) {
      try {
        await session?.dispose();
      } finally {
        converted.dispose();
      }
      // The runtime's message would not say that the file is another one now.
      await loaded.checkFiles();
      throw error;
    }
  }

  private readonly _converter: WeightConverter;
  private readonly _pool: Pool<VariantSession>;
}

const UNKNOWN_MEMORY: IProcessMemory = {
  fileBackedBytes: null,
  hostBytes: null,
  deviceBytes: null
};

/** A variant loaded into the runtime. */
export class VariantSession implements IPooled {
  constructor(
    private readonly _loaded: LoadedModel,
    readonly prepared: IPreparedVariant,
    /** What was found while loading. */
    readonly findings: readonly IFinding[],
    private readonly _converted: IComputedGraph,
    /** The ONNX model that the runtime was given. */
    readonly model: Uint8Array,
    private readonly _session: RuntimeSession,
    /** The memory of the process before this was loaded. */
    private readonly _before: IMemorySnapshot,
    /** Does what may find the device full, and again once there is more room. */
    private readonly _withRoom: VariantSessions['withRoom']
  ) {}

  /**
   * Time from the file to a loaded model, milliseconds: session creation, and in `folded` the conversion of weights. In `frozen`
   * weights are converted ahead of time, which counts no more than writing the file would.
   */
  get loadMs(): number {
    const isFolded = this.prepared.variant.cache === 'folded';
    return this._session.loadMs + (isFolded ? this._converted.ms : 0);
  }

  /** Weights that loading converted, and those whose conversion was there already. */
  get conversions(): { readonly done: number; readonly taken: number; readonly ms: number } {
    const { convertedWeights, takenWeights, ms } = this._converted;
    return { done: convertedWeights, taken: takenWeights, ms };
  }

  /** What loading computed from weights: how many values, their bytes, and how long it took; null where nothing. */
  get computed(): IComputedCost | null {
    return this._converted.computed;
  }

  /**
   * By how much the memory of the process grew while the variant was loaded and ran for the first time. Other work of the process in
   * that time counts too: right to within some megabytes. Nothing is known before the first run, nor where other variants were given
   * up for it: what they freed would hide what this one takes.
   */
  get memory(): IProcessMemory {
    return this._memory ?? UNKNOWN_MEMORY;
  }

  /** Memory that closing the session would free. */
  get heldBytes(): number {
    // Where nobody knows, as if the runtime had copied every weight.
    const { hostBytes, deviceBytes } = this.memory;
    return (hostBytes ?? this.weightBytes) + (deviceBytes ?? 0);
  }

  /** Bytes of the weights that the session refers to. */
  get weightBytes(): number {
    return graphWeightBytes(this._converted.graph);
  }

  /** Provider, version and optimisations. */
  describe(): string {
    return this._session.describe();
  }

  /** One forward; outputs in the model's own order and dtypes. */
  async run(inputs: ReadonlyMap<string, ITensor>): Promise<INamedTensor[]> {
    const feeds = this.feeds(inputs);
    const results = await this._withRoom(isSecond => {
      if (isSecond) {
        this._memory ??= UNKNOWN_MEMORY;
      }
      return this._session.run(feeds);
    });
    if (this._memory === null) {
      const after = await processMemory(parseDevice(this.prepared.variant.device));
      this._memory = memoryGrowth(this._before, after);
    }
    const ports = this._loaded.model.outputs.filter(port => port.value !== null);
    return this.prepared.legal.outputs.map(({ value, dtype, index }) => ({
      name: ports[index].name,
      tensor: inLogicalDtype(results.get(value.name)!, dtype),
      ...(dtype !== null && isPacked(dtype) ? { dtype } : {})
    }));
  }

  /** Inputs as the runtime takes them, see {@link feedsOf}. */
  feeds(inputs: ReadonlyMap<string, ITensor>): Map<string, ITensor> {
    return feedsOf(this._converted.graph, inputs);
  }

  /** A forward to be repeated and timed. */
  prepareRun(inputs: ReadonlyMap<string, ITensor>): () => Promise<void> {
    return this._session.prepareRun(this.feeds(inputs));
  }

  /**
   * Count the weight casts of one forward in the runtime's profile.
   *
   * #### Notes
   * Profiled once, in a session of its own. Where the graph has loops or branches, what runs depends on the inputs: then every time.
   */
  async executedCasts(inputs: ReadonlyMap<string, ITensor>): Promise<IExecutedCasts> {
    const executed = this._executed ?? (await this._withRoom(() => this._profile(inputs)));
    if (!this._converted.graph.nodes.some(node => bodiesOf(node).length > 0)) {
      this._executed = executed;
    }
    return executed;
  }

  private async _profile(inputs: ReadonlyMap<string, ITensor>): Promise<IExecutedCasts> {
    const options = { ...sessionOptions(this.prepared.variant), profile: true };
    const renamed = new RenamedGraph(this._converted.graph);
    const session = await RuntimeSession.create(writeOnnx(renamed.graph), options).catch(
      async (error: unknown) => {
        await this._loaded.checkFiles();
        throw error;
      }
    );
    try {
      await session.run(renamed.feeds(this.feeds(inputs)));
      return renamed.executedCasts(session.endProfile(), this.prepared.weightCastNodes.keys());
    } finally {
      await session.dispose();
    }
  }

  async dispose(): Promise<void> {
    try {
      await this._session.dispose();
    } finally {
      this._converted.dispose();
    }
  }

  private _memory: IProcessMemory | null = null;
  private _executed: IExecutedCasts | null = null;
}

/** Inputs in the dtypes of a legal graph: the device may take low precision as float32. */
export function feedsOf(graph: IGraph, inputs: ReadonlyMap<string, ITensor>): Map<string, ITensor> {
  const feeds = new Map<string, ITensor>();
  for (const { name, dtype } of graph.inputs) {
    const given = inputs.get(name);
    if (given) {
      const isSame = dtype === null || dtype === given.dtype;
      feeds.set(name, isSame ? given : { ...given, ...castTo(given, dtype) });
    }
  }
  return feeds;
}

function castTo(tensor: ITensor, dtype: ITensor['dtype']): Pick<ITensor, 'dtype' | 'data'> {
  const bytes = castBytes(bytesOf(tensor.data), tensor.dtype, dtype);
  return { dtype, data: elementsOf(dtype, bytes) };
}

function graphWeightBytes(graph: IGraph): number {
  const storages = new Map<string, number>();
  for (const weight of weightsOf(graph)) {
    storages.set(weight.storage, sizeInBytes(weight.dtype, elementCount(weight.shape)));
  }
  return [...storages.values()].reduce((total, size) => total + size, 0);
}
