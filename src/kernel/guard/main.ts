/**
 * Preloaded into the engine process: ends it when the kernel is gone, also while its main thread is blocked.
 *
 * onnxruntime blocks the main thread for seconds, and the end of the process channel is only noticed after that. A thread
 * of its own reads the lifeline (see childchannel.ts); end-of-file means that the kernel has ended.
 *
 * @packageDocumentation
 */
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { watchLifeline } from '../lifeline';

const ROLE = 'castlens-guard';

if (isMainThread) {
  // Without execArgv the thread would preload this file again.
  new Worker(__filename, { workerData: ROLE, execArgv: [], stdin: false }).unref();
} else if (workerData === ROLE) {
  watchLifeline(() => undefined);
}
