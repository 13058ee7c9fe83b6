import type { ErrorCode } from '../../../src/errors';
import type { KernelMessage } from '@jupyterlab/services';
import { PromiseDelegate } from '@lumino/coreutils';
import type { CommSeam } from '../../../src/panel/client';
import type { ClientMessage, RequestName, ServerMessage } from '../../../src/protocol';

type RequestMessage = Extract<ClientMessage, { type: 'request' }>;

/** The kernel's end of a comm: records what is sent, and answers when a test says so. */
export class FakeComm implements CommSeam {
  isOpen = false;
  isDisposed = false;
  readonly sent: ClientMessage[] = [];
  readonly sentBuffers: unknown[][] = [];
  onMsg: CommSeam['onMsg'] = () => undefined;
  onClose: CommSeam['onClose'] = () => undefined;
  /** Answers requests by method at once, where given. */
  answers: Partial<Record<RequestName, (params: unknown) => unknown>> = {};
  /** Binary data beside an answer. */
  answerBuffers: Partial<Record<RequestName, (ArrayBuffer | ArrayBufferView)[]>> = {};

  /** Settles the opening; a kernel that answers at once does so by itself. */
  readonly opening = new PromiseDelegate<void>();
  answersOpening = true;

  open(): { readonly done: Promise<void> } {
    this.isOpen = true;
    if (this.answersOpening) {
      this.opening.resolve();
    }
    return { done: this.opening.promise };
  }

  send(data: unknown, _metadata?: unknown, buffers: unknown[] = []): never {
    const message = data as ClientMessage;
    this.sent.push(message);
    this.sentBuffers.push(buffers);
    if (message.type === 'request') {
      const answer = this.answers[message.method];
      if (answer) {
        queueMicrotask(() =>
          this.receive(
            { type: 'result', id: message.id, result: answer(message.params) },
            this.answerBuffers[message.method]
          )
        );
      }
    }
    return undefined as never;
  }

  close(): never {
    this.isDisposed = true;
    return undefined as never;
  }

  dispose(): void {
    this.isDisposed = true;
  }

  /** A message from the kernel. */
  receive(message: ServerMessage, buffers: (ArrayBuffer | ArrayBufferView)[] = []): void {
    void this.onMsg({
      content: { data: message },
      buffers
    } as unknown as KernelMessage.ICommMsgMsg);
  }

  /** The kernel closes the comm. */
  closeFromKernel(): void {
    this.isDisposed = true;
    void this.onClose({} as KernelMessage.ICommCloseMsg);
  }

  /** Requests sent, by method. */
  requests(method?: RequestName): RequestMessage[] {
    return this.sent.filter(
      (message): message is RequestMessage =>
        message.type === 'request' && (method === undefined || message.method === method)
    );
  }

  fail(id: number, code: ErrorCode, summary: string): void {
    this.receive({ type: 'error', id, error: { code, summary } });
  }
}
