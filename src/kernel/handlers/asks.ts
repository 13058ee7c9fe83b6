/**
 * Requests of cells: the notebook API asks the engine as the panel does.
 *
 * @packageDocumentation
 */
import { Responder } from '../../protocol';
import type { IEvaluator } from '../evaluatorclient';
import type { FromEvaluator } from '../evaluatormessages';
import type { IEngine } from '../supervisor';
import { startAsking } from '../supervisor';

/** Passes requests of the evaluator on to the engine and the answers back. Paths are absolute already. */
export class AskHandler {
  constructor(engine: IEngine, evaluator: () => IEvaluator) {
    this._channel = new Responder({
      start: request => startAsking(engine, request),
      send: (message, buffers) => evaluator().send({ type: 'answer', message, buffers })
    });
  }

  /** A request of a cell, or its cancellation. */
  handle({ message }: Extract<FromEvaluator, { type: 'ask' }>): void {
    void this._channel.handle(message);
  }

  /** The evaluator is gone: nobody waits for the answers. */
  abortAll(): void {
    this._channel.cancelAll();
  }

  private readonly _channel: Responder;
}
