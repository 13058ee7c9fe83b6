/**
 * What kernel and evaluator process say to each other.
 *
 * @packageDocumentation
 */
import type { ErrorCode } from '../errors';
import type { ClientMessage, ServerMessage } from '../protocol';
import type { MimeBundle } from './message';

/** Identifies one execution of a cell for as long as the kernel runs; never reused. */
export type ExecutionId = number;

/** From the kernel. */
export type ToEvaluator =
  | {
      readonly type: 'execute';
      readonly id: ExecutionId;
      readonly code: string;
      /** Shown in traces: `Cell [3]`. */
      readonly count: number;
      /** Expressions to evaluate after the cell, by name. */
      readonly userExpressions: Readonly<Record<string, string>>;
    }
  /** `cursor` is an index into `code` in UTF-16 units. */
  | {
      readonly type: 'complete';
      readonly id: number;
      readonly code: string;
      readonly cursor: number;
    }
  | {
      readonly type: 'inspect';
      readonly id: number;
      readonly code: string;
      readonly cursor: number;
      /** 1 asks for the source as well. */
      readonly detail: number;
    }
  | { readonly type: 'is-complete'; readonly id: number; readonly code: string }
  /** What the engine answers to an `ask`. */
  | {
      readonly type: 'answer';
      readonly message: ServerMessage;
      readonly buffers: readonly Uint8Array[];
    }
  /** The user's line for an `input`; null where the client cannot be asked. */
  | { readonly type: 'line'; readonly id: number; readonly value: string | null };

/** An error of a cell, as execute_reply and error carry it. */
export interface ICellError {
  readonly ename: string;
  readonly evalue: string;
  /** Lines for the reader, complete by themselves. */
  readonly traceback: readonly string[];
}

/** The value of a user expression. */
export type ExpressionOutcome =
  | { readonly status: 'ok'; readonly data: MimeBundle; readonly metadata: MimeBundle }
  | ({ readonly status: 'error' } & ICellError);

/** How a cell ended. */
export type CellOutcome =
  | {
      readonly status: 'ok';
      /** Null where the last statement has no value. */
      readonly result: MimeBundle | null;
      readonly userExpressions: Readonly<Record<string, ExpressionOutcome>>;
    }
  | {
      readonly status: 'error';
      readonly error: ICellError;
      /** Of an error of castlens. */
      readonly code?: ErrorCode;
    };

/** Possible continuations of code; positions are UTF-16 indices. */
export interface ICompletions {
  readonly matches: readonly string[];
  readonly start: number;
  readonly end: number;
  /** What each match is (`function`, `property`, ...), in the same order. */
  readonly types: readonly string[];
}

/** Whether code can be run as it is. */
export type Completeness = 'complete' | 'incomplete' | 'invalid' | 'unknown';

/** From the evaluator. Everything an execution caused comes before its `executed`, save what it left running. */
export type FromEvaluator =
  /** The cell has arrived and starts now. One that was sent again is not run again. */
  | { readonly type: 'began'; readonly id: ExecutionId }
  | { readonly type: 'executed'; readonly id: ExecutionId; readonly outcome: CellOutcome }
  | { readonly type: 'completed'; readonly id: number; readonly completions: ICompletions }
  | { readonly type: 'inspected'; readonly id: number; readonly bundle: MimeBundle | null }
  | {
      readonly type: 'completeness';
      readonly id: number;
      readonly status: Completeness;
      readonly indent: string;
    }
  | {
      readonly type: 'stream';
      readonly execution: ExecutionId;
      readonly name: 'stdout' | 'stderr';
      readonly text: string;
    }
  | {
      readonly type: 'display';
      readonly execution: ExecutionId;
      /** Whether a display that is there already is replaced. */
      readonly update: boolean;
      readonly bundle: MimeBundle;
      readonly displayId: string | null;
    }
  | { readonly type: 'clear'; readonly execution: ExecutionId; readonly wait: boolean }
  /** A request for the engine; its id is unique in the evaluator process. */
  | { readonly type: 'ask'; readonly execution: ExecutionId; readonly message: ClientMessage }
  | {
      readonly type: 'input';
      readonly id: number;
      readonly execution: ExecutionId;
      readonly prompt: string;
      readonly password: boolean;
    };

/** Word on the lifeline that interrupts. */
export const INTERRUPT = 'interrupt\n';
