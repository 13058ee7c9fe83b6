/**
 * One request of a client, with the means to answer it: replies and publications carry its header as their parent.
 *
 * @packageDocumentation
 */
import type { Channel, IMessage, IOutbox, JsonObject } from './message';

/** A message that is being handled. */
export class Request {
  constructor(
    private readonly _outbox: IOutbox,
    /** Channel it came on, and is answered on. */
    readonly channel: Exclude<Channel, 'iopub'>,
    readonly message: IMessage
  ) {}

  /** Type of the message, `execute_request`. */
  get type(): string {
    return this.message.header.msg_type;
  }

  /** Content of the message; its fields are not checked. */
  get content(): JsonObject {
    return this.message.content;
  }

  /** Answer on the channel the request came on: `execute_request` with `execute_reply`. */
  reply(content: JsonObject): void {
    this._outbox.send(this.channel, {
      type: this.type.replace(/_request$/, '_reply'),
      content,
      parent: this.message.header,
      identities: this.message.identities
    });
  }

  /** Publish on iopub as a consequence of the request. */
  publish(
    type: string,
    content: JsonObject,
    extra: { metadata?: JsonObject; buffers?: readonly Uint8Array[] } = {}
  ): void {
    this._outbox.send('iopub', { type, content, parent: this.message.header, ...extra });
  }
}
