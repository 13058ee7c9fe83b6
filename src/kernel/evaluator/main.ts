/**
 * The evaluator process: cells run on its main thread; a second thread interrupts them.
 *
 * @packageDocumentation
 */
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import type { FromEvaluator, ToEvaluator } from '../evaluatormessages';
import { ExecutionContext } from './context';
import type { IControlData } from './control';
import { runControlThread } from './control';
import { Evaluator } from './evaluator';
import { captureOutput, Output } from './output';

function runMainThread(): void {
  const send = process.send!.bind(process) as (message: FromEvaluator) => boolean;
  // Cells have no parent to talk to.
  process.send = undefined;

  // Node's own timers, from before cells get theirs.
  const later = setImmediate;
  const noticed = new SharedArrayBuffer(4);
  const control: IControlData = { noticed };
  const thread = new Worker(__filename, { workerData: control });
  thread.unref();

  const context = new ExecutionContext();
  const output = new Output(
    (execution, name, text) => send({ type: 'stream', execution, name, text }),
    callback => void later(callback)
  );
  const evaluator = new Evaluator({ context, output, send: message => void send(message) });
  captureOutput((name, text) => output.write(context.current, name, evaluator.clean(text)));

  thread.on('message', () => {
    Atomics.add(new Int32Array(noticed), 0, 1);
    evaluator.interrupt();
  });
  process.on('message', message => evaluator.handle(message as ToEvaluator));
  process.on('disconnect', () => process.exit(0));
  // A terminal sends it to the whole group; the kernel decides what it means.
  process.on('SIGINT', () => undefined);
  process.on('exit', () => output.flush());
}

if (isMainThread) {
  runMainThread();
} else {
  runControlThread(workerData as IControlData);
}
