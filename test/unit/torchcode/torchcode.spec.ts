import type { CodeStrategyName } from '../../../src/protocol';
import type { ICodeFacts, ICodeWeight } from '../../../src/torchcode';
import { strategiesFor, writeTorchCode } from '../../../src/torchcode';
import { commentText, pythonString } from '../../../src/torchcode/literal';

function weight(names: readonly string[], patch: Partial<ICodeWeight> = {}): ICodeWeight {
  return { names, kind: 'parameter', to: 'bfloat16', ...patch };
}

function facts(patch: Partial<ICodeFacts> = {}): ICodeFacts {
  return {
    file: 'model.pt2',
    format: 'pt2',
    producer: 'torch 2.13.0',
    weightCasts: 3,
    converted: [weight(['a.weight']), weight(['b.weight', 'c.weight'], { to: 'float16' })],
    copied: [],
    composites: new Map(),
    left: [],
    ...patch
  };
}

function write(patch: Partial<ICodeFacts> = {}, ...names: CodeStrategyName[]): string {
  const given = facts(patch);
  return writeTorchCode(given, names.length > 0 ? names : strategiesFor(given));
}

/** Names of the functions a user calls, in order. */
function functions(code: string): string[] {
  return [...code.matchAll(/^def ([a-z]\w*)\(/gm)].map(match => match[1]);
}

/** Names that no literal and no comment may let out. */
const HOSTILE = [
  'x": 1}\nimport os  # ',
  'x\rimport os',
  'x\'\'\'"""import os',
  'x\\',
  'x\\"); import os',
  'x\u2028import os\u2029',
  'x\u202e gpj.\u2066',
  'x\0\f\v\u0085',
  'x\ud800y',
  '{x!r}{os.getcwd()}%s'
];

describe('pythonString()', () => {
  it.each([
    ['sub.linear1.weight', '"sub.linear1.weight"'],
    ['größe', '"größe"'],
    ['a"b', '"a\\"b"'],
    ['a\\n', '"a\\\\n"'],
    ['a\nb', '"a\\x0ab"'],
    ['a\u2028b', '"a\\u2028b"'],
    ['\u{e0001}', '"\\U000e0001"'],
    ['\ud800', '"\\ud800"']
  ])('should write %j', (text, literal) => expect(pythonString(text)).toBe(literal));

  it.each(HOSTILE)('should end where the name ends: %j', name => {
    expect(pythonString(name)).toMatch(/^"(?:[^"\\\p{Cc}\p{Zl}\p{Zp}\p{Cf}\p{Cs}]|\\.)*"$/u);
  });
});

describe('commentText()', () => {
  it.each(HOSTILE)('should stay on its line: %j', name => {
    expect(commentText(name)).toMatch(/^[^\p{Cc}\p{Zl}\p{Zp}\p{Cf}\p{Cs}]*$/u);
  });
});

describe('strategiesFor()', () => {
  it('should offer the four strategies for a program', () => {
    expect(strategiesFor(facts())).toEqual([
      'preconvert',
      'export-pass',
      'runtime-folding',
      'freezing'
    ]);
  });

  it('should convert the module of an .onnx file only where the exporter named its weights', () => {
    const onnx = facts({ format: 'onnx' });
    expect(strategiesFor(onnx)).toEqual(['onnx-folding', 'preconvert']);
    const unnamed = [weight(['w_1'], { kind: 'initializer' })];
    expect(strategiesFor({ ...onnx, converted: [...onnx.converted, ...unnamed] })).toEqual([
      'onnx-folding'
    ]);
    expect(strategiesFor({ ...onnx, converted: [] })).toEqual(['onnx-folding']);
  });
});

describe('writeTorchCode()', () => {
  it('should hold one function per strategy, each named in the overview', () => {
    const code = write();
    const names = ['preconvert', 'fold_weight_casts', 'compile_with_runtime_folding'];
    expect(functions(code)).toEqual([...names, 'compile_frozen']);
    const overview = code.slice(0, code.indexOf('"""', 3));
    functions(code).forEach(name => expect(overview).toContain(`\n${name}(`));
  });

  it('should say what it was written for', () => {
    const code = write({ left: [{ weight: 'e', reason: 'also used as float32 by aten.mul' }] });
    expect(code).toContain('\n# Written by castlens for model.pt2 (torch 2.13.0).\n');
    expect(code).toContain('Weight casts of one forward: 3. Weights converted: 2, left: 1.');
    expect(code).toContain('\n#   "e": also used as float32 by aten.mul\n');
  });

  it('should list tied weights under every name, each with its dtype', () => {
    expect(write()).toContain(
      [
        'LOW_PRECISION = {',
        '    "a.weight": torch.bfloat16,',
        '    "b.weight": torch.float16,',
        '    "c.weight": torch.float16,',
        '}',
        ''
      ].join('\n')
    );
  });

  it('should import what its functions use, and no more', () => {
    const imports = (...names: CodeStrategyName[]): string[] =>
      [...write({}, ...names).matchAll(/^import (.*)$/gm)].map(match => match[1]);
    expect(imports()).toEqual(['dataclasses', 'operator', 'torch', 'torch._inductor']);
    expect(imports('preconvert')).toEqual(['operator', 'torch']);
    expect(imports('onnx-folding')).toEqual(['onnx_ir', 'torch']);
  });

  it('should leave the tables out where no function reads them', () => {
    expect(write({}, 'freezing', 'runtime-folding')).not.toContain('LOW_PRECISION');
  });

  it('should copy weights used in both precisions in the pass, and nowhere else', () => {
    const copied = [weight(['e.weight'])];
    const pass = write({ copied }, 'export-pass');
    expect(pass).toContain('KEEP_BOTH = [\n    ("e.weight", torch.bfloat16),\n]');
    expect(pass).toContain('[*LOW_PRECISION.items(), *KEEP_BOTH]');
    const before = write({ copied }, 'preconvert');
    expect(before).not.toContain('KEEP_BOTH');
    expect(before).toContain('#   "e.weight": used in both precisions');
    expect(write({}, 'export-pass')).not.toContain('KEEP_BOTH');
  });

  it('should refuse in the pass what decomposing would change, by operator and weight', () => {
    const composites = new Map([['aten.einsum.default', ['a.weight', 'x": 1}\nimport os']]]);
    const code = write({ composites }, 'export-pass');
    expect(code).toContain('    "aten.einsum.default": ["a.weight", "x\\": 1}\\x0aimport os"],');
    expect(code).toContain('    _refuse_composites(ep)\n    ep = ep.run_decompositions({})');
    expect(write({ composites }, 'preconvert')).not.toContain('_refuse_composites');
    expect(write({}, 'export-pass')).not.toContain('_refuse_composites');
  });

  it('should not look for an attribute where a forward made the tensor', () => {
    const lifted = weight(['body.lifted_tensor_0'], { kind: 'constant' });
    const code = write({ converted: [lifted] }, 'preconvert');
    expect(code).toContain('if name in ("body.lifted_tensor_0",):');
    expect(write({}, 'preconvert')).not.toContain('if name in');
    const named = weight(['lifted_tensor_0'], { kind: 'parameter' });
    expect(write({ converted: [named] }, 'preconvert')).not.toContain('if name in');
  });

  it('should fold the .onnx casts that are listed, and call no optimizer, which would do more', () => {
    const code = write({ format: 'onnx', copied: [weight(['e'])] });
    expect(code).toContain('[*LOW_PRECISION.items(), *KEEP_BOTH]');
    expect(code).toContain('KEEP_BOTH = [\n    ("e", torch.bfloat16),\n]');
    expect(code).not.toContain('onnxscript');
    expect(write({ format: 'onnx' })).not.toContain('KEEP_BOTH');
  });

  it('should say so where there is nothing to do', () => {
    const code = write({ converted: [], weightCasts: 0 });
    expect(code).toContain('It casts no weight: there is nothing to do.');
    expect(code).toContain('LOW_PRECISION = {}');
  });

  it('should keep to itself what a hostile file says', () => {
    const lines = (name: string): string[] =>
      write({
        file: name,
        producer: name,
        converted: [weight([name]), weight([`${name}.lifted_tensor_0`], { kind: 'constant' })],
        copied: [weight([`${name}2`])],
        left: [{ weight: name, reason: name }]
      }).split('\n');
    const expected = lines('plain');
    for (const name of HOSTILE) {
      const found = lines(name);
      expect(found).toHaveLength(expected.length);
      found.forEach((line, i) => {
        if (!/^(#| {4}\(?"| {8}if name in )/.test(line)) {
          expect(line).toBe(expected[i]);
        }
      });
    }
  });
});
