/**
 * Requests of cells: the notebook API asks the engine as the panel does.
 *
 * @packageDocumentation
 */
import { errorInfoOf } from '../../errors';
import type { ServerMessage } from '../../protocol';
import type { IEvaluator } from '../evaluatorclient';
import type { FromEvaluator } from '../evaluatormessages';
import type { IEngine } from '../supervisor';

/** Passes requests of the evaluator on to the engine and the answers back. Paths are absolute already. */
export class AskHandler {
  constructor(
    private readonly _engine: IEngine,
    private readonly _evaluator: () => IEvaluator
  ) {}

  /** A request of a cell, or its cancellation. */
  handle({ message }: Extract<FromEvaluator, { type: 'ask' }>): void {
    const { id } = message;
    if (message.type === 'cancel') {
      this._running.get(id)?.abort();
      return;
    }
    const controller = new AbortController();
    this._running.set(id, controller);
    const send = (answer: ServerMessage, buffers: readonly Uint8Array[] = []): void =>
      this._evaluator().send({ type: 'answer', message: answer, buffers });
    void this._engine
      .ask(message.method, message.params, {
        signal: controller.signal,
        onProgress: progress => send({ type: 'progress', id, progress })
      })
      .then(
        ({ result, buffers }) => send({ type: 'result', id, result }, buffers),
        (error: unknown) => send({ type: 'error', id, error: errorInfoOf(error) })
      )
      .finally(() => {
        if (this._running.get(id) === controller) {
          this._running.delete(id);
        }
      });
  }

  /** The evaluator is gone: nobody waits for the answers. */
  abortAll(): void {
    for (const controller of this._running.values()) {
      controller.abort();
    }
    this._running.clear();
  }

  private readonly _running = new Map<number, AbortController>();
}
