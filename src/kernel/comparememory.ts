/**
 * Remembers the last comparison of each model, for a panel that was reloaded.
 *
 * @packageDocumentation
 */
import { statSync } from 'node:fs';
import type { RequestName } from '../protocol';
import { isJsonObject } from './message';
import type { IAnswer, IAskOptions, IEngine } from './supervisor';

/**
 * An engine that answers `lastCompare` itself.
 *
 * #### Notes
 * Kept in the kernel and not in the engine process, so that it outlives a crash of the engine. A model of which a
 * file has changed since has no last comparison.
 */
export class CompareMemory implements IEngine {
  constructor(private readonly _engine: IEngine) {}

  async ask(method: RequestName, params: unknown, options?: IAskOptions): Promise<IAnswer> {
    const files = filesOf(params);
    const key = JSON.stringify(files);
    if (method === 'lastCompare' && files.length > 0) {
      const kept = this._kept.get(key);
      const compare = kept !== undefined && kept.stamp === stampOf(files) ? kept.compare : null;
      return { result: { compare }, buffers: [] };
    }
    const stamp = method === 'compare' ? stampOf(files) : null;
    const answer = await this._engine.ask(method, params, options);
    if (stamp !== null) {
      this._kept.set(key, { compare: answer.result, stamp });
    }
    return answer;
  }

  cancelAll(): void {
    this._engine.cancelAll();
  }

  private readonly _kept = new Map<string, { compare: unknown; stamp: string }>();
}

/** The files that the model of a request is read from: that of the program, and that of other weights. */
function filesOf(params: unknown): string[] {
  return isJsonObject(params)
    ? [params.path, params.weights].filter(file => typeof file === 'string')
    : [];
}

/** Tells versions of files apart; null where there is none, or one is missing. */
function stampOf(files: readonly string[]): string | null {
  const stamps: string[] = [];
  for (const file of files) {
    const stats = statSync(file, { throwIfNoEntry: false });
    if (stats === undefined) {
      return null;
    }
    stamps.push(`${stats.mtimeMs}:${stats.size}`);
  }
  return stamps.length > 0 ? stamps.join('|') : null;
}
