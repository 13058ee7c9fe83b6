/**
 * One connection's identity: the session id, message ids and the key. The only place that stamps headers.
 *
 * JupyterLab drops messages whose session differs from that of the last message it received, so there is one session id
 * per kernel process, whichever client is asked.
 *
 * @packageDocumentation
 */
import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import type { IMessage, IOutgoing, JsonObject } from './message';
import { isHeader, isJsonObject, PROTOCOL_VERSION } from './message';
import type { ISigning } from './wire';
import { decodeFrames, encodeFrames } from './wire';

/** What a connection file says. */
export interface IConnectionInfo {
  readonly transport: 'tcp' | 'ipc';
  readonly ip: string;
  readonly shellPort: number;
  readonly iopubPort: number;
  readonly stdinPort: number;
  readonly controlPort: number;
  readonly heartbeatPort: number;
  readonly signing: ISigning;
}

/** A message, or why the frames were dropped. */
export type Received =
  | { readonly ok: true; readonly message: IMessage }
  | { readonly ok: false; readonly reason: string };

/** Turns messages into frames and back. */
export class Connection {
  constructor(options: Connection.IOptions) {
    this._signing = options.signing;
    this.session = options.session ?? randomUUID();
    this._username = Private.username();
  }

  /** Session id in the header of everything the kernel sends. */
  readonly session: string;

  /** The message in `frames`; not ok where they are malformed or wrongly signed. Never throws. */
  receive(frames: readonly Uint8Array[]): Received {
    const decoded = decodeFrames(frames, this._signing);
    if (!decoded.ok) {
      return decoded;
    }
    const raw = decoded.message;
    const header = Private.parse(raw.header);
    const parentHeader = Private.parse(raw.parentHeader);
    const metadata = Private.parse(raw.metadata);
    const content = Private.parse(raw.content);
    if (!isHeader(header)) {
      return { ok: false, reason: 'the header frame is no header' };
    }
    if (!isJsonObject(content)) {
      return { ok: false, reason: `the content of ${header.msg_type} is no object` };
    }
    return {
      ok: true,
      message: {
        identities: raw.identities,
        header,
        parentHeader: isJsonObject(parentHeader) ? parentHeader : {},
        metadata: isJsonObject(metadata) ? metadata : {},
        content,
        buffers: raw.buffers
      }
    };
  }

  /** The frames of a message from this kernel. `buffers` must not be changed afterwards: they are sent without a copy. */
  compose(message: IOutgoing): Uint8Array[] {
    const header = {
      msg_id: `${this.session}_${process.pid}_${this._sent++}`,
      session: this.session,
      username: this._username,
      date: new Date().toISOString(),
      msg_type: message.type,
      version: PROTOCOL_VERSION
    };
    return encodeFrames(
      {
        identities: message.identities ?? [],
        header: Private.encode(header),
        parentHeader: Private.encode(message.parent ?? {}),
        metadata: Private.encode(message.metadata ?? {}),
        content: Private.encode(message.content),
        buffers: message.buffers ?? []
      },
      this._signing
    );
  }

  private readonly _signing: ISigning;
  private readonly _username: string;
  private _sent = 0;
}

/** The namespace for `Connection` statics. */
export namespace Connection {
  /** Options for creating a connection. */
  export interface IOptions {
    readonly signing: ISigning;
    /** Random by default. */
    readonly session?: string;
  }
}

/**
 * Read the text of a connection file.
 *
 * @throws Error naming the field that is missing or wrong.
 */
export function parseConnectionFile(source: string): IConnectionInfo {
  const file: unknown = JSON.parse(source);
  if (!isJsonObject(file)) {
    throw new Error('connection file: expected an object');
  }
  const port = (name: string): number => {
    const value = file[name];
    if (typeof value !== 'number' || !Number.isInteger(value)) {
      throw new Error(`connection file: expected an integer for ${name}, found ${String(value)}`);
    }
    return value;
  };
  const transport = file.transport ?? 'tcp';
  if (transport !== 'tcp' && transport !== 'ipc') {
    throw new Error(`connection file: transport ${String(transport)} is not supported`);
  }
  const scheme = typeof file.signature_scheme === 'string' ? file.signature_scheme : 'hmac-sha256';
  if (!scheme.startsWith('hmac-')) {
    throw new Error(`connection file: signature scheme ${scheme} is not supported`);
  }
  return {
    transport,
    ip: typeof file.ip === 'string' ? file.ip : '127.0.0.1',
    shellPort: port('shell_port'),
    iopubPort: port('iopub_port'),
    stdinPort: port('stdin_port'),
    controlPort: port('control_port'),
    heartbeatPort: port('hb_port'),
    signing: {
      key: typeof file.key === 'string' ? file.key : '',
      hash: scheme.slice('hmac-'.length)
    }
  };
}

/**
 * The namespace for module statics.
 */
namespace Private {
  /** JSON of a frame; undefined where it is none. */
  export function parse(frame: Uint8Array): unknown {
    try {
      return JSON.parse(Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength).toString());
    } catch {
      return undefined;
    }
  }

  /** A frame of JSON. */
  export function encode(value: JsonObject | object): Uint8Array {
    return Buffer.from(JSON.stringify(value));
  }

  /** Name of the user the kernel runs as. */
  export function username(): string {
    try {
      return userInfo().username;
    } catch {
      // Containers may run under a uid without an entry.
      return 'kernel';
    }
  }
}
