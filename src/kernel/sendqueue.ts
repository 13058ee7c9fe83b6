/**
 * A queue before a socket that takes one message at a time.
 *
 * zeromq refuses a second `send` while one is under way (EBUSY, thrown synchronously), so every socket gets a queue.
 *
 * @packageDocumentation
 */

/** The part of a zeromq socket that the queue uses. */
export interface ISendSocket {
  send(frames: Uint8Array[]): Promise<void>;
}

/** Sends messages in order, one at a time. */
export class SendQueue {
  /**
   * @param socket - where to send.
   * @param onError - told of each message that could not be sent; the queue goes on with the next.
   */
  constructor(
    private readonly _socket: ISendSocket,
    private readonly _onError: (error: unknown) => void
  ) {}

  /** Queue a message. The frames belong to the queue from here on: zeromq sends larger ones without a copy. */
  send(frames: Uint8Array[]): void {
    this._waiting.push(frames);
    if (!this._sending) {
      this._sending = this._drain();
    }
  }

  /** Resolves when everything queued so far has been handed to the socket. */
  async drained(): Promise<void> {
    await this._sending;
  }

  private async _drain(): Promise<void> {
    while (this._waiting.length > 0) {
      const batch = this._waiting;
      this._waiting = [];
      for (const frames of batch) {
        try {
          await this._socket.send(frames);
        } catch (error) {
          this._onError(error);
        }
      }
    }
    this._sending = null;
  }

  private _waiting: Uint8Array[][] = [];
  private _sending: Promise<void> | null = null;
}
