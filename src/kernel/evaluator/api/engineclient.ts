/**
 * Requests of cells to the engine.
 *
 * @packageDocumentation
 */
import type { IErrorInfo } from '../../../errors';
import { CastlensError, errorInfoOf } from '../../../errors';
import {
  escapeControls,
  printable,
  progressText,
  Requester,
  wrongParameter
} from '../../../protocol';
import type {
  ClientMessage,
  IProgress,
  Params,
  RequestName,
  Result,
  ServerMessage
} from '../../../protocol';

/** Progress as cells get it: printed as text, it reads like the terminal's and the panel's. */
function shown(progress: IProgress): IProgress {
  const line = escapeControls(progressText(progress));
  return Object.defineProperty({ ...progress }, 'toString', { value: () => line });
}

/** An answer. */
export interface IReply<K extends RequestName> {
  readonly result: Result<K>;
  readonly buffers: readonly Uint8Array[];
}

/** Asks the engine on behalf of cells. */
export class EngineClient {
  constructor(private readonly _options: EngineClient.IOptions) {
    this._channel = new Requester({ send: message => _options.send(message) });
  }

  /** Ask. Rejected with a CastlensError whose stack names the cell that asked. */
  async ask<K extends RequestName>(
    method: K,
    params: Params<K>,
    onProgress?: (progress: IProgress) => void
  ): Promise<IReply<K>> {
    const asked = new Error();
    // Not everything that a cell may give can be sent.
    const wrong = wrongParameter(method, params);
    if (wrong !== null) {
      throw this._errorOf(wrong, asked);
    }
    try {
      return (await this._channel.ask(method, params, {
        onProgress: progress => onProgress?.(shown(progress))
      })) as IReply<K>;
    } catch (error) {
      throw this._errorOf(errorInfoOf(error), asked);
    }
  }

  /** A message of the engine. */
  receive(message: ServerMessage, buffers: readonly Uint8Array[]): void {
    this._channel.handle(message, buffers);
  }

  /** The error for the cell, with the stack of `asked`. */
  private _errorOf(info: IErrorInfo, asked: Error): CastlensError {
    const error = CastlensError.from(printable(info));
    const frames = this._options
      .clean(asked.stack ?? '')
      .split('\n')
      .slice(1);
    const stack = [`${error.name}: ${error.message}`, ...frames].join('\n');
    Object.defineProperty(error, 'stack', { value: stack, configurable: true });
    return error;
  }

  private readonly _channel: Requester;
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
