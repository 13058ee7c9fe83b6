/**
 * The evaluator's second thread: interrupts the first, and ends the process with the kernel.
 *
 * @packageDocumentation
 */
import { Session } from 'node:inspector';
import { parentPort } from 'node:worker_threads';
import { INTERRUPT } from '../evaluatormessages';
import { watchLifeline } from '../lifeline';

/** What the thread is given. */
export interface IControlData {
  /** One integer: how many interrupts the main thread has noticed. */
  readonly noticed: SharedArrayBuffer;
}

/**
 * Run the control thread.
 *
 * #### Notes
 * The main thread is told first: where it waits for something it ends the cell by itself. Where it does not notice, it is
 * inside a loop that never returns, and V8 is asked to terminate what is running; bindings stay. Asking only then matters:
 * with nothing running, the request would hit the next thing that does.
 */
export function runControlThread(data: IControlData): void {
  const noticed = new Int32Array(data.noticed);
  watchLifeline(text => {
    if (text.includes(INTERRUPT.trim())) {
      void interrupt(noticed);
    }
  });
}

async function interrupt(noticed: Int32Array): Promise<void> {
  const before = Atomics.load(noticed, 0);
  parentPort!.postMessage('interrupt');
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    await new Promise<void>(resolve => setTimeout(resolve, PATIENCE_MS));
    if (Atomics.load(noticed, 0) !== before) {
      return;
    }
    await terminate();
  }
}

/** End what the main thread is running. The session is opened for this alone: an open one delays the process's exit. */
async function terminate(): Promise<void> {
  const session = new Session();
  session.connectToMainThread();
  await new Promise<void>(resolve => session.post('Runtime.terminateExecution', () => resolve()));
  session.disconnect();
}

/** How long the main thread may take to notice an interrupt, milliseconds. */
const PATIENCE_MS = 150;

/** How often to terminate: code may catch the first and go on in the next continuation. */
const ATTEMPTS = 8;
