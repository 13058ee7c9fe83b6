import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tableFromIPC } from 'apache-arrow';
import type { IErrorInfo } from '../../src/errors';
import { errorMessage } from '../../src/errors';
import type {
  IActivationStatsResult,
  ICompareResult,
  IModelInfo,
  IRunResult
} from '../../src/protocol';
import type { Client, IReceived } from './support/client';
import { resultText } from './support/client';
import { CommClient } from './support/commclient';
import { isAlive, KernelProcess } from './support/kernelprocess';
import { waitUntil } from './support/wait';

const fixtures = join(__dirname, '..', 'fixtures');

/** A kernel that were blocked would not answer for seconds. */
const ANSWER_MS = 2000;

describe('the real engine behind the kernel', () => {
  let kernel: KernelProcess;
  let client: Client;
  let comm: CommClient;

  beforeAll(async () => {
    kernel = await KernelProcess.start();
    client = await kernel.connect();
    comm = await CommClient.open(client);
    cpSync(join(fixtures, 'seed-mlp'), join(kernel.cwd, 'seed-mlp'), { recursive: true });
    writeFileSync(join(kernel.cwd, 'empty.pt2'), '');
  });

  afterAll(() => kernel.dispose());

  const variant = (cache: string) => ({ cache, passes: [], device: 'cpu' });
  const path = 'seed-mlp/model.pt2';

  const result = async <T>(method: string, params: object): Promise<T> => {
    const { message } = await comm.request(method, params);
    expect(message).toMatchObject({ type: 'result' });
    return (message as unknown as { result: T }).result;
  };

  it('should open a model by a path relative to the kernel', async () => {
    const info = await result<IModelInfo>('open', { path });
    expect(info.path).toBe(join(kernel.cwd, path));
    expect(info.census.weightCasts.length).toBeGreaterThan(0);
  });

  it('should run a variant without its weight casts', async () => {
    const off = await result<IRunResult>('run', { path, variant: variant('off') });
    const folded = await result<IRunResult>('run', { path, variant: variant('folded') });
    expect(off.executedWeightCasts).toBe(off.planned.weightCasts);
    expect(off.executedWeightCasts).toBeGreaterThan(0);
    expect(folded.executedWeightCasts).toBe(0);
    expect(folded.outputs).toEqual(off.outputs);
  });

  it('should send weight statistics as Arrow in a buffer', async () => {
    const { message, received } = await comm.request('weightStats', { path });
    const table = tableFromIPC(received.buffers[0]);
    expect(table.numRows).toBe((message as unknown as { result: { rows: number } }).result.rows);
    expect(table.numRows).toBeGreaterThan(0);
  });

  it('should send statistics of computed values as Arrow in a buffer', async () => {
    const params = { path, variant: variant('folded') };
    const { message, received } = await comm.request('activationStats', params);
    const { result: answer } = message as unknown as { result: IActivationStatsResult };
    const table = tableFromIPC(received.buffers[0]);
    expect(table.numRows).toBe(answer.rows);
    expect(Array.from(table.getChild('name')!)).toContain('relu');
    expect(Number(table.getChild('snr_db')!.get(0))).toBeGreaterThan(20);
    expect(answer.cost.probedMs).toBeGreaterThan(0);
  });

  it('should answer wrong parameters with one error that names the field', async () => {
    let deep: object = {};
    for (let level = 0; level < 2000; level++) {
      deep = { inputs: deep };
    }
    const wrong: readonly [string, object, string][] = [
      ['constructor', {}, 'unknown request'],
      ['__proto__', {}, 'unknown request'],
      ['open', {}, 'path: '],
      ['open', { path: '' }, 'path: '],
      ['open', { path: deep }, 'params: '],
      ['constructor', deep, 'params: '],
      ['open', { path: { a: [] } }, 'path: '],
      ['run', { path, variant: variant('off'), inputs: { inputs: {} } }, 'inputs.inputs: '],
      ['plan', { path, variant: { ...variant('off'), passes: 'all' } }, 'variant.passes: '],
      ['lastCompare', { path: 7 }, 'path: '],
      ['lastCompare', { path }, 'version: '],
      ['explain', { code: ['toString'] }, 'code: ']
    ];
    for (const [method, params, start] of wrong) {
      const { message } = await comm.request(method, params);
      expect(message).toMatchObject({ type: 'error', error: { code: 'bad-argument' } });
      expect(errorMessage((message as { error: IErrorInfo }).error)).toMatch(
        new RegExp(`^${start}`)
      );
    }
    expect(kernel.log).toBe('');
  });

  it('should report a bad file and go on', async () => {
    const { message } = await comm.request('open', { path: 'empty.pt2' });
    expect(message).toMatchObject({ type: 'error', error: { code: 'bad-file' } });
    await result('open', { path });
  });

  it('should remember the last comparison, also when the engine was lost', async () => {
    const variants = [variant('off'), variant('frozen')];
    const { version } = await result<IModelInfo>('open', { path });
    const last = { path, version };
    expect(await result('lastCompare', last)).toEqual({ compare: null });
    const compare = await result<ICompareResult>('compare', { path, variants, runs: 3 });
    expect(compare.variants.map(({ cache }) => cache)).toEqual(['off', 'frozen']);
    process.kill(kernel.child(/engine/)!, 'SIGKILL');
    await waitUntil(() => comm.messages().some(m => m.type === 'engine' && m.state === 'lost'));
    expect(await result('lastCompare', last)).toEqual({ compare });
    expect(await result('lastCompare', { path, version: 'another' })).toEqual({ compare: null });
  });

  it('should say that a file that was opened has changed, and answer nothing about another version', async () => {
    const changing = 'changing.pt2';
    cpSync(join(kernel.cwd, path), join(kernel.cwd, changing));
    const { version } = await result<IModelInfo>('open', { path: changing });
    const files = () => comm.messages().flatMap(m => (m.type === 'files' ? [m.state] : []));
    expect(files()).toEqual([]);
    cpSync(join(fixtures, 'convnet', 'model.pt2'), join(kernel.cwd, changing));
    const params = { path: changing, version, variant: variant('off') };
    const { message } = await comm.request('run', params);
    expect(message).toMatchObject({
      type: 'error',
      error: { code: 'file-changed', file: join(kernel.cwd, changing) }
    });
    await waitUntil(() => files().includes('changed'));
    expect(files()).toEqual(['changing', 'changed']);
    const reread = await result<IModelInfo>('open', { path: changing });
    expect(reread.version).not.toBe(version);
    await result('run', { ...params, version: reread.version });
  });

  it('should answer heartbeat and kernel_info while a model runs, and be interrupted', async () => {
    const variants = [variant('off'), variant('frozen')];
    const id = await comm.start('compare', { path, variants, runs: 1_000_000 });
    await waitUntil(() => kernel.child(/engine/) !== undefined);
    await waitUntil(() => comm.messages().some(m => m.type === 'progress' && m.id === id));
    expect(await client.heartbeat()).toBeLessThan(ANSWER_MS);
    await client.request('shell', 'kernel_info_request', {}, ANSWER_MS);
    await client.request('control', 'interrupt_request');
    expect((await comm.answer(id, 2000)).message).toMatchObject({ error: { code: 'cancelled' } });
    await result('open', { path });
  });

  it('should survive the loss of the engine in the middle of a run', async () => {
    const variants = [variant('off'), variant('frozen')];
    const id = await comm.start('compare', { path, variants, runs: 1_000_000 });
    await waitUntil(() => comm.messages().some(m => m.type === 'progress' && m.id === id));
    const pid = kernel.child(/engine/)!;
    process.kill(pid, 'SIGKILL');
    expect((await comm.answer(id, 2000)).message).toMatchObject({ error: { code: 'engine-lost' } });
    expect(isAlive(pid)).toBe(false);
    await result('open', { path });
  });

  describe('the castlens API in cells', () => {
    const shown = (published: readonly IReceived[], type: string): Record<string, unknown> => {
      const message = published.find(m => m.header.msg_type === type);
      return (message?.content.data ?? {}) as Record<string, unknown>;
    };

    const run = async (code: string): Promise<IReceived[]> => {
      const { reply, published } = await client.execute(code);
      expect(reply.content.traceback ?? []).toEqual([]);
      return published;
    };

    beforeAll(() => run(`const m = await castlens.open('${path}')`));

    it('should show a model', async () => {
      const data = shown(await run('m'), 'execute_result');
      expect(data['text/plain']).toContain('every forward casts weights');
      expect(data['text/html']).toContain('<table>');
    });

    it('should give plain objects', async () => {
      expect(resultText(await run('m.info.census.weightCasts.length > 0'))).toBe('true');
      expect(resultText(await run('Object.keys(m.census()).includes("perForward")'))).toBe('true');
    });

    it('should show the census as a table', async () => {
      const data = shown(await run('m.census()'), 'execute_result');
      expect(data['text/plain']).toContain('linear1.weight');
      expect(data['text/html']).toContain('linear1.weight');
    });

    it('should plan, with or without await', async () => {
      const plan = shown(await run("m.plan({ cache: 'folded' })"), 'execute_result');
      expect(plan['text/plain']).toContain('folded: 0 weight casts per forward');
      const off = await run("(await m.plan({ cache: 'off' })).weightCasts > 0");
      expect(resultText(off)).toBe('true');
    });

    it('should run', async () => {
      const data = shown(await run("await m.run({ cache: 'frozen', seed: 3 })"), 'execute_result');
      expect(data['text/plain']).toContain('weight casts: 0 planned, 0 executed');
    });

    it('should override regions in a word or in full', async () => {
      const plan = shown(await run("m.plan({ regions: { submod_1: 'off' } })"), 'execute_result');
      expect(plan['text/plain']).toContain('off, submod_1=off: 0 weight casts per forward');
      const code =
        "(await m.run({ regions: { submod_1: { dtype: 'float16' } } })).variant.regions.submod_1.dtype";
      expect(resultText(await run(code))).toBe("'float16'");
      const compare = "m.compare({ cache: ['off'], runs: 1, regions: { submod_1: 'float16' } })";
      const chart = shown(await run(compare), 'display_data');
      expect(chart['application/vnd.vegalite.v5+json']).toMatchObject({
        data: { values: [{ variant: 'off, submod_1=float16' }] }
      });
      const { reply } = await client.execute("await m.plan({ regions: { submod_1: 'maybe' } })");
      expect(reply.content.evalue).toContain(
        'regions.submod_1: wrong option; expected on, off, bfloat16, float16, float32; found "maybe"'
      );
    });

    it('should compare: a chart and a table', async () => {
      const published = await run("await m.compare({ cache: ['off', 'folded'], runs: 3 })");
      const chart = shown(published, 'display_data');
      expect(chart['application/vnd.vegalite.v5+json']).toMatchObject({
        data: { values: [{ variant: 'off' }, { variant: 'folded' }] }
      });
      expect(chart['text/plain']).toContain('█');
      const table = shown(published, 'execute_result');
      expect(table['text/html']).toContain('<table>');
      expect(table['text/plain']).toContain('Same bits as off');
    });

    it('should give statistics by name, and as an Arrow table', async () => {
      const published = await run('const stats = await m.stats(); stats');
      expect(shown(published, 'execute_result')['text/html']).toContain('linear1.weight');
      const row = 'const row = stats.get("sub.linear1.weight");';
      const code = `${row} [row.name, row.count === row.shape[0] * row.shape[1], row.exponents.length]`;
      expect(resultText(await run(code))).toBe("[ 'sub.linear1.weight', true, 256 ]");
      expect(resultText(await run('stats.get("none of this name")'))).toBe('null');
    });

    it('should go over to other weights, or keep those it has', async () => {
      const update = await run("const u = await m.update('seed-mlp/model.core.pt2'); u");
      expect(shown(update, 'execute_result')['text/plain']).toContain('Weights changed');
      const state = '[u.changed.length, m.weights.endsWith("seed-mlp/model.core.pt2")]';
      expect(resultText(await run(state))).toBe('[ 0, true ]');
      const data = shown(await run('await m.run({ seed: 3 })'), 'execute_result');
      expect(data['text/plain']).toContain('4 executed');

      const { reply } = await client.execute("await m.update('empty.pt2')");
      expect(reply.content.evalue).toContain('the file is empty');
      expect(resultText(await run(state))).toBe('[ 0, true ]');
    });

    it('should give statistics of computed values, and what they cost', async () => {
      const published = await run(
        "const values = await m.stats({ activations: true, cache: 'frozen' }); values"
      );
      const text = shown(published, 'execute_result')['text/plain'];
      expect(text).toContain('relu');
      expect(text).toContain('of one plain forward');
      const code =
        "[values.get('relu').limit_dtype, values.get('relu').cosine > 0.99, values.about.batches]";
      expect(resultText(await run(code))).toBe("[ 'bfloat16', true, 2 ]");
    });

    it('should save a repaired model, and replace none unasked', async () => {
      // `m` has switched to other weights, which the file would not hold.
      const refused = await client.execute("await m.fix('notebook-fixed.pt2')");
      expect(refused.reply.content.evalue).toContain('other ones are in use');
      await run("const own = await castlens.open('seed-mlp/model.pt2')");
      const fixed = shown(await run("await own.fix('notebook-fixed.pt2')"), 'execute_result');
      expect(fixed['text/plain']).toContain('before, 0 after');
      const { reply } = await client.execute("await own.fix('notebook-fixed.pt2')");
      expect(reply.content.evalue).toContain('would be replaced');
      await run("await own.fix('notebook-fixed.pt2', { overwrite: true, mixed: 'keep-both' })");
    });

    it('should show code for an export script', async () => {
      const data = shown(await run("m.code({ strategies: ['preconvert'] })"), 'execute_result');
      expect(data['text/plain']).toContain('def preconvert(model');
      expect(data['text/markdown']).toMatch(/^```python\n/);
    });

    it('should list devices', async () => {
      const data = shown(await run('castlens.devices()'), 'execute_result');
      expect(data['text/plain']).toContain('cpu');
    });

    it('should read a package compiled by AOTInductor', async () => {
      const path = join(__dirname, '..', 'data', 'aotinductor', 'cpu-2.15', 'twouse-off');
      const data = shown(await run(`castlens.package(${JSON.stringify(path)})`), 'execute_result');
      expect(data['text/plain']).toContain('AOTInductor, default build, cpu');
      expect(data['text/plain']).toMatch(/every call +\d/);
      expect(data['text/html']).toContain('compiled-casts-every-call');
      const { reply } = await client.execute("castlens.package('seed-mlp/model.pt2')");
      expect(reply.content.evalue).toContain('seed-mlp/model.pt2');
    });

    it('should throw errors for the reader, with the place in the cell', async () => {
      const { reply } = await client.execute("\nawait castlens.open('empty.pt2')");
      expect(reply.content.ename).toBe('CastlensError');
      expect(reply.content.evalue).toContain('empty.pt2');
      const trace = reply.content.traceback.join('\n');
      expect(trace).toContain(`Cell [${reply.content.execution_count}]:2:`);
      expect(trace).not.toContain('evaluator');
    });

    it.each([
      ["m.run({ cache: 'bogus' })", 'cache: wrong option; expected off'],
      ["m.plan({ passes: ['bogus'] })", 'passes: wrong option; expected share-casts'],
      ['m.run({ dims: { n: () => 1 } })', 'inputs.dims.n: wrong parameter of request "run"'],
      ["m.compare({ cache: ['off', 'bogus'] })", 'found "bogus"'],
      ["m.stats({ activations: true, values: ['bogus'] })", 'value "bogus" cannot be summarised'],
      ["m.code({ strategies: ['bogus'] })", 'strategies: wrong option; expected preconvert']
    ])('should refuse %s', async (code, message) => {
      const { reply } = await client.execute(code);
      expect(reply.content).toMatchObject({ status: 'error', ename: 'CastlensError' });
      expect(reply.content.evalue).toContain(message);
    });

    it('should be interrupted', async () => {
      const id = await client.startCell('await m.compare({ runs: 1_000_000 })');
      await waitUntil(() => client.published(id).length > 1);
      await client.request('control', 'interrupt_request');
      expect((await client.finish(id, 2000)).reply.content.ename).toBe('Interrupted');
      await run("await m.plan({ cache: 'off' })");
    });
  });
});
