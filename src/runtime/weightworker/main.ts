/**
 * A thread that reads, casts and summarises weights: see `WeightWorkers`.
 *
 * @packageDocumentation
 */
import { parentPort, workerData } from 'node:worker_threads';

import { CastlensError } from '../../model';
import { WeightKernels } from '../weightkernels';
import { WeightWork } from '../weightwork';
import type { AnswerMessage, ITaskMessage, IWorkerData } from './messages';

const port = parentPort!;
const work = new WeightWork(new WeightKernels((workerData as IWorkerData).module));

port.on('message', ({ task }: ITaskMessage) => {
  try {
    const result = work.do(task);
    const moved = result instanceof Uint8Array ? [result.buffer as ArrayBuffer] : [];
    port.postMessage({ result } satisfies AnswerMessage, moved);
  } catch (error) {
    port.postMessage(failure(error));
  }
});

function failure(error: unknown): AnswerMessage {
  if (error instanceof CastlensError) {
    return { error: error.info };
  }
  return { defect: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}
