/**
 * execute_request: a queue of cells, and what cells publish.
 *
 * @packageDocumentation
 */
import type { IEvaluator } from '../evaluatorclient';
import type { CellOutcome, ExecutionId, FromEvaluator } from '../evaluatormessages';
import type { History } from '../history';
import type { IExecuteRequest } from '../message';
import { readExecuteRequest, text } from '../message';
import type { Request } from '../request';
import type { Status } from '../status';
import type { StreamName } from '../streambuffer';
import { StreamBuffer } from '../streambuffer';

/**
 * Runs cells in the order they came, one at a time.
 *
 * #### Notes
 * What a cell writes belongs to that cell, also after its end: publications find their request by execution id. The requests
 * of the latest executions are kept for that.
 */
export class ExecuteHandler {
  constructor(options: ExecuteHandler.IOptions) {
    this._evaluator = options.evaluator;
    this._status = options.status;
    this._history = options.history;
  }

  /** Queue an execute_request. */
  handle(request: Request): void {
    this._queue.push(request);
    if (!this._active) {
      this._active = true;
      void this._run();
    }
  }

  /** The request that started an execution; undefined where it is too long ago. */
  requestOf(execution: ExecutionId): Request | undefined {
    return this._requests.get(execution);
  }

  /** Publish output of an execution. Output of executions long ago goes to the latest. */
  stream(execution: ExecutionId, name: StreamName, content: string): void {
    const request = this._requestFor(execution);
    if (request) {
      this._streams.write(request, name, content);
    }
  }

  /** Publish a display of an execution. */
  display(message: Extract<FromEvaluator, { type: 'display' }>): void {
    this._publish(message.execution, message.update ? 'update_display_data' : 'display_data', {
      data: message.bundle,
      metadata: {},
      transient: message.displayId === null ? {} : { display_id: message.displayId }
    });
  }

  /** Clear the output of an execution's cell. */
  clear(execution: ExecutionId, wait: boolean): void {
    this._publish(execution, 'clear_output', { wait });
  }

  private async _run(): Promise<void> {
    for (let request = this._queue.shift(); request; request = this._queue.shift()) {
      this._status.begin(request);
      const content = readExecuteRequest(request.content);
      const outcome = await this._execute(request, content).catch((error: unknown) =>
        Private.failed(request, this._count, error)
      );
      this._status.end(request);
      if (outcome.status === 'error' && content.stopOnError) {
        this._abortQueued();
      }
    }
    this._active = false;
  }

  private async _execute(request: Request, content: IExecuteRequest): Promise<CellOutcome> {
    const id = this._nextId++;
    this._remember(id, request);
    if (content.storeHistory) {
      this._count++;
      this._history.add(this._count, content.code);
    }
    const count = this._count;
    if (!content.silent) {
      request.publish('execute_input', { code: content.code, execution_count: count });
    }
    const outcome = await this._evaluator.execute({
      id,
      code: content.code,
      count,
      userExpressions: content.userExpressions
    });
    this._streams.flush();
    switch (outcome.status) {
      case 'ok':
        if (outcome.result && !content.silent) {
          request.publish('execute_result', {
            execution_count: count,
            data: outcome.result,
            metadata: {}
          });
        }
        if (outcome.result && content.storeHistory) {
          this._history.setOutput(count, text(outcome.result['text/plain']));
        }
        request.reply({
          status: 'ok',
          execution_count: count,
          user_expressions: outcome.userExpressions,
          payload: []
        });
        break;
      case 'error':
        if (!content.silent) {
          request.publish('error', { ...outcome.error });
        }
        if (content.stopOnError) {
          // Cells sent together arrive one after the other; those of a client that waits for replies arrive after this one.
          await new Promise<void>(resolve => setTimeout(resolve, Private.DRAIN_MS));
        }
        request.reply({
          status: 'error',
          execution_count: count,
          ...outcome.error,
          user_expressions: {},
          payload: []
        });
        break;
    }
    return outcome;
  }

  private _abortQueued(): void {
    const queued = this._queue;
    this._queue = [];
    for (const request of queued) {
      this._status.begin(request);
      request.reply({ status: 'aborted', execution_count: this._count });
      this._status.end(request);
    }
  }

  private _publish(
    execution: ExecutionId,
    type: string,
    content: Readonly<Record<string, unknown>>
  ): void {
    this._streams.flush();
    this._requestFor(execution)?.publish(type, content);
  }

  private _requestFor(execution: ExecutionId): Request | undefined {
    return this._requests.get(execution) ?? this._requests.get(this._nextId - 1);
  }

  private _remember(id: ExecutionId, request: Request): void {
    this._requests.set(id, request);
    if (this._requests.size > Private.REMEMBERED) {
      this._requests.delete(id - Private.REMEMBERED);
    }
  }

  private readonly _evaluator: IEvaluator;
  private readonly _status: Status;
  private readonly _history: History;
  private readonly _streams = new StreamBuffer();
  private readonly _requests = new Map<ExecutionId, Request>();
  private _queue: Request[] = [];
  private _active = false;
  private _nextId: ExecutionId = 1;
  private _count = 0;
}

/** The namespace for `ExecuteHandler` statics. */
export namespace ExecuteHandler {
  /** Options for creating a handler. */
  export interface IOptions {
    readonly evaluator: IEvaluator;
    readonly status: Status;
    readonly history: History;
  }
}

/**
 * The namespace for module statics.
 */
namespace Private {
  /** Answer a cell that this kernel failed to run: the next one is not to wait for it. */
  export function failed(request: Request, count: number, error: unknown): CellOutcome {
    const evalue = `castlens failed unexpectedly: ${String(error)}`;
    const what = { ename: 'InternalError', evalue, traceback: [`InternalError: ${evalue}`] };
    const extra = { user_expressions: {}, payload: [] };
    request.publish('error', what);
    request.reply({ status: 'error', execution_count: count, ...what, ...extra });
    return { status: 'error', error: what };
  }

  /** How many executions can still publish output of what they left running. */
  export const REMEMBERED = 1000;

  /** How long the reply of a failed cell waits for cells that were sent with it, milliseconds. */
  export const DRAIN_MS = 20;
}
