/**
 * What a user can ask for, as one object: the other end of every request in the protocol.
 *
 * @packageDocumentation
 */
import { writeFileAtomically } from '../formats';
import { CastlensError } from '../model';
import type { IModelRef, IVariant, Params, RequestName, Result } from '../protocol';
import { describeValue, ProgressEstimate, wrongParameter } from '../protocol';
import { checkVariant, isTorchVariant } from './checkvariant';
import type { ICompareMeans } from './compare';
import { compareVariants } from './compare';
import { describeModel } from './describe';
import { findingPage } from './findingpages';
import { fixModel } from './fix';
import { ModelStore } from './modelstore';
import { outputTarget } from './outputtarget';
import { describePackage } from './packageinfo';
import { planVariant } from './plan';
import { runVariant } from './run';
import { glanceAtPythons } from '../pytorch';
import type { IJob } from '../runtime';
import { listDevices, removeStaleFolders, WeightWorkers } from '../runtime';
import type { ISessionLimits } from './sessions';
import { VariantSessions } from './sessions';
import { torchCodeOf } from './torchcode';
import { TorchHost } from './torchhost';
import { updateWeights } from './updateweights';
import { weightFindings } from './weightfindings';

// Statistics are imported where they are asked for: Arrow is large, and few requests need it.

/** Requests that the engine answers; the kernel remembers comparisons itself. */
export type EngineRequest = Exclude<RequestName, 'lastCompare'>;

/** An answer: the result, and binary data beside it. */
export interface IAnswer<K extends EngineRequest> {
  readonly result: Result<K>;
  readonly buffers: Uint8Array[];
}

type Handlers = {
  [K in EngineRequest]: (params: Params<K>, job: IJob) => Promise<IAnswer<K>>;
};

/**
 * The engine.
 *
 * #### Notes
 * Requests may overlap only in so far as they yield; onnxruntime blocks the thread. Nothing is kept between requests that
 * cannot be made again from the file, so that a new engine answers as the old one did: models read, and variants loaded.
 */
export class Engine {
  constructor(options: Engine.IOptions = {}) {
    this._sessions = new VariantSessions(this._workers, options.sessions);
  }

  /** Close what is kept loaded, and end the threads. Work of theirs under way fails; the engine can be used again. */
  async dispose(): Promise<void> {
    await this._tidied;
    await this._torch.dispose();
    await this._sessions.clear();
    await this._workers.dispose();
  }

  /**
   * Answer one request, once its parameters are what the table in the protocol says. Rejects with CastlensError for everything a
   * user can act on; where the error is about no other file, it names the model's.
   */
  async handle<K extends EngineRequest>(
    method: K,
    params: Params<K>,
    job: IJob
  ): Promise<IAnswer<K>> {
    if (!Object.hasOwn(this._handlers, method)) {
      throw new CastlensError('bad-argument', `unknown request ${describeValue(method)}`, {
        expected: Object.keys(this._handlers).join(', ')
      });
    }
    const wrong = wrongParameter(method, params);
    if (wrong !== null) {
      throw CastlensError.from(wrong);
    }
    try {
      return await this._handlers[method](params, withEstimates(job));
    } catch (error) {
      throw 'path' in params ? withFile(error, params.path) : error;
    }
  }

  /** Remarks of the reader about the file of a model. */
  async warnings(ref: IModelRef): Promise<readonly string[]> {
    return (await this._store.load(ref)).model.warnings;
  }

  private readonly _store = new ModelStore();
  private readonly _torch = new TorchHost();
  private readonly _workers = new WeightWorkers();
  /** What engines that were killed left behind is removed when the next one starts. */
  private readonly _tidied = removeStaleFolders();
  private readonly _sessions: VariantSessions;

  private readonly _handlers: Handlers = {
    open: async params => answer(describeModel(await this._store.load(params), params.path)),
    census: async params =>
      answer((await this._store.load(params)).census(params.path, params.regions)),
    plan: async params => {
      const loaded = await this._store.load(params);
      return answer(planVariant(loaded, await checkVariant(params.variant, loaded.model)));
    },
    run: async (params, job) => {
      const loaded = await this._store.load(params, job);
      const variant = await checkVariant(params.variant, loaded.model);
      return answer(await runVariant(loaded, this._sessions, { ...params, variant }, job));
    },
    compare: async (params, job) => {
      const loaded = await this._store.load(params, job);
      const variants: IVariant[] = [];
      for (const variant of params.variants) {
        variants.push(
          isTorchVariant(variant) ? variant : await checkVariant(variant, loaded.model)
        );
      }
      const { path, program } = params;
      const means: ICompareMeans = {
        sessions: this._sessions,
        torch: this._torch,
        repair: async (output, repairJob) => {
          await fixModel(this._store, this._workers, { path, program, output }, repairJob);
        }
      };
      return answer(await compareVariants(loaded, means, { ...params, variants }, job));
    },
    updateWeights: async (params, job) => {
      const { path, program, version } = params;
      const { model } = await this._store.load({ path, program, version }, job);
      const variant = await checkVariant(params.variant, model);
      return answer(await updateWeights(this._store, this._sessions, { ...params, variant }, job));
    },
    weightStats: async (params, job) => {
      const loaded = await this._store.load(params, job);
      const { model, explicit } = loaded;
      const { outputFile } = params;
      const target = outputFile === undefined ? null : await outputTarget(model, outputFile);
      const { weightStatsTable } = await import('./weightstats');
      const { bytes, rows, byWeight } = await weightStatsTable(model, this._workers, job);
      await loaded.checkFiles();
      if (target !== null) {
        await writeFileAtomically(target, sink => sink.write(bytes));
      }
      const findings = weightFindings(explicit.graph, byWeight);
      return { result: { rows, findings }, buffers: [bytes] };
    },
    activationStats: async (params, job) => {
      const { inputs, outputFile } = params;
      const loaded = await this._store.load(params, job);
      const variant = await checkVariant(params.variant, loaded.model);
      const read = inputs?.inputsFile === undefined ? [] : [inputs.inputsFile];
      const target =
        outputFile === undefined ? null : await outputTarget(loaded.model, outputFile, read);
      const { activationStatsTable } = await import('./activationstats');
      const { bytes, result } = await activationStatsTable(
        loaded,
        this._sessions,
        { ...params, variant },
        job
      );
      if (target !== null) {
        await writeFileAtomically(target, sink => sink.write(bytes));
      }
      return { result, buffers: [bytes] };
    },
    fix: async (params, job) => answer(await fixModel(this._store, this._workers, params, job)),
    code: async params => answer(await torchCodeOf(this._store, params)),
    explain: async ({ code }) => answer({ markdown: findingPage(code) }),
    devices: async () => answer({ devices: await listDevices() }),
    package: async params => answer(await describePackage(params, this._store)),
    pythons: async ({ quick }, job) =>
      answer({ pythons: quick === true ? glanceAtPythons() : await this._torch.environments(job) })
  };
}

/** A namespace for `Engine` statics. */
export namespace Engine {
  /** Options of an engine. */
  export interface IOptions {
    /** How much may stay loaded between requests. */
    readonly sessions?: ISessionLimits;
  }
}

/** An error of the user's with the file it is about, where it names none. Defects stay what they are. */
function withFile(error: unknown, file: string): unknown {
  return error instanceof CastlensError &&
    error.details.file === undefined &&
    error.code !== 'cancelled' &&
    error.code !== 'internal'
    ? error.with({ file })
    : error;
}

/** The job, with an estimate of what is left in all that it is told. */
function withEstimates(job: IJob): IJob {
  const { signal, progress } = job;
  const estimate = new ProgressEstimate();
  return progress === undefined
    ? job
    : { signal, progress: told => progress.call(job, estimate.add(told, performance.now())) };
}

function answer<T>(result: T): { result: T; buffers: Uint8Array[] } {
  return { result, buffers: [] };
}
