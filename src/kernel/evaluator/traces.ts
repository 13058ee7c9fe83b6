/**
 * Errors of cells for the reader: places in cells, none in castlens or in Node's internals.
 *
 * @packageDocumentation
 */
import type { SourceMap } from 'node:module';
import { inspect } from 'node:util';
import type { ICellError } from '../evaluatormessages';
import type { ISyntaxProblem } from './cellsource';

/** What V8 is told a cell is called; it takes no spaces. */
export function scriptName(count: number): string {
  return `Cell[${count}]`;
}

/** What the reader is told. */
export function cellName(count: number): string {
  return `Cell [${count}]`;
}

/** The error of a cell that was interrupted. */
export const INTERRUPTED: ICellError = {
  ename: 'Interrupted',
  evalue: 'The cell was interrupted.',
  traceback: ['Interrupted: The cell was interrupted.']
};

/** Knows which cells were transformed, and so where places in them really are. */
export class Traces {
  /** Keep the source map of a cell. */
  remember(count: number, map: SourceMap | null, shift: number): void {
    if (map || shift > 0) {
      this._moved.set(count, { map, shift });
    } else {
      this._moved.delete(count);
    }
  }

  /** What to tell about something thrown. */
  describe(thrown: unknown): ICellError {
    if (!(thrown instanceof Error)) {
      const evalue = inspect(thrown);
      return { ename: 'Uncaught', evalue, traceback: [`Uncaught ${evalue}`] };
    }
    return {
      ename: String(thrown.name),
      evalue: String(thrown.message),
      traceback: this.clean(Private.textOf(thrown)).split('\n')
    };
  }

  /**
   * Text without the stack frames of internals, places in cells as the reader sees them.
   *
   * #### Notes
   * Text that names no cell is left alone. `util.inspect` puts the brace before an error's own properties behind its last
   * frame; it moves to the last frame that stays.
   */
  clean(text: string): string {
    if (!text.includes(Private.CELL)) {
      return text;
    }
    const kept: string[] = [];
    for (const line of text.split('\n')) {
      if (!Private.isInternal(line)) {
        kept.push(line.replace(Private.PLACE, (...found) => this._named(found)));
      } else if (line.endsWith(' {') && kept.length > 0) {
        kept.push(`${kept.pop()} {`);
      }
    }
    return kept.join('\n');
  }

  private _named([, count, line, column]: readonly string[]): string {
    return `${cellName(Number(count))}:${this._place(Number(count), Number(line), Number(column))}`;
  }

  private _place(count: number, line: number, column: number): string {
    const moved = this._moved.get(count);
    if (!moved) {
      return `${line}:${column}`;
    }
    const entry = moved.map?.findEntry(line - 1, column - 1);
    if (entry && 'originalLine' in entry) {
      return `${entry.originalLine + 1}:${entry.originalColumn + 1}`;
    }
    return `${line}:${line === 1 ? column - moved.shift : column}`;
  }

  private readonly _moved = new Map<number, { map: SourceMap | null; shift: number }>();
}

/** Whether V8 refused to compile a cell: such an error has no frame in the cell. */
export function isCompileError(thrown: unknown): thrown is SyntaxError {
  return thrown instanceof SyntaxError && !(thrown.stack ?? '').includes(Private.CELL);
}

/** A syntax error, with the line it is in and a caret under the place. */
export function describeSyntaxError(
  code: string,
  count: number,
  problem: ISyntaxProblem
): ICellError {
  const { message, place } = problem;
  const lines = [`SyntaxError: ${message}`];
  if (place) {
    const source = code.split('\n')[place.line - 1] ?? '';
    // Tabs stay tabs, so that the caret stands where the reader sees the place.
    const indent = source.slice(0, place.column).replace(/[^\t]/g, ' ');
    const where = `${cellName(count)}:${place.line}:${place.column + 1}`;
    lines.unshift(where, source, `${indent}^`, '');
  } else if (message.endsWith('has already been declared')) {
    lines.push(
      'It can be declared again with the same keyword only: let, const, class or function.'
    );
  }
  return { ename: 'SyntaxError', evalue: message, traceback: lines };
}

/**
 * The namespace for module statics.
 */
namespace Private {
  /** What every place in a cell starts with, as V8 writes it. */
  export const CELL = 'Cell[';

  /** A place in a cell, as V8 writes it. */
  export const PLACE = /Cell\[(\d+)\]:(\d+):(\d+)/g;

  const FRAME = /^\s+at /;
  const INTERNAL = /\(?node:|<anonymous>\)?( \{)?$/;

  /** Whether a line is a stack frame of castlens, of Node's internals, or of the protocol session below a cell. */
  export function isInternal(line: string): boolean {
    if (!FRAME.test(line) || /Cell\[\d+\]/.test(line)) {
      return false;
    }
    return line.includes(__filename) || INTERNAL.test(line);
  }

  /** The error with its stack, its causes and its own properties. */
  export function textOf(error: Error): string {
    try {
      return inspect(error);
    } catch {
      return error.stack ?? `${error.name}: ${error.message}`;
    }
  }
}
