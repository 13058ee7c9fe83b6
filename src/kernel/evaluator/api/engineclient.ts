/**
 * Requests of cells to the engine.
 *
 * @packageDocumentation
 */
import type { IErrorInfo } from '../../../errors';
import { CastlensError } from '../../../errors';
import { printable, wrongParameter } from '../../../protocol';
import type {
  ClientMessage,
  IProgress,
  Params,
  RequestName,
  Result,
  ServerMessage
} from '../../../protocol';

/** An answer. */
export interface IReply<K extends RequestName> {
  readonly result: Result<K>;
  readonly buffers: readonly Uint8Array[];
}

/** Correlates answers with requests. */
export class EngineClient {
  constructor(options: EngineClient.IOptions) {
    this._options = options;
  }

  /** Ask. Rejected with a CastlensError whose stack names the cell that asked. */
  ask<K extends RequestName>(
    method: K,
    params: Params<K>,
    onProgress?: (progress: IProgress) => void
  ): Promise<IReply<K>> {
    const id = this._nextId++;
    const asked = new Error();
    return new Promise<IReply<K>>((resolve, reject) => {
      this._pending.set(id, {
        onProgress,
        resolve: (result, buffers) => resolve({ result: result as Result<K>, buffers }),
        reject: info => {
          const error = CastlensError.from(printable(info));
          const frames = this._options
            .clean(asked.stack ?? '')
            .split('\n')
            .slice(1);
          const stack = [`${error.name}: ${error.message}`, ...frames].join('\n');
          Object.defineProperty(error, 'stack', { value: stack, configurable: true });
          reject(error);
        }
      });
      // Not everything that a cell may give can be sent.
      const wrong = wrongParameter(method, params);
      if (wrong === null) {
        this._options.send({ type: 'request', id, method, params });
      } else {
        this.receive({ type: 'error', id, error: wrong }, []);
      }
    });
  }

  /** A message of the engine. */
  receive(message: ServerMessage, buffers: readonly Uint8Array[]): void {
    if (message.type === 'engine' || message.type === 'files') {
      return;
    }
    const request = this._pending.get(message.id);
    switch (message.type) {
      case 'progress':
        request?.onProgress?.(message.progress);
        break;
      case 'result':
        this._pending.delete(message.id);
        request?.resolve(message.result, buffers);
        break;
      case 'error':
        this._pending.delete(message.id);
        request?.reject(message.error);
        break;
    }
  }

  private readonly _options: EngineClient.IOptions;
  private readonly _pending = new Map<
    number,
    {
      readonly onProgress?: (progress: IProgress) => void;
      readonly resolve: (result: unknown, buffers: readonly Uint8Array[]) => void;
      readonly reject: (info: IErrorInfo) => void;
    }
  >();
  private _nextId = 1;
}

/** The namespace for `EngineClient` statics. */
export namespace EngineClient {
  /** Options for creating a client. */
  export interface IOptions {
    readonly send: (message: ClientMessage) => void;
    /** Removes internals from a stack and names cells as the reader does. */
    readonly clean: (stack: string) => string;
  }
}
