import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { FINDING_CODES, makeCastsExplicit, takeCensus } from '../../../src/autocast';
import { EXECUTION_FINDING_CODES } from '../../../src/engine/executionfindings';
import { readModel } from '../../../src/formats';
import type { IExportedModel } from '../../../src/model';
import type { IFinding } from '../../../src/protocol';
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

/** Codes of the census, and those that only show in a run. */
const ALL_CODES = [...FINDING_CODES, ...EXECUTION_FINDING_CODES];

describe('docs/findings', () => {
  it.each(ALL_CODES)('should have a page for %s that says what, how and what to do', code => {
    const page = readFileSync(join(docs, `${code}.md`), 'utf8');
    expect(page.startsWith(`# ${code}\n`)).toBe(true);
    for (const heading of ['## What it means', '## How castlens decides', '## What to do']) {
      expect(page).toContain(heading);
    }
    expect(readFileSync(join(docs, 'README.md'), 'utf8')).toContain(`(${code}.md)`);
  });

  it('should have no page for a code that is not there', () => {
    const pages = readdirSync(docs).filter(file => file !== 'README.md');
    expect(pages.sort()).toEqual(ALL_CODES.map(code => `${code}.md`).sort());
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

describe('dtype-mismatch', () => {
  it('should recognise a program exported inside an ambient autocast', () => {
    const b = new GraphBuilder();
    b.output(
      b.call(
        'aten.linear.default',
        { input: b.input('x'), weight: b.weight('w') },
        { dtype: 'bfloat16' }
      )
    );
    const finding = only(findings(b.model()), 'dtype-mismatch');
    expect(finding.message).toContain('computed float32, recorded bfloat16');
    expect(finding.message).toContain('ambient');
  });

  it('should recognise a region that did not act because the tensors were on another device', () => {
    const b = new GraphBuilder();
    b.output(
      b.call(
        'aten.linear.default',
        { input: b.input('x'), weight: b.weight('w') },
        { dtype: 'float32' },
        { region: 'r' }
      )
    );
    const model = b.model({ regions: [makeRegion('r', { device: 'cuda', dtype: 'float16' })] });
    expect(only(findings(model), 'dtype-mismatch').message).toContain('another device');
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
      }
    }
  });
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
    expect(finding.message).toContain('leaves them out');
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
