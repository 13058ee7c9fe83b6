/**
 * `console` and the standard streams of cells.
 *
 * @packageDocumentation
 */
import { Console } from 'node:console';
import { Writable } from 'node:stream';
import type { ExecutionId } from '../evaluatormessages';

/** Which stream. */
export type StreamName = 'stdout' | 'stderr';

/**
 * Passes on what cells write, in order.
 *
 * #### Notes
 * The first pieces of a turn of the event loop go at once, since the code that writes may not return for a long time; a flood
 * is collected into larger pieces, that end when the stream or the execution changes, at {@link Output.flush}, soon after the
 * code that writes has returned, and every tenth of a second.
 */
export class Output {
  /**
   * @param send - passes a piece on.
   * @param later - calls back when the running code has returned; not one of the timers that cells see.
   */
  constructor(
    private readonly _send: (execution: ExecutionId, name: StreamName, text: string) => void,
    private readonly _later: (callback: () => void) => void
  ) {}

  /** Add text of an execution. */
  write(execution: ExecutionId, name: StreamName, text: string): void {
    if (execution !== this._execution || name !== this._name) {
      this.flush();
      this._execution = execution;
      this._name = name;
    }
    this._pieces.push(text);
    this._length += text.length;
    if (this._written++ === 0) {
      this._later(() => {
        this._written = 0;
        this.flush();
      });
    }
    const flood = this._written > Private.AT_ONCE;
    const due = Date.now() - this._flushed >= Private.INTERVAL_MS;
    if (!flood || due || this._length >= Private.PIECE) {
      this.flush();
    }
  }

  /** Pass on what has been collected. */
  flush(): void {
    this._flushed = Date.now();
    if (this._pieces.length > 0) {
      const text = this._pieces.join('');
      this._pieces = [];
      this._length = 0;
      this._send(this._execution, this._name, text);
    }
  }

  private _execution: ExecutionId = 0;
  private _name: StreamName = 'stdout';
  private _pieces: string[] = [];
  private _length = 0;
  private _flushed = 0;
  /** Writes in this turn of the event loop. */
  private _written = 0;
}

/** Put `console`, `process.stdout` and `process.stderr` in front of `write`. */
export function captureOutput(write: (name: StreamName, text: string) => void): void {
  const stream = (name: StreamName): Writable => {
    const made = new Writable({ decodeStrings: false });
    // Not through the stream's own queue, which would hold back what is written while a write is under way.
    made.write = (
      chunk: unknown,
      encoding?: BufferEncoding | ((error?: Error | null) => void),
      callback?: (error?: Error | null) => void
    ) => {
      write(name, typeof chunk === 'string' ? chunk : Buffer.from(chunk as Uint8Array).toString());
      const done = typeof encoding === 'function' ? encoding : callback;
      if (done) {
        process.nextTick(done);
      }
      return true;
    };
    return made;
  };
  const stdout = stream('stdout');
  const stderr = stream('stderr');
  Object.defineProperty(process, 'stdout', { value: stdout, configurable: true, enumerable: true });
  Object.defineProperty(process, 'stderr', { value: stderr, configurable: true, enumerable: true });
  globalThis.console = new Console({ stdout, stderr, colorMode: false });
}

/**
 * The namespace for module statics.
 */
namespace Private {
  /** Length at which a piece is passed on, characters. */
  export const PIECE = 16384;

  /** How many writes of a turn are passed on at once. */
  export const AT_ONCE = 64;

  export const INTERVAL_MS = 100;
}
