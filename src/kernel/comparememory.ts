/**
 * Remembers the last comparison of each file, for a panel that was reloaded.
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
 * Kept in the kernel and not in the engine process, so that it outlives a crash of the engine. A file that has changed since
 * has no last comparison.
 */
export class CompareMemory implements IEngine {
  constructor(private readonly _engine: IEngine) {}

  async ask(method: RequestName, params: unknown, options?: IAskOptions): Promise<IAnswer> {
    const path = isJsonObject(params) && typeof params.path === 'string' ? params.path : null;
    if (method === 'lastCompare' && path !== null) {
      const kept = this._kept.get(path);
      const compare = kept !== undefined && kept.stamp === stampOf(path) ? kept.compare : null;
      return { result: { compare }, buffers: [] };
    }
    const stamp = method === 'compare' && path !== null ? stampOf(path) : null;
    const answer = await this._engine.ask(method, params, options);
    if (stamp !== null && path !== null) {
      this._kept.set(path, { compare: answer.result, stamp });
    }
    return answer;
  }

  cancelAll(): void {
    this._engine.cancelAll();
  }

  private readonly _kept = new Map<string, { compare: unknown; stamp: string }>();
}

/** Tells versions of a file apart; null where there is none. */
function stampOf(path: string): string | null {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats ? `${stats.mtimeMs}:${stats.size}` : null;
}
