import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { FINDING_CODES, makeCastsExplicit, takeCensus } from '../../../src/autocast';
import { EXPLAINED_CODES, findingPage } from '../../../src/engine/findingpages';
import { readModel } from '../../../src/formats';
import type { DType, IExportedModel, IValue } from '../../../src/model';
import type { IFinding } from '../../../src/protocol';
import { ALL_FINDING_CODES, withFindingTable } from '../../support/findingtable';
import { dtypeAttr, GraphBuilder, makeRegion, makeWeight } from './builder';

const root = join(__dirname, '..', '..', '..');
const docs = join(root, 'docs', 'findings');

function findings(model: IExportedModel): readonly IFinding[] {
  return takeCensus(makeCastsExplicit(model), model, 'model.pt2').findings;
}

async function fixture(name: string, file = 'model.pt2'): Promise<readonly IFinding[]> {
  return findings(await readModel(join(root, 'test', 'fixtures', name, file)));
}

const codes = (list: readonly IFinding[]): string[] => list.map(finding => finding.code);

function only(list: readonly IFinding[], code: string): IFinding {
  const found = list.filter(finding => finding.code === code);
  expect(found).toHaveLength(1);
  return found[0];
}

/** A model with one Linear in a region. */
function linear(
  region: Parameters<typeof makeRegion>[1] = {}
): GraphBuilder & { region: typeof region } {
  const b = new GraphBuilder();
  b.output(
    b.call(
      'aten.linear.default',
      { input: b.input('x'), weight: b.weight('l.weight') },
      { dtype: 'bfloat16' },
      { region: 'r' }
    )
  );
  return Object.assign(b, { region });
}

describe('docs/findings', () => {
  it.each(ALL_FINDING_CODES)(
    'should have a page for %s that says what, why and what to do',
    code => {
      const page = readFileSync(join(docs, `${code}.md`), 'utf8');
      expect(page.startsWith(`# ${code}\n`)).toBe(true);
      expect(findingPage(code)).toBe(page);
      for (const heading of [
        '## What it means',
        '## Example',
        '## Why it happens',
        '## How castlens decides',
        '## What to do'
      ]) {
        expect(page).toContain(`\n${heading}\n`);
      }
      expect(page).toMatch(new RegExp(`^(info|warning|error) \\[${code}\\] `, 'm'));
    }
  );

  it('should have the table that `npm run docs:findings` writes', () => {
    const page = readFileSync(join(docs, 'README.md'), 'utf8');
    expect(withFindingTable(page)).toBe(page);
  });

  it('should have no page for a code that is not there', () => {
    const pages = readdirSync(docs).filter(file => file !== 'README.md');
    expect(pages.sort()).toEqual(ALL_FINDING_CODES.map(code => `${code}.md`).sort());
    expect([...EXPLAINED_CODES].sort()).toEqual([...ALL_FINDING_CODES].sort());
  });

  it('should say which codes there are when asked for another one', () => {
    expect(() => findingPage('toString')).toThrow(/no finding "toString".*cast-islands/);
  });
});

describe('region-disabled', () => {
  it('should warn of a CUDA region switched off by a machine without CUDA', async () => {
    const finding = only(await fixture('seed-mlp-cuda-disabled'), 'region-disabled');
    expect(finding.severity).toBe('warning');
    expect(finding.message).toContain('machine without it');
    expect(finding.message).toContain('2 operator calls');
    expect(finding.weights).toHaveLength(4);
    expect(finding.source?.file).toMatch(/\.py$/);
  });

  it('should only inform of a disabled region inside of an enabled one', async () => {
    expect(only(await fixture('nested-regions'), 'region-disabled').severity).toBe('info');
  });

  it('should be silent where nothing in the region would be cast', () => {
    const b = new GraphBuilder();
    b.output(b.call('aten.relu.default', { self: b.input('x') }, {}, { region: 'r' }));
    expect(codes(findings(b.model({ regions: [makeRegion('r', { enabled: false })] })))).toEqual(
      []
    );
  });
});

describe('float64-weights', () => {
  /** A Linear in a region, of which weight and bias have these dtypes. */
  function mixed(weight: DType, bias: DType, enabled = true): readonly IFinding[] {
    const b = new GraphBuilder();
    const args = {
      input: b.input('x', 'float64'),
      weight: b.weight('l.weight', { dtype: weight }),
      bias: b.weight('l.bias', { dtype: bias })
    };
    b.output(b.call('aten.linear.default', args, { dtype: 'float64' }, { region: 'r' }));
    return findings(b.model({ regions: [makeRegion('r', { enabled })] }));
  }

  it('should name the weights that autocast leaves alone, and the calls', () => {
    const finding = only(mixed('float64', 'float64'), 'float64-weights');
    expect(finding.message).toContain('2 weights in float64 (l.weight, l.bias) are not cast');
    expect(finding.message).toContain('1 operator call (aten.linear.default)');
    expect(finding.nodes).toHaveLength(1);
  });

  it.each<[DType, DType, boolean]>([
    ['float32', 'float32', true],
    ['float64', 'float64', false]
  ])('should be silent about weights in %s and %s, region enabled: %s', (weight, bias, enabled) => {
    expect(codes(mixed(weight, bias, enabled))).not.toContain('float64-weights');
  });

  it('should name only what is in float64', () => {
    expect(only(mixed('float32', 'float64'), 'float64-weights').weights).toEqual(['l.bias']);
  });
});

describe('weights-cast-every-forward', () => {
  it('should give casts, weights and bytes', async () => {
    const finding = only(await fixture('seed-mlp'), 'weights-cast-every-forward');
    expect(finding.message).toContain('4 weight casts of 4 weights');
    expect(finding.message).toContain('386.3 KiB');
    expect(finding.weights).toContain('sub.linear1.weight');
  });

  it.each(['model.core.pt2', 'model.onnx'])('should do so in %s too', async file => {
    only(await fixture('seed-mlp', file), 'weights-cast-every-forward');
  });

  it('should be silent where no weight is cast', async () => {
    expect(codes(await fixture('seed-mlp-cuda-disabled'))).not.toContain(
      'weights-cast-every-forward'
    );
  });
});

describe('weight-cast-per-use', () => {
  it('should count what is repeated', async () => {
    const finding = only(await fixture('reused-weights'), 'weight-cast-per-use');
    expect(finding.message).toContain('4 weights are cast more than once');
    expect(finding.message).toContain('a.weight (4 times)');
    expect(finding.message).toContain('8 casts');
  });

  it('should be silent where every weight is cast once', async () => {
    expect(codes(await fixture('seed-mlp'))).not.toContain('weight-cast-per-use');
  });
});

describe('cached-in-eager-only', () => {
  it('should compare with eager mode', async () => {
    const finding = only(await fixture('reused-weights'), 'cached-in-eager-only');
    expect(finding.message).toContain('8 weight casts per forward, the exported program 12');
    expect(finding.message).toContain('cache_enabled=False');
    expect(finding.weights).toEqual(['a.weight', 'a.bias']);
  });
});

describe('weight-not-cacheable', () => {
  it('should name frozen weights', async () => {
    const finding = only(await fixture('reused-weights'), 'weight-not-cacheable');
    expect(finding.weights).toEqual(['f.weight', 'f.bias']);
    expect(finding.message).toContain('requires_grad is False');
  });

  it('should give each reason a finding of its own', () => {
    const b = new GraphBuilder();
    const x = b.input('x');
    const weights = [
      b.weight('buffer', { kind: 'buffer' }),
      b.weight('half', { dtype: 'float16' }),
      b.call('aten.t.default', { self: b.weight('seen') })
    ];
    b.output(
      ...weights.map(weight =>
        b.call('aten.linear.default', { input: x, weight }, { dtype: 'bfloat16' }, { region: 'r' })
      ),
      b.call(
        'aten.to.dtype',
        { self: b.weight('own'), dtype: dtypeAttr('bfloat16') },
        { dtype: 'bfloat16' }
      )
    );
    const found = findings(b.model({ regions: [makeRegion('r')] })).filter(
      finding => finding.code === 'weight-not-cacheable'
    );
    expect(found.map(finding => finding.weights)).toEqual([
      ['buffer'],
      ['half'],
      ['seen'],
      ['own']
    ]);
    expect(
      new Set(found.map(finding => /: ([^.]*)\. Concerned/.exec(finding.message)?.[1])).size
    ).toBe(4);
  });
});

describe('mixed-precision-weight', () => {
  it('should name the tied embedding of gpt2', async () => {
    const finding = only(await fixture('gpt2'), 'mixed-precision-weight');
    expect(finding.weights).toHaveLength(1);
    expect(finding.message).toContain('aten.embedding.default');
  });

  it('should be silent where all uses are cast', async () => {
    expect(codes(await fixture('reused-weights'))).not.toContain('mixed-precision-weight');
  });
});

describe('ambient-autocast', () => {
  /** linear, relu, linear, as exported under an ambient autocast to bfloat16. */
  function ambient(): GraphBuilder {
    const b = new GraphBuilder();
    const recorded = { dtype: 'bfloat16' } as const;
    const source = { file: 'm.py', line: 3 };
    const first = b.call(
      'aten.linear.default',
      { input: b.input('x'), weight: b.weight('a') },
      recorded,
      { source }
    );
    const relu = b.call('aten.relu.default', { self: first }, recorded);
    return b.output(
      b.call('aten.linear.default', { input: relu, weight: b.weight('b') }, recorded, {
        source: { file: 'm.py', line: 4 }
      })
    );
  }

  it('should name the calls autocast acted on, their weights and lines', () => {
    const list = findings(ambient().model());
    const finding = only(list, 'ambient-autocast');
    expect(codes(list)).not.toContain('dtype-mismatch');
    expect(finding.message).toContain('2 operator calls outside of every region');
    expect(finding.message).toContain('recorded with bfloat16 results, but give float32');
    expect(finding.message).toContain('3 values of 3');
    expect(finding.weights).toEqual(['a', 'b']);
    expect(finding.nodes).toEqual(['linear_0', 'linear_2']);
    expect(finding.sources?.map(({ line }) => line)).toEqual([3, 4]);
    expect(finding.remedy).toContain('inside of the forward');
  });

  it('should recognise calls that autocast runs in float32', () => {
    const b = new GraphBuilder();
    b.output(
      b.call('aten.softmax.int', { self: b.input('x', 'float16'), dim: -1 }, { dtype: 'float32' })
    );
    expect(codes(findings(b.model()))).toEqual(['ambient-autocast']);
  });

  it('should leave a call without a policy to dtype-mismatch', () => {
    const b = new GraphBuilder();
    b.output(b.call('aten.relu.default', { self: b.input('x') }, { dtype: 'bfloat16' }));
    const list = findings(b.model());
    expect(codes(list)).toEqual(['dtype-mismatch']);
    expect(list[0].message).toContain('computed float32, recorded bfloat16');
  });
});

describe('dtype-mismatch', () => {
  it('should tell one cause from another, and trace what follows to its cause', () => {
    const b = new GraphBuilder();
    const linear = b.call(
      'aten.linear.default',
      { input: b.input('x'), weight: b.weight('w') },
      { dtype: 'float32' },
      { region: 'r' }
    );
    const outside = b.call('aten.relu.default', { self: linear }, { dtype: 'float32' });
    const odd = b.call('aten.relu.default', { self: b.input('y') }, { dtype: 'bfloat16' });
    b.output(outside, odd);
    const model = b.model({ regions: [makeRegion('r')] });
    const found = findings(model).filter(({ code }) => code === 'dtype-mismatch');
    expect(found.map(({ message }) => message.split(' of ')[0])).toEqual(['2 values', '1 value']);
    expect(found[0].message).toContain('a strict export');
    expect(found[1].message).not.toContain('a strict export');
  });

  it('should not report what an override brings about', () => {
    const { graph } = linear();
    const b = new GraphBuilder();
    Object.assign(b.graph, graph);
    const model = b.model({ regions: [makeRegion('r')] });
    const explicit = makeCastsExplicit(model, { regions: { r: { dtype: 'float16' } } });
    expect(explicit.mismatches).not.toEqual([]);
    expect(codes(takeCensus(explicit, model, 'f').findings)).not.toContain('dtype-mismatch');
  });
});

describe('region-other-device', () => {
  it.each(['cuda', 'xpu', 'mps'])(
    'should tell of a region for %s around tensors on the CPU',
    device => {
      const b = new GraphBuilder();
      const x = b.input('x');
      const w = b.weight('w');
      x.device = 'cpu';
      w.device = 'cpu';
      const inside = { region: 'r' };
      b.output(b.call('aten.linear.default', { input: x, weight: w }, {}, inside));
      const model = b.model({ regions: [makeRegion('r', { device, dtype: 'float16' })] });
      const found = findings(model);
      const { message, weights } = only(found, 'region-other-device');
      expect(message).toContain(
        `acts on ${device} tensors only, and the tensors of 1 operator call`
      );
      expect(message).toContain('are on cpu');
      expect(weights).toEqual(['w']);
      expect(codes(found)).not.toContain('dtype-mismatch');
    }
  );

  it('should say nothing of tensors without a policy, nor of those on its device', () => {
    const b = new GraphBuilder();
    const [x, y] = [b.input('x'), b.input('y')];
    x.device = 'cpu';
    y.device = 'cuda';
    const inside = { region: 'r' };
    b.output(
      b.call('aten.relu.default', { self: x }, {}, inside),
      b.call('aten.mm.default', { self: y, mat2: y }, {}, inside)
    );
    const model = b.model({ regions: [makeRegion('r', { device: 'cuda' })] });
    expect(codes(findings(model))).not.toContain('region-other-device');
  });
});

describe('other findings', () => {
  it('should tell of weights that reach no output', async () => {
    const finding = only(await fixture('bert'), 'unused-weights');
    expect(finding.weights).toEqual(
      expect.arrayContaining(['inner.pooler.dense.weight', 'inner.pooler.dense.bias'])
    );
    const b = linear();
    const model = b.model({ regions: [makeRegion('r')] });
    expect(codes(findings(model))).not.toContain('unused-weights');
    const more = { ...model, weights: [...model.weights, makeWeight('left.over')] };
    expect(only(findings(more), 'unused-weights').weights).toEqual(['left.over']);
  });

  it('should tell of composite operators that decomposition runs in float32', () => {
    const b = new GraphBuilder();
    const x = b.input('x');
    b.output(
      b.call(
        'aten.einsum.default',
        { equation: 'ij,jk->ik', tensors: [x, x] },
        { dtype: 'bfloat16' },
        { region: 'r' }
      )
    );
    const finding = only(findings(b.model({ regions: [makeRegion('r')] })), 'composite-diverges');
    expect(finding.message).toContain('aten.einsum.default');
  });

  it('should tell of calls PyTorch refuses', () => {
    const b = new GraphBuilder();
    const x = b.input('x');
    b.output(
      b.call('aten.binary_cross_entropy.default', { self: x, target: x }, {}, { region: 'r' })
    );
    const model = b.model({ regions: [makeRegion('r', { device: 'cuda' })] });
    expect(only(findings(model), 'autocast-error').severity).toBe('error');
  });

  it('should tell of device types without a policy table', () => {
    const b = linear();
    const model = b.model({ regions: [makeRegion('r', { device: 'hpu' })] });
    expect(only(findings(model), 'unknown-autocast-device').message).toContain('hpu');
  });

  it('should tell of operators whose dtypes were not checked', () => {
    const b = new GraphBuilder();
    b.output(b.call('mylib.op.default', { x: b.input('x') }));
    expect(only(findings(b.model()), 'dtype-not-checked').message).toContain('mylib.op.default');
  });

  it.each([
    'bert',
    'convnet',
    'dynamic-batch',
    'gpt2',
    'llama',
    'nested-regions',
    'reused-weights',
    'seed-mlp',
    'vit'
  ])(
    'should report no difference of dtypes, no error and no unchecked operator in %s',
    async name => {
      for (const code of [
        'dtype-mismatch',
        'autocast-error',
        'dtype-not-checked',
        'composite-diverges'
      ]) {
        expect(codes(await fixture(name))).not.toContain(code);
      }
    }
  );

  it('should use codes that are known, and name what they are about', async () => {
    for (const name of [
      'reused-weights',
      'nested-regions',
      'gpt2',
      'bert',
      'seed-mlp-cuda-disabled'
    ]) {
      for (const finding of await fixture(name)) {
        expect(FINDING_CODES).toContain(finding.code);
        expect(finding.message).toMatch(/\d/);
        expect(finding.message).not.toMatch(/undefined|NaN|\[object/);
        // What the file does not say, a finding cannot: weights that no operator reads have no place.
        const isPlaced = finding.code !== 'unused-weights' || finding.nodes!.length > 0;
        expect([finding.code, finding.nodes!.length > 0]).toEqual([finding.code, isPlaced]);
        expect([finding.code, finding.sources!.length > 0]).toEqual([finding.code, isPlaced]);
        expect(finding.source).toEqual(finding.sources![0] ?? null);
        const isDeliberate = finding.code === 'region-disabled' && finding.severity === 'info';
        expect([finding.code, finding.remedy !== undefined]).toEqual([finding.code, !isDeliberate]);
      }
    }
  });
});

describe('cast-islands', () => {
  const region = { region: 'r' };
  const autocast = (b: GraphBuilder, patch: Parameters<typeof makeRegion>[1] = {}) =>
    findings(b.model({ regions: [makeRegion('r', patch)] })).filter(
      ({ code }) => code === 'cast-islands'
    );
  const linear = (b: GraphBuilder, input: IValue, name: string) =>
    b.call('aten.linear.default', { input, weight: b.weight(name) }, { dtype: 'float16' }, region);

  it('should name the operator whose policy forces the way up', () => {
    const b = new GraphBuilder();
    const source = { file: 'm.py', line: 7 };
    const normed = b.call(
      'aten.layer_norm.default',
      { input: linear(b, b.input('x'), 'a'), normalized_shape: [2] },
      { dtype: 'float32' },
      { ...region, source }
    );
    b.output(linear(b, normed, 'b'));
    const [finding, ...others] = autocast(b, { device: 'cuda', dtype: 'float16' });
    expect(others).toEqual([]);
    expect(finding.severity).toBe('info');
    expect(finding.message).toContain('1 cast up for aten.layer_norm.default; 1 cast back down');
    expect(finding.source).toEqual(source);
    expect(finding.nodes).toContain('layer_norm_1');
    // 4 elements up and 4 down, 6 bytes each.
    expect(finding.cost).toEqual({ bytesMoved: 48 });
    expect(finding.remedy).toContain('enabled=False');
  });

  it('should name the operator that promotes beside a wider operand', () => {
    const b = new GraphBuilder();
    const x = b.input('x');
    const sum = b.call(
      'aten.add.Tensor',
      { self: linear(b, x, 'a'), other: x },
      { dtype: 'float32' }
    );
    b.output(linear(b, sum, 'b'));
    const [finding, ...others] = autocast(b, { dtype: 'float16' });
    expect(others).toEqual([]);
    expect(finding.message).toContain(
      '1 call that promotes beside a float32 operand (aten.add.Tensor); 1 cast back down'
    );
    expect(finding.nodes).toContain('add_1');
    expect(finding.cost).toEqual({ bytesMoved: 24 });
  });

  it.each(['float32', 'bfloat16'] as const)(
    'should tell pairs that lose nothing from those that round, from %s',
    dtype => {
      const b = new GraphBuilder();
      const other = dtype === 'float32' ? 'bfloat16' : 'float32';
      const x = b.call('aten.relu.default', { self: b.input('x', dtype) });
      b.output(b.call('aten.relu.default', { self: b.cast(b.cast(x, other), dtype) }));
      const found = findings(b.model({ dialect: 'ATEN' }));
      expect(codes(found)).toEqual(['cast-islands']);
      const [{ severity, message, remedy }] = found;
      if (dtype === 'bfloat16') {
        expect(severity).toBe('warning');
        expect(message).toContain('In 1 pair nothing happens in between');
        expect(remedy).toBe('The pass remove-cast-pairs drops the pairs with nothing in between.');
      } else {
        expect(severity).toBe('info');
        expect(message).toContain('that only rounds');
        expect(remedy).toContain('results would change');
      }
    }
  );

  it('should see the Cast pairs of a converted .onnx, through layout operators', () => {
    const b = new GraphBuilder();
    const cast = (self: IValue, to: 'float16' | 'float32') =>
      b.node('onnx.Cast', { to: dtypeAttr(to) }, { dtype: to }, { inputs: [self] }).outputs[0]!;
    const call = (op: string, self: IValue) =>
      b.node(op, {}, { dtype: self.dtype }, { inputs: [self] }).outputs[0]!;
    const up = call('onnx.Transpose', cast(call('onnx.Relu', b.input('x', 'float16')), 'float32'));
    b.output(call('onnx.Relu', cast(call('onnx.Softmax', up), 'float16')));
    const finding = only(findings(b.model({ dialect: 'ONNX', format: 'onnx' })), 'cast-islands');
    expect(finding.message).toContain('leave float16 for float32');
    expect(finding.message).toContain('1 cast up for onnx.Softmax; 1 cast back down');
  });

  it('should say where sizes are not known', () => {
    const b = new GraphBuilder();
    const x = b.input('x', 'bfloat16');
    x.shape = [{ kind: 'symbol', name: 'n' }];
    const pair = b.cast(b.cast(b.call('aten.relu.default', { self: x }), 'float32'), 'bfloat16');
    b.output(b.call('aten.relu.default', { self: pair }));
    expect(only(findings(b.model({ dialect: 'ATEN' })), 'cast-islands').cost).toBeUndefined();
    const known = b.call('aten.relu.default', { self: b.input('y', 'bfloat16') });
    b.output(b.call('aten.relu.default', { self: b.cast(b.cast(known, 'float32'), 'bfloat16') }));
    expect(only(findings(b.model({ dialect: 'ATEN' })), 'cast-islands').cost).toEqual({
      bytesMoved: 48,
      isLowerBound: true
    });
  });

  it.each([
    ['a region in a float32 model', 'float32'],
    ['a model in low precision throughout', 'bfloat16']
  ] as const)('should be silent on %s', (_, dtype) => {
    const b = new GraphBuilder();
    const inner = b.call(
      'aten.linear.default',
      { input: b.input('x', dtype), weight: b.weight('w', { dtype }) },
      { dtype: 'bfloat16' },
      region
    );
    b.output(b.cast(b.call('aten.relu.default', { self: inner }), 'float32'));
    expect(autocast(b)).toEqual([]);
  });

  it('should leave casts of weights out', () => {
    const b = new GraphBuilder();
    const weight = b.cast(b.cast(b.weight('w', { dtype: 'bfloat16' }), 'float32'), 'bfloat16');
    b.output(b.call('aten.linear.default', { input: b.input('x', 'bfloat16'), weight }));
    expect(codes(findings(b.model({ dialect: 'ATEN' })))).not.toContain('cast-islands');
  });

  // By hand: additions of a bfloat16 result to the float32 residual or position embedding, and rotary embeddings in float32.
  it.each([
    ['bert', 'model.pt2', 'aten.add.Tensor (3)); 5 casts'],
    ['bert', 'model.onnx', 'onnx.Add (3); 5 casts'],
    ['gpt2', 'model.pt2', 'aten.add.Tensor (4)); 4 casts'],
    ['gpt2', 'model.onnx', 'onnx.Add (4); 4 casts'],
    ['llama', 'model.pt2', 'aten.mul.Tensor (8), aten.add.Tensor (4)); 12 casts'],
    ['llama', 'model.onnx', 'onnx.Mul (8), onnx.Add (4); 12 casts'],
    ['nested-regions', 'model.pt2', '1 cast up for aten.linear.default; 1 cast'],
    ['vit', 'model.onnx', 'onnx.Add (3), onnx.Concat; 8 casts']
  ])('should see the same in every dialect of %s: %s', async (name, file, text) => {
    expect(only(await fixture(name, file), 'cast-islands').message).toContain(text);
  });

  it.each(['convnet', 'dynamic-batch', 'reused-weights', 'seed-mlp', 'seed-mlp-cuda-disabled'])(
    'should be silent on %s',
    async name => {
      for (const file of ['model.pt2', 'model.core.pt2', 'model.onnx']) {
        expect(codes(await fixture(name, file))).not.toContain('cast-islands');
      }
    }
  );
});

describe('composite-diverges', () => {
  it('should give both counts of weight casts', () => {
    const b = new GraphBuilder();
    const tensors = [b.input('x'), b.weight('w')];
    b.output(
      b.call(
        'aten.einsum.default',
        { equation: 'ij,jk->ik', tensors },
        { dtype: 'bfloat16' },
        { region: 'r' }
      )
    );
    const finding = only(findings(b.model({ regions: [makeRegion('r')] })), 'composite-diverges');
    expect(finding.message).toContain('1 weight cast of 1 per forward is theirs');
    expect(finding.message).toContain('the decomposed program has 0');
  });

  it.each([
    ['cpu', 4, '4 weight casts of 4 per forward are theirs', []],
    ['cpu', 5, 'leaves them out', ['aten.lstm.input']],
    ['cuda', 4, 'leaves them out', ['aten.lstm.input']]
  ])(
    'should cast the operands of lstm for %s with %d parameters: %s',
    (device, count, text, opaque) => {
      const b = new GraphBuilder();
      const x = b.input('x');
      const params = Array.from({ length: count }, (_, i) => b.weight(`w${i}`));
      const sequence = b.call(
        'aten.lstm.input',
        { input: x, hx: [x, x], params, has_biases: true, num_layers: 1, bidirectional: false },
        { dtype: 'float32', count: 3 },
        { region: 'r' }
      );
      b.output(sequence);
      const model = b.model({ regions: [makeRegion('r', { device })] });
      const explicit = makeCastsExplicit(model);
      expect(explicit.opaque.map(({ op }) => op)).toEqual(opaque);
      expect(explicit.graph.outputs[0].dtype).toBe(opaque.length > 0 ? 'float32' : 'bfloat16');
      const all = findings(model);
      expect(codes(all)).not.toContain('dtype-mismatch');
      const { message } = only(all, 'composite-diverges');
      expect(message).toContain(text);
      expect(message.includes('3 values are of another dtype')).toBe(opaque.length === 0);
    }
  );

  it('should say that the casts inside of recurrent layers are left out', () => {
    const b = new GraphBuilder();
    const x = b.input('x');
    b.output(
      b.call(
        'aten.lstm_cell.default',
        { input: x, hx: [x, x], w_ih: b.weight('w') },
        {},
        { region: 'r' }
      )
    );
    const finding = only(findings(b.model({ regions: [makeRegion('r')] })), 'composite-diverges');
    expect(finding.message).toContain('aten.lstm_cell.default');
    expect(finding.message).toContain('exported program: 1 weight. ');
    expect(finding.message).toContain('the decomposed program has 0 of them');
    expect(finding.message).toContain('leaves them out');
    expect(finding.weights).toEqual(['w']);
  });

  it('should count no casts of a layer over a sequence, which casts some weights in every step', () => {
    const b = new GraphBuilder();
    const x = b.input('x');
    const params = [b.weight('w_ih'), b.weight('w_hh')];
    b.output(b.call('aten.gru.input', { input: x, hx: x, params }, {}, { region: 'r' }));
    const finding = only(findings(b.model({ regions: [makeRegion('r')] })), 'composite-diverges');
    expect(finding.message).toContain(
      'exported program: 2 weights, those of recurrent products anew in every step. '
    );
  });
});

describe('weight-cast-per-use of parts', () => {
  it('should not take two parts of a weight for one cast done twice', () => {
    const b = new GraphBuilder();
    const x = b.input('x');
    const split = b.node(
      'aten.split.Tensor',
      { self: b.weight('w', { shape: [4, 2] }), split_size: 2 },
      { shape: [2, 2], count: 2 }
    );
    b.output(
      ...split.outputs.map(part =>
        b.call(
          'aten.linear.default',
          { input: x, weight: part },
          { dtype: 'bfloat16' },
          { region: 'r' }
        )
      )
    );
    const list = findings(b.model({ regions: [makeRegion('r')] }));
    expect(codes(list)).toContain('weights-cast-every-forward');
    expect(codes(list)).not.toContain('weight-cast-per-use');
  });
});
