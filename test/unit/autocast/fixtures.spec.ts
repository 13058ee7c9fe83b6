import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeCastsExplicit, takeCensus } from '../../../src/autocast';
import { readModel } from '../../../src/formats';
import type { ICensus } from '../../../src/protocol';

const root = join(__dirname, '..', '..', 'fixtures');
const FIXTURES = [
  'bert',
  'convnet',
  'dynamic-batch',
  'gpt2',
  'llama',
  'nested-regions',
  'reused-weights',
  'seed-mlp',
  'seed-mlp-cuda-disabled',
  'vit'
];

interface IExpected {
  eager_autocast: { weight_casts: number; elements: number };
  eager_off: { weight_casts: number };
  exported: { weight_casts: number; bytes_moved: number };
}

function expectedOf(fixture: string): IExpected {
  return JSON.parse(readFileSync(join(root, fixture, 'expected.json'), 'utf8')) as IExpected;
}

async function censusOf(fixture: string, file: string): Promise<ICensus> {
  const model = await readModel(join(root, fixture, file));
  return takeCensus(makeCastsExplicit(model), model, file);
}

const files = FIXTURES.flatMap(fixture =>
  ['model.pt2', 'model.core.pt2', 'model.onnx']
    .filter(file => existsSync(join(root, fixture, file)))
    .map(file => [fixture, file] as const)
);

describe('takeCensus() on real exports', () => {
  it('should see all files', () => {
    // All three of each, but for gpt2, which PyTorch cannot decompose.
    expect(files.length).toBe(29);
  });

  it.each(files)('should count the casts of %s/%s as PyTorch does', async (fixture, file) => {
    const expected = expectedOf(fixture);
    const census = await censusOf(fixture, file);
    expect(census.perForward.off).toEqual({
      weightCasts: expected.exported.weight_casts,
      bytesMoved: expected.exported.bytes_moved
    });
    expect(census.perForward.folded).toEqual({ weightCasts: 0, bytesMoved: 0 });
    expect(census.perForward.frozen).toEqual({ weightCasts: 0, bytesMoved: 0 });
    const uses = census.weightCasts.reduce((sum, cast) => sum + cast.uses, 0);
    const bytes = census.weightCasts.reduce((sum, cast) => sum + cast.bytesMoved, 0);
    expect({ weightCasts: uses, bytesMoved: bytes }).toEqual(census.perForward.off);
  });

  it.each(FIXTURES)("should count the casts eager PyTorch's cache leaves of %s", async fixture => {
    const expected = expectedOf(fixture);
    if (expected.eager_off.weight_casts !== expected.exported.weight_casts) {
      // Export dropped layers that eager mode runs.
      expect(['bert', 'vit']).toContain(fixture);
      return;
    }
    const { autocast } = (await censusOf(fixture, 'model.pt2')).perForward;
    expect(autocast.weightCasts).toBe(expected.eager_autocast.weight_casts);
    // float32 to a 16-bit type: six bytes per element.
    expect(autocast.bytesMoved).toBe(expected.eager_autocast.elements * 6);
  });

  it.each(files)('should attribute every cast of %s/%s to a module', async (fixture, file) => {
    const census = await censusOf(fixture, file);
    for (const cast of census.weightCasts) {
      expect(cast.module).not.toBeNull();
      // Weights of these models are held by the modules that use them, but for the tied one.
      expect([cast.weight, ...cast.aliases].some(name => name.startsWith(`${cast.module}.`))).toBe(
        true
      );
    }
  });

  it.each(FIXTURES)(
    'should attribute every cast of %s/model.pt2 to a source line',
    async fixture => {
      const census = await censusOf(fixture, 'model.pt2');
      for (const cast of census.weightCasts) {
        expect(cast.origin).toBe('region');
        expect(cast.source?.file).toMatch(/\.py$/);
        expect(cast.source?.line).toBeGreaterThan(0);
      }
    }
  );

  it('should know which weights the eager cache keeps, in every dialect that says so', async () => {
    for (const file of ['model.pt2', 'model.core.pt2']) {
      const census = await censusOf('reused-weights', file);
      const eligible = Object.fromEntries(
        census.weightCasts.map(cast => [cast.weight, [cast.uses, cast.cacheEligible]])
      );
      expect(eligible).toEqual({
        'a.weight': [4, true],
        'a.bias': [4, true],
        'f.weight': [2, false],
        'f.bias': [2, false]
      });
    }
  });

  it('should count tied weights as one', async () => {
    const census = await censusOf('gpt2', 'model.pt2');
    const tied = census.weightCasts.find(cast => cast.shape[0] === 200)!;
    expect([tied.weight, ...tied.aliases].sort()).toEqual([
      'inner.lm_head.weight',
      'inner.transformer.wte.weight'
    ]);
  });
});

describe('makeCastsExplicit() on real exports', () => {
  it.each(FIXTURES)(
    'should compute the dtype PyTorch recorded for every value of %s',
    async fixture => {
      const model = await readModel(join(root, fixture, 'model.pt2'));
      const explicit = makeCastsExplicit(model);
      expect(
        explicit.mismatches.map(({ value, computed, declared }) => ({ value, computed, declared }))
      ).toEqual([]);
      expect([...explicit.unchecked]).toEqual([]);
      const recorded = model.graph.nodes.flatMap(node =>
        node.outputs.filter(value => value?.kind === 'tensor' && value.declaredDtype !== null)
      );
      expect(recorded.length).toBeGreaterThan(0);
      expect(explicit.checked).toBe(recorded.length);
    }
  );

  it.each(files.filter(([, file]) => file === 'model.core.pt2'))(
    'should compute the dtypes of %s/%s too',
    async (fixture, file) => {
      const explicit = makeCastsExplicit(await readModel(join(root, fixture, file)));
      expect(explicit.mismatches).toEqual([]);
    }
  );

  it.each([
    ['policies-cpu', 'cpu', 'bfloat16'],
    ['policies-cuda', 'cuda', 'float16'],
    ['policies-cuda-bfloat16', 'cuda', 'bfloat16']
  ])(
    'should compute the dtype PyTorch recorded for every value of %s, which calls operators of every policy',
    async (name, device, dtype) => {
      const model = await readModel(join(__dirname, 'data', `${name}.pt2`));
      expect(model.regions).toMatchObject([{ device, dtype, enabled: true }]);
      const explicit = makeCastsExplicit(model);
      expect(
        explicit.mismatches.map(({ node, computed, declared }) => [node.op, computed, declared])
      ).toEqual([]);
      expect([...explicit.unchecked]).toEqual([]);
      expect(explicit.conflicts).toEqual([]);
      expect(explicit.checked).toBeGreaterThan(100);
    }
  );

  it.each(FIXTURES)('should leave the model of %s as it was', async fixture => {
    const model = await readModel(join(root, fixture, 'model.pt2'));
    const before = model.graph.nodes.map(node => [
      node.name,
      node.op,
      node.inputs.map(v => v?.name)
    ]);
    makeCastsExplicit(model);
    expect(
      model.graph.nodes.map(node => [node.name, node.op, node.inputs.map(v => v?.name)])
    ).toEqual(before);
  });

  it('should do without casts where all regions are switched off', async () => {
    const model = await readModel(join(root, 'seed-mlp', 'model.pt2'));
    const census = takeCensus(makeCastsExplicit(model, { disableAll: true }), model, 'model.pt2');
    expect(census.perForward.off.weightCasts).toBe(0);
  });

  it('should cast as the region says once a region recorded as disabled is enabled', async () => {
    const model = await readModel(join(root, 'seed-mlp-cuda-disabled', 'model.pt2'));
    const regions = { [model.regions[0].id]: { enabled: true } };
    const explicit = makeCastsExplicit(model, { regions });
    const census = takeCensus(explicit, model, 'model.pt2');
    expect(census.perForward.off).toEqual({ weightCasts: 4, bytesMoved: 395520 });
    expect(new Set(census.weightCasts.map(cast => cast.to))).toEqual(new Set(['float16']));
    // The last layer lies outside of the region and gets what the region returns.
    expect(census.findings.map(finding => finding.code)).not.toContain('dtype-mismatch');
  });
});
