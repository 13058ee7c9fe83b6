// An engine that does what tests ask for, in place of src/engine: same channel, other methods.
const running = new Map();

function send(message, buffers = []) {
  process.send({ message, buffers });
}

const methods = {
  /** Answer with the parameters and the buffers, each byte plus one. */
  echo: (params, buffers) => [params, buffers.map(buffer => buffer.map(byte => byte + 1))],
  /** A request whose paths the kernel knows; answers with its parameters. */
  run: params => [params, []],
  pid: () => [{ pid: process.pid }, []],
  /** Block the thread, as onnxruntime does. */
  block: params => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, params.ms);
    return [{ blocked: params.ms }, []];
  },
  /** Wait without blocking, until cancelled. */
  wait: (_params, _buffers, id) =>
    new Promise((_resolve, reject) => {
      send({ type: 'progress', id, progress: { text: 'waiting', fraction: 0.5 } });
      const timer = setInterval(() => undefined, 1000);
      running.set(id, () => {
        clearInterval(timer);
        reject(Object.assign(new Error('cancelled'), { code: 'cancelled' }));
      });
    }),
  fail: params => {
    throw Object.assign(new Error('failed'), { code: params.code });
  },
  exit: params => process.exit(params.code)
};

process.on('message', async ({ message, buffers }) => {
  const { id } = message;
  if (message.type === 'cancel') {
    running.get(id)?.();
    return;
  }
  try {
    const method = methods[message.method];
    if (!method) {
      throw Object.assign(new Error(`no method ${message.method}`), { code: 'bad-argument' });
    }
    const [result, answered] = await method(message.params, buffers, id);
    send({ type: 'result', id, result }, answered);
  } catch (error) {
    send({ type: 'error', id, error: { code: error.code ?? 'internal', summary: error.message } });
  } finally {
    running.delete(id);
  }
});
process.on('disconnect', () => process.exit(0));
