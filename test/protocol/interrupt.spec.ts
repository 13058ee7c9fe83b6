import type { Client } from './support/client';
import { resultText, streamText } from './support/client';
import { CommClient } from './support/commclient';
import { KernelProcess } from './support/kernelprocess';
import { waitUntil } from './support/wait';

/** What the kernel promises, milliseconds. */
const LIMIT = 2000;

/** A kernel that were blocked would not answer for seconds. */
const ANSWER_MS = 2000;

describe('interrupt', () => {
  let kernel: KernelProcess;
  let client: Client;

  beforeAll(async () => {
    kernel = await KernelProcess.start({ engine: 'fake' });
    client = await kernel.connect();
    await client.execute('const kept = 42');
  });

  afterAll(() => kernel.dispose());

  /** Start a cell and wait until it says that it has started. */
  const start = async (code: string): Promise<string> => {
    const id = await client.startCell(`console.log('started');\n${code}`);
    await waitUntil(() => streamText(client.published(id), 'stdout').includes('started'));
    return id;
  };

  it.each([
    ['a loop', 'while (true) {}'],
    ['a loop that catches', 'for (;;) { try { while (true) {} } catch {} finally {} }'],
    ['a loop after an await', 'await null; while (true) {}'],
    ['a loop of awaits', 'while (true) await null'],
    ['a loop after a timer', 'await new Promise(r => setTimeout(r, 5)); while (true) {}'],
    ['a loop in a timer', 'setTimeout(() => { while (true) {} }, 5); await new Promise(() => {})'],
    [
      'a loop in an immediate',
      'setImmediate(() => { while (true) {} }); await new Promise(() => {})'
    ],
    [
      'a loop in a callback',
      "require('fs').readFile('.', () => { while (true) {} }); await new Promise(() => {})"
    ],
    ['a promise that is never settled', 'await new Promise(() => {})'],
    ['a blocked thread', 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)'],
    [
      'a loop while it is shown',
      "({ [Symbol.for('nodejs.util.inspect.custom')]() { while (true) {} } })"
    ],
    ['a regular expression that backtracks', "/^(a+)+$/.test('a'.repeat(40) + 'b')"]
  ])('should end %s, and keep variables', async (_what, code) => {
    const id = await start(code);
    const asked = performance.now();
    const reply = await client.request('control', 'interrupt_request');
    expect(reply.content).toEqual({ status: 'ok' });
    const { reply: ended, published } = await client.finish(id, LIMIT);
    expect(performance.now() - asked).toBeLessThan(LIMIT);
    expect(ended.content).toMatchObject({ status: 'error', ename: 'Interrupted' });
    expect(published.filter(m => m.header.msg_type === 'error')).toHaveLength(1);
    expect(resultText((await client.execute('kept')).published)).toBe('42');
  });

  it('should abort the cells behind the interrupted one', async () => {
    const id = await start('await new Promise(() => {})');
    const queued = await client.startCell('1');
    await client.request('control', 'interrupt_request');
    await client.finish(id, LIMIT);
    expect((await client.finish(queued)).reply.content.status).toBe('aborted');
  });

  it('should answer heartbeat and kernel_info while a cell spins', async () => {
    const id = await start('while (true) {}');
    expect(await client.heartbeat()).toBeLessThan(ANSWER_MS);
    const asked = performance.now();
    await client.request('shell', 'kernel_info_request');
    await client.request('control', 'kernel_info_request');
    expect(performance.now() - asked).toBeLessThan(ANSWER_MS);
    await client.request('control', 'interrupt_request');
    await client.finish(id, LIMIT);
  });

  it('should do nothing when nothing runs', async () => {
    expect((await client.request('control', 'interrupt_request')).content).toEqual({
      status: 'ok'
    });
    expect(resultText((await client.execute('kept')).published)).toBe('42');
  });

  it('should publish what a loop writes before it is interrupted', async () => {
    const id = await start('for (let i = 0; ; i++) console.log(i)');
    await waitUntil(() => streamText(client.published(id), 'stdout').includes('1000\n'));
    await client.request('control', 'interrupt_request');
    await client.finish(id, LIMIT);
    expect(resultText((await client.execute('kept')).published)).toBe('42');
  });

  it('should end a run that blocks the engine, and leave both usable', async () => {
    const comm = await CommClient.open(client);
    await comm.request('pid');
    const run = await comm.start('block', { ms: 60_000 });
    const id = await start("await castlens.open('model.pt2')");
    expect(await client.heartbeat()).toBeLessThan(ANSWER_MS);
    await client.request('shell', 'kernel_info_request', {}, ANSWER_MS);
    await client.request('control', 'interrupt_request');
    const { message } = await comm.answer(run, LIMIT);
    expect(message).toMatchObject({ type: 'error', error: { code: 'cancelled' } });
    await client.finish(id, LIMIT);
    expect((await comm.request('echo', { a: 1 })).message).toMatchObject({ result: { a: 1 } });
    expect(resultText((await client.execute('kept')).published)).toBe('42');
  });

  it('should replace a process that does not react, and say so', async () => {
    const id = await start("require('child_process').execSync('sleep 30', { stdio: 'ignore' })");
    await client.request('control', 'interrupt_request');
    const { reply, published } = await client.finish(id, LIMIT);
    expect(reply.content.ename).toBe('Interrupted');
    expect(streamText(published, 'stderr')).toContain('All variables are lost');
    const { reply: after } = await client.execute('kept');
    expect(after.content.ename).toBe('ReferenceError');
  });
});
