/**
 * Runs cells in this process.
 *
 * @packageDocumentation
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import * as vm from 'node:vm';
import { CastlensError } from '../../errors';
import type {
  CellOutcome,
  ExecutionId,
  ExpressionOutcome,
  FromEvaluator,
  ToEvaluator
} from '../evaluatormessages';
import type { MimeBundle } from '../message';
import { isPromiseOfApi, makeCastlens } from './api/castlens';
import { EngineClient } from './api/engineclient';
import type { IPlace } from './cellsource';
import { completenessOf, IMPORT_NAME, prepareCell } from './cellsource';
import { complete } from './completion';
import type { ExecutionContext } from './context';
import { bundlesOf, makeDisplay } from './display';
import { documentation } from './documentation';
import { inspectName } from './inspection';
import type { Evaluation, ISourcePosition } from './inspectorsession';
import { InspectorSession } from './inspectorsession';
import type { Output } from './output';
import { describeSyntaxError, INTERRUPTED, isCompileError, scriptName, Traces } from './traces';

/**
 * Runs one cell at a time, and answers questions about code while a cell waits.
 *
 * #### Notes
 * A cell ends once: with its value, its error, or an interrupt. What an interrupted cell left behind may go on, as timers and
 * promises do; it has no outcome any more.
 */
export class Evaluator {
  constructor(options: Evaluator.IOptions) {
    this._options = options;
    this._context = options.context;
    this._engine = new EngineClient({
      send: message => this._send({ type: 'ask', execution: this._context.current, message }),
      clean: stack => this._traces.clean(stack)
    });
    this._defineGlobals();
    process.on('uncaughtException', error => this._reportUncaught(error, this._context.current));
    process.on('unhandledRejection', (error, promise) =>
      this._reportUncaught(error, this._context.executionOf(promise))
    );
  }

  /** Text that a cell writes, as the reader should see it: errors are logged with their stacks. */
  clean(text: string): string {
    return this._traces.clean(text);
  }

  /** Handle a message of the kernel. */
  handle(message: ToEvaluator): void {
    switch (message.type) {
      case 'execute':
        this._execute(message);
        break;
      case 'complete': {
        const completions = complete(this._session, message.code, message.cursor);
        this._send({ type: 'completed', id: message.id, completions });
        break;
      }
      case 'inspect': {
        const { code, cursor, detail } = message;
        const bundle = inspectName(this._session, code, cursor, detail);
        this._send({ type: 'inspected', id: message.id, bundle });
        break;
      }
      case 'is-complete':
        this._send({ type: 'completeness', id: message.id, ...completenessOf(message.code) });
        break;
      case 'answer':
        this._engine.receive(message.message, message.buffers);
        break;
      case 'line':
        this._lines.get(message.id)?.(message.value);
        this._lines.delete(message.id);
        break;
    }
  }

  /** End the running cell. Called with nothing of the cell on the stack. */
  interrupt(): void {
    this._context.reset();
    if (this._running) {
      this._finish(this._running, { status: 'error', error: INTERRUPTED });
    }
  }

  private _execute(message: Evaluator.IExecute): void {
    const { id, count } = message;
    if (id <= this._latest) {
      return;
    }
    const source = prepareCell(message.code);
    this._traces.remember(count, source.map, source.shift);
    const running: Private.IRunning = { id, message, held: [] };
    this._running = running;
    this._latest = id;
    this._send({ type: 'began', id });
    const expression = `${source.code}\n//# sourceURL=${scriptName(count)}`;
    this._context.run(id, () =>
      this._session.evaluate(expression, evaluation => {
        if (this._running === running) {
          this._context.run(id, () => this._settle(running, source, evaluation));
        }
      })
    );
  }

  private _settle(
    running: Private.IRunning,
    source: ReturnType<typeof prepareCell>,
    evaluation: Evaluation
  ): void {
    switch (evaluation.kind) {
      case 'terminated':
        this._finish(running, { status: 'error', error: INTERRUPTED });
        break;
      case 'thrown': {
        const { thrown, position } = evaluation;
        const { code, count } = running.message;
        if (position && isCompileError(thrown)) {
          const place = Private.placeOf(position, source.shift);
          const problem = source.problem ?? { message: thrown.message, place };
          const error = describeSyntaxError(code, count, problem);
          this._finish(running, { status: 'error', error });
        } else {
          this._finish(running, this._failed(thrown));
        }
        break;
      }
      case 'value':
        this._present(running, evaluation.value).then(
          outcome => this._finish(running, outcome),
          error => this._finish(running, this._failed(error))
        );
        break;
    }
  }

  private _failed(thrown: unknown): CellOutcome {
    const error = this._traces.describe(thrown);
    return thrown instanceof CastlensError
      ? { status: 'error', error, code: thrown.code }
      : { status: 'error', error };
  }

  /** The outcome of a cell with a value: how it looks, and the user expressions. */
  private async _present(running: Private.IRunning, value: unknown): Promise<CellOutcome> {
    const shown = isPromiseOfApi(value) ? await value : value;
    const result = await this._bundleOf(running, shown);
    const userExpressions: Record<string, ExpressionOutcome> = {};
    for (const [name, expression] of Object.entries(running.message.userExpressions)) {
      userExpressions[name] = await this._evaluateExpression(expression);
    }
    await Promise.all(running.held);
    return { status: 'ok', result, userExpressions };
  }

  /** What a result looks like. Of several bundles the last is the result; the others are displayed before it. */
  private async _bundleOf(running: Private.IRunning, value: unknown): Promise<MimeBundle | null> {
    if (value === undefined) {
      return null;
    }
    const bundles = (await bundlesOf(value)).map(bundle => this._cleaned(bundle));
    for (const bundle of bundles.slice(0, -1)) {
      this._send({
        type: 'display',
        execution: running.id,
        update: false,
        bundle,
        displayId: null
      });
    }
    return bundles.at(-1) ?? null;
  }

  /** A bundle whose text names cells as the reader does: a result may be an error. */
  private _cleaned(bundle: MimeBundle): MimeBundle {
    const text = bundle['text/plain'];
    return typeof text === 'string'
      ? { ...bundle, 'text/plain': this._traces.clean(text) }
      : bundle;
  }

  private _evaluateExpression(expression: string): Promise<ExpressionOutcome> {
    return new Promise(resolve => {
      const source = prepareCell(expression);
      this._session.evaluate(source.code, evaluation => {
        if (evaluation.kind !== 'value') {
          const error =
            evaluation.kind === 'thrown' ? this._traces.describe(evaluation.thrown) : INTERRUPTED;
          resolve({ status: 'error', ...error });
          return;
        }
        Promise.resolve(bundlesOf(evaluation.value)).then(
          bundles => resolve({ status: 'ok', data: bundles.at(-1) ?? {}, metadata: {} }),
          error => resolve({ status: 'error', ...this._traces.describe(error) })
        );
      });
    });
  }

  private _finish(running: Private.IRunning, outcome: CellOutcome): void {
    if (this._running === running) {
      this._running = null;
      this._send({ type: 'executed', id: running.id, outcome });
    }
  }

  private _defineGlobals(): void {
    const display = makeDisplay({
      current: () => this._context.current,
      send: message => this._send(message),
      hold: showing => this._running?.held.push(showing)
    });
    const input = (prompt = '', options: { password?: boolean } = {}): Promise<string> =>
      new Promise((resolve, reject) => {
        const id = this._nextLine++;
        this._lines.set(id, line =>
          line === null
            ? reject(new Error('This client cannot be asked for input.'))
            : resolve(line)
        );
        const password = options.password === true;
        const execution = this._context.current;
        this._send({ type: 'input', id, execution, prompt: String(prompt), password });
      });
    const castlens = makeCastlens(this._engine);
    const globals = {
      display,
      input,
      castlens,
      require: createRequire(join(process.cwd(), 'cell.js'))
    };
    for (const [name, value] of Object.entries(globals)) {
      Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
    }
    documentation.set(display, Private.DISPLAY_DOC);
    documentation.set(input, Private.INPUT_DOC);
    Object.defineProperty(globalThis, IMPORT_NAME, { value: Private.makeImport() });
  }

  /** An error nobody caught: it ends nothing, and is shown with the cell it comes from. */
  private _reportUncaught(error: unknown, execution: ExecutionId): void {
    const { traceback } = this._traces.describe(error);
    this._options.output.write(execution, 'stderr', `Uncaught ${traceback.join('\n')}\n`);
  }

  /** Everything goes this way, so that output stays in order with the rest. */
  private _latest: ExecutionId = 0;

  private _send(message: FromEvaluator): void {
    this._options.output.flush();
    this._options.send(message);
  }

  private readonly _options: Evaluator.IOptions;
  private readonly _context: ExecutionContext;
  private readonly _session = new InspectorSession();
  private readonly _traces = new Traces();
  private readonly _engine: EngineClient;
  private readonly _lines = new Map<number, (line: string | null) => void>();
  private _nextLine = 1;
  private _running: Private.IRunning | null = null;
}

/** The namespace for `Evaluator` statics. */
export namespace Evaluator {
  /** Options for creating an evaluator. */
  export interface IOptions {
    readonly context: ExecutionContext;
    readonly output: Output;
    readonly send: (message: FromEvaluator) => void;
  }

  /** A cell to run. */
  export type IExecute = Extract<ToEvaluator, { type: 'execute' }>;
}

/**
 * The namespace for module statics.
 */
namespace Private {
  /** The cell that is running. */
  export interface IRunning {
    readonly id: ExecutionId;
    readonly message: Evaluator.IExecute;
    /** Displays that must be shown before the cell ends. */
    readonly held: Promise<void>[];
  }

  /** What stands for `import` in cells: resolves from the working directory, as for a script without a file. */
  export function makeImport(): unknown {
    // Node before 20.12 has no such constant, and then cells can import what castlens itself can.
    const loader = vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER;
    return loader === undefined
      ? (name: string) => import(name)
      : vm.runInThisContext('(name, options) => import(name, options)', {
          importModuleDynamically: loader
        });
  }

  /** A place in the cell; null for errors that V8 gives none, such as a name that is taken. */
  export function placeOf(position: ISourcePosition, shift: number): IPlace | null {
    const { line, column } = position;
    if (line === 0 && column === 0) {
      return null;
    }
    return { line: line + 1, column: line === 0 ? column - shift : column };
  }

  export const DISPLAY_DOC = [
    'display(value, { id }?)',
    '',
    'Show a value as it would look as the result of a cell. With an id it can be replaced: display.update(id, value).',
    'display.html(text), display.markdown(text), display.svg(text), display.json(value), display.mime(bundle): show this.',
    'display.clear({ wait }): remove the output of the cell.'
  ].join('\n');

  export const INPUT_DOC = [
    'await input(prompt, { password }?)',
    '',
    'Ask the reader for a line of text.'
  ].join('\n');
}
