/**
 * The kernel: which message is handled by whom.
 *
 * Written against an outbox, an engine and an evaluator; knows neither sockets nor processes.
 *
 * @packageDocumentation
 */
import { CompareMemory } from './comparememory';
import type { IEvaluator, IEvaluatorEvents } from './evaluatorclient';
import { AskHandler } from './handlers/asks';
import { CommHandler } from './handlers/comm';
import { ExecuteHandler } from './handlers/execute';
import { kernelInfo } from './handlers/info';
import { InputHandler } from './handlers/input';
import { complete, inspect, isComplete } from './handlers/introspection';
import { History } from './history';
import type { Channel, IMessage, IOutbox, JsonObject } from './message';
import { Request } from './request';
import { Status } from './status';
import type { EngineState, IEngine } from './supervisor';

/**
 * A kernel.
 *
 * #### Notes
 * `handle()` returns at once, whatever the message asks for. Cells are run one after the other; everything else is answered
 * as soon as it can be, in whatever order.
 */
export class Kernel {
  constructor(options: Kernel.IOptions) {
    this._options = options;
    const { outbox, cwd } = options;
    const engine = new CompareMemory(options.engine);
    this._engine = engine;
    this._asks = new AskHandler(engine, () => this._evaluator);
    this._input = new InputHandler(outbox, () => this._evaluator);
    const events: IEvaluatorEvents = {
      onStream: (execution, name, content) => this._execute.stream(execution, name, content),
      onDisplay: message => this._execute.display(message),
      onClear: (execution, wait) => this._execute.clear(execution, wait),
      onAsk: message => this._asks.handle(message),
      onInput: message => this._input.ask(message, this._execute.requestOf(message.execution)),
      onLost: () => {
        this._asks.abortAll();
        this._input.clear();
      }
    };
    this._evaluator = options.evaluator(events);
    this._execute = new ExecuteHandler({
      evaluator: this._evaluator,
      status: this._status,
      history: this._history
    });
    this._comms = new CommHandler({ engine, status: this._status, outbox, cwd });
  }

  /** Say that the kernel is up. */
  start(): void {
    this._options.outbox.send('iopub', {
      type: 'status',
      content: { execution_state: 'starting' },
      parent: null
    });
  }

  /** Welcome a client that has subscribed to iopub (JEP 65). */
  welcome(topic: string): void {
    this._options.outbox.send('iopub', {
      type: 'iopub_welcome',
      content: { subscription: topic },
      parent: null,
      identities: topic === '' ? [] : [Buffer.from(topic)]
    });
  }

  /** Handle a message of a client. Never throws, never blocks. */
  handle(channel: Exclude<Channel, 'iopub'>, message: IMessage): void {
    const request = new Request(this._options.outbox, channel, message);
    switch (request.type) {
      case 'execute_request':
        this._execute.handle(request);
        break;
      case 'comm_open':
      case 'comm_msg':
      case 'comm_close':
        this._comms.handle(request);
        break;
      case 'input_reply':
        this._input.reply(message);
        break;
      case 'shutdown_request':
        this._shutdown(request);
        break;
      default:
        this._answer(request);
        break;
    }
  }

  /** Tell the clients about the engine process. */
  engineChanged(state: EngineState): void {
    this._comms.broadcast(state);
  }

  /** End the running cell and the requests to the engine; the kernel goes on. */
  interrupt(): void {
    this._input.clear();
    this._evaluator.interrupt();
    this._engine.cancelAll();
  }

  /** Requests that are answered by one reply. */
  private _answer(request: Request): void {
    this._status.begin(request);
    void this._replyTo(request)
      .then(
        content => {
          if (content) {
            request.reply(content);
          }
        },
        (error: unknown) => {
          const ename = error instanceof Error ? error.name : 'Error';
          const evalue = error instanceof Error ? error.message : String(error);
          this._options.onError(error);
          request.reply({ status: 'error', ename, evalue, traceback: [`${ename}: ${evalue}`] });
        }
      )
      .then(() => this._status.end(request));
  }

  /** Content of the reply; null for messages this kernel does not know, which get none. */
  private async _replyTo(request: Request): Promise<JsonObject | null> {
    const content = request.content;
    switch (request.type) {
      case 'kernel_info_request':
        return kernelInfo(this._options.version);
      case 'complete_request':
        return complete(this._evaluator, content);
      case 'inspect_request':
        return inspect(this._evaluator, content);
      case 'is_complete_request':
        return isComplete(this._evaluator, content);
      case 'history_request':
        return { status: 'ok', history: this._history.query(content) };
      case 'comm_info_request':
        return this._comms.info(content);
      case 'interrupt_request':
        this.interrupt();
        return { status: 'ok' };
      default:
        return null;
    }
  }

  private _shutdown(request: Request): void {
    this._status.begin(request);
    const content = { status: 'ok', restart: request.content.restart === true };
    request.reply(content);
    // Other clients learn of it here.
    request.publish('shutdown_reply', content);
    this._status.end(request);
    this._options.onShutdown();
  }

  private readonly _options: Kernel.IOptions;
  private readonly _engine: IEngine;
  private readonly _evaluator: IEvaluator;
  private readonly _asks: AskHandler;
  private readonly _input: InputHandler;
  private readonly _execute: ExecuteHandler;
  private readonly _comms: CommHandler;
  private readonly _history = new History();
  private readonly _status = new Status();
}

/** The namespace for `Kernel` statics. */
export namespace Kernel {
  /** Options for creating a kernel. */
  export interface IOptions {
    readonly outbox: IOutbox;
    readonly engine: IEngine;
    /** Makes the evaluator, which tells the kernel what cells do. */
    readonly evaluator: (events: IEvaluatorEvents) => IEvaluator;
    /** Directory that relative paths of clients start from. */
    readonly cwd: string;
    readonly version: string;
    /** Called once the shutdown reply is queued. */
    readonly onShutdown: () => void;
    /** Told of failures inside the kernel, for the log. */
    readonly onError: (error: unknown) => void;
  }
}
