import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { makeCastsExplicit, takeCensus, weightCastsOf } from '../../../src/autocast';
import { readModel } from '../../../src/formats';
import type { Attr, IExportedModel, IGraph, IWeight } from '../../../src/model';
import { forEachNode } from '../../../src/model';
import { PASS_ORDER, planGraph } from '../../../src/passes';
import type { CacheMode, PassName, Reference } from '../../../src/protocol';
import { CACHE_MODES, PASSES } from '../../../src/protocol';
import { dtypeAttr, GraphBuilder, makeRegion, makeWeight } from '../autocast/builder';

const root = join(__dirname, '..', '..', 'fixtures');
const files = [
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
].flatMap(fixture =>
  ['model.pt2', 'model.core.pt2', 'model.onnx']
    .filter(file => existsSync(join(root, fixture, file)))
    .map(file => [fixture, file] as const)
);

function plan(
  graph: IGraph,
  model: IExportedModel,
  cache: CacheMode | Reference,
  passes: readonly PassName[] = []
): ReturnType<typeof planGraph> {
  return planGraph(graph, model, { cache, passes, validate: true });
}

function derivedWeights(graph: IGraph): IWeight[] {
  return graph.weights.map(({ weight }) => weight).filter(weight => weight.data.kind === 'derived');
}

describe('planGraph() on real exports', () => {
  it.each(files)('should plan what the census of %s/%s announces', async (fixture, file) => {
    const model = await readModel(join(root, fixture, file));
    const explicit = makeCastsExplicit(model);
    const census = takeCensus(explicit, model, file);
    for (const cache of CACHE_MODES) {
      const { weightCasts, bytesMoved } = plan(explicit.graph, model, cache);
      expect({ cache, weightCasts, bytesMoved }).toEqual({ cache, ...census.perForward[cache] });
    }
  });

  it.each(files)(
    'should do no more casts with the passes than without in %s/%s',
    async (fixture, file) => {
      const model = await readModel(join(root, fixture, file));
      const explicit = makeCastsExplicit(model);
      for (const cache of CACHE_MODES) {
        const bare = plan(explicit.graph, model, cache);
        for (const pass of PASSES) {
          const one = plan(explicit.graph, model, cache, [pass]);
          expect(one.weightCasts).toBeLessThanOrEqual(bare.weightCasts);
          expect(one.bytesMoved).toBeLessThanOrEqual(bare.bytesMoved);
          expect(one.activationCasts).toBeLessThanOrEqual(bare.activationCasts);
        }
      }
    }
  );

  it.each(files)('should convert each weight and dtype of %s/%s once', async (fixture, file) => {
    const model = await readModel(join(root, fixture, file));
    const explicit = makeCastsExplicit(model);
    const census = takeCensus(explicit, model, file);
    const folded = plan(explicit.graph, model, 'folded');
    expect(folded.convertedWeights).toBe(census.weightCasts.length);
    expect(derivedWeights(folded.graph)).toHaveLength(census.weightCasts.length);
    expect(new Set(derivedWeights(folded.graph).map(weight => weight.storage)).size).toBe(
      census.weightCasts.length
    );
  });

  it.each(files)(
    'should leave no low-precision dtype in float32 mode of %s/%s',
    async (fixture, file) => {
      const model = await readModel(join(root, fixture, file));
      const { graph, weightCasts } = plan(makeCastsExplicit(model).graph, model, 'float32');
      expect(weightCasts).toBe(0);
      forEachNode(graph, node => {
        // Constants written into nodes keep their dtype and are cast behind the node.
        for (const value of node.op === 'onnx.Constant' ? [] : node.outputs) {
          expect(['float16', 'bfloat16']).not.toContain(value?.dtype);
        }
      });
    }
  );

  it('should leave the explicit graph as it was', async () => {
    const model = await readModel(join(root, 'reused-weights', 'model.pt2'));
    const { graph } = makeCastsExplicit(model);
    const text = (): string =>
      graph.nodes.map(node => `${node.name}(${node.inputs.map(v => v?.name).join()})`).join(';');
    const before = text();
    for (const cache of [...CACHE_MODES, 'float32', 'onnxruntime'] as const) {
      plan(graph, model, cache, PASSES);
    }
    expect(text()).toBe(before);
    expect(graph.weights.every(({ weight }) => weight.data.kind === 'range')).toBe(true);
  });

  it('should share what the eager cache does not', async () => {
    const model = await readModel(join(root, 'reused-weights', 'model.pt2'));
    const { graph } = makeCastsExplicit(model);
    const shared = plan(graph, model, 'off', ['share-casts']);
    expect(shared.weightCasts).toBe(4);
    expect(shared.passes).toEqual([
      expect.objectContaining({ pass: 'share-casts', applied: 8, declined: [] })
    ]);
  });

  it('should report passes in the order they are run, whatever order they are asked for in', async () => {
    const model = await readModel(join(root, 'bert', 'model.core.pt2'));
    const { passes } = plan(makeCastsExplicit(model).graph, model, 'off', [...PASSES].reverse());
    expect(passes.map(report => report.pass)).toEqual(PASS_ORDER.map(pass => pass.name));
    const own = ['remove-cast-pairs', 'hoist-casts', 'share-casts'];
    expect(passes.map(report => report.pass).filter(name => own.includes(name))).toEqual(own);
  });

  it('should run no pass on the reference onnxruntime', async () => {
    const model = await readModel(join(root, 'reused-weights', 'model.pt2'));
    const { graph, passes } = plan(makeCastsExplicit(model).graph, model, 'onnxruntime', PASSES);
    expect(passes).toEqual([]);
    expect(weightCastsOf(graph)).toHaveLength(12);
  });
});

describe('planGraph()', () => {
  it('should give one derived weight to all names, views and uses of a weight', () => {
    const b = new GraphBuilder();
    const storage = 'model.pt2:0:16';
    const one = b.weight('one', { storage });
    const two = b.weight('two', { storage });
    const view = b.call('aten.t.default', { self: two });
    b.output(
      ...[one, one, two, view, view].map(value =>
        b.call('aten.relu.default', { self: b.cast(value, 'bfloat16') })
      )
    );
    const { graph, convertedWeights, weightCasts } = plan(
      b.graph,
      b.model({ dialect: 'ATEN' }),
      'folded'
    );
    expect({ convertedWeights, weightCasts }).toEqual({ convertedWeights: 1, weightCasts: 0 });
    const [derived] = derivedWeights(graph);
    expect(derived).toMatchObject({
      dtype: 'bfloat16',
      shape: [2, 2],
      strides: [2, 1],
      storageOffset: 0
    });
    expect(derived.data).toMatchObject({ kind: 'derived', steps: ['bfloat16'] });
    // One transposition of it serves both uses of the view.
    expect(graph.nodes.filter(node => node.op === 'aten.t.default')).toHaveLength(1);
  });

  it('should keep both steps of a chain', () => {
    const b = new GraphBuilder();
    const rounded = b.cast(b.cast(b.weight('w'), 'bfloat16'), 'float32');
    b.output(b.call('aten.relu.default', { self: rounded }));
    const { graph } = plan(b.graph, b.model({ dialect: 'ATEN' }), 'frozen');
    expect(derivedWeights(graph).map(weight => weight.data)).toEqual([
      expect.objectContaining({ steps: ['bfloat16', 'float32'] })
    ]);
  });

  it('should start from the stored weight where a derived one is cast', () => {
    const b = new GraphBuilder();
    const source = makeWeight('w');
    const derived = b.weight('w32', {
      dtype: 'float64',
      data: { kind: 'derived', source, steps: ['float64'] }
    });
    b.output(b.call('aten.relu.default', { self: b.cast(derived, 'float16') }));
    const { graph } = plan(b.graph, b.model({ dialect: 'ATEN' }), 'folded');
    expect(derivedWeights(graph)[0].data).toEqual({
      kind: 'derived',
      source,
      steps: ['float64', 'float16']
    });
  });

  it('should look through casts that change nothing', () => {
    const b = new GraphBuilder();
    const same = b.call('aten.to.dtype', { self: b.weight('w'), dtype: dtypeAttr('float32') });
    b.output(
      b.call('aten.relu.default', {
        self: b.cast(b.call('aten.t.default', { self: same }), 'bfloat16')
      })
    );
    expect(plan(b.graph, b.model({ dialect: 'ATEN' }), 'folded').weightCasts).toBe(0);
  });

  it('should not fold a weight that is written to, nor a cast whose result is', () => {
    const b = new GraphBuilder();
    const counter = b.weight('counter', { kind: 'buffer' });
    const before = b.cast(counter, 'bfloat16');
    const add = b.call('aten.add_.Tensor', { self: counter, other: 1 });
    const scratch = b.cast(b.weight('w'), 'bfloat16');
    b.output(before, add, b.call('aten.relu_.default', { self: scratch }));
    const model = b.model({ dialect: 'ATEN' });
    const { weightCasts, convertedWeights } = plan(b.graph, model, 'folded');
    expect({ weightCasts, convertedWeights }).toEqual({ weightCasts: 2, convertedWeights: 0 });
    const census = takeCensus(makeCastsExplicit(model), model, 'f');
    expect(census.perForward.folded.weightCasts).toBe(2);
  });

  it('should fold casts inside of bodies', () => {
    const b = new GraphBuilder();
    const w = b.weight('w');
    const body = new GraphBuilder();
    const cast = body.cast(body.call('aten.t.default', { self: w }), 'bfloat16');
    body.graph.nodes.forEach((node, i) => {
      node.name = `inner_${i}`;
      node.outputs[0]!.name = `inner_${i}`;
    });
    body.output(cast);
    b.output(
      b.call('onnx.If', {
        cond: b.input('c', 'bool', []),
        then_branch: { kind: 'graph', value: body.graph }
      })
    );
    const { graph, weightCasts } = plan(b.graph, b.model({ dialect: 'ATEN' }), 'folded');
    expect(weightCasts).toBe(0);
    expect(graph.weights).toHaveLength(1);
  });

  it('should make no cast ahead of branches that return theirs', () => {
    const b = new GraphBuilder();
    const w = b.weight('w');
    const branch = (name: string): Attr => {
      const body = new GraphBuilder();
      body.output(body.cast(w, 'bfloat16', { name }));
      body.graph.outputs[0].name = name;
      return { kind: 'graph', value: body.graph };
    };
    const branches = { then_branch: branch('left'), else_branch: branch('right') };
    b.output(b.call('onnx.If', { cond: b.input('c', 'bool', []), ...branches }));
    const model = b.model({ dialect: 'ATEN' });
    expect(plan(b.graph, model, 'off').weightCasts).toBe(2);
    const { graph, weightCasts } = plan(b.graph, model, 'autocast');
    expect(weightCasts).toBe(2);
    expect(graph.nodes).toHaveLength(1);
  });

  it('should keep eager casts for one outermost region only', () => {
    const b = new GraphBuilder();
    const x = b.input('x');
    const w = b.weight('w');
    const frozen = b.weight('frozen', { requiresGrad: false });
    const use = (region: string): void => {
      for (const weight of [w, frozen]) {
        b.output(b.call('aten.linear.default', { input: x, weight }, {}, { region }));
      }
    };
    ['outer', 'inner', 'outer', 'other'].forEach(use);
    const model = b.model({
      regions: [makeRegion('outer'), makeRegion('inner', { parent: 'outer' }), makeRegion('other')]
    });
    const { graph } = makeCastsExplicit(model);
    expect(plan(graph, model, 'off').weightCasts).toBe(8);
    // w once in outer with inner, once in other; frozen at each of its four uses.
    expect(plan(graph, model, 'autocast').weightCasts).toBe(6);
    expect(plan(graph, model, 'folded').convertedWeights).toBe(2);
  });

  it('should not keep casts to float32, explicit casts and casts of views in mode autocast', () => {
    const b = new GraphBuilder();
    const low = b.weight('low', { dtype: 'float16' });
    const w = b.weight('w');
    const view = b.call('aten.t.default', { self: w });
    for (let i = 0; i < 2; i++) {
      b.output(
        b.call(
          'aten.layer_norm.default',
          { input: low, normalized_shape: [2] },
          {},
          { region: 'r' }
        ),
        b.call('aten.mm.default', { self: view, mat2: view }, {}, { region: 'r' }),
        b.call(
          'aten.relu.default',
          { self: b.call('aten.to.dtype', { self: w, dtype: dtypeAttr('float16') }) },
          {},
          { region: 'r' }
        )
      );
    }
    const model = b.model({ regions: [makeRegion('r', { device: 'cuda', dtype: 'float16' })] });
    const { graph } = makeCastsExplicit(model);
    expect(plan(graph, model, 'autocast').weightCasts).toBe(plan(graph, model, 'off').weightCasts);
  });

  it.each(['ATEN', 'TRAINING'] as const)(
    'should hold everything in float32 for the reference of %s, inputs and weights of 16 bits included',
    dialect => {
      const b = new GraphBuilder();
      const x = b.input('x', 'float16');
      const w = b.weight('w', { dtype: 'float16' });
      const sum = b.call('aten.add.Tensor', { self: x, other: w });
      const wide = b.cast(sum, 'float32');
      b.output(b.call('aten.mul.Tensor', { self: wide, other: b.cast(b.weight('v'), 'bfloat16') }));
      const { graph, activationCasts } = plan(b.graph, b.model({ dialect }), 'float32');
      expect(graph.inputs[0].dtype).toBe('float16');
      expect(activationCasts).toBe(1);
      expect(graph.nodes.map(node => node.op)).toEqual([
        'aten._to_copy.default',
        'aten.add.Tensor',
        'aten.mul.Tensor'
      ]);
      expect(derivedWeights(graph).map(weight => weight.names[0])).toEqual(['w']);
      expect(graph.outputs[0].dtype).toBe('float32');
    }
  );

  it('should keep a cast as a copy in the reference where its result is written to in place', () => {
    const b = new GraphBuilder();
    const half = b.call('aten.relu.default', { self: b.input('x', 'float16') });
    const wide = b.call(
      'aten.to.dtype',
      { self: half, dtype: dtypeAttr('float32') },
      { dtype: 'float32' }
    );
    const written = b.call('aten.add_.Tensor', { self: wide, other: b.input('y') });
    b.output(half, written);
    const { graph } = plan(b.graph, b.model(), 'float32');
    expect(graph.nodes.map(node => node.op)).toEqual([
      'aten._to_copy.default',
      'aten.relu.default',
      'aten._to_copy.default',
      'aten.add_.Tensor'
    ]);
  });
});
