/**
 * `input()` in cells: the question to the client that runs the cell, on stdin.
 *
 * @packageDocumentation
 */
import type { IEvaluator } from '../evaluatorclient';
import type { FromEvaluator } from '../evaluatormessages';
import type { IMessage, IOutbox } from '../message';
import { text } from '../message';
import type { Request } from '../request';

/** Asks clients for lines, one question at a time, as clients can show only one. */
export class InputHandler {
  constructor(
    private readonly _outbox: IOutbox,
    private readonly _evaluator: () => IEvaluator
  ) {}

  /** Ask the client behind `request`; answer null where it does not allow that. */
  ask(message: Extract<FromEvaluator, { type: 'input' }>, request: Request | undefined): void {
    if (request?.content.allow_stdin !== true) {
      this._evaluator().send({ type: 'line', id: message.id, value: null });
      return;
    }
    this._waiting.push(message.id);
    this._outbox.send('stdin', {
      type: 'input_request',
      content: { prompt: message.prompt, password: message.password },
      parent: request.message.header,
      identities: request.message.identities
    });
  }

  /** A client's input_reply. */
  reply(message: IMessage): void {
    const id = this._waiting.shift();
    if (id !== undefined) {
      this._evaluator().send({ type: 'line', id, value: text(message.content.value) });
    }
  }

  /** The questions are void: the cell was interrupted or its process is gone. */
  clear(): void {
    this._waiting.length = 0;
  }

  private readonly _waiting: number[] = [];
}
