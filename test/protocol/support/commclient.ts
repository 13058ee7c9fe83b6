import { randomUUID } from 'node:crypto';
import type { ClientMessage, RequestName, ServerMessage } from '../../../src/protocol';
import type { Client, IReceived } from './client';

/** An answer over a comm. */
export interface ICommAnswer {
  readonly message: ServerMessage;
  readonly received: IReceived;
}

/** A comm as the panel opens it. */
export class CommClient {
  /** Open a comm. */
  static async open(client: Client, target = 'castlens'): Promise<CommClient> {
    const comm = new CommClient(client);
    await client.send('shell', 'comm_open', { comm_id: comm.id, target_name: target, data: {} });
    return comm;
  }

  private constructor(private readonly _client: Client) {}

  readonly id = randomUUID();

  /** Send a message. @returns the id of the Jupyter message. */
  send(data: ClientMessage | object, buffers: readonly Uint8Array[] = []): Promise<string> {
    return this._client.send('shell', 'comm_msg', { comm_id: this.id, data }, { buffers });
  }

  /** Send a request. @returns its id on this comm. */
  async start(
    method: string,
    params: object = {},
    buffers: readonly Uint8Array[] = []
  ): Promise<number> {
    const id = this._nextId++;
    await this.send({ type: 'request', id, method: method as RequestName, params }, buffers);
    return id;
  }

  /** Wait for the last message of a request. */
  async answer(id: number, timeoutMs?: number): Promise<ICommAnswer> {
    const received = await this._client.next(
      'iopub',
      message => {
        const data = this._dataOf(message);
        return data !== null && (data.type === 'result' || data.type === 'error') && data.id === id;
      },
      timeoutMs
    );
    return { message: this._dataOf(received)!, received };
  }

  /** Send a request and wait for its result. */
  async request(
    method: string,
    params: object = {},
    buffers: readonly Uint8Array[] = []
  ): Promise<ICommAnswer> {
    return this.answer(await this.start(method, params, buffers));
  }

  cancel(id: number): Promise<string> {
    return this.send({ type: 'cancel', id });
  }

  async close(): Promise<void> {
    await this._client.send('shell', 'comm_close', { comm_id: this.id, data: {} });
  }

  /** Everything the kernel has sent on this comm. */
  messages(): ServerMessage[] {
    const received = this._client.received.iopub;
    for (; this._read < received.length; this._read++) {
      const data = this._dataOf(received[this._read]);
      if (data) {
        this._messages.push(data);
      }
    }
    return this._messages;
  }

  private _dataOf(message: IReceived): ServerMessage | null {
    return message.header.msg_type === 'comm_msg' && message.content.comm_id === this.id
      ? (message.content.data as unknown as ServerMessage)
      : null;
  }

  private _nextId = 1;
  private readonly _messages: ServerMessage[] = [];
  private _read = 0;
}
