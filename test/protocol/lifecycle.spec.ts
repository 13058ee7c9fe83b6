import type { Client } from './support/client';
import { resultText } from './support/client';
import { CommClient } from './support/commclient';
import { isAlive, KernelProcess } from './support/kernelprocess';
import { waitUntil } from './support/wait';

describe('the kernel process', () => {
  let kernel: KernelProcess;
  let client: Client;

  beforeEach(async () => {
    kernel = await KernelProcess.start({ engine: 'fake' });
    client = await kernel.connect();
  });

  afterEach(() => kernel.dispose());

  /** Make both children busy in a way that does not listen to anything. */
  const occupy = async (): Promise<number[]> => {
    const comm = await CommClient.open(client);
    await comm.request('pid');
    await client.execute('1');
    await comm.start('block', { ms: 60_000 });
    const cell = await client.startCell("console.log('spinning'); while (true) {}");
    await client.next('iopub', m => m.header.msg_type === 'stream', 10_000);
    expect(client.published(cell).length).toBeGreaterThan(0);
    const children = kernel.children();
    expect(children).toHaveLength(2);
    return children;
  };

  it('should describe itself', async () => {
    const { content } = await client.request('shell', 'kernel_info_request');
    expect(content).toMatchObject({
      status: 'ok',
      protocol_version: '5.4',
      implementation: 'castlens',
      language_info: { name: 'typescript', file_extension: '.ts' },
      debugger: false,
      supported_features: []
    });
  });

  it('should start its children only when they are needed', async () => {
    expect(kernel.children()).toEqual([]);
    await client.execute('1');
    expect(kernel.children()).toHaveLength(1);
  });

  it.each([
    ['shutdown', 'control', false],
    ['shutdown', 'shell', false],
    ['restart', 'control', true]
  ] as const)(
    'should reply to %s on %s and leave no process behind',
    async (_what, channel, restart) => {
      const children = await occupy();
      const { content } = await client.request(channel, 'shutdown_request', { restart });
      expect(content).toEqual({ status: 'ok', restart });
      expect(await kernel.exited).toBe(0);
      await waitUntil(() => children.every(pid => !isAlive(pid)), 2000);
    }
  );

  it('should take its children along when it is killed', async () => {
    const children = await occupy();
    kernel.kill('SIGKILL');
    await kernel.exited;
    await waitUntil(() => children.every(pid => !isAlive(pid)), 2000);
  });

  it('should end on SIGTERM', async () => {
    const children = await occupy();
    kernel.kill('SIGTERM');
    expect(await kernel.exited).toBe(0);
    expect(children.filter(isAlive)).toEqual([]);
  });

  it('should drop messages with a wrong signature and go on', async () => {
    const { id, frames } = client.frames(
      'execute_request',
      { code: "require('fs').writeFileSync('intruded', '')" },
      { key: 'another key' }
    );
    await client.sendFrames('shell', frames);
    const unsigned = client.frames('execute_request', { code: '1' });
    unsigned.frames[1] = Buffer.alloc(0);
    await client.sendFrames('shell', unsigned.frames);
    const { published } = await client.execute("require('fs').existsSync('intruded')");
    expect(resultText(published)).toBe('false');
    expect(client.published(id)).toEqual([]);
    expect(client.published(unsigned.id)).toEqual([]);
    expect(kernel.log).toContain('wrong signature');
  });

  it('should reject a signature for other content', async () => {
    const { id, frames } = client.frames('execute_request', { code: '1' });
    frames[5] = Buffer.from(JSON.stringify({ code: '2' }));
    await client.sendFrames('shell', frames);
    await client.request('shell', 'kernel_info_request');
    expect(client.published(id)).toEqual([]);
  });

  it.each([
    ['no delimiter', () => [Buffer.from('hello')]],
    ['nothing behind the delimiter', () => [Buffer.from('<IDS|MSG>')]],
    ['a signature alone', () => ['<IDS|MSG>', 'abc'].map(part => Buffer.from(part))],
    ['too few frames', (c: Client) => c.frames('kernel_info_request', {}).frames.slice(0, 5)],
    ['an empty frame', () => [Buffer.alloc(0)]],
    ['bytes', () => [Buffer.from([255, 0, 254]), Buffer.from([1])]]
  ])('should ignore messages with %s', async (_what, make) => {
    for (const channel of ['shell', 'control', 'stdin'] as const) {
      await client.sendFrames(channel, make(client));
    }
    expect((await client.request('shell', 'kernel_info_request')).content.status).toBe('ok');
  });

  it('should ignore signed messages that are no messages', async () => {
    const make = (header: unknown, content: unknown): Buffer[] => {
      const { frames } = client.frames('x', {});
      const json = [header, {}, {}, content].map(part =>
        Buffer.from(typeof part === 'string' ? part : JSON.stringify(part))
      );
      return client.sign([...frames.slice(0, 1), frames[1], ...json]);
    };
    await client.sendFrames('shell', make('{not json', {}));
    await client.sendFrames('shell', make([], {}));
    await client.sendFrames('shell', make({ msg_type: 'execute_request' }, {}));
    await client.sendFrames('shell', make({ msg_type: 'x', msg_id: 'y', session: 'z' }, []));
    await client.send('shell', 'unheard_of_request', {});
    await client.send('shell', 'execute_request', { code: 7 });
    await client.send('shell', 'complete_request', {});
    await client.send('shell', 'comm_msg', { comm_id: 5 });
    expect((await client.request('shell', 'kernel_info_request')).content.status).toBe('ok');
  });

  it('should accept unsigned messages where the key is empty', async () => {
    const open = await KernelProcess.start({ engine: 'fake', key: '' });
    try {
      const other = await open.connect();
      expect((await other.request('shell', 'kernel_info_request')).content.status).toBe('ok');
    } finally {
      await open.dispose();
    }
  });

  it('should use one session for all clients', async () => {
    const second = await kernel.connect();
    const a = await client.request('shell', 'kernel_info_request');
    const b = await second.request('shell', 'kernel_info_request');
    const c = await second.request('control', 'kernel_info_request');
    expect(new Set([a, b, c].map(m => m.header.session)).size).toBe(1);
    expect(a.header.session).not.toBe(client.session);
  });

  it('should publish cells of each client under its own requests', async () => {
    const second = await kernel.connect();
    const [mine, theirs] = await Promise.all([
      client.execute("console.log('mine'); 'm'"),
      second.execute("console.log('theirs'); 't'")
    ]);
    expect(resultText(mine.published)).toBe("'m'");
    expect(resultText(theirs.published)).toBe("'t'");
    await client.next('iopub', m => m.parent_header.msg_id === theirs.reply.parent_header.msg_id);
    // Not every message: what clients before asked for may still be told of.
    const printed = client.received.iopub.filter(({ header }) => header.msg_type === 'stream');
    const sessionOf = (text: string): unknown =>
      printed.find(({ content }) => content.text === text)?.parent_header.session;
    expect(sessionOf('mine\n')).toBe(client.session);
    expect(sessionOf('theirs\n')).toBe(second.session);
  });
});
