import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client, IReceived } from './support/client';
import { KernelProcess } from './support/kernelprocess';

describe('questions about code', () => {
  let kernel: KernelProcess;
  let client: Client;

  beforeAll(async () => {
    kernel = await KernelProcess.start({ engine: 'fake' });
    client = await kernel.connect();
    await client.execute(
      'const lexical = { alpha: 1, nested: { beta: [2], "not-a-name": 3 } }\n' +
        'var global = "text"\n' +
        'let looked = 0\n' +
        'const trap = { get seen() { looked++; return { deep: 1 } } }\n' +
        'function documented(a, b) { return a + b }'
    );
  });

  afterAll(() => kernel.dispose());

  const complete = async (code: string, cursor_pos = [...code].length): Promise<IReceived> =>
    client.request('shell', 'complete_request', { code, cursor_pos });

  it.each([
    ['a global', 'consol', ['console']],
    ['a constant', 'lexi', ['lexical']],
    ['a variable', 'globa', ['global', 'globalThis']],
    ['a keyword', 'instanceo', ['instanceof']],
    ['a property', 'lexical.al', ['alpha']],
    ['a nested property', 'lexical.nested.be', ['beta']],
    ['optional chaining', 'lexical?.nested?.be', ['beta']],
    ['an element', 'lexical.nested.beta[0].toFix', ['toFixed']],
    ['a method of a primitive', 'global.toUpper', ['toUpperCase']],
    ['inside an expression', '1 + Math.ma', ['max']],
    ['nothing', 'nosuchname.x', []],
    ['nothing after a call', 'documented().x', []]
  ])('should complete %s', async (_what, code, matches) => {
    const { content } = await complete(code);
    expect(content.status).toBe('ok');
    expect(content.matches).toEqual(matches);
  });

  it('should offer names only', async () => {
    const { content } = await complete('lexical.nested.');
    expect(content.matches).toContain('beta');
    expect(content.matches).not.toContain('not-a-name');
  });

  it('should count in code points', async () => {
    const code = "'😀😀'; lexical.al + 1";
    const { content } = await complete(code, [..."'😀😀'; lexical.al"].length);
    expect(content.matches).toEqual(['alpha']);
    expect(content.cursor_start).toBe([..."'😀😀'; lexical."].length);
    expect(content.cursor_end).toBe([..."'😀😀'; lexical.al"].length);
  });

  it('should not run getters with side effects', async () => {
    expect((await complete('trap.seen.de')).content.matches).toEqual([]);
    const { published } = await client.execute('looked');
    expect(published.at(-2)!.content.data['text/plain']).toBe('0');
  });

  it('should complete files of models', async () => {
    mkdirSync(join(kernel.cwd, 'models'));
    writeFileSync(join(kernel.cwd, 'models', 'net.pt2'), '');
    writeFileSync(join(kernel.cwd, 'models', 'notes.txt'), '');
    expect((await complete("castlens.open('mod")).content.matches).toEqual(['models/']);
    const { content } = await complete("castlens.open('models/n");
    expect(content.matches).toEqual(['net.pt2']);
    expect(content.cursor_start).toBe("castlens.open('models/".length);
  });

  it.each<[string, string[]]>([
    ["model.run({ cache: 'fo", ['folded']],
    ["await model.compare({ passes: ['share-casts', 'h", ['hoist-casts']],
    ["lexical.run({ cache: 'fold", []]
  ])('should complete strings of options: %s', async (code, matches) => {
    expect((await complete(code)).content.matches).toEqual(matches);
  });

  it('should complete while a cell waits', async () => {
    const id = await client.startCell(
      'await new Promise(r => { var release = globalThis.release = r })'
    );
    expect((await complete('lexical.al')).content.matches).toEqual(['alpha']);
    await client.request('control', 'interrupt_request');
    await client.finish(id);
  });

  it.each([
    ['complete', '1 + 1'],
    ['complete', 'const x: number = 1;'],
    ['complete', 'await f()'],
    ['complete', '{ a: 1, b: 2 }'],
    ['complete', ''],
    ['incomplete', 'function f() {'],
    ['incomplete', 'if (true) {\n  f()\n'],
    ['incomplete', 'f('],
    ['incomplete', 'const x ='],
    ['incomplete', '`template'],
    ['incomplete', '/* comment'],
    ['incomplete', '[1, 2,'],
    ['incomplete', 'x =>'],
    ['invalid', 'const = 3'],
    ['invalid', ')'],
    ['invalid', "'string\nabc"],
    ['invalid', 'let let = 1']
  ])('should find %s: %j', async (status, code) => {
    const { content } = await client.request('shell', 'is_complete_request', { code });
    expect(content.status).toBe(status);
  });

  it('should propose an indentation', async () => {
    const { content } = await client.request('shell', 'is_complete_request', {
      code: '  if (x) {'
    });
    expect(content).toEqual({ status: 'incomplete', indent: '    ' });
  });

  const inspect = (code: string, cursor_pos = code.length, detail_level = 0): Promise<IReceived> =>
    client.request('shell', 'inspect_request', { code, cursor_pos, detail_level });

  it('should inspect values', async () => {
    const { content } = await inspect('lexical');
    expect(content).toMatchObject({ status: 'ok', found: true });
    expect(content.data['text/plain']).toContain('lexical: Object');
    expect(content.data['text/plain']).toContain('alpha: 1');
    expect((await inspect('lexical.alpha', 10)).content.data['text/plain']).toContain('number');
  });

  it('should inspect functions, with their source where asked to', async () => {
    const short = await inspect('documented(', 'documented('.length);
    expect(short.content.data['text/plain']).toContain('function documented(a, b)');
    const long = await inspect('documented', 3, 1);
    expect(long.content.data['text/plain']).toContain('return a + b');
  });

  it('should explain the castlens API', async () => {
    const { content } = await inspect('castlens.open');
    expect(content.data['text/plain']).toContain('Open an exported model');
  });

  it('should find nothing for nothing', async () => {
    expect((await inspect('nosuchname')).content).toMatchObject({ found: false, data: {} });
    expect((await inspect('1 + 1', 1)).content).toMatchObject({ found: false });
  });

  describe('history', () => {
    let fresh: KernelProcess;
    let other: Client;

    beforeAll(async () => {
      fresh = await KernelProcess.start({ engine: 'fake' });
      other = await fresh.connect();
      for (const code of ['1 + 1', 'const a = 1', '1 + 1', 'a']) {
        await other.execute(code);
      }
      await other.execute('hidden = 1', { store_history: false });
    });

    afterAll(() => fresh.dispose());

    const history = async (content: object): Promise<unknown> =>
      (await other.request('shell', 'history_request', { raw: true, output: false, ...content }))
        .content.history;

    it('should give the tail', async () => {
      expect(await history({ hist_access_type: 'tail', n: 2 })).toEqual([
        [1, 3, '1 + 1'],
        [1, 4, 'a']
      ]);
    });

    it('should give outputs', async () => {
      expect(await history({ hist_access_type: 'tail', n: 2, output: true })).toEqual([
        [1, 3, ['1 + 1', '2']],
        [1, 4, ['a', '1']]
      ]);
    });

    it('should give a range', async () => {
      const range = { hist_access_type: 'range', session: 0, start: 2, stop: 4 };
      expect(await history(range)).toEqual([
        [1, 2, 'const a = 1'],
        [1, 3, '1 + 1']
      ]);
      expect(await history({ ...range, session: -1 })).toEqual([]);
    });

    it('should search', async () => {
      expect(await history({ hist_access_type: 'search', pattern: '1*' })).toHaveLength(2);
      expect(await history({ hist_access_type: 'search', pattern: '?*+*', unique: true })).toEqual([
        [1, 3, '1 + 1']
      ]);
      expect(await history({ hist_access_type: 'search', pattern: 'z*' })).toEqual([]);
    });
  });
});
