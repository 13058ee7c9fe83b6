/**
 * Child processes that cannot be started: whoever waits for them is told, and later ones work.
 */
import type { Client } from './support/client';
import { resultText } from './support/client';
import { CommClient } from './support/commclient';
import { FileLimit } from './support/filelimit';
import { KernelProcess } from './support/kernelprocess';

describe('a kernel that may open no further file', () => {
  let kernel: KernelProcess;
  let client: Client;
  let comm: CommClient;
  let limit: FileLimit;

  beforeEach(async () => {
    kernel = await KernelProcess.start({ engine: 'fake' });
    client = await kernel.connect();
    comm = await CommClient.open(client);
    limit = new FileLimit(kernel.pid);
    limit.exhaust();
  });

  afterEach(() => kernel.dispose());

  it('should end a cell with an error, and run the next one', async () => {
    const { reply, published } = await client.execute('1 + 1');
    expect(reply.content).toMatchObject({ status: 'error', ename: 'EvaluatorLost' });
    expect(reply.content.evalue).toMatch(/could not be started \(.*EMFILE\).*ulimit -n/);
    expect(published.map(({ header }) => header.msg_type)).toContain('error');
    limit.restore();
    expect(resultText((await client.execute('1 + 1')).published)).toBe('2');
    expect(kernel.log).toBe('');
  });

  it('should answer cells that wait, questions and interrupts', async () => {
    const replies = await Promise.all(
      [1, 2, 3].map(n => client.execute(String(n), { stop_on_error: false }))
    );
    for (const { reply } of replies) {
      expect(reply.content).toMatchObject({ status: 'error', ename: 'EvaluatorLost' });
    }
    const completion = await client.request('shell', 'complete_request', {
      code: 'Mat',
      cursor_pos: 3
    });
    expect(completion.content.matches).toEqual([]);
    const interrupt = await client.request('control', 'interrupt_request');
    expect(interrupt.content.status).toBe('ok');
  });

  it('should answer a request with an error, and the next one', async () => {
    const { message } = await comm.request('pid');
    expect(message).toMatchObject({ type: 'error', error: { code: 'engine-lost' } });
    expect(JSON.stringify(message)).toMatch(/could not be started \(.*EMFILE/);
    expect(JSON.stringify(message)).toContain('ulimit -n');
    limit.restore();
    expect((await comm.request('pid')).message).toMatchObject({ type: 'result' });
  });

  it.each([1, 3, 5, 7, 9, 11])('should end a cell where %i files may be opened', async few => {
    limit.exhaust(few);
    const { reply } = await client.execute('1 + 1');
    expect(['ok', 'error']).toContain(reply.content.status);
    limit.restore();
    // A process that was started under the limit may have ended of it a moment later.
    await client.execute('2');
    expect(resultText((await client.execute('1 + 1')).published)).toBe('2');
  });

  it('should shut down', async () => {
    await client.request('control', 'shutdown_request', { restart: false });
    expect(await kernel.exited).toBe(0);
  });
});
