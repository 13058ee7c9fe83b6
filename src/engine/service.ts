/**
 * What a user can ask for, as one object: the other end of every request in the protocol.
 *
 * @packageDocumentation
 */
import { writeFileAtomically } from '../formats';
import { CastlensError } from '../model';
import type { Params, RequestName, Result } from '../protocol';
import { checkVariant } from './checkvariant';
import { compareVariants } from './compare';
import { describeModel } from './describe';
import { findingPage } from './findingpages';
import { fixModel } from './fix';
import { ModelStore } from './modelstore';
import { outputTarget } from './outputtarget';
import { planVariant } from './plan';
import { runVariant } from './run';
import type { IJob } from '../runtime';
import { listDevices } from '../runtime';
import { VariantSessions } from './sessions';
import { torchCodeOf } from './torchcode';
import { updateWeights } from './updateweights';
import { weightFindings } from './weightfindings';
import { weightStatsTable } from './weightstats';

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
 * cannot be made again from the file, so that a new engine answers as the old one did.
 */
export class Engine {
  /** Answer one request. Rejects with CastlensError for everything a user can act on. */
  handle<K extends EngineRequest>(method: K, params: Params<K>, job: IJob): Promise<IAnswer<K>> {
    const handler = this._handlers[method] as Handlers[K] | undefined;
    return handler
      ? handler(params, job)
      : Promise.reject(new CastlensError('bad-argument', `unknown request "${method}"`));
  }

  private readonly _store = new ModelStore();
  private readonly _sessions = new VariantSessions();

  private readonly _handlers: Handlers = {
    open: async params => answer(describeModel(await this._store.load(params), params.path)),
    census: async params => answer((await this._store.load(params)).census(params.path)),
    plan: async params => {
      await checkVariant(params.variant);
      return answer(planVariant(await this._store.load(params), params.variant));
    },
    run: async (params, job) => {
      await checkVariant(params.variant);
      return answer(
        await runVariant(await this._store.load(params, job), this._sessions, params, job)
      );
    },
    compare: async (params, job) => {
      for (const variant of params.variants) {
        await checkVariant(variant);
      }
      return answer(
        await compareVariants(await this._store.load(params, job), this._sessions, params, job)
      );
    },
    updateWeights: async (params, job) => {
      await checkVariant(params.variant);
      return answer(await updateWeights(this._store, this._sessions, params, job));
    },
    weightStats: async (params, job) => {
      const { model, explicit } = await this._store.load(params, job);
      const { outputFile } = params;
      const target = outputFile === undefined ? null : await outputTarget(model, outputFile);
      const { bytes, rows, byWeight } = await weightStatsTable(model, job);
      if (target !== null) {
        await writeFileAtomically(target, sink => sink.write(bytes));
      }
      const findings = weightFindings(explicit.graph, byWeight);
      return { result: { rows, findings }, buffers: [bytes] };
    },
    fix: async (params, job) => answer(await fixModel(this._store, params, job)),
    code: async params => answer(await torchCodeOf(this._store, params)),
    explain: async ({ code }) => answer({ markdown: findingPage(code) }),
    devices: async () => answer({ devices: await listDevices() })
  };
}

function answer<T>(result: T): { result: T; buffers: Uint8Array[] } {
  return { result, buffers: [] };
}
