import { createHmac, randomUUID } from 'node:crypto';
import { Dealer, Request as HeartbeatSocket, Subscriber } from 'zeromq';
import type { IConnectionFile } from './kernelprocess';

/** Channels a client talks on. */
export type ClientChannel = 'shell' | 'control' | 'stdin';

/** A message as the client sees it. */
export interface IReceived {
  readonly header: { readonly msg_id: string; readonly msg_type: string; readonly session: string };
  readonly parent_header: { readonly msg_id?: string; readonly session?: string };
  readonly metadata: Record<string, unknown>;
  readonly content: IContent;
  readonly buffers: Buffer[];
}

/** Fields of contents that tests look into; which of them are there depends on the type of the message. */
export interface IContent {
  readonly status: string;
  readonly execution_state: string;
  readonly execution_count: number;
  readonly ename: string;
  readonly evalue: string;
  readonly traceback: string[];
  readonly name: string;
  readonly text: string;
  readonly data: Record<string, never>;
  readonly user_expressions: Record<string, unknown>;
  readonly matches: string[];
  readonly cursor_start: number;
  readonly cursor_end: number;
  readonly history: [number, number, unknown][];
  readonly comms: Record<string, unknown>;
  readonly comm_id: string;
}

/** What an execution gave. */
export interface IExecuted {
  readonly reply: IReceived;
  /** Everything published for it, busy and idle included. */
  readonly published: IReceived[];
}

/**
 * A Jupyter client over real sockets, written apart from the kernel's own code.
 *
 * Everything received is kept in `received`, by channel, in order.
 */
export class Client {
  constructor(private readonly _connection: IConnectionFile) {
    const address = (port: number): string => `tcp://${_connection.ip}:${port}`;
    this._sockets.shell.connect(address(_connection.shell_port));
    this._sockets.control.connect(address(_connection.control_port));
    this._sockets.stdin.connect(address(_connection.stdin_port));
    this._iopub.connect(address(_connection.iopub_port));
    this._iopub.subscribe();
    for (const channel of ['shell', 'control', 'stdin'] as const) {
      this._follow(this._sockets[channel], this.received[channel]);
    }
    this._follow(this._iopub, this.received.iopub);
  }

  readonly session = randomUUID();

  readonly received: Record<ClientChannel | 'iopub', IReceived[]> = {
    shell: [],
    control: [],
    stdin: [],
    iopub: []
  };

  /** Resolves when the kernel has noticed the subscription. */
  async ready(): Promise<void> {
    await this.next('iopub', message => message.header.msg_type === 'iopub_welcome');
  }

  /** Send a message. @returns its id. */
  async send(
    channel: ClientChannel,
    type: string,
    content: object = {},
    options: Client.ISendOptions = {}
  ): Promise<string> {
    const { id, frames } = this.frames(type, content, options);
    await this.sendFrames(channel, frames);
    return id;
  }

  /** The frames of a signed message. */
  frames(
    type: string,
    content: object,
    options: Client.ISendOptions = {}
  ): { id: string; frames: Buffer[] } {
    const id = randomUUID();
    const header = {
      msg_id: id,
      session: this.session,
      username: 'test',
      date: new Date().toISOString(),
      msg_type: type,
      version: '5.4'
    };
    const json = [header, options.parent ?? {}, {}, content].map(part =>
      Buffer.from(JSON.stringify(part))
    );
    const buffers = (options.buffers ?? []).map(buffer => Buffer.from(buffer));
    const frames = [Buffer.from('<IDS|MSG>'), Buffer.alloc(0), ...json, ...buffers];
    return { id, frames: this.sign(frames, options.key) };
  }

  /** The frames of a message with the signature that is right for them. */
  sign(frames: readonly Buffer[], key = this._connection.key): Buffer[] {
    const hmac = createHmac('sha256', key);
    frames.slice(2, 6).forEach(frame => hmac.update(frame));
    const signature = key === '' ? '' : hmac.digest('hex');
    return [frames[0], Buffer.from(signature), ...frames.slice(2)];
  }

  /** Send frames as they are, after those sent before. */
  sendFrames(channel: ClientChannel, frames: Uint8Array[]): Promise<void> {
    const sent = this._sending[channel].then(() => this._sockets[channel].send(frames));
    this._sending[channel] = sent.catch(() => undefined);
    return sent;
  }

  /** Send a request and wait for its reply. */
  async request(
    channel: ClientChannel,
    type: string,
    content: object = {},
    timeoutMs?: number
  ): Promise<IReceived> {
    const id = await this.send(channel, type, content);
    return this.next(channel, message => message.parent_header.msg_id === id, timeoutMs);
  }

  /** Run a cell; resolves when both the reply and idle are there. */
  async execute(code: string, content: object = {}): Promise<IExecuted> {
    return this.finish(await this.startCell(code, content));
  }

  /** Send a cell. @returns its id. */
  startCell(code: string, content: object = {}): Promise<string> {
    return this.send('shell', 'execute_request', {
      code,
      silent: false,
      store_history: true,
      user_expressions: {},
      allow_stdin: false,
      stop_on_error: true,
      ...content
    });
  }

  /** Wait for the end of what was started as `id`. */
  async finish(id: string, timeoutMs?: number): Promise<IExecuted> {
    const reply = await this.next('shell', m => m.parent_header.msg_id === id, timeoutMs);
    await this.idle(id, timeoutMs);
    return { reply, published: this.published(id) };
  }

  /** Wait until everything that `id` caused has been published. */
  async idle(id: string, timeoutMs?: number): Promise<void> {
    await this.next(
      'iopub',
      m =>
        m.parent_header.msg_id === id &&
        m.header.msg_type === 'status' &&
        m.content.execution_state === 'idle',
      timeoutMs
    );
  }

  /** What has been published for `id` so far. */
  published(id: string): IReceived[] {
    return this.received.iopub.filter(message => message.parent_header.msg_id === id);
  }

  /** The first message that fits, received or to come. */
  next(
    channel: ClientChannel | 'iopub',
    fits: (message: IReceived) => boolean,
    timeoutMs = 20_000
  ): Promise<IReceived> {
    const found = this.received[channel].find(fits);
    if (found) {
      return Promise.resolve(found);
    }
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const message = this.received[channel].find(fits);
        if (message) {
          clearTimeout(timer);
          this._checks.delete(check);
          resolve(message);
        }
      };
      const timer = setTimeout(() => {
        this._checks.delete(check);
        const seen = this.received[channel].slice(-8).map(m => m.header.msg_type);
        reject(new Error(`no such message on ${channel} in ${timeoutMs} ms; last: ${seen.join()}`));
      }, timeoutMs);
      this._checks.add(check);
    });
  }

  /** Send bytes to the heartbeat and wait for them to come back. @returns how long it took, milliseconds. */
  async heartbeat(): Promise<number> {
    const socket = new HeartbeatSocket({ linger: 0, receiveTimeout: 5000 });
    try {
      socket.connect(`tcp://${this._connection.ip}:${this._connection.hb_port}`);
      const start = performance.now();
      const sent = randomUUID();
      await socket.send(sent);
      const [received] = await socket.receive();
      if (received.toString() !== sent) {
        throw new Error('the heartbeat answered something else');
      }
      return performance.now() - start;
    } finally {
      socket.close();
    }
  }

  async close(): Promise<void> {
    if (!this._closed) {
      this._closed = true;
      await Promise.all(Object.values(this._sending));
      for (const socket of [...Object.values(this._sockets), this._iopub]) {
        socket.close();
      }
    }
  }

  /** Listen until the client is closed. A socket that is closed while it is waited for may say so in an error. */
  private _follow(socket: Dealer | Subscriber, into: IReceived[]): void {
    void this._listen(socket, into).catch((error: unknown) => {
      if (!this._closed) {
        throw error;
      }
    });
  }

  private async _listen(socket: Dealer | Subscriber, into: IReceived[]): Promise<void> {
    for await (const frames of socket) {
      const at = frames.findIndex(frame => frame.toString() === '<IDS|MSG>');
      const [signature, ...rest] = frames.slice(at + 1);
      const hmac = createHmac('sha256', this._connection.key);
      rest.slice(0, 4).forEach(frame => hmac.update(frame));
      if (this._connection.key !== '' && signature.toString() !== hmac.digest('hex')) {
        throw new Error('the kernel signed a message wrongly');
      }
      const [header, parent_header, metadata, content] = rest
        .slice(0, 4)
        .map(frame => JSON.parse(frame.toString()));
      into.push({ header, parent_header, metadata, content, buffers: rest.slice(4) });
      for (const check of [...this._checks]) {
        check();
      }
    }
  }

  private readonly _sockets: Record<ClientChannel, Dealer> = (() => {
    // Jupyter clients use one identity for all their sockets.
    const routingId = randomUUID();
    const options = { routingId, linger: 0, receiveHighWaterMark: 0, sendHighWaterMark: 0 };
    return {
      shell: new Dealer(options),
      control: new Dealer(options),
      stdin: new Dealer(options)
    };
  })();
  private readonly _iopub = new Subscriber({ linger: 0, receiveHighWaterMark: 0 });
  private readonly _sending: Record<ClientChannel, Promise<void>> = {
    shell: Promise.resolve(),
    control: Promise.resolve(),
    stdin: Promise.resolve()
  };
  private readonly _checks = new Set<() => void>();
  private _closed = false;
}

export namespace Client {
  export interface ISendOptions {
    readonly buffers?: readonly Uint8Array[];
    readonly parent?: object;
    /** Sign with another key than the kernel's. */
    readonly key?: string;
  }
}

/** The text a cell wrote to a stream. */
export function streamText(published: readonly IReceived[], name: 'stdout' | 'stderr'): string {
  return published
    .filter(m => m.header.msg_type === 'stream' && m.content.name === name)
    .map(m => m.content.text)
    .join('');
}

/** The plain text of a cell's result. */
export function resultText(published: readonly IReceived[]): string | undefined {
  return published.find(m => m.header.msg_type === 'execute_result')?.content.data['text/plain'];
}
