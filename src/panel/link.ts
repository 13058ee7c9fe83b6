/**
 * Keeps one comm client on whatever kernel a document has.
 *
 * @packageDocumentation
 */
import type { ISessionContext } from '@jupyterlab/apputils';
import type { Kernel } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';
import { COMM_TARGET } from '../protocol';
import { CommClient } from './client';

/**
 * Where the connection stands.
 *
 * - `starting`: a kernel is being found, started or restarted.
 * - `ready`: requests are answered.
 * - `none`: the document has no kernel.
 * - `dead`: its kernel died and was not restarted.
 * - `foreign`: its kernel is none of castlens.
 */
export type LinkState = 'starting' | 'ready' | 'none' | 'dead' | 'foreign';

/**
 * Milliseconds that the kernel is given to answer the opening of a comm, by attempt; the last one holds for all later ones.
 */
const OPEN_TIMEOUTS_MS = [2000, 4000, 8000, 16000, 30000];

/**
 * The panel's connection to its kernel, through start, restart, death and replacement.
 *
 * #### Notes
 * A client lives as long as one kernel process: `client` is null in every state but `ready`, and each `ready` comes with a
 * new client. Requests of the one before are rejected.
 */
export class KernelLink implements IDisposable {
  constructor(options: KernelLink.IOptions) {
    this._sessionContext = options.sessionContext;
    this._reportError = options.reportError;
    this._sessionContext.kernelChanged.connect(this._sync, this);
    this._sessionContext.statusChanged.connect(this._sync, this);
    this._sessionContext.connectionStatusChanged.connect(this._sync, this);
    this._sync();
  }

  /** Emitted when `state` has changed. */
  get stateChanged(): ISignal<this, LinkState> {
    return this._stateChanged;
  }

  /** Where the connection stands. */
  get state(): LinkState {
    return this._state;
  }

  /** The client, while `state` is `ready`. */
  get client(): CommClient | null {
    return this._state === 'ready' ? this._client : null;
  }

  /** Id of the kernel the client talks to. */
  get kernelId(): string | null {
    return this._sessionContext.session?.kernel?.id ?? null;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._sessionContext.kernelChanged.disconnect(this._sync, this);
    this._sessionContext.statusChanged.disconnect(this._sync, this);
    this._sessionContext.connectionStatusChanged.disconnect(this._sync, this);
    this._drop();
    Signal.clearData(this);
  }

  /** Bring client and state in line with the session. */
  private _sync(): void {
    if (this._isDisposed) {
      return;
    }
    const kernel = this._sessionContext.session?.kernel ?? null;
    // A restart disposes every comm of the connection without closing it.
    if (this._client && (kernel?.id !== this._connectedId || !this._client.isAlive)) {
      this._drop();
    }
    if (!kernel) {
      this._drop();
      const display = this._sessionContext.kernelDisplayStatus;
      const starting =
        display === 'initializing' || display === 'starting' || display === 'connecting';
      this._setState(starting ? 'starting' : 'none');
      return;
    }
    switch (kernel.status) {
      // JupyterLab does not track the status that goes with its own first message, so a kernel may stay unknown until
      // it is asked something.
      case 'unknown':
      case 'starting':
      case 'idle':
      case 'busy':
        if (this._state === 'foreign' && kernel.id === this._connectedId) {
          return;
        }
        if (kernel.connectionStatus === 'connected') {
          this._connect(kernel);
        } else if (!this._client) {
          this._setState('starting');
        }
        break;
      case 'restarting':
      case 'autorestarting':
        this._drop();
        this._connectedId = null;
        this._setState('starting');
        break;
      case 'terminating':
      case 'dead':
        this._drop();
        this._setState('dead');
        break;
    }
  }

  private _connect(kernel: Kernel.IKernelConnection): void {
    if (this._client) {
      return;
    }
    this._setState('starting');
    // What is heard until then comes from the kernel that is being replaced.
    if (this._sessionContext.kernelDisplayStatus === 'restarting') {
      return;
    }
    // Only the page's first connection to a kernel may use comms; a later one needs a connection of its own.
    let connection = kernel;
    if (!kernel.handleComms) {
      connection = kernel.clone({ handleComms: true });
      this._clone = connection;
    }
    let client: CommClient;
    try {
      client = new CommClient({
        comm: connection.createComm(COMM_TARGET),
        reportError: this._reportError
      });
    } catch (error) {
      this._reportError(error);
      this._drop();
      return;
    }
    this._client = client;
    this._connectedId = kernel.id;
    client.closed.connect(this._onClosed, this);
    const timeout = OPEN_TIMEOUTS_MS[Math.min(this._attempt, OPEN_TIMEOUTS_MS.length - 1)];
    this._openTimer = setTimeout(() => this._onUnanswered(), timeout);
    client.opened.then(
      () => this._onOpened(client),
      // The connection ended, which is heard of in other ways.
      () => undefined
    );
  }

  private _onOpened(client: CommClient): void {
    if (this._client === client) {
      clearTimeout(this._openTimer);
      this._attempt = 0;
      this._setState('ready');
    }
  }

  /** The kernel's answer was lost, or it is slow. Open another comm. */
  private _onUnanswered(): void {
    this._attempt++;
    this._drop();
    this._sync();
  }

  /** A kernel that closes the comm without a word does not know it. */
  private _onClosed(_: CommClient, heard: boolean): void {
    this._drop();
    if (heard) {
      this._connectedId = null;
      this._setState('starting');
      this._sync();
    } else {
      this._setState('foreign');
    }
  }

  private _drop(): void {
    clearTimeout(this._openTimer);
    const client = this._client;
    this._client = null;
    client?.closed.disconnect(this._onClosed, this);
    client?.dispose();
    this._clone?.dispose();
    this._clone = null;
  }

  private _setState(state: LinkState): void {
    if (this._state !== state) {
      this._state = state;
      this._stateChanged.emit(state);
    }
  }

  private _sessionContext: ISessionContext;
  private _reportError: (error: unknown) => void;
  private _client: CommClient | null = null;
  private _clone: Kernel.IKernelConnection | null = null;
  private _connectedId: string | null = null;
  private _state: LinkState = 'starting';
  private _attempt = 0;
  private _openTimer: ReturnType<typeof setTimeout> | undefined;
  private _isDisposed = false;
  private _stateChanged = new Signal<this, LinkState>(this);
}

/** A namespace for `KernelLink` types. */
export namespace KernelLink {
  /** What a link is made of. */
  export interface IOptions {
    /** The document's session. Not owned. */
    readonly sessionContext: ISessionContext;
    /** Told of exceptions that nobody waits for. */
    readonly reportError: (error: unknown) => void;
  }
}
