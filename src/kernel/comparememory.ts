/**
 * Remembers the last comparison of each model, for a panel that was reloaded.
 *
 * @packageDocumentation
 */
import { CastlensError } from '../errors';
import type { IAnswer, IAskOptions, RequestName } from '../protocol';
import { wrongParameter } from '../protocol';
import { isJsonObject } from './message';
import type { IEngine } from './supervisor';

/**
 * An engine that answers `lastCompare` itself.
 *
 * #### Notes
 * Kept in the kernel and not in the engine process, so that it outlives a crash of the engine. A comparison of another version of
 * the files than is asked for is none.
 */
export class CompareMemory implements IEngine {
  constructor(private readonly _engine: IEngine) {}

  async ask(method: RequestName, params: unknown, options?: IAskOptions): Promise<IAnswer> {
    const wrong = method === 'lastCompare' ? wrongParameter(method, params) : null;
    if (wrong !== null) {
      throw CastlensError.from(wrong);
    }
    const model = modelOf(params);
    if (method === 'lastCompare' && model !== null) {
      const kept = this._kept.get(model.key);
      const compare = kept !== undefined && kept.version === model.version ? kept.compare : null;
      return { result: { compare }, buffers: [] };
    }
    const answer = await this._engine.ask(method, params, options);
    if (method === 'compare' && model !== null && isJsonObject(answer.result)) {
      this._kept.set(model.key, { compare: answer.result, version: answer.result.version });
    }
    return answer;
  }

  cancelAll(): void {
    this._engine.cancelAll();
  }

  private readonly _kept = new Map<string, { compare: unknown; version: unknown }>();
}

/** What tells the model of a request from others, and the version asked for; null where the request names no model. */
function modelOf(params: unknown): { key: string; version: unknown } | null {
  if (!isJsonObject(params) || typeof params.path !== 'string') {
    return null;
  }
  const { path, program, weights, version } = params;
  const [of, from] = [program, weights].map(name => (typeof name === 'string' ? name : null));
  return { key: JSON.stringify([path, of, from]), version };
}
