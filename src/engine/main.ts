/**
 * The engine process: answers requests of its parent over the process channel, and ends with it.
 *
 * @packageDocumentation
 */
import { errorInfoOf } from '../errors';
import type { ClientMessage, Params, ServerMessage } from '../protocol';
import type { EngineRequest } from './service';
import { Engine } from './service';
import type { ISessionLimits } from './sessions';
import { DEFAULT_SESSION_LIMITS } from './sessions';

const engine = new Engine({ sessions: sessionLimits(process.env.CASTLENS_SESSION_MIB) });
const running = new Map<number, AbortController>();

/** The limit that the environment asks for: MiB of memory for variants that stay loaded, 0 for none. */
function sessionLimits(mebibytes: string | undefined): ISessionLimits {
  return mebibytes !== undefined && /^\d+$/.test(mebibytes)
    ? { bytes: Number(mebibytes) * 2 ** 20 }
    : DEFAULT_SESSION_LIMITS;
}

function send(message: ServerMessage, buffers: Uint8Array[] = []): void {
  process.send?.({ message, buffers });
}

async function answer(id: number, method: EngineRequest, params: unknown): Promise<void> {
  const controller = new AbortController();
  running.set(id, controller);
  try {
    const { result, buffers } = await engine.handle(method, params as Params<typeof method>, {
      signal: controller.signal,
      progress: progress => send({ type: 'progress', id, progress })
    });
    send({ type: 'result', id, result }, buffers);
  } catch (error) {
    send({ type: 'error', id, error: errorInfoOf(error) });
  } finally {
    running.delete(id);
  }
}

process.on('message', (envelope: { message: ClientMessage }) => {
  const { message } = envelope;
  switch (message.type) {
    case 'request':
      // Names that the engine does not know are refused when they are handled.
      void answer(message.id, message.method as EngineRequest, message.params);
      break;
    case 'cancel':
      running.get(message.id)?.abort();
      break;
  }
});
process.on('disconnect', () => process.exit(0));
// A terminal sends it to the whole group; the kernel decides what it means.
process.on('SIGINT', () => undefined);
// So that what goes with the end of a process is done.
process.on('SIGTERM', () => process.exit(0));
