/**
 * The five sockets of a kernel over zeromq: frames in, frames out. Knows nothing of messages.
 *
 * @packageDocumentation
 */
import { Reply, Router, XPublisher } from 'zeromq';
import type { IConnectionInfo } from './connection';
import type { Channel } from './message';
import { SendQueue } from './sendqueue';

/** Sockets with their loops and queues. */
export class Sockets {
  /** Bind all sockets of `info`. Receiving starts at once. */
  static async bind(info: IConnectionInfo, options: Sockets.IOptions): Promise<Sockets> {
    const sockets = new Sockets(options);
    const address = (port: number): string =>
      info.transport === 'tcp' ? `tcp://${info.ip}:${port}` : `ipc://${info.ip}-${port}`;
    await Promise.all([
      sockets._shell.bind(address(info.shellPort)),
      sockets._control.bind(address(info.controlPort)),
      sockets._stdin.bind(address(info.stdinPort)),
      sockets._iopub.bind(address(info.iopubPort)),
      sockets._heartbeat.bind(address(info.heartbeatPort))
    ]);
    sockets._start();
    return sockets;
  }

  private constructor(options: Sockets.IOptions) {
    this._options = options;
    const queue = (socket: Router | XPublisher): SendQueue =>
      new SendQueue(socket, error => options.onError(error));
    this._queues = {
      shell: queue(this._shell),
      control: queue(this._control),
      stdin: queue(this._stdin),
      iopub: queue(this._iopub)
    };
  }

  /** Queue frames on a channel; order per channel is kept. */
  send(channel: Channel, frames: Uint8Array[]): void {
    if (!this._closed) {
      this._queues[channel].send(frames);
    }
  }

  /** Hand everything queued to the sockets and close them; what was sent lingers for up to a second. */
  async close(): Promise<void> {
    if (this._closed) {
      return;
    }
    this._closed = true;
    await Promise.all(Object.values(this._queues).map(queue => queue.drained()));
    for (const socket of [this._shell, this._control, this._stdin, this._iopub, this._heartbeat]) {
      socket.close();
    }
  }

  private _start(): void {
    const receive = async (
      socket: Router | XPublisher | Reply,
      handle: (frames: Uint8Array[]) => void | Promise<void>
    ): Promise<void> => {
      try {
        for await (const frames of socket) {
          try {
            await handle(frames);
          } catch (error) {
            this._options.onError(error);
          }
        }
      } catch (error) {
        if (!this._closed) {
          this._options.onError(error);
        }
      }
    };
    void receive(this._shell, frames => this._options.onFrames('shell', frames));
    void receive(this._control, frames => this._options.onFrames('control', frames));
    void receive(this._stdin, frames => this._options.onFrames('stdin', frames));
    void receive(this._heartbeat, frames => this._heartbeat.send(frames));
    // A subscription arrives as one frame: 1 and the topic.
    void receive(this._iopub, ([frame]) => {
      if (frame[0] === 1) {
        this._options.onSubscribe(frame.subarray(1));
      }
    });
  }

  private readonly _options: Sockets.IOptions;
  // No high water marks: a limit means that messages are dropped silently. A client that has gone takes its queue with it.
  private readonly _shell = new Router(Private.UNLIMITED);
  private readonly _control = new Router(Private.UNLIMITED);
  private readonly _stdin = new Router(Private.UNLIMITED);
  private readonly _iopub = new XPublisher(Private.PUBLISHER);
  private readonly _heartbeat = new Reply({ linger: 0 });
  private readonly _queues: Record<Channel, SendQueue>;
  private _closed = false;
}

/** The namespace for `Sockets` statics. */
export namespace Sockets {
  /** Options for binding sockets. */
  export interface IOptions {
    /** Called for every message of a client, in order per channel. */
    readonly onFrames: (channel: Exclude<Channel, 'iopub'>, frames: Uint8Array[]) => void;
    /** Called when a client subscribes to iopub, every time. */
    readonly onSubscribe: (topic: Uint8Array) => void;
    /** Told of failures that nobody waits for. */
    readonly onError: (error: unknown) => void;
  }
}

/**
 * The namespace for module statics.
 */
namespace Private {
  export const UNLIMITED = { sendHighWaterMark: 0, receiveHighWaterMark: 0, linger: 1000 } as const;
  /** Every subscription is reported, also one to a topic that is subscribed to already. */
  export const PUBLISHER = { sendHighWaterMark: 0, linger: 1000, verbosity: 'allSubs' } as const;
}
