/**
 * What asking and answering side say to one another.
 *
 * @packageDocumentation
 */
import type { IErrorInfo } from '../errors';
import type { RequestName } from './contract';
import type { IProgress } from './progress';

/** From the asking side. `id` is unique per channel. */
export type ClientMessage<M extends string = RequestName> =
  | {
      readonly type: 'request';
      readonly id: number;
      readonly method: M;
      readonly params: unknown;
    }
  /** Give up request `id`; its answer is then an error with code `cancelled`. */
  | { readonly type: 'cancel'; readonly id: number };

/** From the answering side. `result` and `error` are the last message of a request. Binary data travels beside `result`. */
export type ServerMessage =
  | { readonly type: 'result'; readonly id: number; readonly result: unknown }
  | { readonly type: 'error'; readonly id: number; readonly error: IErrorInfo }
  | { readonly type: 'progress'; readonly id: number; readonly progress: IProgress }
  /** The engine process died or was replaced; running requests have been answered with errors. */
  | { readonly type: 'engine'; readonly state: 'lost'; readonly error: IErrorInfo }
  /** An engine process was started in place of one that was lost. */
  | { readonly type: 'engine'; readonly state: 'started' }
  /**
   * A file of the model that was opened over this comm is another one than was read: `changing` while it is being written, `changed`
   * when it has been at rest for a moment, `gone` where there is none.
   */
  | { readonly type: 'files'; readonly state: FileChange; readonly file: string };

/** What has become of a file. */
export type FileChange = 'changing' | 'changed' | 'gone';

/** Comm target of the kernel. */
export const COMM_TARGET = 'castlens';

/** Name of the kernelspec. */
export const KERNEL_NAME = 'castlens';
