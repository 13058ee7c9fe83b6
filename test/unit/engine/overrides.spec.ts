/**
 * Overridden regions, from the file to the outputs, on onnxruntime.
 *
 * @jest-environment ./test/support/ortenvironment.cjs
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { makeCastsExplicit } from '../../../src/autocast';
import { planRegionEdits } from '../../../src/engine/fixregions';
import { Engine } from '../../../src/engine/service';
import type {
  CacheMode,
  IVariant,
  PassName,
  Reference,
  RegionOverrides
} from '../../../src/protocol';
import { CACHE_MODES, PASSES } from '../../../src/protocol';
import { GraphBuilder, makeRegion } from '../autocast/builder';

const FIXTURES = join(__dirname, '../../fixtures');
const pathOf = (fixture: string, file = 'model.pt2'): string => join(FIXTURES, fixture, file);

function variant(
  cache: CacheMode | Reference,
  regions?: RegionOverrides,
  passes: readonly PassName[] = []
): IVariant {
  return { cache, passes, device: 'cpu', ...(regions === undefined ? {} : { regions }) };
}

const on = { enabled: true };
const off = { enabled: false };
const half = { enabled: true, dtype: 'float16' } as const;
const brain = { enabled: true, dtype: 'bfloat16' } as const;

/** Fixture, overrides, and the weight casts of one forward in the modes off and autocast. */
const CASES: readonly [string, RegionOverrides, number, number][] = [
  ['seed-mlp', { submod_1: half }, 4, 4],
  ['seed-mlp', { submod_1: off }, 0, 0],
  ['seed-mlp-cuda-disabled', { submod_1: on }, 4, 4],
  ['seed-mlp-cuda-disabled', { submod_1: brain }, 4, 4],
  ['seed-mlp-cuda-disabled', { submod_1: { enabled: true, dtype: 'float32' } }, 0, 0],
  ['nested-regions', { submod_1_2: on }, 6, 4],
  ['nested-regions', { submod_1_2: half }, 6, 4],
  ['nested-regions', { submod_1: off }, 0, 0],
  ['nested-regions', { submod_1: off, submod_1_2: on }, 2, 2],
  ['nested-regions', { submod_1: half }, 4, 2],
  ['reused-weights', { submod_1: half }, 12, 8],
  ['reused-weights', { submod_2: off }, 10, 6],
  ['dynamic-batch', { submod_1: half }, 4, 4],
  ['llama', { submod_1: off, submod_3: half }, 15, 15]
];

describe('Engine with overridden regions', () => {
  const engine = new Engine();
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'castlens-test-'));
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(CASES)(
    'should give the same bits in every mode and run what it planned: %s %j',
    async (fixture, regions, atEveryUse, cached) => {
      const path = pathOf(fixture);
      const { result } = await engine.handle(
        'compare',
        {
          path,
          variants: [
            ...CACHE_MODES.map(cache => variant(cache, regions)),
            variant('off', regions, PASSES)
          ],
          runs: 1,
          warmup: 0
        },
        {}
      );
      expect(result.failed).toEqual([]);
      for (const measured of result.variants) {
        expect(measured.regions).toEqual(result.variants[0].regions);
        expect(measured.bitIdenticalToOff).toBe(true);
        expect(measured.executedWeightCasts).toBe(measured.plannedWeightCasts);
        const { passes } = measured;
        const { result: plan } = await engine.handle(
          'plan',
          { path, variant: variant(measured.cache, regions, passes) },
          {}
        );
        expect(plan.weightCasts).toBe(measured.plannedWeightCasts);
        expect(plan.bytesMoved).toBe(measured.plannedBytesMoved);
        expect(plan.variant.regions).toEqual(measured.regions);
      }
      expect(result.variants.slice(0, 4).map(measured => measured.executedWeightCasts)).toEqual([
        atEveryUse,
        cached,
        0,
        0
      ]);
      const { result: census } = await engine.handle('census', { path, regions }, {});
      expect(census.perForward.off.weightCasts).toBe(atEveryUse);
      expect(census.perForward.autocast.weightCasts).toBe(cached);
    }
  );

  /** Bytes of the outputs of one forward on the fixture's inputs. */
  async function outputs(fixture: string, wanted: IVariant): Promise<Buffer> {
    const outputsFile = join(folder, 'out.safetensors');
    const inputs = { inputsFile: join(FIXTURES, fixture, 'inputs.safetensors') };
    const params = { path: pathOf(fixture), variant: wanted, inputs, outputsFile };
    await engine.handle('run', params, {});
    return readFileSync(outputsFile);
  }

  it('should compute with all regions off what the reference float32 does', async () => {
    for (const [fixture, regions] of [
      ['seed-mlp', { submod_1: off }],
      ['reused-weights', { submod_1: off, submod_2: off }]
    ] as const) {
      const recorded = await outputs(fixture, variant('off'));
      const overridden = await outputs(fixture, variant('off', regions));
      expect(overridden.equals(await outputs(fixture, variant('float32')))).toBe(true);
      expect(overridden.equals(recorded)).toBe(false);
    }
  });

  it('should take what is recorded for no override', async () => {
    const path = pathOf('nested-regions');
    const regions = { submod_1: brain, submod_1_2: { enabled: false, dtype: 'float16' } } as const;
    const { result } = await engine.handle('plan', { path, variant: variant('off', regions) }, {});
    expect(result.variant).toEqual(variant('off'));
    const { result: recorded } = await engine.handle('census', { path }, {});
    const { result: census } = await engine.handle('census', { path, regions }, {});
    expect(census).toEqual(recorded);
  });

  it('should leave the census of the file and other variants as recorded', async () => {
    const path = pathOf('seed-mlp-cuda-disabled');
    const { result: before } = await engine.handle('open', { path }, {});
    const { result: plan } = await engine.handle(
      'plan',
      { path, variant: variant('off', { submod_1: on }) },
      {}
    );
    expect(plan.weightCasts).toBe(4);
    const { result: recorded } = await engine.handle('plan', { path, variant: variant('off') }, {});
    expect(recorded.weightCasts).toBe(0);
    const { result: after } = await engine.handle('open', { path }, {});
    expect(after).toEqual(before);
    expect(after.census).not.toHaveProperty('overrides');
    expect(after.autocastDevices).toEqual([
      { device: 'cuda', dtypes: ['float16', 'bfloat16', 'float32'] }
    ]);
  });

  it('should say in every result that PyTorch would refuse a call', async () => {
    const path = pathOf('seed-mlp-cuda-disabled');
    const wanted = variant('folded', { submod_1: on });
    const error = expect.objectContaining({ code: 'autocast-error' });
    const { result: plan } = await engine.handle('plan', { path, variant: wanted }, {});
    expect(plan.findings).toContainEqual(error);
    const { result: run } = await engine.handle('run', { path, variant: wanted }, {});
    expect(run.findings).toContainEqual(error);
    const { result } = await engine.handle(
      'compare',
      { path, variants: [wanted, variant('folded')], runs: 1, warmup: 0 },
      {}
    );
    expect(result.variants[0].findings).toContainEqual(error);
    expect(result.variants[1].findings).toEqual([]);
  });

  it('should drop overrides from the reference that switches all regions off', async () => {
    const path = pathOf('seed-mlp');
    const wanted = variant('float32', { submod_1: half });
    const { result } = await engine.handle('plan', { path, variant: wanted }, {});
    expect(result.variant).toEqual(variant('float32'));
    expect(result.weightCasts).toBe(0);
  });

  it.each(['model.onnx', 'model.core.pt2'])(
    'should refuse to override regions of %s',
    async file => {
      const path = pathOf('seed-mlp', file);
      const wanted = variant('off', { submod_1: off });
      const message = 'no autocast regions to override';
      await expect(engine.handle('plan', { path, variant: wanted }, {})).rejects.toThrow(message);
      await expect(engine.handle('run', { path, variant: wanted }, {})).rejects.toThrow(message);
      await expect(engine.handle('compare', { path, variants: [wanted] }, {})).rejects.toThrow(
        message
      );
      await expect(engine.handle('census', { path, regions: wanted.regions }, {})).rejects.toThrow(
        message
      );
    }
  );

  it('should list the regions there are', async () => {
    const path = pathOf('nested-regions');
    const wanted = variant('off', { submod_7: off });
    await expect(engine.handle('run', { path, variant: wanted }, {})).rejects.toMatchObject({
      code: 'bad-argument',
      details: { expected: 'submod_1, submod_1_2' }
    });
  });

  describe('#fix', () => {
    // Fixture, overrides, and the weight casts of the new file.
    const WRITABLE: readonly [string, RegionOverrides, number][] = [
      ['seed-mlp', { submod_1: half }, 0],
      ['seed-mlp', { submod_1: off }, 0],
      ['nested-regions', { submod_1_2: on }, 0],
      ['nested-regions', { submod_1: half }, 0],
      ['nested-regions', { submod_1: off }, 0],
      ['dynamic-batch', { submod_1: half }, 0],
      ['llama', { submod_1: off, submod_3: half }, 0],
      // One weight in two low precisions keeps its casts.
      ['reused-weights', { submod_1: half }, 8]
    ];

    it.each(WRITABLE)(
      'should write a file that records the regions as wanted: %s %j',
      async (fixture, regions, weightCastsAfter) => {
        const path = pathOf(fixture);
        const output = join(folder, 'fixed.pt2');
        const fix = { path, output, regions, overwrite: true };
        const { result } = await engine.handle('fix', fix, {});
        // What is counted before are the casts of the file as it is.
        const { result: recorded } = await engine.handle('census', { path }, {});
        const weightCastsBefore = recorded.perForward.off.weightCasts;
        expect(result).toMatchObject({ weightCastsBefore, weightCastsAfter });
        const { result: wanted } = await engine.handle('census', { path, regions }, {});
        expect(result.regions).toEqual(wanted.overrides);
        const { result: opened } = await engine.handle('open', { path: output }, {});
        const codes = opened.census.findings.map(({ code }) => code);
        expect(codes).not.toContain('dtype-mismatch');
        expect(opened.census.activationCasts).toBe(wanted.activationCasts);
        // In the new file nothing is left to override.
        const { result: plan } = await engine.handle(
          'plan',
          { path: output, variant: variant('off', regions) },
          {}
        );
        expect(plan.variant).toEqual(variant('off'));
        // It computes what the source does under the overrides, to the bit.
        const inputs = { inputsFile: join(FIXTURES, fixture, 'inputs.safetensors') };
        const found = join(folder, 'found.safetensors');
        const params = { path: output, variant: variant('off'), inputs, outputsFile: found };
        await engine.handle('run', params, {});
        const expected = await outputs(fixture, variant('off', regions));
        expect(readFileSync(found).equals(expected)).toBe(true);
      }
    );

    it('should refuse code beside it, which is about the program as recorded', async () => {
      const path = pathOf('seed-mlp');
      const [output, codeFile] = [join(folder, 'none.pt2'), join(folder, 'none.py')];
      await expect(
        engine.handle('fix', { path, output, codeFile, regions: { submod_1: off } }, {})
      ).rejects.toThrow('the code is about the program as recorded');
      expect(existsSync(output)).toBe(false);
    });

    it('should copy the file where what is recorded is wanted', async () => {
      const path = pathOf('nested-regions');
      const output = join(folder, 'same.pt2');
      const plain = join(folder, 'plain.pt2');
      const { result } = await engine.handle(
        'fix',
        { path, output, regions: { submod_1: brain } },
        {}
      );
      expect(result).not.toHaveProperty('regions');
      await engine.handle('fix', { path, output: plain }, {});
      expect(readFileSync(output).equals(readFileSync(plain))).toBe(true);
    });

    it.each<[string, RegionOverrides, string]>([
      ['seed-mlp-cuda-disabled', { submod_1: on }, 'PyTorch refuses 1 operator call'],
      ['nested-regions', { submod_1: off, submod_1_2: on }, 'PyTorch refuses 1 operator call'],
      ['reused-weights', { submod_2: off }, 'PyTorch refuses 1 operator call'],
      [
        'seed-mlp-cuda-disabled',
        { submod_1: { enabled: true, dtype: 'float32' } },
        'its tensors are on another device; expected tensors on cuda; found cpu'
      ],
      ['seed-mlp', { submod_7: on }, 'there is no autocast region "submod_7"']
    ])(
      'should write no file that does not do the same: %s %j',
      async (fixture, regions, message) => {
        const output = join(folder, 'refused.pt2');
        const params = { path: pathOf(fixture), output, regions };
        await expect(engine.handle('fix', params, {})).rejects.toThrow(message);
        expect(existsSync(output)).toBe(false);
      }
    );

    it('should refuse a program whose values it cannot follow', () => {
      const body = new GraphBuilder();
      body.output(body.input('y'));
      const b = new GraphBuilder();
      const x = b.input('x');
      const flag = b.input('flag', 'bool', []);
      const branch = { kind: 'graph', value: body.graph } as const;
      b.output(b.call('higher_order.cond', { pred: flag, true_graph: branch, x }));
      const model = b.model({ regions: [makeRegion('r')] });
      const recorded = makeCastsExplicit(model);
      const explicit = makeCastsExplicit(model, { regions: { r: off } });
      expect(() => planRegionEdits(model, { r: off }, explicit, recorded)).toThrow(
        'no file is written with r=off: the program holds branches or loops'
      );
      expect(planRegionEdits(model, undefined, recorded, recorded).regions.size).toBe(0);
    });
  });
});
