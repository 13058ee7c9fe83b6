/**
 * Comms: the panel's requests to the engine.
 *
 * @packageDocumentation
 */
import type { IFileVersion, Result, ServerMessage } from '../../protocol';
import { COMM_TARGET, Responder } from '../../protocol';
import type { EngineState, IEngine } from '../supervisor';
import { startAsking } from '../supervisor';
import type { IOutbox, JsonObject } from '../message';
import { isJsonObject, text } from '../message';
import { readClientMessage } from '../clientmessage';
import { FileWatch } from '../filewatch';
import { resolvePaths } from '../paths';
import type { Request } from '../request';
import type { Status } from '../status';

/**
 * All open comms.
 *
 * #### Notes
 * Messages are read in the order they came; the answers of one comm come in the order the engine gives them. A request keeps
 * the kernel busy until it is answered, so that the client sees that something is going on; nothing waits for it. The files of the
 * model that was opened last over a comm are watched, also where it could not be read.
 */
export class CommHandler {
  constructor(options: CommHandler.IOptions) {
    this._engine = options.engine;
    this._status = options.status;
    this._outbox = options.outbox;
    this._cwd = options.cwd;
  }

  /** Handle comm_open, comm_msg or comm_close. Status is published here, since requests outlive the call. */
  handle(request: Request): void {
    this._status.begin(request);
    switch (request.type) {
      case 'comm_open':
        this._open(request);
        break;
      case 'comm_msg':
        if (this._message(request)) {
          // The request's end is the status' business from here on.
          return;
        }
        break;
      case 'comm_close':
        this._close(text(request.content.comm_id));
        break;
    }
    this._status.end(request);
  }

  /** Content of comm_info_reply. */
  info(content: JsonObject): JsonObject {
    const comms: Record<string, { target_name: string }> = {};
    for (const id of this._comms.keys()) {
      if (content.target_name === undefined || content.target_name === COMM_TARGET) {
        comms[id] = { target_name: COMM_TARGET };
      }
    }
    return { status: 'ok', comms };
  }

  /** Tell every comm about the engine. */
  broadcast(state: EngineState): void {
    for (const id of this._comms.keys()) {
      this._tell(id, state);
    }
  }

  /** Send what nobody asked for. */
  private _tell(id: string, data: ServerMessage): void {
    this._outbox.send('iopub', { type: 'comm_msg', content: { comm_id: id, data }, parent: null });
  }

  private _open(request: Request): void {
    const id = text(request.content.comm_id);
    if (id === '' || request.content.target_name !== COMM_TARGET) {
      request.publish('comm_close', { comm_id: id, data: {} });
      return;
    }
    this._close(id);
    const watch = new FileWatch((state, file) => this._tell(id, { type: 'files', state, file }));
    this._comms.set(id, { watch, channel: this._channelOf(id, watch) });
  }

  /** @returns whether the request goes on. */
  private _message(request: Request): boolean {
    const id = text(request.content.comm_id);
    const comm = this._comms.get(id);
    if (!comm) {
      // The client does not know yet that the kernel was restarted.
      request.publish('comm_close', { comm_id: id, data: {} });
      return false;
    }
    const send = (data: ServerMessage, buffers: readonly Uint8Array[] = []): void =>
      request.publish('comm_msg', { comm_id: id, data }, { buffers });
    const read = readClientMessage(request.content.data);
    if (!read.ok) {
      send({ type: 'error', id: read.id, error: read.error });
      return false;
    }
    const done = comm.channel.handle(read.message, request.message.buffers, send);
    void done?.then(() => this._status.end(request));
    return done !== null;
  }

  /** The answering end of a comm. */
  private _channelOf(id: string, watch: FileWatch): Responder {
    return new Responder({
      send: message => this._tell(id, message),
      start: request => {
        const params = resolvePaths(request.method, request.params, this._cwd);
        const work = startAsking(this._engine, { ...request, params });
        if (request.method !== 'open') {
          return work;
        }
        // Of a file that cannot be read no more is known than its name.
        watch.watch(pathsOf(params).map(path => ({ path, version: null })));
        const answer = Promise.resolve(work.answer).then(opened => {
          if (this._comms.get(id)?.watch === watch) {
            watch.watch(filesOf(opened.result));
          }
          return opened;
        });
        return { ...work, answer };
      }
    });
  }

  private _close(id: string): void {
    const comm = this._comms.get(id);
    this._comms.delete(id);
    comm?.watch.dispose();
    comm?.channel.close();
  }

  private readonly _engine: IEngine;
  private readonly _status: Status;
  private readonly _outbox: IOutbox;
  private readonly _cwd: string;
  private readonly _comms = new Map<string, IOpenComm>();
}

interface IOpenComm {
  readonly channel: Responder;
  readonly watch: FileWatch;
}

/** The files that a request names its model by. */
function pathsOf(params: unknown): string[] {
  return isJsonObject(params)
    ? [params.path, params.weights].filter(file => typeof file === 'string')
    : [];
}

/** The files of a model that was opened; none where the engine is another one, as in tests. */
function filesOf(result: unknown): readonly IFileVersion[] {
  return (result as Partial<Result<'open'>> | null)?.files ?? [];
}

/** The namespace for `CommHandler` statics. */
export namespace CommHandler {
  /** Options for creating a handler. */
  export interface IOptions {
    readonly engine: IEngine;
    readonly status: Status;
    readonly outbox: IOutbox;
    /** Directory that relative paths of requests start from. */
    readonly cwd: string;
  }
}
