/**
 * Real exports, from the file to the outputs, on onnxruntime: what every layer together must give.
 *
 * @jest-environment ./test/support/ortenvironment.cjs
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Engine } from '../../../src/engine/service';
import { openSafetensors, readByteRange } from '../../../src/formats';
import { decodeFloat64 } from '../../../src/numerics';
import type { CacheMode, IVariant, Reference } from '../../../src/protocol';
import { CACHE_MODES } from '../../../src/protocol';

const FIXTURES = join(__dirname, '../../fixtures');
const RUNNABLE = [
  'seed-mlp',
  'seed-mlp-cuda-disabled',
  'reused-weights',
  'nested-regions',
  'dynamic-batch'
];
const FILES = ['model.pt2', 'model.core.pt2', 'model.onnx'];

/** Tolerance of bfloat16, relative to the largest output. */
const TOLERANCE = 2 ** -6;

const cases = RUNNABLE.flatMap(fixture =>
  FILES.filter(file => existsSync(join(FIXTURES, fixture, file))).map(file => [fixture, file])
);

function variant(cache: CacheMode | Reference): IVariant {
  return { cache, passes: [], device: 'cpu' };
}

async function decode(path: string): Promise<Map<string, { dtype: string; values: Float64Array }>> {
  const tensors = new Map<string, { dtype: string; values: Float64Array }>();
  for (const [name, { dtype, range }] of await openSafetensors(path)) {
    tensors.set(name, { dtype, values: decodeFloat64(await readByteRange(range), dtype) });
  }
  return tensors;
}

describe('Engine on real exports', () => {
  let folder: string;
  const engine = new Engine();

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'castlens-test-'));
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  it('should have found all the files', () => {
    expect(cases).toHaveLength(15);
  });

  const given = cases.map(([fixture, file]) => [fixture, file, 'given inputs']);
  const samples = cases
    .filter(([, file]) => file.endsWith('.pt2'))
    .map(([fixture, file]) => [fixture, file, 'its samples']);

  it.each([...given, ...samples])(
    'should compute what PyTorch computes: %s %s, %s',
    async (fixture, file, source) => {
      const outputsFile = join(folder, `${fixture}-${file}.safetensors`);
      const inputsFile = join(FIXTURES, fixture, 'inputs.safetensors');
      await engine.handle(
        'run',
        {
          path: join(FIXTURES, fixture, file),
          variant: variant('off'),
          inputs: source === 'its samples' ? {} : { inputsFile },
          outputsFile
        },
        {}
      );
      const expected = await decode(join(FIXTURES, fixture, 'outputs.safetensors'));
      const found = await decode(outputsFile);
      expect([...found.keys()]).toEqual([...expected.keys()]);
      for (const [name, { dtype, values }] of expected) {
        const got = found.get(name)!;
        expect(got.dtype).toBe(dtype);
        expect(got.values).toHaveLength(values.length);
        const scale = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
        const worst = values.reduce(
          (largest, value, i) => Math.max(largest, Math.abs(value - got.values[i])),
          0
        );
        expect(worst).toBeLessThanOrEqual(TOLERANCE * scale);
      }
    }
  );

  it.each(cases)(
    'should give the same bits in every mode and run what it planned: %s %s',
    async (fixture, file) => {
      const { result } = await engine.handle(
        'compare',
        {
          path: join(FIXTURES, fixture, file),
          variants: CACHE_MODES.map(variant),
          runs: 2,
          warmup: 0,
          inputs: { inputsFile: join(FIXTURES, fixture, 'inputs.safetensors') }
        },
        {}
      );
      expect(result.failed).toEqual([]);
      expect(result.variants.map(({ cache }) => cache)).toEqual([...CACHE_MODES]);
      for (const measured of result.variants) {
        expect(measured.bitIdenticalToOff).toBe(true);
        expect(measured.executedWeightCasts).toBe(measured.plannedWeightCasts);
        expect(measured.samplesMs).toHaveLength(2);
        const { result: plan } = await engine.handle(
          'plan',
          { path: join(FIXTURES, fixture, file), variant: variant(measured.cache) },
          {}
        );
        expect(plan.weightCasts).toBe(measured.plannedWeightCasts);
        expect(plan.bytesMoved).toBe(measured.plannedBytesMoved);
      }
      const { result: census } = await engine.handle(
        'census',
        { path: join(FIXTURES, fixture, file) },
        {}
      );
      expect(result.variants[0].executedWeightCasts).toBe(census.perForward.off.weightCasts);
      expect(result.variants[1].executedWeightCasts).toBe(census.perForward.autocast.weightCasts);
      expect(result.variants[2].executedWeightCasts).toBe(0);
      expect(result.variants[3].executedWeightCasts).toBe(0);
    }
  );

  it.each(RUNNABLE)('should run the references: %s', async fixture => {
    const { result } = await engine.handle(
      'compare',
      {
        path: join(FIXTURES, fixture, 'model.pt2'),
        variants: [variant('off'), variant('float32'), variant('onnxruntime')],
        runs: 1,
        warmup: 0
      },
      {}
    );
    expect(result.failed).toEqual([]);
    const [, float32, reference] = result.variants;
    expect(float32.plannedWeightCasts).toBe(0);
    expect(float32.maxRelativeDifferenceToOff).toBeLessThan(TOLERANCE * 2);
    expect(reference.maxRelativeDifferenceToOff).toBeLessThan(TOLERANCE * 2);
  });

  it('should take sizes by name and refuse those outside the exported range', async () => {
    const path = join(FIXTURES, 'dynamic-batch', 'model.pt2');
    const run = (dims: Record<string, number>): Promise<unknown> =>
      engine.handle('run', { path, variant: variant('folded'), inputs: { dims } }, {});
    await expect(run({ s77: 7, s27: 2 })).resolves.toMatchObject({
      result: { outputs: [{ shape: [7, 32] }] }
    });
    await expect(run({ s77: 65 })).rejects.toMatchObject({
      code: 'bad-argument',
      details: { entry: 's77', expected: '1 to 64', found: '65' }
    });
    await expect(run({ batch: 2 })).rejects.toMatchObject({ code: 'bad-argument' });
  });

  it('should never write over a file of the model', async () => {
    const path = join(FIXTURES, 'seed-mlp', 'model.pt2');
    const before = readFileSync(path);
    await expect(
      engine.handle('run', { path, variant: variant('off'), outputsFile: path }, {})
    ).rejects.toMatchObject({ code: 'bad-argument' });
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('should stop when the request is cancelled', async () => {
    const controller = new AbortController();
    const path = join(FIXTURES, 'seed-mlp', 'model.pt2');
    const running = engine.handle(
      'compare',
      { path, variants: CACHE_MODES.map(variant), runs: 100000 },
      { signal: controller.signal, progress: () => controller.abort() }
    );
    await expect(running).rejects.toMatchObject({ code: 'cancelled' });
  });
});

describe('Engine on requests nobody should make', () => {
  const engine = new Engine();
  const path = join(FIXTURES, 'seed-mlp', 'model.pt2');

  it.each([
    [{ cache: 'bogus' }, 'variant.cache: wrong parameter of request'],
    [{ passes: ['fuse'] }, 'variant.passes[0]: wrong parameter of request'],
    [{ device: 'tpu' }, "unknown device 'tpu'"],
    [{ device: 'cuda:97' }, 'device cuda:97 is not available']
  ])('should refuse %j', async (change, message) => {
    const asked = { ...variant('off'), ...change } as IVariant;
    await expect(engine.handle('run', { path, variant: asked }, {})).rejects.toThrow(message);
    await expect(engine.handle('plan', { path, variant: asked }, {})).rejects.toThrow(message);
    await expect(engine.handle('compare', { path, variants: [asked] }, {})).rejects.toThrow(
      message.replace(/^variant/, 'variants[0]')
    );
  });

  it('should refuse requests it does not know', async () => {
    await expect(engine.handle('explode' as 'census', { path }, {})).rejects.toMatchObject({
      code: 'bad-argument'
    });
  });
});

describe('Engine on comparisons of no length', () => {
  const path = join(FIXTURES, 'seed-mlp', 'model.pt2');

  it.each([{ runs: 0 }, { runs: 1.5 }, { runs: NaN }, { warmup: -1 }])(
    'should refuse %j',
    async lengths => {
      const params = { path, variants: [variant('off')], ...lengths };
      await expect(new Engine().handle('compare', params, {})).rejects.toMatchObject({
        code: 'bad-argument'
      });
    }
  );
});
