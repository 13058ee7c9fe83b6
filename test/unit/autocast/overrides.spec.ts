import { join } from 'node:path';
import {
  autocastDevicesOf,
  checkOverrides,
  countCasts,
  DEVICE_POLICIES,
  findOverrideErrors,
  makeCastsExplicit,
  makeOverriddenExplicit,
  takeCensus,
  weightCastsOf
} from '../../../src/autocast';
import { readModel } from '../../../src/formats';
import type { IAutocastRegion, IExportedModel, IGraph } from '../../../src/model';
import { CastlensError, changesDtype, cloneGraph } from '../../../src/model';
import type { IRegionOverride, RegionOverrides } from '../../../src/protocol';
import { dtypeAttr, GraphBuilder, makeRegion } from './builder';

const root = join(__dirname, '..', '..', 'fixtures');
const fixture = (name: string, file = 'model.pt2'): Promise<IExportedModel> =>
  readModel(join(root, name, file));

/** A model that holds nothing but regions. */
function modelOf(...regions: IAutocastRegion[]): IExportedModel {
  return new GraphBuilder().model({ regions });
}

/** The error of bad overrides. */
function refusal(overrides: unknown, model: IExportedModel): CastlensError {
  try {
    checkOverrides(overrides as RegionOverrides, model);
  } catch (error) {
    expect(error).toBeInstanceOf(CastlensError);
    return error as CastlensError;
  }
  throw new Error('the overrides were taken');
}

describe('checkOverrides()', () => {
  const model = modelOf(
    makeRegion('a'),
    makeRegion('b', { device: 'cuda', dtype: null, enabled: false }),
    makeRegion('c', { device: 'npu' })
  );

  it('should give the normal form', () => {
    expect(checkOverrides(undefined, model)).toBeUndefined();
    expect(checkOverrides({}, model)).toBeUndefined();
    expect(checkOverrides({ a: { enabled: true, dtype: 'bfloat16' } }, model)).toBeUndefined();
    expect(checkOverrides({ b: { enabled: true, dtype: 'float16' }, a: {} }, model)).toEqual({
      b: { enabled: true }
    });
  });

  it('should list the regions where one does not exist', () => {
    const { code, message } = refusal({ d: { enabled: false } }, model);
    expect(code).toBe('bad-argument');
    expect(message).toContain('there is no autocast region "d"; expected a, b, c');
    expect(refusal({ d: {} }, modelOf()).message).toContain('the file has no region');
  });

  it.each(['ATEN', 'ONNX'] as const)('should say that %s files have no regions', dialect => {
    const flat = new GraphBuilder().model({ dialect });
    expect(checkOverrides({}, flat)).toBeUndefined();
    const { message } = refusal({ a: { enabled: true } }, flat);
    expect(message).toContain('no autocast regions to override');
    expect(message).toContain(`dialect ${dialect}`);
  });

  it.each<[string, IRegionOverride, string]>([
    ['a', { dtype: 'float32' }, "torch.autocast('cpu') takes no float32"],
    ['c', { enabled: true }, 'the autocast policies of npu are not known'],
    ['c', { dtype: 'float16' }, 'the autocast policies of npu are not known']
  ])('should refuse what PyTorch would not take: %s %j', (id, override, message) => {
    expect(refusal({ [id]: override }, model).message).toContain(message);
  });

  it('should switch off what it has no policies for', () => {
    expect(checkOverrides({ c: { enabled: false } }, model)).toEqual({ c: { enabled: false } });
  });

  it.each<[unknown, string]>([
    [7, 'no table'],
    [['a'], 'no table'],
    [null, 'no table'],
    [{ a: 'off' }, 'no override'],
    [{ a: null }, 'no override'],
    [{ a: { enabled: 'yes' } }, 'no truth value'],
    [{ a: { dtype: 'float8' } }, 'no such dtype'],
    [{ a: { cacheEnabled: true } }, 'cannot be overridden in this']
  ])('should refuse %j', (overrides, message) => {
    expect(refusal(overrides, model).message).toContain(message);
  });
});

describe('autocastDevicesOf()', () => {
  it('should tell of the device types of the file that have a table', () => {
    const model = modelOf(makeRegion('a', { device: 'cuda' }), makeRegion('b', { device: 'npu' }));
    expect(autocastDevicesOf(model)).toEqual([
      { device: 'cuda', dtypes: DEVICE_POLICIES.get('cuda')!.dtypes }
    ]);
    expect(autocastDevicesOf(modelOf())).toEqual([]);
  });
});

describe('makeOverriddenExplicit()', () => {
  const inRegion = { region: 'r' };

  it.each<[IRegionOverride, string]>([
    [{ enabled: false }, 'float32'],
    [{ dtype: 'float16' }, 'float16']
  ])('should run a region as wanted: %j', (override, dtype) => {
    const b = new GraphBuilder();
    const call = { input: b.input('x'), weight: b.weight('w') };
    b.output(b.call('aten.linear.default', call, {}, inRegion));
    const model = b.model({ regions: [makeRegion('r')] });
    expect(makeOverriddenExplicit(model, { r: override }).graph.outputs[0].dtype).toBe(dtype);
  });

  it('should enable a region that records no dtype in the default of its device', () => {
    const b = new GraphBuilder();
    const call = { input: b.input('x'), weight: b.weight('w') };
    b.output(b.call('aten.linear.default', call, {}, inRegion));
    for (const [device, dtype] of [
      ['cpu', 'bfloat16'],
      ['cuda', 'float16']
    ]) {
      const region = makeRegion('r', { device, dtype: null, enabled: false });
      const model = b.model({ regions: [region] });
      const { graph } = makeOverriddenExplicit(model, { r: { enabled: true } });
      expect(graph.outputs[0].dtype).toBe(dtype);
    }
  });

  it('should let the region around a nested one act where autocast keeps a state per device', () => {
    const b = new GraphBuilder();
    const call = { input: b.input('x'), weight: b.weight('w') };
    b.output(b.call('aten.linear.default', call, {}, { region: 'inner' }));
    const regions = (device: string): IAutocastRegion[] => [
      makeRegion('outer'),
      makeRegion('inner', { parent: 'outer', device, dtype: 'float16' })
    ];
    const resultWith = (device: string, overrides: RegionOverrides): unknown =>
      makeOverriddenExplicit(b.model({ regions: regions(device) }), overrides).graph.outputs[0]
        .dtype;
    expect(resultWith('cpu', { inner: { enabled: false } })).toBe('float32');
    expect(resultWith('cuda', { inner: { enabled: false } })).toBe('bfloat16');
    expect(resultWith('cpu', { outer: { enabled: false } })).toBe('float16');
  });

  it('should tell of calls that PyTorch refuses then, and give their operands one dtype', () => {
    const b = new GraphBuilder();
    const inner = b.call(
      'aten.linear.default',
      { input: b.input('x'), weight: b.weight('a') },
      {},
      inRegion
    );
    b.output(b.call('aten.linear.default', { input: inner, weight: b.weight('b') }));
    const model = b.model({ regions: [makeRegion('r', { enabled: false })] });
    const recorded = makeCastsExplicit(model);
    expect(recorded.conflicts).toEqual([]);
    expect(findOverrideErrors(recorded)).toEqual([]);
    const explicit = makeOverriddenExplicit(model, { r: { enabled: true } });
    // The activation is cast up, never a weight down: what .float() before the layer would do.
    expect(weightCastsOf(explicit.graph).map(cast => cast.weight.names[0])).toEqual(['a']);
    expect(explicit.graph.outputs[0].dtype).toBe('float32');
    const [finding] = findOverrideErrors(explicit);
    expect(finding).toMatchObject({ code: 'autocast-error', severity: 'error' });
    expect(finding.message).toContain(
      'bfloat16 and float32. Here it runs on operands cast to float32'
    );
  });

  it('should cast what is written to the dtype of what it is written into', () => {
    const b = new GraphBuilder();
    const table = b.call('aten.clone.default', { self: b.input('table') });
    const low = b.call(
      'aten.matmul.default',
      { self: b.input('x'), other: b.weight('w') },
      {},
      inRegion
    );
    const index = [b.input('i', 'int64', [2])];
    b.output(b.call('aten.index_put_.default', { self: table, indices: index, values: low }));
    const model = b.model({ regions: [makeRegion('r', { enabled: false })] });
    const { graph } = makeOverriddenExplicit(model, { r: { enabled: true } });
    expect(graph.nodes.at(-1)!.inputs.map(value => value!.dtype)).toEqual([
      'float32',
      'int64',
      'float32'
    ]);
    expect(graph.nodes.filter(changesDtype).at(-1)!.origin).toBe('runtime');
  });

  it('should refuse where the dtype of a result is known as recorded only', () => {
    const b = new GraphBuilder();
    const low = b.call(
      'aten.matmul.default',
      { self: b.input('x'), other: b.weight('w') },
      { dtype: 'bfloat16' },
      inRegion
    );
    b.output(b.call('mylib.norm.default', { x: low }, { dtype: 'bfloat16' }));
    const model = b.model({ regions: [makeRegion('r'), makeRegion('other')] });
    expect(() => makeOverriddenExplicit(model, { r: { dtype: 'float16' } })).toThrow(
      'the dtype of norm_1 (mylib.norm.default) is only known for its region as recorded'
    );
    // A region that has nothing to do with it may be overridden.
    expect(makeOverriddenExplicit(model, { other: { dtype: 'float16' } }).unknown).toEqual([]);
  });

  it('should leave casts that the program makes itself', () => {
    const b = new GraphBuilder();
    const low = b.call(
      'aten.to.dtype',
      { self: b.input('x'), dtype: dtypeAttr('bfloat16') },
      { dtype: 'bfloat16' }
    );
    b.output(b.call('aten.relu.default', { self: low }, {}, inRegion));
    const model = b.model({ regions: [makeRegion('r')] });
    const { graph } = makeOverriddenExplicit(model, { r: { enabled: false } });
    expect(graph.outputs[0].dtype).toBe('bfloat16');
  });
});

describe('overrides of real exports', () => {
  it('should enable what was recorded disabled for want of CUDA, as the cuda policy has it', async () => {
    const disabled = await fixture('seed-mlp-cuda-disabled');
    const enabled = makeOverriddenExplicit(disabled, { submod_1: { enabled: true } });
    // The same model recorded on the CPU, its region read under the cuda policy.
    const cpu = await fixture('seed-mlp');
    const asCuda = makeCastsExplicit({
      ...cpu,
      graph: onDevice(cpu.graph, 'cuda'),
      regions: cpu.regions.map(region => ({ ...region, device: 'cuda', dtype: 'float16' }))
    });
    const castsOf = ({ graph }: typeof enabled): unknown =>
      weightCastsOf(graph).map(({ weight, from, to, bytesMoved, node }) => [
        weight.names,
        from,
        to,
        bytesMoved,
        node.name,
        node.region
      ]);
    expect(castsOf(enabled)).toEqual(castsOf(asCuda));
    expect(weightCastsOf(enabled.graph)).toHaveLength(4);
    expect(countCasts(enabled.graph).activationCasts).toBe(
      countCasts(asCuda.graph).activationCasts
    );
    expect(findOverrideErrors(enabled)).toHaveLength(1);
  });

  it('should keep the census of regions as recorded and say what is overridden', async () => {
    const model = await fixture('nested-regions');
    const explicit = makeOverriddenExplicit(model, { submod_1_2: { enabled: true } });
    const census = takeCensus(explicit, model, 'f');
    expect(census.regions.map(({ id, enabled }) => [id, enabled])).toEqual([
      ['submod_1', true],
      ['submod_1_2', false]
    ]);
    expect(census.perForward.off.weightCasts).toBe(6);
    expect(census.perForward.autocast.weightCasts).toBe(4);
    expect(census.findings.map(({ code }) => code)).not.toContain('dtype-mismatch');
    expect(census.findings.map(({ code }) => code)).not.toContain('region-disabled');
  });

  it.each(['bert', 'convnet', 'gpt2', 'llama', 'vit'])(
    'should cast no weight of %s with all regions off, and the same ones with all in float16',
    async name => {
      const model = await fixture(name);
      const each = (override: IRegionOverride): RegionOverrides =>
        Object.fromEntries(model.regions.map(({ id }) => [id, override]));
      const off = makeOverriddenExplicit(model, each({ enabled: false }));
      expect(weightCastsOf(off.graph)).toEqual([]);
      expect(off.conflicts).toEqual([]);
      const half = makeOverriddenExplicit(model, each({ dtype: 'float16' }));
      const recorded = weightCastsOf(makeCastsExplicit(model).graph);
      expect(weightCastsOf(half.graph).map(({ weight, to }) => [weight.names, to])).toEqual(
        recorded.map(({ weight }) => [weight.names, 'float16'])
      );
    }
  );
});

/** A copy of a graph with all tensors on a device. */
function onDevice(graph: IGraph, device: string): IGraph {
  const copy = cloneGraph(graph);
  for (const value of copy.values.values()) {
    value.device = device;
  }
  return copy.graph;
}
