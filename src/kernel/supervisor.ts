/**
 * Keeps an engine process: starts it when it is needed, asks it, and answers for it when it dies.
 *
 * @packageDocumentation
 */
import type { IErrorInfo } from '../errors';
import { CANCELLED, CastlensError } from '../errors';
import type { ClientMessage, IProgress, RequestName, ServerMessage } from '../protocol';
import type { IExit } from './childchannel';
import { ChildChannel, describeExit, startHint } from './childchannel';

/** What travels to and from the engine process. */
export interface IEnvelope<T> {
  readonly message: T;
  /** Binary data beside the message. */
  readonly buffers: readonly Uint8Array[];
}

/** An answer of the engine. */
export interface IAnswer {
  readonly result: unknown;
  readonly buffers: readonly Uint8Array[];
}

/** How to make a request. */
export interface IAskOptions {
  readonly buffers?: readonly Uint8Array[];
  /** Aborting cancels: the request is rejected with code `cancelled`, at the latest after the grace period. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: IProgress) => void;
}

/** Whoever answers requests of clients. */
export interface IEngine {
  /** @returns the answer; rejected with a CastlensError. */
  ask(method: RequestName, params: unknown, options?: IAskOptions): Promise<IAnswer>;
  /** Cancel every request under way. */
  cancelAll(): void;
}

/** What the supervisor says about the engine process. */
export type EngineState = Extract<ServerMessage, { type: 'engine' }>;

/**
 * Supervises one engine process.
 *
 * #### Notes
 * The engine may be blocked in native code and not read its messages. A cancelled request that it has not answered after the
 * grace period is ended by killing the process; the other requests, which name their model by path, are asked again of the
 * next process. So it is when an answer says `device-lost`: the process cannot use its GPU again. When the process dies by itself every request is rejected with `engine-lost`, since any of them may be the
 * cause, save those that came too late to be asked. The next request starts a new process.
 */
export class EngineSupervisor implements IEngine {
  constructor(options: EngineSupervisor.IOptions) {
    this._options = options;
    this._graceMs = options.cancelGraceMs ?? 1000;
  }

  /** Process id of the engine, while there is one. */
  get pid(): number | undefined {
    return this._child?.pid;
  }

  ask(method: RequestName, params: unknown, options: IAskOptions = {}): Promise<IAnswer> {
    if (this._disposed) {
      return Promise.reject(CastlensError.from(Private.SHUT_DOWN));
    }
    if (options.signal?.aborted) {
      return Promise.reject(CastlensError.cancelled());
    }
    const id = this._nextId++;
    return new Promise<IAnswer>((resolve, reject) => {
      const onAbort = (): void => this._cancel(id);
      const finish = (): void => {
        this._pending.delete(id);
        clearTimeout(request.timer);
        options.signal?.removeEventListener('abort', onAbort);
      };
      const request: Private.IPending = {
        method,
        envelope: {
          message: { type: 'request', id, method, params },
          buffers: options.buffers ?? []
        },
        cancelled: false,
        unsent: false,
        again: false,
        timer: undefined,
        onProgress: options.onProgress,
        resolve: answer => {
          finish();
          resolve(answer);
        },
        reject: info => {
          finish();
          reject(CastlensError.from(info));
        }
      };
      this._pending.set(id, request);
      options.signal?.addEventListener('abort', onAbort, { once: true });
      this._send(request);
    });
  }

  cancelAll(): void {
    for (const id of [...this._pending.keys()]) {
      this._cancel(id);
    }
  }

  /** End the engine process; requests under way are rejected. Resolves when the process is gone. */
  async dispose(): Promise<void> {
    this._disposed = true;
    for (const request of [...this._pending.values()]) {
      request.reject(Private.SHUT_DOWN);
    }
    const child = this._child;
    if (child) {
      // It has files to remove.
      child.end(Private.END_GRACE_MS);
      await child.exited;
    }
  }

  private _send(request: Private.IPending): void {
    request.unsent = false;
    try {
      this._running().send(request.envelope, () => {
        request.unsent = true;
      });
    } catch (error) {
      request.reject({
        code: 'bad-argument',
        summary: 'the parameters cannot be sent to the engine',
        found: (error as Error).message
      });
    }
  }

  private _cancel(id: number): void {
    const request = this._pending.get(id);
    if (!request || request.cancelled) {
      return;
    }
    request.cancelled = true;
    this._child?.send({ message: { type: 'cancel', id }, buffers: [] });
    request.timer = setTimeout(() => {
      request.reject(CANCELLED);
      this._replace('The engine was stopped to cancel a request.');
    }, this._graceMs);
  }

  /** Kill a process that does not react or cannot go on; what else it was asked is asked again. */
  private _replace(summary: string): void {
    const child = this._child;
    if (!child) {
      return;
    }
    this._child = null;
    this._lost = true;
    child.kill();
    this._tell({
      type: 'engine',
      state: 'lost',
      error: { code: 'engine-lost', summary, hint: Private.NEXT }
    });
    const survivors = [...this._pending.values()];
    for (const request of survivors) {
      if (request.cancelled) {
        request.reject(CANCELLED);
      }
    }
    for (const request of survivors) {
      if (!request.cancelled) {
        this._send(request);
      }
    }
  }

  private _running(): ChildChannel<IEnvelope<ClientMessage>, IEnvelope<ServerMessage>> {
    if (this._child) {
      return this._child;
    }
    this._lastWords = '';
    const child = new ChildChannel<IEnvelope<ClientMessage>, IEnvelope<ServerMessage>>({
      script: this._options.script,
      guarded: true,
      onMessage: envelope => {
        if (this._child === child) {
          this._onMessage(envelope);
        }
      },
      onOutput: (_name, text) => {
        this._lastWords = (this._lastWords + text).slice(-Private.LAST_WORDS);
        this._options.onOutput(text);
      },
      onExit: exit => {
        if (this._child === child) {
          this._onExit(exit);
        }
      }
    });
    this._child = child;
    if (this._lost) {
      this._lost = false;
      this._tell({ type: 'engine', state: 'started' });
    }
    return child;
  }

  /** Tell of a state, after whoever waits for the requests that were rejected because of it. */
  private _tell(state: EngineState): void {
    setImmediate(() => this._options.onState(state));
  }

  private _onMessage({ message, buffers }: IEnvelope<ServerMessage>): void {
    if (message.type === 'engine' || message.type === 'files') {
      return;
    }
    const request = this._pending.get(message.id);
    if (!request) {
      return;
    }
    switch (message.type) {
      case 'result':
        request.resolve({ result: message.result, buffers });
        break;
      case 'error':
        request.reject(message.error);
        if (message.error.code === 'device-lost') {
          this._replace('The GPU failed.');
        }
        break;
      case 'progress':
        request.onProgress?.(message.progress);
        break;
    }
  }

  private _onExit(exit: IExit): void {
    this._child = null;
    this._lost = true;
    if (this._disposed) {
      return;
    }
    const pending = [...this._pending.values()];
    const asked = pending.filter(request => !request.unsent || request.again);
    const info = Private.lost(exit, asked, this._lastWords);
    for (const request of asked) {
      request.reject(request.cancelled ? CANCELLED : info);
    }
    this._tell({ type: 'engine', state: 'lost', error: info });
    for (const request of pending.filter(each => !asked.includes(each))) {
      request.again = true;
      this._send(request);
    }
  }

  private readonly _options: EngineSupervisor.IOptions;
  private readonly _graceMs: number;
  private readonly _pending = new Map<number, Private.IPending>();
  private _child: ChildChannel<IEnvelope<ClientMessage>, IEnvelope<ServerMessage>> | null = null;
  private _nextId = 1;
  private _lost = false;
  private _lastWords = '';
  private _disposed = false;
}

/** The namespace for `EngineSupervisor` statics. */
export namespace EngineSupervisor {
  /** Options for creating a supervisor. */
  export interface IOptions {
    /** Absolute path of the engine's script. */
    readonly script: string;
    /** Told when the engine was lost or started again, after running requests have been answered. */
    readonly onState: (state: EngineState) => void;
    /** What the engine wrote to its standard streams: messages of native libraries. */
    readonly onOutput: (text: string) => void;
    /** How long a cancelled request may stay unanswered, milliseconds; 1000 by default. */
    readonly cancelGraceMs?: number;
  }
}

/**
 * The namespace for module statics.
 */
namespace Private {
  /** A request that has not been answered. */
  export interface IPending {
    readonly method: RequestName;
    readonly envelope: IEnvelope<ClientMessage>;
    readonly onProgress?: (progress: IProgress) => void;
    readonly resolve: (answer: IAnswer) => void;
    readonly reject: (info: IErrorInfo) => void;
    cancelled: boolean;
    /** Whether the process had ended before it could be asked. */
    unsent: boolean;
    /** Whether it was asked again for that reason, which happens once. */
    again: boolean;
    timer: NodeJS.Timeout | undefined;
  }

  /** How long an engine may take to end by itself, milliseconds. One that is blocked in native code does not. */
  export const END_GRACE_MS = 500;

  /** How much of the engine's output is kept for the message about its end, characters. */
  export const LAST_WORDS = 2000;

  export const SHUT_DOWN: IErrorInfo = {
    code: 'engine-lost',
    summary: 'The kernel is shutting down.'
  };

  /** What happens after a loss, for the reader. */
  export const NEXT = 'It starts again with the next request.';

  /** What to tell the clients of a process that ended by itself. */
  export function lost(exit: IExit, pending: readonly IPending[], lastWords: string): IErrorInfo {
    const methods = [...new Set(pending.map(request => request.method))];
    const during = methods.length > 0 ? ` during ${methods.join(', ')}` : '';
    const said = lastWords.trim();
    return {
      code: 'engine-lost',
      summary:
        `The engine process ${describeExit(exit)}${during}.` +
        (said === '' ? '' : ` Its last output: ${said}`),
      found: exit.signal ?? exit.failure?.message ?? `exit code ${exit.code}`,
      hint: [startHint(exit) ?? hintFor(exit), NEXT].filter(Boolean).join(' ')
    };
  }

  function hintFor(exit: IExit): string | undefined {
    switch (exit.signal) {
      case 'SIGKILL':
        return 'The system may have run out of memory.';
      case 'SIGBUS':
        return 'A file that the runtime had mapped may have become shorter, or its disk be full or gone.';
      case 'SIGSEGV':
      case 'SIGABRT':
      case 'SIGILL':
        return 'The runtime crashed in native code; another device or variant may work.';
      default:
        return undefined;
    }
  }
}
