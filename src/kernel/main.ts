/**
 * The kernel process: `node kernel.js CONNECTION_FILE`. Speaks protocol and supervises; models and cells run in children.
 *
 * @packageDocumentation
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { version } from '../../package.json';
import { Connection, parseConnectionFile } from './connection';
import { EvaluatorClient } from './evaluatorclient';
import { Kernel } from './kernel';
import { Sockets } from './sockets';
import { EngineSupervisor } from './supervisor';

/** The server keeps what its kernels write to stderr. */
function log(text: string): void {
  process.stderr.write(text.endsWith('\n') ? text : `${text}\n`);
}

function logError(error: unknown): void {
  log(`castlens: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
}

/**
 * Call `onOrphaned` when the server that started the kernel has ended without shutting it down.
 *
 * #### Notes
 * jupyter_client names itself in JPY_PARENT_PID. Where something stands in between (a provisioner, a container), the parent
 * is another one and nothing is watched.
 */
function watchParent(onOrphaned: () => void): void {
  const parent = process.ppid;
  if (Number(process.env.JPY_PARENT_PID) === parent && parent > 1) {
    setInterval(() => {
      if (process.ppid !== parent) {
        onOrphaned();
      }
    }, 1000).unref();
  }
}

async function main(connectionFile: string): Promise<void> {
  const info = parseConnectionFile(readFileSync(connectionFile, 'utf8'));
  const connection = new Connection({ signing: info.signing });

  const engine = new EngineSupervisor({
    // Tests put another engine here.
    script: process.env.CASTLENS_ENGINE ?? join(__dirname, 'engine.js'),
    onState: state => kernel.engineChanged(state),
    onOutput: log
  });
  let evaluator: EvaluatorClient | null = null;

  let stopping = false;
  const stop = async (): Promise<void> => {
    if (!stopping) {
      stopping = true;
      await Promise.all([engine.dispose(), evaluator?.dispose()]);
      await sockets.close();
      process.exit(0);
    }
  };

  const kernel = new Kernel({
    outbox: { send: (channel, message) => sockets.send(channel, connection.compose(message)) },
    engine,
    evaluator: events => {
      evaluator = new EvaluatorClient({ script: join(__dirname, 'evaluator.js'), events });
      return evaluator;
    },
    cwd: process.cwd(),
    version,
    onShutdown: () => void stop(),
    onError: logError
  });

  const sockets = await Sockets.bind(info, {
    onFrames: (channel, frames) => {
      const received = connection.receive(frames);
      if (received.ok) {
        kernel.handle(channel, received.message);
      } else {
        log(`castlens: dropped a message on ${channel}: ${received.reason}`);
      }
    },
    onSubscribe: topic => kernel.welcome(Buffer.from(topic).toString()),
    onError: logError
  });

  process.on('SIGINT', () => kernel.interrupt());
  process.on('SIGTERM', () => void stop());
  process.on('SIGHUP', () => void stop());
  process.on('uncaughtException', logError);
  process.on('unhandledRejection', logError);
  watchParent(() => void stop());
  kernel.start();
}

const connectionFile = process.argv[2];
if (connectionFile === undefined) {
  process.stderr.write('usage: kernel.js CONNECTION_FILE\n');
  process.exit(2);
}
main(connectionFile).catch((error: unknown) => {
  logError(error);
  process.exit(1);
});
