/**
 * What the threads of `WeightWorkers` are told and say.
 *
 * @packageDocumentation
 */
import type { IErrorInfo } from '../../errors';
import type { WeightTask, WeightTaskResult } from '../weightwork';

/** What a thread starts with. */
export interface IWorkerData {
  readonly module: WebAssembly.Module;
}

/** A task for a thread; it does one at a time and answers each. */
export interface ITaskMessage {
  readonly task: WeightTask;
}

/** An answer. Errors that are no CastlensError are defects and carry their stack. */
export type AnswerMessage =
  | { readonly result: WeightTaskResult<WeightTask> }
  | { readonly error: IErrorInfo }
  | { readonly defect: string };
