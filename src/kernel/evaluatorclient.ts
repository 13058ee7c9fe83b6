/**
 * Keeps an evaluator process: runs cells in it one at a time, asks it about code, interrupts it, replaces it.
 *
 * @packageDocumentation
 */
import type { IExit } from './childchannel';
import { ChildChannel, describeExit, startHint } from './childchannel';
import type {
  CellOutcome,
  Completeness,
  ExecutionId,
  FromEvaluator,
  ICellError,
  ICompletions,
  ToEvaluator
} from './evaluatormessages';
import { INTERRUPT } from './evaluatormessages';
import type { MimeBundle } from './message';

/** What happens beside the answers, by execution. */
export interface IEvaluatorEvents {
  onStream(execution: ExecutionId, name: 'stdout' | 'stderr', text: string): void;
  onDisplay(message: Extract<FromEvaluator, { type: 'display' }>): void;
  onClear(execution: ExecutionId, wait: boolean): void;
  onAsk(message: Extract<FromEvaluator, { type: 'ask' }>): void;
  onInput(message: Extract<FromEvaluator, { type: 'input' }>): void;
  /** The process has ended; nothing it asked for needs an answer. */
  onLost(): void;
}

/** A cell to be run. */
export interface ICell {
  readonly id: ExecutionId;
  readonly code: string;
  readonly count: number;
  readonly userExpressions: Readonly<Record<string, string>>;
}

/** Whoever runs cells. */
export interface IEvaluator {
  /** Run a cell. Never rejects: the loss of the process is an error outcome. One at a time. */
  execute(cell: ICell): Promise<CellOutcome>;
  complete(code: string, cursor: number): Promise<ICompletions>;
  /** What is known about the name at `cursor`; null where nothing is. */
  inspect(code: string, cursor: number, detail: number): Promise<MimeBundle | null>;
  isComplete(code: string): Promise<{ status: Completeness; indent: string }>;
  /** End the running cell within the grace period. Bindings are kept where the process reacts. */
  interrupt(): void;
  /** Pass on what the engine or the user answered. */
  send(message: Extract<ToEvaluator, { type: 'answer' | 'line' }>): void;
}

/** Supervises one evaluator process, started with the first thing it is asked. */
export class EvaluatorClient implements IEvaluator {
  constructor(options: EvaluatorClient.IOptions) {
    this._options = options;
    this._graceMs = options.interruptGraceMs ?? 1500;
    this._answerMs = options.answerTimeoutMs ?? 2000;
  }

  /** Process id of the evaluator, while there is one. */
  get pid(): number | undefined {
    return this._child?.pid;
  }

  execute(cell: ICell): Promise<CellOutcome> {
    return new Promise<CellOutcome>(resolve => {
      this._current = { id: cell.id, resolve, interrupted: false, began: false };
      this._latest = cell.id;
      this._running().send({ type: 'execute', ...cell });
      this._insist(cell);
    });
  }

  /**
   * Send a cell again that has not begun. The request to terminate the cell before it may have hit the arrival of this one, on a
   * machine so busy that its process noticed the interrupt late. A process that has received it twice runs it once.
   */
  private _insist(cell: ICell): void {
    setTimeout(() => {
      const current = this._current;
      if (current?.id === cell.id && !current.began && this._child) {
        this._child.send({ type: 'execute', ...cell });
        this._insist(cell);
      }
    }, Private.INSIST_MS);
  }

  complete(code: string, cursor: number): Promise<ICompletions> {
    const none: ICompletions = { matches: [], start: cursor, end: cursor, types: [] };
    return this._ask(id => ({ type: 'complete', id, code, cursor }), none);
  }

  inspect(code: string, cursor: number, detail: number): Promise<MimeBundle | null> {
    return this._ask<MimeBundle | null>(
      id => ({ type: 'inspect', id, code, cursor, detail }),
      null
    );
  }

  isComplete(code: string): Promise<{ status: Completeness; indent: string }> {
    return this._ask<{ status: Completeness; indent: string }>(
      id => ({ type: 'is-complete', id, code }),
      { status: 'unknown', indent: '' }
    );
  }

  interrupt(): void {
    const child = this._child;
    const current = this._current;
    if (!child || !current) {
      return;
    }
    current.interrupted = true;
    child.signal(INTERRUPT);
    setTimeout(() => {
      if (this._child === child && this._current === current) {
        this._options.events.onStream(current.id, 'stderr', Private.REPLACED);
        this._end(current.id, Private.INTERRUPTED);
        this._child = null;
        this._abandon();
        child.kill();
      }
    }, this._graceMs);
  }

  send(message: Extract<ToEvaluator, { type: 'answer' | 'line' }>): void {
    this._child?.send(message);
  }

  /** End the process. Resolves when it is gone. */
  async dispose(): Promise<void> {
    this._disposed = true;
    const child = this._child;
    if (child) {
      child.kill();
      await child.exited;
    }
  }

  private _running(): ChildChannel<ToEvaluator, FromEvaluator> {
    if (this._child) {
      return this._child;
    }
    const child = new ChildChannel<ToEvaluator, FromEvaluator>({
      script: this._options.script,
      guarded: false,
      onMessage: message => {
        if (this._child === child) {
          this._onMessage(message);
        }
      },
      // Written past the console: by native code, or by programs the cell started.
      onOutput: (name, text) => this._options.events.onStream(this._latest, name, text),
      onExit: exit => {
        if (this._child === child) {
          this._onExit(exit);
        }
      }
    });
    this._child = child;
    return child;
  }

  /** Ask about code. A process that is busy running a cell answers with `missing` after a while. */
  private _ask<T>(make: (id: number) => ToEvaluator, missing: T): Promise<T> {
    if (this._disposed) {
      return Promise.resolve(missing);
    }
    const id = this._nextQuestion++;
    return new Promise<T>(resolve => {
      const finish = (value: unknown): void => {
        clearTimeout(timer);
        this._questions.delete(id);
        resolve(value as T);
      };
      const timer = setTimeout(() => finish(missing), this._answerMs);
      this._questions.set(id, { answer: finish, abandon: () => finish(missing) });
      this._running().send(make(id));
    });
  }

  private _onMessage(message: FromEvaluator): void {
    const events = this._options.events;
    switch (message.type) {
      case 'began':
        if (this._current?.id === message.id) {
          this._current.began = true;
        }
        break;
      case 'executed':
        this._end(message.id, message.outcome);
        break;
      case 'completed':
        this._questions.get(message.id)?.answer(message.completions);
        break;
      case 'inspected':
        this._questions.get(message.id)?.answer(message.bundle);
        break;
      case 'completeness':
        this._questions.get(message.id)?.answer({ status: message.status, indent: message.indent });
        break;
      case 'stream':
        events.onStream(message.execution, message.name, message.text);
        break;
      case 'display':
        events.onDisplay(message);
        break;
      case 'clear':
        events.onClear(message.execution, message.wait);
        break;
      case 'ask':
        events.onAsk(message);
        break;
      case 'input':
        events.onInput(message);
        break;
    }
  }

  private _end(id: ExecutionId, outcome: CellOutcome): void {
    if (this._current?.id === id) {
      const { resolve, interrupted } = this._current;
      this._current = null;
      resolve(interrupted && Private.isCancelled(outcome) ? Private.INTERRUPTED : outcome);
    }
  }

  private _onExit(exit: IExit): void {
    this._child = null;
    if (this._disposed) {
      return;
    }
    const evalue = Private.lost(exit);
    if (this._current) {
      this._end(this._current.id, {
        status: 'error',
        error: { ename: 'EvaluatorLost', evalue, traceback: [`EvaluatorLost: ${evalue}`] }
      });
    } else {
      this._options.events.onStream(this._latest, 'stderr', `${evalue}\n`);
    }
    this._abandon();
  }

  /** Answer what the ended process was asked, and drop what it asked for. */
  private _abandon(): void {
    for (const question of [...this._questions.values()]) {
      question.abandon();
    }
    this._options.events.onLost();
  }

  private readonly _options: EvaluatorClient.IOptions;
  private readonly _graceMs: number;
  private readonly _answerMs: number;
  private readonly _questions = new Map<
    number,
    { answer: (value: unknown) => void; abandon: () => void }
  >();
  private _child: ChildChannel<ToEvaluator, FromEvaluator> | null = null;
  private _current: {
    readonly id: ExecutionId;
    readonly resolve: (outcome: CellOutcome) => void;
    /** Whether the cell has been told to end. */
    interrupted: boolean;
    /** Whether the process has said that the cell starts. */
    began: boolean;
  } | null = null;
  private _latest: ExecutionId = 0;
  private _nextQuestion = 1;
  private _disposed = false;
}

/** The namespace for `EvaluatorClient` statics. */
export namespace EvaluatorClient {
  /** Options for creating a client. */
  export interface IOptions {
    /** Absolute path of the evaluator's script. */
    readonly script: string;
    readonly events: IEvaluatorEvents;
    /** How long an interrupted cell may go on before its process is replaced, milliseconds; 1500 by default. */
    readonly interruptGraceMs?: number;
    /** How long questions about code wait for a busy evaluator, milliseconds; 2000 by default. */
    readonly answerTimeoutMs?: number;
  }
}

/**
 * The namespace for module statics.
 */
namespace Private {
  const interrupted: ICellError = {
    ename: 'Interrupted',
    evalue: 'The cell was interrupted.',
    traceback: ['Interrupted: The cell was interrupted.']
  };

  /**
   * Whether a cell ended with the error of a cancelled request. An interrupt cancels requests too, and the engine's answer may
   * reach the cell before the interrupt does.
   */
  export function isCancelled(outcome: CellOutcome): boolean {
    return outcome.status === 'error' && outcome.code === 'cancelled';
  }

  /** What to tell of a process that ended by itself. */
  export function lost(exit: IExit): string {
    const hint = startHint(exit);
    const what = `The evaluator process ${describeExit(exit)}.`;
    if (exit.failure === undefined) {
      return `${what} All variables are lost; the next cell starts a new one.`;
    }
    return [what, hint, 'The next cell tries again.'].filter(Boolean).join(' ');
  }

  /** How long a cell may take to begin before it is sent again, milliseconds. */
  export const INSIST_MS = 1000;

  export const INTERRUPTED: CellOutcome = { status: 'error', error: interrupted };

  export const REPLACED =
    'The cell did not react to the interrupt; its process was stopped. All variables are lost.\n';
}
