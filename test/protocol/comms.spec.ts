import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import type { Client } from './support/client';
import { CommClient } from './support/commclient';
import { isAlive, KernelProcess } from './support/kernelprocess';
import { waitUntil } from './support/wait';

describe('comms', () => {
  let kernel: KernelProcess;
  let client: Client;
  let comm: CommClient;

  beforeAll(async () => {
    kernel = await KernelProcess.start({ engine: 'fake' });
  });

  beforeEach(async () => {
    client = await kernel.connect();
    comm = await CommClient.open(client);
  });

  afterEach(async () => {
    await comm.close();
    await client.close();
  });

  afterAll(() => kernel.dispose());

  const enginePid = async (): Promise<number> => {
    const { message } = await comm.request('pid');
    return (message as unknown as { result: { pid: number } }).result.pid;
  };

  it('should answer a request of the panel', async () => {
    const { message, received } = await comm.request('echo', { a: 1 });
    expect(message).toEqual({ type: 'result', id: 1, result: { a: 1 } });
    await client.idle(received.parent_header.msg_id!);
  });

  it('should pass on progress before the result, and be busy until then', async () => {
    const id = await comm.start('wait');
    await waitUntil(() => comm.messages().length > 0);
    expect(comm.messages()).toEqual([
      { type: 'progress', id, progress: { text: 'waiting', fraction: 0.5 } }
    ]);
    const request = client.received.iopub.at(-1)!.parent_header.msg_id!;
    const states = () =>
      client
        .published(request)
        .filter(m => m.header.msg_type === 'status')
        .map(m => m.content.execution_state);
    expect(states()).toEqual(['busy']);
    await comm.cancel(id);
    await comm.answer(id);
    await client.idle(request);
    // Busy once more: the cancellation was handled, and ended, in between.
    expect(states()).toEqual(['busy', 'busy', 'idle']);
  });

  it('should keep binary buffers intact both ways', async () => {
    const backing = randomBytes(1 << 20);
    const buffers = [
      Buffer.alloc(0),
      Buffer.from([0, 127, 255]),
      backing.subarray(12345, 987654),
      backing
    ];
    const { received } = await comm.request('echo', {}, buffers);
    expect(received.buffers).toHaveLength(buffers.length);
    buffers.forEach((buffer, i) => {
      const expected = Buffer.from(buffer.map(byte => byte + 1));
      expect(received.buffers[i].equals(expected)).toBe(true);
    });
  });

  it('should resolve relative paths from the directory of the kernel', async () => {
    const params = { path: 'models/a.pt2', inputs: { inputsFile: 'x' }, outputsFile: '/y' };
    const { message } = await comm.request('run', params);
    expect(message).toMatchObject({
      result: {
        path: resolve(kernel.cwd, 'models/a.pt2'),
        inputs: { inputsFile: resolve(kernel.cwd, 'x') },
        outputsFile: '/y'
      }
    });
  });

  it('should lose and reorder none of 10,000 messages', async () => {
    const count = 10_000;
    const other = await CommClient.open(client);
    for (let i = 0; i < count; i++) {
      void (i % 4 === 0 ? other : comm).start('echo', { i });
    }
    const answers = (of: CommClient) => of.messages() as unknown as { result: { i: number } }[];
    await waitUntil(() => answers(comm).length + answers(other).length === count, 60_000);
    const sent = Array.from({ length: count }, (_, i) => i);
    expect(answers(comm).map(({ result }) => result.i)).toEqual(sent.filter(i => i % 4 !== 0));
    expect(answers(other).map(({ result }) => result.i)).toEqual(sent.filter(i => i % 4 === 0));
    await other.close();
  });

  it('should answer two clients, each under its own requests', async () => {
    const second = await kernel.connect();
    const secondComm = await CommClient.open(second);
    const [a, b] = await Promise.all([
      Promise.all(Array.from({ length: 50 }, (_, i) => comm.request('echo', { from: 'a', i }))),
      Promise.all(
        Array.from({ length: 50 }, (_, i) => secondComm.request('echo', { from: 'b', i }))
      )
    ]);
    a.forEach(({ message, received }, i) => {
      expect(message).toMatchObject({ result: { from: 'a', i } });
      expect(received.parent_header.session).toBe(client.session);
    });
    b.forEach(({ message, received }, i) => {
      expect(message).toMatchObject({ result: { from: 'b', i } });
      expect(received.parent_header.session).toBe(second.session);
    });
    const sessions = new Set(
      [client, second].flatMap(each => each.received.iopub.map(m => m.header.session))
    );
    expect(sessions.size).toBe(1);
    await second.close();
  });

  it('should answer errors of the engine', async () => {
    const { message } = await comm.request('nonsense');
    expect(message).toMatchObject({ type: 'error', error: { code: 'bad-argument' } });
  });

  it.each([
    ['no object', 'text', 0],
    ['no id', { type: 'request', method: 'echo' }, 0],
    ['no method', { type: 'request', id: 5 }, 5],
    ['an unknown type', { type: 'demand', id: 6 }, 6],
    ['a type that is no text', { type: { toString: 1 }, id: 7 }, 7]
  ])('should answer a message with %s', async (_what, data, id) => {
    await comm.send(data as object);
    const { message } = await comm.answer(id);
    expect(message).toMatchObject({ type: 'error', id, error: { code: 'bad-argument' } });
  });

  it('should cancel a request that listens', async () => {
    const id = await comm.start('wait');
    await comm.cancel(id);
    expect((await comm.answer(id, 900)).message).toMatchObject({ error: { code: 'cancelled' } });
  });

  it('should cancel a request that blocks the engine, and ask the others again', async () => {
    const before = await enginePid();
    const blocked = await comm.start('block', { ms: 60_000 });
    const waiting = await comm.start('echo', { patient: true });
    await comm.cancel(blocked);
    expect((await comm.answer(blocked, 2000)).message).toMatchObject({
      error: { code: 'cancelled' }
    });
    expect((await comm.answer(waiting)).message).toMatchObject({ result: { patient: true } });
    expect(await enginePid()).not.toBe(before);
    await waitUntil(() => !isAlive(before));
  });

  it('should cancel what a comm was waiting for when it is closed', async () => {
    const before = await enginePid();
    const second = await CommClient.open(client);
    await second.start('block', { ms: 60_000 });
    await second.close();
    await waitUntil(() => !isAlive(before), 3000);
    expect((await comm.request('echo', { still: 'here' })).message).toMatchObject({
      result: { still: 'here' }
    });
    expect(second.messages().filter(({ type }) => type !== 'engine')).toEqual([]);
  });

  it('should report that the engine was killed, and start it again', async () => {
    const pid = await enginePid();
    const running = await comm.start('block', { ms: 60_000 });
    await waitUntil(() => isAlive(pid));
    process.kill(pid, 'SIGKILL');
    const { message } = await comm.answer(running, 3000);
    expect(message).toMatchObject({
      type: 'error',
      error: {
        code: 'engine-lost',
        found: 'SIGKILL',
        summary: expect.stringContaining('block'),
        hint: expect.stringContaining('memory')
      }
    });
    await waitUntil(() => comm.messages().some(({ type }) => type === 'engine'));
    expect(comm.messages().at(-1)).toMatchObject({ type: 'engine', state: 'lost' });
    expect(await enginePid()).not.toBe(pid);
    expect(comm.messages()).toContainEqual(
      expect.objectContaining({ type: 'engine', state: 'started' })
    );
  });

  it('should report how the engine ended by itself', async () => {
    const { message } = await comm.request('exit', { code: 9 });
    expect(message).toMatchObject({ error: { code: 'engine-lost', found: 'exit code 9' } });
  });

  it('should replace an engine that has lost its GPU, and only that', async () => {
    const pid = await enginePid();
    const usual = await comm.request('fail', { code: 'runtime' });
    expect(usual.message).toMatchObject({ error: { code: 'runtime' } });
    expect(await enginePid()).toBe(pid);
    const { message } = await comm.request('fail', { code: 'device-lost' });
    expect(message).toMatchObject({ error: { code: 'device-lost', summary: 'failed' } });
    expect(await enginePid()).not.toBe(pid);
    await waitUntil(() => !isAlive(pid));
  });

  it('should list its comms and refuse unknown targets', async () => {
    const unknown = await CommClient.open(client, 'something.else');
    const closed = await client.next(
      'iopub',
      m => m.header.msg_type === 'comm_close' && m.content.comm_id === unknown.id
    );
    expect(closed.parent_header.session).toBe(client.session);
    const all = await client.request('shell', 'comm_info_request');
    expect(all.content.comms[comm.id]).toEqual({ target_name: 'castlens' });
    expect(all.content.comms).not.toHaveProperty(unknown.id);
    const other = await client.request('shell', 'comm_info_request', { target_name: 'other' });
    expect(other.content.comms).toEqual({});
  });

  it('should close a comm it does not know, as after a restart', async () => {
    const stale = await CommClient.open(client);
    await stale.close();
    await stale.start('echo');
    await client.next(
      'iopub',
      m => m.header.msg_type === 'comm_close' && m.content.comm_id === stale.id
    );
  });

  it('should answer while a cell runs', async () => {
    const cell = await client.startCell('await new Promise(() => {})');
    expect((await comm.request('echo', { a: 2 })).message).toMatchObject({ result: { a: 2 } });
    await client.request('control', 'interrupt_request');
    await client.finish(cell);
  });
});
