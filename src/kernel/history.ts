/**
 * Cells that were run, in memory.
 *
 * @packageDocumentation
 */
import type { JsonObject } from './message';
import { number, text } from './message';

/** A row of a history_reply: session, line, and input or [input, output]. */
export type HistoryRow = [number, number, string | [string, string | null]];

/** The history of one kernel process, which is one session. */
export class History {
  /** Add a cell. Its line is its execution count. */
  add(line: number, input: string): void {
    this._entries.push({ line, input, output: null });
  }

  /** Keep the plain text of the result of the cell added last with this line. */
  setOutput(line: number, output: string): void {
    for (let i = this._entries.length - 1; i >= 0; i--) {
      if (this._entries[i].line === line) {
        this._entries[i].output = output;
        return;
      }
    }
  }

  /** Rows for a history_request: `tail`, `range` or `search`. */
  query(content: JsonObject): HistoryRow[] {
    const withOutput = content.output === true;
    return this._select(content).map(({ line, input, output }): HistoryRow => [
      Private.SESSION,
      line,
      withOutput ? [input, output] : input
    ]);
  }

  private _select(content: JsonObject): readonly Private.IEntry[] {
    switch (content.hist_access_type) {
      case 'tail':
        return Private.last(this._entries, number(content.n, Infinity));
      case 'range': {
        // 0 is the current session, negative numbers are earlier ones, of which there are none.
        const session = number(content.session, 0);
        const start = number(content.start, 0);
        const stop = number(content.stop, Infinity);
        return session === 0 || session === Private.SESSION
          ? this._entries.filter(({ line }) => line >= start && line < stop)
          : [];
      }
      case 'search': {
        const pattern = Private.split(text(content.pattern) || '*');
        let found = this._entries.filter(({ input }) => Private.matches(input, pattern));
        if (content.unique === true) {
          const newest = new Map(found.map(entry => [entry.input, entry]));
          found = found.filter(entry => newest.get(entry.input) === entry);
        }
        return Private.last(found, number(content.n, Infinity));
      }
      default:
        return [];
    }
  }

  private readonly _entries: Private.IEntry[] = [];
}

/**
 * The namespace for module statics.
 */
namespace Private {
  export interface IEntry {
    readonly line: number;
    readonly input: string;
    output: string | null;
  }

  /** Number of the only session there is. */
  export const SESSION = 1;

  export function last<T>(items: readonly T[], count: number): readonly T[] {
    return count >= items.length ? items : items.slice(items.length - Math.max(count, 0));
  }

  /** A glob as its characters. */
  export function split(glob: string): readonly string[] {
    return [...glob];
  }

  /** Whether the whole of `input` matches a glob of `*` and `?`. Backtracks to the last star only: quadratic at worst. */
  export function matches(input: string, glob: readonly string[]): boolean {
    const chars = [...input];
    let at = 0;
    let position = 0;
    let star = -1;
    let mark = 0;
    while (at < chars.length) {
      if (position < glob.length && glob[position] === '*') {
        star = position++;
        mark = at;
      } else if (
        position < glob.length &&
        (glob[position] === '?' || glob[position] === chars[at])
      ) {
        position++;
        at++;
      } else if (star >= 0) {
        position = star + 1;
        at = ++mark;
      } else {
        return false;
      }
    }
    while (position < glob.length && glob[position] === '*') {
      position++;
    }
    return position === glob.length;
  }
}
