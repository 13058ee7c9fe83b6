/**
 * Both ends of a conversation in requests: ids, progress, cancelling and closing, for every pair of processes.
 *
 * Pure: an end is given a function that sends, and is handed what arrives. It knows neither sockets nor processes nor time.
 *
 * @packageDocumentation
 */
import type { IErrorInfo } from '../errors';
import { CANCELLED, CastlensError, errorInfoOf } from '../errors';
import type { RequestName } from './contract';
import type { ClientMessage, ServerMessage } from './messages';
import type { IProgress } from './progress';

/** An answer: the result, and binary data beside it. */
export interface IAnswer {
  readonly result: unknown;
  readonly buffers: readonly Uint8Array[];
}

/** The part of an `AbortSignal` that is used. */
export interface ICancelSignal {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void, options: { once: true }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** How to make a request. */
export interface IAskOptions<B = Uint8Array> {
  /** Binary data beside the parameters. */
  readonly buffers?: readonly B[];
  /** Aborting cancels: the request is rejected with code `cancelled`, unless it is answered first. */
  readonly signal?: ICancelSignal;
  /** Called for every message of progress, in order; never after the end of the request. */
  readonly onProgress?: (progress: IProgress) => void;
}

/**
 * The asking end.
 *
 * #### Notes
 * Requests are independent of each other and may be answered in any order. Each ends once: with its answer, by its signal, by
 * `reject()`, or by `close()`. What arrives for a request that has ended, or never was, is passed over.
 */
export class Requester<M extends string = RequestName, B = Uint8Array> {
  constructor(private readonly _options: Requester.IOptions<M, B>) {}

  /** Ids of the requests that have not ended, in the order in which they were asked. */
  get ids(): number[] {
    return [...this._pending.keys()];
  }

  /** What a request asks for; undefined where it has ended. */
  methodOf(id: number): M | undefined {
    return this._pending.get(id)?.message.method;
  }

  /**
   * Ask.
   *
   * @returns the answer; rejected with a CastlensError: that of the other end, `cancelled`, that of `close()`, or why it cannot be sent.
   */
  ask(method: M, params: unknown, options: IAskOptions<B> = {}): Promise<IAnswer> {
    const { signal, buffers = [], onProgress } = options;
    if (this._closed !== null) {
      return Promise.reject(CastlensError.from(this._closed));
    }
    if (signal?.aborted) {
      return Promise.reject(CastlensError.cancelled());
    }
    const id = this._nextId++;
    return new Promise<IAnswer>((resolve, reject) => {
      const onAbort = (): void => this.cancel(id);
      this._pending.set(id, {
        message: { type: 'request', id, method, params },
        buffers,
        onProgress,
        resolve,
        reject,
        forget: () => signal?.removeEventListener('abort', onAbort)
      });
      signal?.addEventListener('abort', onAbort, { once: true });
      this.send(id);
    });
  }

  /** Send a request, once more where the one who had it is gone. */
  send(id: number): void {
    const request = this._pending.get(id);
    if (request !== undefined) {
      try {
        this._options.send(request.message, request.buffers);
      } catch (error) {
        this.reject(id, unsent(error));
      }
    }
  }

  /** Cancel a request: it ends at once, or, where cancelling is waited for, when it is answered or rejected. */
  cancel(id: number): void {
    if (!this._pending.has(id)) {
      return;
    }
    if (this._options.awaitsCancelled !== true) {
      this.reject(id, CANCELLED);
    }
    try {
      this._options.send({ type: 'cancel', id }, []);
    } catch {
      // Whoever would have to give up is gone.
    }
  }

  /** End a request with an error. */
  reject(id: number, error: IErrorInfo): void {
    this._end(id)?.reject(CastlensError.from(error));
  }

  /**
   * A message of the answering end.
   *
   * @returns false where it is none about a request.
   */
  handle(message: ServerMessage, buffers: readonly Uint8Array[] = []): boolean {
    switch (message.type) {
      case 'result':
        this._end(message.id)?.resolve({ result: message.result, buffers });
        return true;
      case 'error':
        this.reject(message.id, message.error);
        return true;
      case 'progress':
        this._pending.get(message.id)?.onProgress?.(message.progress);
        return true;
      default:
        return false;
    }
  }

  /** End every request with `error`, and every later one as well. The first call counts. */
  close(error: IErrorInfo): void {
    this._closed ??= error;
    this.rejectAll(error);
  }

  /** End every request with `error`. */
  rejectAll(error: IErrorInfo): void {
    this.ids.forEach(id => this.reject(id, error));
  }

  /** The request, ended. */
  private _end(id: number): IPending<M, B> | undefined {
    const request = this._pending.get(id);
    if (request !== undefined) {
      this._pending.delete(id);
      request.forget();
      this._options.onEnd?.(id);
    }
    return request;
  }

  private readonly _pending = new Map<number, IPending<M, B>>();
  private _nextId = 1;
  private _closed: IErrorInfo | null = null;
}

/** The namespace for `Requester` statics. */
export namespace Requester {
  /** What an asking end is made of. */
  export interface IOptions<M extends string, B> {
    /** Send to the answering end. Where it throws, the request ends with that error. */
    readonly send: (message: ClientMessage<M>, buffers: readonly B[]) => void;
    /** Whether a cancelled request goes on until it is answered or rejected. */
    readonly awaitsCancelled?: boolean;
    /** Told of the end of each request, before whoever asked. */
    readonly onEnd?: (id: number) => void;
  }
}

/** A request that has not ended. */
interface IPending<M extends string, B> {
  readonly message: ClientMessage<M> & { readonly type: 'request' };
  readonly buffers: readonly B[];
  readonly onProgress?: (progress: IProgress) => void;
  readonly resolve: (answer: IAnswer) => void;
  readonly reject: (error: CastlensError) => void;
  /** Stop listening to the signal. */
  readonly forget: () => void;
}

/** Why a message was not sent. */
function unsent(error: unknown): IErrorInfo {
  if (error instanceof CastlensError) {
    return error.info;
  }
  const found = error instanceof Error ? error.message : String(error);
  return { code: 'internal', summary: 'The request cannot be sent.', found };
}

/** A request that has arrived. */
export interface IIncoming<M extends string = RequestName> {
  readonly id: number;
  readonly method: M;
  /** As they arrived: nothing is checked. */
  readonly params: unknown;
  readonly buffers: readonly Uint8Array[];
  /** Tell how far it is. Passed over after the answer. */
  readonly progress: (progress: IProgress) => void;
}

/** The work on a request. */
export interface IWork {
  readonly answer: Promise<IAnswer> | IAnswer;
  /** Give up; `answer` still ends. */
  readonly cancel: () => void;
}

/** Sends to the asking end. */
export type SendAnswer = (message: ServerMessage, buffers: readonly Uint8Array[]) => void;

/**
 * The answering end.
 *
 * #### Notes
 * Every request is answered once, with a result or an error, in the order in which work on them ends; none after `close()`.
 */
export class Responder<M extends string = RequestName> {
  constructor(private readonly _options: Responder.IOptions<M>) {}

  /**
   * A message of the asking end.
   *
   * @param send - where the answer goes, if not to the `send` of the options.
   * @returns for a request that work is done on: a promise that is fulfilled once it has been answered. Null otherwise.
   */
  handle(
    message: ClientMessage<M>,
    buffers: readonly Uint8Array[] = [],
    send: SendAnswer = this._options.send
  ): Promise<void> | null {
    const { id } = message;
    if (this._isClosed) {
      return null;
    }
    if (message.type === 'cancel') {
      this._running.get(id)?.cancel();
      return null;
    }
    if (this._running.has(id)) {
      const summary = `Request ${id} is still being answered.`;
      send({ type: 'error', id, error: { code: 'bad-argument', summary } }, []);
      return null;
    }
    const running: IRunning = { cancel: () => undefined };
    this._running.set(id, running);
    return this._work(message, buffers, running, (answer, sent) => {
      if (this._running.get(id) === running) {
        send(answer, sent);
      }
    });
  }

  /** Give up all work; nothing more is sent. */
  close(): void {
    this._isClosed = true;
    this.cancelAll();
  }

  /** Give up all work, of which nothing more is sent. Ids may be used again. */
  cancelAll(): void {
    const running = [...this._running.values()];
    this._running.clear();
    running.forEach(({ cancel }) => cancel());
  }

  /** Work on a request. Never rejects. */
  private async _work(
    { id, method, params }: Extract<ClientMessage<M>, { type: 'request' }>,
    buffers: readonly Uint8Array[],
    running: IRunning,
    send: SendAnswer
  ): Promise<void> {
    const end = (message: ServerMessage, sent: readonly Uint8Array[]): void => {
      send(message, sent);
      if (this._running.get(id) === running) {
        this._running.delete(id);
      }
    };
    try {
      const work = this._options.start({
        id,
        method,
        params,
        buffers,
        progress: progress => send({ type: 'progress', id, progress }, [])
      });
      running.cancel = work.cancel;
      const answer = await work.answer;
      end({ type: 'result', id, result: answer.result }, answer.buffers);
    } catch (error) {
      end({ type: 'error', id, error: errorInfoOf(error) }, []);
    }
  }

  private readonly _running = new Map<number, IRunning>();
  private _isClosed = false;
}

/** The namespace for `Responder` statics. */
export namespace Responder {
  /** What an answering end is made of. */
  export interface IOptions<M extends string> {
    /** Begin the work on a request. What it throws, or its answer is rejected with, is the answer. */
    readonly start: (request: IIncoming<M>) => IWork;
    readonly send: SendAnswer;
  }
}

/** Work that is not done. */
interface IRunning {
  cancel: () => void;
}
