/**
 * The typed conversation with the kernel over one comm.
 *
 * @packageDocumentation
 */
import type { Kernel, KernelMessage } from '@jupyterlab/services';
import type { JSONObject } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';
import type { IErrorInfo } from '../errors';
import { CastlensError } from '../errors';
import type { IAskOptions, Params, RequestName, Result, ServerMessage } from '../protocol';
import { Requester } from '../protocol';
import { bytesOf, ownedBuffer } from './buffers';

/** An answer: the result and the binary data beside it. */
export interface IReply<K extends RequestName> {
  readonly result: Result<K>;
  readonly buffers: readonly Uint8Array[];
}

/** How to make a request. Aborting tells the kernel to give up, and rejects at once with code `cancelled`. */
export type IRequestOptions = IAskOptions<ArrayBuffer | ArrayBufferView>;

/** What the kernel said about its engine process. */
export type EngineMessage = Extract<ServerMessage, { type: 'engine' }>;

/** What the kernel said about a file of the model. */
export type FilesMessage = Extract<ServerMessage, { type: 'files' }>;

/** The part of a JupyterLab comm that the client uses. */
export interface CommSeam extends Pick<
  Kernel.IComm,
  'send' | 'close' | 'dispose' | 'isDisposed' | 'onMsg' | 'onClose'
> {
  /** Its future is done when the kernel is idle again, with the opening handled. */
  open(): { readonly done: Promise<unknown> };
}

/**
 * Requests and answers over one comm.
 *
 * #### Notes
 * Requests are independent of each other and may be answered in any order. Every request ends: with its answer, by its
 * abort signal, when the kernel closes the comm, or when the client is disposed. Message handlers return at once, since
 * JupyterLab handles all messages of a kernel in one chain; exceptions in them are reported, since JupyterLab drops them.
 */
export class CommClient implements IDisposable {
  /** Open `options.comm` and listen. The client owns the comm from here on. */
  constructor(options: CommClient.IOptions) {
    this._comm = options.comm;
    this._reportError = options.reportError;
    this._channel = new Requester({
      send: (message, buffers) =>
        this._comm.send(message as unknown as JSONObject, undefined, buffers.map(ownedBuffer))
    });
    this._comm.onMsg = msg => this._onMsg(msg);
    this._comm.onClose = () => this._onClose();
    this.opened = this._comm.open().done.then(() => undefined);
    // Not every owner waits for it.
    this.opened.catch(() => undefined);
  }

  /**
   * Fulfilled when the kernel has handled the opening and its answer has been heard; rejected when the connection ended
   * before that.
   *
   * #### Notes
   * Answers travel over a channel that drops what is sent before it is connected, as after a restart of the kernel. Until
   * this is fulfilled the answer to a request might be lost.
   */
  readonly opened: Promise<void>;

  /** Emitted when the kernel closes the comm; the argument says whether it ever said anything. */
  get closed(): ISignal<this, boolean> {
    return this._closed;
  }

  /** Emitted when the engine process was lost or started. */
  get engineChanged(): ISignal<this, EngineMessage> {
    return this._engineChanged;
  }

  /** Emitted when a file of the model that was opened has become another one. */
  get filesChanged(): ISignal<this, FilesMessage> {
    return this._filesChanged;
  }

  /** Whether the comm can still be used. */
  get isAlive(): boolean {
    return !this._isDisposed && !this._comm.isDisposed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /**
   * Ask the kernel.
   *
   * @returns the answer; rejected with a CastlensError for every kind of failure.
   */
  request<K extends RequestName>(
    method: K,
    params: Params<K>,
    options: IRequestOptions = {}
  ): Promise<IReply<K>> {
    return this.isAlive
      ? (this._channel.ask(method, params, options) as Promise<IReply<K>>)
      : Promise.reject(CastlensError.from(Private.DISCONNECTED));
  }

  /** Close the comm; requests under way are rejected. */
  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._channel.close(Private.DISCONNECTED);
    this._comm.onClose = () => undefined;
    this._comm.onMsg = () => undefined;
    if (!this._comm.isDisposed) {
      try {
        this._comm.close();
      } catch {
        // The kernel connection is gone already, and the comm with it.
        this._comm.dispose();
      }
    }
    Signal.clearData(this);
  }

  private _onMsg(msg: KernelMessage.ICommMsgMsg): void {
    try {
      this._heard = true;
      this._handle(
        msg.content.data as unknown as ServerMessage,
        (msg.buffers ?? []).map(buffer => bytesOf(buffer))
      );
    } catch (error) {
      this._reportError(error);
    }
  }

  private _handle(message: ServerMessage, buffers: readonly Uint8Array[]): void {
    if (this._channel.handle(message, buffers)) {
      return;
    }
    switch (message.type) {
      case 'engine':
        this._engineChanged.emit(message);
        break;
      case 'files':
        this._filesChanged.emit(message);
        break;
      default:
        throw new Error(`Unknown message from the kernel: ${JSON.stringify(message)}`);
    }
  }

  private _onClose(): void {
    this._channel.rejectAll(Private.DISCONNECTED);
    this._closed.emit(this._heard);
  }

  private _comm: CommSeam;
  private _reportError: (error: unknown) => void;
  private _channel: Requester<RequestName, ArrayBuffer | ArrayBufferView>;
  private _heard = false;
  private _isDisposed = false;
  private _closed = new Signal<this, boolean>(this);
  private _engineChanged = new Signal<this, EngineMessage>(this);
  private _filesChanged = new Signal<this, FilesMessage>(this);
}

/** A namespace for `CommClient` types. */
export namespace CommClient {
  /** What a client is made of. */
  export interface IOptions {
    /** A comm that has not been opened yet. */
    readonly comm: CommSeam;
    /** Told of exceptions in message handlers. */
    readonly reportError: (error: unknown) => void;
  }
}

namespace Private {
  export const DISCONNECTED: IErrorInfo = {
    code: 'engine-lost',
    summary: 'The connection to the kernel ended before it answered.'
  };
}
