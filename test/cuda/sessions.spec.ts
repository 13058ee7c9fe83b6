import { join } from 'node:path';

import { writeDecoder } from '../../bench/models/decoder';
import { writeMlp } from '../../bench/models/mlp';
import type { ICompareResult, IRunResult } from '../../src/protocol';
import {
  describeWithStub,
  fixture,
  itWithout,
  Machine,
  smiOf,
  withMachine
} from './support/castlens';

/** Kernels do not run on the stub: what is checked is which would, never what they compute. */
describeWithStub('variants on CUDA', () => {
  let machine: Machine;

  beforeAll(() => {
    machine = new Machine({ smi: smiOf(1, '13.0', 'echo "$PPID, 600"') });
  });

  afterAll(() => machine.dispose());

  const compare = (path: string): Promise<ICompareResult> =>
    machine.json('compare', path, '--device', 'cuda', '--cache', 'all', '--runs', '1');

  const casts = ({ variants }: ICompareResult): [string, number, number][] =>
    variants.map(({ cache, plannedWeightCasts, executedWeightCasts }) => [
      cache,
      plannedWeightCasts!,
      executedWeightCasts
    ]);

  // Models whose sizes are computed while they run are left out: on the stub they come to nothing.
  it.each([
    ['seed-mlp', 'model.pt2'],
    ['seed-mlp', 'model.core.pt2'],
    ['seed-mlp', 'model.onnx'],
    ['reused-weights', 'model.pt2'],
    ['nested-regions', 'model.pt2'],
    ['gpt2', 'model.pt2'],
    ['llama', 'model.pt2'],
    ['bert', 'model.pt2']
  ])('execute the casts that are planned: %s/%s', async (name, file) => {
    const result = await compare(fixture(name, file));
    expect(result.failed).toEqual([]);
    const rows = casts(result);
    expect(rows.map(([cache]) => cache).slice(0, 4)).toEqual([
      'off',
      'autocast',
      'folded',
      'frozen'
    ]);
    for (const [cache, planned, executed] of rows.slice(0, 4)) {
      expect([cache, executed]).toEqual([cache, planned]);
    }
    expect(rows[0][1]).toBeGreaterThan(0);
    expect(rows[3][1]).toBe(0);
  });

  it.each(['float16', 'bfloat16'] as const)(
    'execute what is planned in the models of the benchmark: %s',
    async dtype => {
      const decoder = join(machine.folder, 'decoder.onnx');
      const sizes = { layers: 2, width: 64, hidden: 128, heads: 4, tokens: 4 };
      await writeDecoder(decoder, { ...sizes, batch: 8, dtype });
      const mlp = join(machine.folder, 'mlp.pt2');
      await writeMlp(mlp, { layers: 2, width: 64, hidden: 128, batch: 8, dtype });
      for (const [path, count] of [
        [decoder, 14],
        [mlp, 2]
      ] as const) {
        expect(casts(await compare(path)).slice(0, 4)).toEqual([
          ['off', count, count],
          ['autocast', count, count],
          ['folded', 0, 0],
          ['frozen', 0, 0]
        ]);
      }
    }
  );

  it('are measured by the benchmark', async () => {
    const { code, stdout } = await machine.benchmark('--small', '--runs', '2', '--warmup', '0');
    expect(code).toBe(0);
    expect(stdout).toContain('NVIDIA H100 80GB HBM3 0 (9.0), driver 580.65.06, CUDA up to 13.0');
    expect(stdout).not.toContain('not run');
    const rows = stdout.split('\n').filter(line => /^\| (?:mlp|decoder) /.test(line));
    const casts = (cache: string): (string | undefined)[] =>
      rows
        .map(line => line.split(' | '))
        .filter(([, , , mode]) => mode === cache)
        .map(cells => cells[7]);
    const four = (text: string): string[] => Array.from({ length: 4 }, () => text);
    expect(casts('off')).toEqual([...four('2 / 2'), ...four('14 / 14')]);
    expect(casts('frozen')).toEqual([...four('0 / 0'), ...four('0 / 0')]);
  });

  it('name the provider, and tell device memory', async () => {
    const { runtime, variants } = await compare(fixture('seed-mlp'));
    expect(runtime).toContain('CUDAExecutionProvider');
    for (const { memory } of variants) {
      expect(memory.deviceBytes).not.toBeNull();
    }
    // Before the process uses the device it is not listed; here it always is, with the same figure.
    expect(variants[1].memory.deviceBytes).toBe(0);
  });

  it('tell the memory of the GPU where the driver hides processes', async () => {
    // 100 MiB more each time somebody asks.
    const used = `n=$(cat "$HOME/asked" 2>/dev/null || echo 0); echo $((n + 1)) > "$HOME/asked"; echo "0, $((n * 100))"`;
    await withMachine({ smi: smiOf(1, '13.0', '', used) }, async hidden => {
      const args = ['compare', fixture('seed-mlp'), '--device', 'cuda', '--runs', '1'];
      const { variants } = await hidden.json<ICompareResult>(...args);
      for (const { memory } of variants) {
        expect(memory.deviceBytes).toBe(100 * 2 ** 20);
      }
    });
  });

  itWithout('nvidia-smi')('run without nvidia-smi', async () => {
    await withMachine({ smi: null }, async blind => {
      const args = ['run', fixture('seed-mlp'), '--device', 'cuda:0'] as const;
      const { planned, executedWeightCasts } = await blind.json<IRunResult>(...args);
      expect(executedWeightCasts).toBe(planned.weightCasts);
    });
  });
});
