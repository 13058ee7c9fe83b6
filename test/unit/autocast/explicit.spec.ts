import { makeCastsExplicit, resolveRegions, weightCastsOf } from '../../../src/autocast';
import { findAliases } from '../../../src/dataflow';
import type { IExplicitOptions } from '../../../src/autocast';
import type { DType, Dim, IAutocastRegion, IGraph, INode, IValue } from '../../../src/model';
import { changesDtype } from '../../../src/model';
import { dtypeAttr, GraphBuilder, makeRegion } from './builder';

const inRegion = { region: 'r' };

/** The casts that stand right before a node, by operand: what its operands have become. */
function operandDtypes(graph: IGraph, op: string): (DType | null)[] {
  return graph.nodes.find(node => node.op === op)!.inputs.map(value => value?.dtype ?? null);
}

function casts(graph: IGraph): INode[] {
  return graph.nodes.filter(changesDtype);
}

function explicitOf(
  builder: GraphBuilder,
  region: Partial<IAutocastRegion> = {},
  options: IExplicitOptions = {}
): ReturnType<typeof makeCastsExplicit> {
  return makeCastsExplicit(builder.model({ regions: [makeRegion('r', region)] }), options);
}

describe('makeCastsExplicit()', () => {
  it('should give each use of an operand a cast of its own right before the call', () => {
    const b = new GraphBuilder();
    const x = b.input('x');
    const w = b.weight('layer.weight');
    const y = b.call(
      'aten.linear.default',
      { input: x, weight: w },
      {},
      { ...inRegion, module: 'layer' }
    );
    const z = b.call('aten.matmul.default', { self: y, other: w }, {}, inRegion);
    b.output(z);
    const { graph } = explicitOf(b);
    expect(graph.nodes.map(node => node.op)).toEqual([
      'aten._to_copy.default',
      'aten._to_copy.default',
      'aten.linear.default',
      'aten._to_copy.default',
      'aten.matmul.default'
    ]);
    expect(graph.nodes[1]).toMatchObject({ origin: 'region', module: 'layer', region: 'r' });
    expect(graph.nodes[1].name).toBe('linear_0_weight_bfloat16');
    expect(weightCastsOf(graph).map(cast => cast.to)).toEqual(['bfloat16', 'bfloat16']);
    expect(graph.outputs[0].dtype).toBe('bfloat16');
  });

  it('should follow a weight through views of all tensors in a list', () => {
    const b = new GraphBuilder();
    const x = b.input('x');
    const [first, ...others] = ['a', 'b', 'c'].map(name => b.weight(name));
    const wide = b.node(
      'aten.broadcast_tensors.default',
      { tensors: [x, first] },
      { count: 2 }
    ).outputs;
    const tall = b.node('aten.atleast_2d.Sequence', { tensors: others }, { count: 2 }).outputs;
    for (const weight of [wide[1], ...tall]) {
      b.output(b.call('aten.linear.default', { input: x, weight }, {}, inRegion));
    }
    const { graph } = explicitOf(b);
    expect(weightCastsOf(graph).map(({ weight }) => weight.names)).toEqual([['a'], ['b'], ['c']]);
    expect(new Set(graph.nodes.map(node => node.name)).size).toBe(graph.nodes.length);
  });

  it('should follow views of a list whose sizes are known at run time only', () => {
    const b = new GraphBuilder();
    const batch: Dim = { kind: 'symbol', name: 's0' };
    const x = b.input('x');
    x.shape = [batch, 2];
    const w = b.weight('w', { shape: [2] });
    const broadcast = (...shape: Dim[]): IValue => {
      const node = b.node('aten.broadcast_tensors.default', { tensors: [x, w] }, { count: 2 });
      node.outputs.forEach(value => Object.assign(value!, { shape }));
      return b.call('aten.mm.default', { self: x, mat2: node.outputs[1]! }, {}, inRegion);
    };
    b.output(broadcast(batch, 2), broadcast({ kind: 'opaque', text: 'u0' }, 2));
    const { graph } = explicitOf(b);
    expect(graph.nodes.map(node => node.op)).toEqual([
      'aten.expand_as.default',
      ...['self', 'mat2'].map(() => 'aten._to_copy.default'),
      'aten.mm.default',
      'aten.broadcast_tensors.default',
      ...['self', 'mat2'].map(() => 'aten._to_copy.default'),
      'aten.mm.default'
    ]);
    expect(weightCastsOf(graph)).toHaveLength(1);
  });

  it('should cast both operands of a product of a value with itself', () => {
    const b = new GraphBuilder();
    const x = b.input('x');
    b.output(b.call('aten.matmul.default', { self: x, other: x }, {}, inRegion));
    expect(casts(explicitOf(b).graph)).toHaveLength(2);
  });

  it('should leave what is not eligible: float64, integers, Python numbers', () => {
    const b = new GraphBuilder();
    const d = b.input('d', 'float64');
    const i = b.input('i', 'int64');
    b.output(
      b.call('aten.matmul.default', { self: d, other: d }, {}, inRegion),
      b.call('aten.matmul.default', { self: i, other: i }, {}, inRegion)
    );
    expect(casts(explicitOf(b).graph)).toEqual([]);
  });

  it('should leave operands that have the target dtype', () => {
    const b = new GraphBuilder();
    const x = b.input('x', 'bfloat16');
    b.output(b.call('aten.linear.default', { input: x, weight: b.weight('w') }, {}, inRegion));
    expect(casts(explicitOf(b).graph).map(node => node.name)).toEqual(['linear_0_weight_bfloat16']);
  });

  it('should cast tensors in lists and keep their places', () => {
    const b = new GraphBuilder();
    const low = b.input('low', 'bfloat16');
    const full = b.input('full', 'float32');
    b.output(b.call('aten.cat.default', { tensors: [low, full, low], dim: 0 }, {}, inRegion));
    const { graph } = explicitOf(b);
    expect(operandDtypes(graph, 'aten.cat.default')).toEqual(['float32', 'float32', 'float32']);
    expect(casts(graph).map(node => node.name)).toEqual([
      'cat_0_tensors_0_float32',
      'cat_0_tensors_2_float32'
    ]);
  });

  it('should promote to the region dtype where no operand is float32', () => {
    const b = new GraphBuilder();
    const low = b.input('low', 'bfloat16');
    b.output(
      b.call('aten.cat.default', { tensors: [low, b.input('n', 'int64')], dim: 0 }, {}, inRegion)
    );
    expect(casts(explicitOf(b).graph)).toEqual([]);
  });

  it('should report where promotion raises, and cast nothing there', () => {
    const b = new GraphBuilder();
    const other = b.input('other', 'float16');
    b.output(b.call('aten.cat.default', { tensors: [other, other], dim: 0 }, {}, inRegion));
    const explicit = explicitOf(b);
    expect(casts(explicit.graph)).toEqual([]);
    expect(explicit.conflicts).toHaveLength(1);
  });

  it('should cast to float32 for the fp32 policy of CUDA', () => {
    const b = new GraphBuilder();
    const x = b.input('x', 'float16');
    const w = b.weight('norm.weight', { shape: [2] });
    b.output(
      b.call(
        'aten.layer_norm.default',
        { input: x, normalized_shape: [2], weight: w },
        {},
        inRegion
      )
    );
    const { graph } = explicitOf(b, { device: 'cuda', dtype: 'float16' });
    expect(operandDtypes(graph, 'aten.layer_norm.default')).toEqual(['float32', 'float32']);
    expect(graph.outputs[0].dtype).toBe('float32');
  });

  it('should pass dtype=float32 for fp32_set_opt_dtype, unless a dtype is given', () => {
    const b = new GraphBuilder();
    const x = b.input('x', 'float16');
    b.output(
      b.call('aten.softmax.int', { self: x, dim: 1 }, {}, inRegion),
      b.call('aten.softmax.int', { self: x, dim: 1, dtype: dtypeAttr('float16') }, {}, inRegion),
      b.call('aten.sum.default', { self: b.input('n', 'int64'), dtype: null }, {}, inRegion)
    );
    const { graph } = explicitOf(b, { device: 'cuda', dtype: 'float16' });
    expect(casts(graph)).toEqual([]);
    expect(graph.outputs.map(value => value.dtype)).toEqual(['float32', 'float16', 'int64']);
    expect(graph.nodes[0].attrs.dtype).toEqual(dtypeAttr('float32'));
  });

  it('should call the overload with a dtype for fp32_append_dtype', () => {
    const b = new GraphBuilder();
    const x = b.input('x', 'float16');
    b.output(
      b.call('aten.norm.Scalar', { self: x }, {}, inRegion),
      b.call('aten.norm.ScalarOpt_dim', { self: x, p: 2, dim: [1] }, {}, inRegion)
    );
    const { graph } = explicitOf(b, { device: 'cuda', dtype: 'float16' });
    expect(graph.nodes.map(node => node.op)).toEqual([
      'aten.norm.ScalarOpt_dtype',
      'aten.norm.ScalarOpt_dim_dtype'
    ]);
    expect(graph.nodes[0].attrs.p).toEqual({ kind: 'int', value: 2 });
    expect(graph.nodes[1].attrs.keepdim).toEqual({ kind: 'bool', value: false });
    expect(graph.outputs.map(value => value.dtype)).toEqual(['float32', 'float32']);
  });

  it('should report banned operators', () => {
    const b = new GraphBuilder();
    const x = b.input('x');
    b.output(b.call('aten.binary_cross_entropy.default', { self: x, target: x }, {}, inRegion));
    const explicit = explicitOf(b, { device: 'cuda' });
    expect(explicit.conflicts[0].reason).toContain('raises on cuda');
  });

  it('should let in-place operators bypass autocast', () => {
    const b = new GraphBuilder();
    const x = b.call('aten.clone.default', { self: b.input('x') });
    const m = b.input('m');
    b.output(b.call('aten.addmm_.default', { self: x, mat1: m, mat2: m }, {}, inRegion));
    const { graph } = explicitOf(b);
    expect(casts(graph)).toEqual([]);
    expect(graph.outputs[0].dtype).toBe('float32');
  });

  it('should keep the casts the program asks for', () => {
    const b = new GraphBuilder();
    const y = b.call(
      'aten.to.dtype',
      { self: b.input('x', 'bfloat16'), dtype: dtypeAttr('float32') },
      {},
      inRegion
    );
    b.output(b.call('aten.linear.default', { input: y, weight: b.weight('w') }, {}, inRegion));
    const { graph } = explicitOf(b);
    expect(casts(graph).map(node => [node.op, node.origin ?? 'explicit'])).toEqual([
      ['aten.to.dtype', 'explicit'],
      ['aten._to_copy.default', 'region'],
      ['aten._to_copy.default', 'region']
    ]);
  });

  it('should cast nothing outside of regions and in disabled ones', () => {
    const b = new GraphBuilder();
    const x = b.input('x');
    const w = b.weight('w');
    b.output(
      b.call('aten.linear.default', { input: x, weight: w }),
      b.call('aten.linear.default', { input: x, weight: w }, {}, inRegion)
    );
    const explicit = explicitOf(b, { enabled: false });
    expect(casts(explicit.graph)).toEqual([]);
    expect(explicit.dormant.get('r')!.nodes).toHaveLength(1);
    expect([...explicit.dormant.get('r')!.weights].map(weight => weight.names[0])).toEqual(['w']);
  });

  it.each([
    ['cpu', 'bfloat16'],
    ['cuda', 'float16']
  ])('should use the default dtype of %s where the file leaves it open', (device, dtype) => {
    const b = new GraphBuilder();
    b.output(
      b.call('aten.linear.default', { input: b.input('x'), weight: b.weight('w') }, {}, inRegion)
    );
    expect(explicitOf(b, { device, dtype: null }).graph.outputs[0].dtype).toBe(dtype);
  });

  it('should obey overrides', () => {
    const b = new GraphBuilder();
    b.output(
      b.call('aten.linear.default', { input: b.input('x'), weight: b.weight('w') }, {}, inRegion)
    );
    const dtypeWith = (options: IExplicitOptions): DType | null =>
      explicitOf(b, {}, options).graph.outputs[0].dtype;
    expect(dtypeWith({ regions: { r: { dtype: 'float16' } } })).toBe('float16');
    expect(dtypeWith({ regions: { r: { enabled: false } } })).toBe('float32');
    expect(dtypeWith({ disableAll: true })).toBe('float32');
    expect(dtypeWith({ regions: { other: { enabled: false } } })).toBe('bfloat16');
  });

  it('should report values whose recorded dtype is another one', () => {
    const b = new GraphBuilder();
    const y = b.call(
      'aten.linear.default',
      { input: b.input('x'), weight: b.weight('w') },
      { dtype: 'bfloat16' }
    );
    b.output(y);
    const { mismatches, graph } = explicitOf(b);
    expect(mismatches.map(({ computed, declared }) => [computed, declared])).toEqual([
      ['float32', 'bfloat16']
    ]);
    expect(graph.outputs[0].dtype).toBe('float32');
  });

  it('should take the dtypes of unknown operators from the file and say so', () => {
    const b = new GraphBuilder();
    b.output(b.call('mylib.attention.default', { q: b.input('x') }, { dtype: 'float16' }));
    const { graph, unchecked } = explicitOf(b);
    expect(graph.outputs[0].dtype).toBe('float16');
    expect([...unchecked]).toEqual([['mylib.attention.default', 1]]);
  });

  it('should drop what reaches no output, but not writes to memory that is read', () => {
    const b = new GraphBuilder();
    const x = b.call('aten.clone.default', { self: b.input('x') });
    const view = b.call('aten.view.default', { self: x, size: [4] }, { shape: [4] });
    b.call('aten.relu_.default', { self: x });
    b.call('aten.relu.default', { self: x });
    b.call('aten._assert_tensor_metadata.default', { a: x }, { count: 0 });
    b.output(view);
    const { graph, dropped } = explicitOf(b);
    expect(graph.nodes.map(node => node.op)).toEqual([
      'aten.clone.default',
      'aten.view.default',
      'aten.relu_.default'
    ]);
    expect(dropped.map(node => node.op)).toEqual([
      'aten.relu.default',
      'aten._assert_tensor_metadata.default'
    ]);
  });

  it('should make names that are not taken', () => {
    const b = new GraphBuilder();
    const taken = b.input('linear_0_weight_bfloat16');
    b.output(b.call('aten.linear.default', { input: taken, weight: b.weight('w') }, {}, inRegion));
    const names = explicitOf(b).graph.nodes.map(node => node.name);
    expect(names).toContain('linear_0_weight_bfloat16_1');
  });
});

describe('resolveRegions()', () => {
  const states = (...regions: IAutocastRegion[]): ReturnType<typeof resolveRegions> =>
    resolveRegions(new GraphBuilder().model({ regions }));
  const innermost = (
    state: ReturnType<ReturnType<typeof resolveRegions>['get']>
  ): string | undefined => state!.enabled[0]?.region.id;

  it('should take the innermost region', () => {
    const nested = states(
      makeRegion('inner', { parent: 'outer', enabled: false }),
      makeRegion('outer'),
      makeRegion('innermost', { parent: 'inner', dtype: 'float16' })
    );
    expect(innermost(nested.get('outer'))).toBe('outer');
    expect(nested.get('inner')!.enabled).toEqual([]);
    expect(nested.get('innermost')!.enabled[0].dtype).toBe('float16');
    expect(nested.get('innermost')!.outermost).toBe('outer');
  });

  it('should keep one state per device type', () => {
    const nested = states(
      makeRegion('outer', { device: 'cpu' }),
      makeRegion('inner', { parent: 'outer', device: 'cuda', enabled: false })
    );
    expect(innermost(nested.get('inner'))).toBe('outer');
  });

  it('should survive parents that do not exist and cycles', () => {
    const odd = states(
      makeRegion('a', { parent: 'b' }),
      makeRegion('b', { parent: 'a' }),
      makeRegion('c', { parent: 'missing' })
    );
    expect([...odd.keys()].sort()).toEqual(['a', 'b', 'c']);
  });
});

describe('regions and the devices of tensors', () => {
  const inside = (region: string): { region: string } => ({ region });

  /** The dtypes that `mm`, called on tensors of each device in the innermost region, casts its operands to. */
  function castsOn(regions: IAutocastRegion[], ...devices: string[]): (string | null)[] {
    const b = new GraphBuilder();
    const { id } = regions.at(-1)!;
    for (const device of devices) {
      const [x, y] = [b.input(`x_${device}`), b.input(`y_${device}`)];
      x.device = device;
      y.device = device;
      b.output(b.call('aten.mm.default', { self: x, mat2: y }, {}, inside(id)));
    }
    const { graph } = makeCastsExplicit(b.model({ regions }));
    return graph.outputs.map(({ dtype }) => dtype);
  }

  const nested = (
    outer: Partial<IAutocastRegion>,
    inner: Partial<IAutocastRegion>
  ): IAutocastRegion[] => [
    makeRegion('outer', outer),
    makeRegion('inner', { ...inner, parent: 'outer' })
  ];
  const cuda = { device: 'cuda', dtype: 'float16' } as const;

  it.each([
    ['an enabled region for CUDA alone', [makeRegion('r', cuda)], ['float32', 'float16']],
    ['CUDA in CPU', nested({}, cuda), ['bfloat16', 'float16']],
    ['CPU in CUDA', nested(cuda, {}), ['bfloat16', 'float16']],
    ['CUDA off in CPU', nested({}, { ...cuda, enabled: false }), ['bfloat16', 'float32']],
    ['CPU off in CUDA', nested(cuda, { enabled: false }), ['float32', 'float16']],
    ['a device without a table in CPU', nested({}, { device: 'hpu' }), ['bfloat16', 'float32']]
  ])('should act on tensors of their own device type only: %s', (_, regions, dtypes) => {
    expect(castsOn(regions, 'cpu', 'cuda')).toEqual(dtypes);
  });

  it('should cast the operands of one call by the regions of their devices', () => {
    const b = new GraphBuilder();
    const [x, scale] = [b.input('x', 'float16'), b.input('scale', 'bfloat16', [])];
    x.device = 'cuda';
    scale.device = 'cpu';
    const wide = b.input('wide', 'float32');
    wide.device = 'cuda';
    const [, inner] = nested({}, cuda);
    b.output(
      b.call(
        'aten.addcmul.default',
        { self: x, tensor1: wide, tensor2: scale },
        {},
        inside('inner')
      )
    );
    const { graph, conflicts } = makeCastsExplicit(
      b.model({ regions: [makeRegion('outer'), inner] })
    );
    // Promotion looks at tensors on CUDA alone.
    expect(conflicts).toEqual([]);
    expect(graph.nodes.map(({ name }) => name)).toEqual(['addcmul_0_self_float32', 'addcmul_0']);
  });

  it('should act on all tensors once a region is switched on whose device was missing', () => {
    const b = new GraphBuilder();
    const x = b.input('x');
    x.device = 'cpu';
    b.output(b.call('aten.mm.default', { self: x, mat2: x }, {}, inside('r')));
    const regions = [makeRegion('r', { ...cuda, enabled: false })];
    const on = { regions: { r: { enabled: true } } };
    expect(makeCastsExplicit(b.model({ regions }), on).graph.outputs[0].dtype).toBe('float16');
  });

  it('should act on its own tensors alone once a region is switched on that has some', () => {
    const b = new GraphBuilder();
    const [x, y] = [b.input('x'), b.input('y')];
    x.device = 'cpu';
    y.device = 'cuda';
    b.output(
      b.call('aten.mm.default', { self: x, mat2: x }, {}, inside('r')),
      b.call('aten.mm.default', { self: y, mat2: y }, {}, inside('r'))
    );
    const regions = [makeRegion('r', { ...cuda, enabled: false })];
    const on = { regions: { r: { enabled: true } } };
    const { graph } = makeCastsExplicit(b.model({ regions }), on);
    expect(graph.outputs.map(({ dtype }) => dtype)).toEqual(['float32', 'float16']);
  });
});

describe('weightCastsOf()', () => {
  it('should count casts of a buffer before the forward writes to it, and none afterwards', () => {
    const make = new GraphBuilder();
    const buffer = make.weight('cache', { shape: [2, 2] });
    const x = make.input('x');
    const cast = (name: string, self: IValue): IValue =>
      make.call(
        'aten._to_copy.default',
        { self, dtype: dtypeAttr('bfloat16') },
        { dtype: 'bfloat16' },
        { name }
      );
    const before = cast('before', buffer);
    const row = make.call('aten.select.int', { self: buffer, dim: 0, index: 0 }, { shape: [2] });
    make.call('aten.copy_.default', { self: row, src: x });
    const after = cast('after', buffer);
    const view = cast('view', make.call('aten.t.default', { self: buffer }));
    make.graph.outputs.push(before, after, view);
    expect(weightCastsOf(make.graph).map(({ node }) => node.name)).toEqual(['before']);
  });
});

describe('weightCastsOf() behind dropout', () => {
  it.each([
    [false, ['cast']],
    [true, []]
  ])('should see through it outside of training only (train: %s)', (train, expected) => {
    const make = new GraphBuilder();
    const weight = make.weight('embeddings', { shape: [2, 2] });
    const dropped = make.call('aten.dropout.default', { input: weight, p: 0.1, train });
    make.graph.outputs.push(
      make.call(
        'aten._to_copy.default',
        { self: dropped, dtype: dtypeAttr('bfloat16') },
        { dtype: 'bfloat16' },
        { name: 'cast' }
      )
    );
    expect(weightCastsOf(make.graph).map(({ node }) => node.name)).toEqual(expected);
  });
});

describe('findAliases()', () => {
  it('should follow views and no-op casts to the in-place operator', () => {
    const b = new GraphBuilder();
    const x = b.input('x');
    const view = b.call('aten.transpose.int', { self: x, dim0: 0, dim1: 1 });
    const same = b.call('aten.to.dtype', { self: view, dtype: dtypeAttr('float32') });
    const copy = b.call('aten.clone.default', { self: x });
    const cast = b.cast(x, 'bfloat16');
    b.call('aten.relu_.default', { self: same });
    const aliases = findAliases(b.graph);
    expect(aliases.mutatorOf(x)?.op).toBe('aten.relu_.default');
    expect(aliases.mutatorOf(view)).not.toBeNull();
    expect(aliases.mutatorOf(copy)).toBeNull();
    expect(aliases.mutatorOf(cast)).toBeNull();
  });
});
