/**
 * Keeps an engine process: starts it when it is needed, asks it, and answers for it when it dies.
 *
 * @packageDocumentation
 */
import type { IErrorInfo } from '../errors';
import { CANCELLED, CastlensError } from '../errors';
import type {
  ClientMessage,
  IAnswer,
  IAskOptions,
  IIncoming,
  IWork,
  RequestName,
  ServerMessage
} from '../protocol';
import { Requester } from '../protocol';
import type { IExit } from './childchannel';
import { ChildChannel, describeExit, startHint } from './childchannel';
import type { DeliveryEvent, DeliveryState, Outcome, ProcessState } from './enginestates';
import {
  nextDeliveryState,
  nextProcessState,
  outcomeOfLoss,
  outcomeOfReplacement
} from './enginestates';

/** What travels to and from the engine process. */
export interface IEnvelope<T> {
  readonly message: T;
  /** Binary data beside the message. */
  readonly buffers: readonly Uint8Array[];
}

/** Whoever answers requests of clients. */
export interface IEngine {
  /** @returns the answer; rejected with a CastlensError. */
  ask(method: RequestName, params: unknown, options?: IAskOptions): Promise<IAnswer>;
  /** Cancel every request under way. */
  cancelAll(): void;
}

/** Work of an answering end that asks an engine. */
export function startAsking(
  engine: IEngine,
  { method, params, buffers, progress }: IIncoming
): IWork {
  const controller = new AbortController();
  return {
    answer: engine.ask(method, params, {
      buffers,
      signal: controller.signal,
      onProgress: progress
    }),
    cancel: () => controller.abort()
  };
}

/** What the supervisor says about the engine process. */
export type EngineState = Extract<ServerMessage, { type: 'engine' }>;

/**
 * Supervises one engine process.
 *
 * #### Notes
 * The engine may be blocked in native code and not read its messages. A cancelled request that it has not answered after the
 * grace period is ended by killing the process; the other requests, which name their model by path, are asked again of the
 * next process. So it is when an answer says `device-lost`: the process cannot use its GPU again. When the process dies by itself
 * every request is rejected with `engine-lost`, since any of them may be the cause, save those that came too late to be asked. The
 * next request starts a new process. States and what follows from them are those of `enginestates.ts`.
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
    return this._channel.ask(method, params, options);
  }

  cancelAll(): void {
    this._channel.ids.forEach(id => this._channel.cancel(id));
  }

  /** End the engine process; requests under way are rejected. Resolves when the process is gone. */
  async dispose(): Promise<void> {
    this._state = nextProcessState(this._state, 'dispose');
    this._channel.close(Private.SHUT_DOWN);
    const child = this._child;
    if (child) {
      // It has files to remove.
      child.end(Private.END_GRACE_MS);
      await child.exited;
    }
  }

  /** Hand a message of the channel to the process. */
  private _send(message: ClientMessage, buffers: readonly Uint8Array[]): void {
    if (message.type === 'cancel') {
      this._cancel(message.id);
      return;
    }
    const { id } = message;
    if (!this._deliveries.has(id)) {
      this._deliveries.set(id, { state: 'sent', timer: undefined });
    }
    try {
      const child = this._running();
      child.send({ message, buffers }, () => {
        if (this._child === child) {
          this._follow(id, 'miss');
        }
      });
    } catch (error) {
      throw new CastlensError('bad-argument', 'the parameters cannot be sent to the engine', {
        found: (error as Error).message
      });
    }
  }

  private _cancel(id: number): void {
    const delivery = this._deliveries.get(id);
    if (!delivery || delivery.state === 'cancelling') {
      return;
    }
    this._follow(id, 'cancel');
    this._child?.send({ message: { type: 'cancel', id }, buffers: [] });
    delivery.timer = setTimeout(() => {
      this._channel.reject(id, CANCELLED);
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
    this._state = nextProcessState(this._state, 'end');
    child.kill();
    this._tell({
      type: 'engine',
      state: 'lost',
      error: { code: 'engine-lost', summary, hint: Private.NEXT }
    });
    this._settle(outcomeOfReplacement, CANCELLED);
  }

  private _running(): ChildChannel<IEnvelope<ClientMessage>, IEnvelope<ServerMessage>> {
    if (this._child) {
      return this._child;
    }
    this._lastWords = '';
    const wasLost = this._state === 'lost';
    this._state = nextProcessState(this._state, 'start');
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
    if (wasLost) {
      this._tell({ type: 'engine', state: 'started' });
    }
    return child;
  }

  /** Tell of a state, after whoever waits for the requests that were rejected because of it. */
  private _tell(state: EngineState): void {
    setImmediate(() => this._options.onState(state));
  }

  private _onMessage({ message, buffers }: IEnvelope<ServerMessage>): void {
    const wasAsked = 'id' in message && this._deliveries.has(message.id);
    this._channel.handle(message, buffers);
    if (wasAsked && message.type === 'error' && message.error.code === 'device-lost') {
      this._replace('The GPU failed.');
    }
  }

  private _onExit(exit: IExit): void {
    this._child = null;
    this._state = nextProcessState(this._state, 'end');
    if (this._state === 'closed') {
      return;
    }
    const lost = [...this._deliveries]
      .filter(([, { state }]) => outcomeOfLoss(state) !== 'resend')
      .map(([id]) => this._channel.methodOf(id)!);
    const error = Private.lost(exit, lost, this._lastWords);
    this._tell({ type: 'engine', state: 'lost', error });
    this._settle(outcomeOfLoss, error);
  }

  /** End or ask again what the process that is gone was asked; those that end come first. */
  private _settle(outcomeOf: (state: DeliveryState) => Outcome, lost: IErrorInfo): void {
    const again: number[] = [];
    for (const [id, { state }] of [...this._deliveries]) {
      switch (outcomeOf(state)) {
        case 'lost':
          this._channel.reject(id, lost);
          break;
        case 'cancelled':
          this._channel.reject(id, CANCELLED);
          break;
        case 'resend':
          again.push(id);
          break;
      }
    }
    for (const id of again) {
      this._follow(id, 'resend');
      this._channel.send(id);
    }
  }

  /** What has happened to a request; nothing where it has ended. */
  private _follow(id: number, event: DeliveryEvent): void {
    const delivery = this._deliveries.get(id);
    if (delivery) {
      delivery.state = nextDeliveryState(delivery.state, event);
    }
  }

  private readonly _options: EngineSupervisor.IOptions;
  private readonly _graceMs: number;
  private readonly _channel = new Requester({
    send: (message, buffers) => this._send(message, buffers),
    awaitsCancelled: true,
    onEnd: id => {
      clearTimeout(this._deliveries.get(id)?.timer);
      this._deliveries.delete(id);
    }
  });
  /** What has become of the requests that have not ended, by id. */
  private readonly _deliveries = new Map<number, Private.IDelivery>();
  private _state: ProcessState = 'idle';
  private _child: ChildChannel<IEnvelope<ClientMessage>, IEnvelope<ServerMessage>> | null = null;
  private _lastWords = '';
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
  /** Where a request is. */
  export interface IDelivery {
    state: DeliveryState;
    /** Ends the grace period of one that is being cancelled. */
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
  export function lost(exit: IExit, asked: readonly RequestName[], lastWords: string): IErrorInfo {
    const methods = [...new Set(asked)];
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
