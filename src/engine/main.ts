/**
 * The engine process: answers requests of its parent over the process channel, and ends with it.
 *
 * @packageDocumentation
 */
import type { ClientMessage, Params } from '../protocol';
import { Responder } from '../protocol';
import type { EngineRequest } from './service';
import { Engine } from './service';
import type { ISessionLimits } from './sessions';
import { DEFAULT_SESSION_LIMITS } from './sessions';

const engine = new Engine({ sessions: sessionLimits(process.env.CASTLENS_SESSION_MIB) });

/** The limit that the environment asks for: MiB of memory for variants that stay loaded, 0 for none. */
function sessionLimits(mebibytes: string | undefined): ISessionLimits {
  return mebibytes !== undefined && /^\d+$/.test(mebibytes)
    ? { bytes: Number(mebibytes) * 2 ** 20 }
    : DEFAULT_SESSION_LIMITS;
}

const channel = new Responder<EngineRequest>({
  send: (message, buffers) => process.send?.({ message, buffers }),
  // Names that the engine does not know are refused when they are handled.
  start: ({ method, params, progress }) => {
    const controller = new AbortController();
    const job = { signal: controller.signal, progress };
    return {
      answer: engine.handle(method, params as Params<typeof method>, job),
      cancel: () => controller.abort()
    };
  }
});

process.on('message', ({ message }: { message: ClientMessage<EngineRequest> }) => {
  void channel.handle(message);
});
process.on('disconnect', () => process.exit(0));
// A terminal sends it to the whole group; the kernel decides what it means.
process.on('SIGINT', () => undefined);
// So that what goes with the end of a process is done.
process.on('SIGTERM', () => process.exit(0));
