/**
 * What long work needs from whoever asked for it.
 *
 * @packageDocumentation
 */
import { CastlensError } from '../model';
import type { IProgress } from '../protocol';

/** Cancellation and progress of long work; all optional. */
export interface IJob {
  readonly signal?: AbortSignal;
  progress?(progress: IProgress): void;
}

/**
 * Let messages in, then stop if the work was cancelled.
 *
 * @throws CastlensError `cancelled`.
 */
export async function breathe(job: IJob): Promise<void> {
  throwIfCancelled(job);
  await new Promise<void>(resolve => setImmediate(resolve));
  throwIfCancelled(job);
}

/**
 * Stop if the work was cancelled, as far as messages have been let in.
 *
 * @throws CastlensError `cancelled`.
 */
export function throwIfCancelled(job: IJob): void {
  if (job.signal?.aborted) {
    throw CastlensError.cancelled();
  }
}
