/**
 * Findings that need more than the graph: values of weights, a run, a comparison.
 *
 * @jest-environment ./test/support/ortenvironment.cjs
 */
import { join } from 'node:path';

import type { IRunRange } from '../../../src/autocast';
import { weightKey } from '../../../src/autocast';
import { executionFindings } from '../../../src/engine/executionfindings';
import { measureFindings } from '../../../src/engine/measuredcost';
import { Engine } from '../../../src/engine/service';
import type { IPreparedVariant } from '../../../src/engine/variant';
import { weightFindings } from '../../../src/engine/weightfindings';
import type { DType } from '../../../src/model';
import { bytesOf, TensorStats } from '../../../src/numerics';
import { formatCost } from '../../../src/protocol';
import type { IFinding } from '../../../src/protocol';
import type { IExecutedCasts } from '../../../src/runtime';
import { ONNX_TYPES, onnxModel } from '../../support/onnxmodel';
import { GraphBuilder } from '../autocast/builder';
import { makeResult } from '../panel/samples';
import { testFolder } from '../runtime/helpers';

const FIXTURES = join(__dirname, '../../fixtures');
const folder = testFolder();
const codes = (findings: readonly IFinding[]): string[] => findings.map(({ code }) => code);

/** Findings about one float32 weight with these elements, which the program casts to each of `targets`. */
function judge(elements: readonly number[], ...targets: DType[]): IFinding[] {
  const b = new GraphBuilder();
  const value = b.weight('w', { shape: [elements.length] });
  targets.forEach(to => b.output(b.cast(value, to, { source: { file: 'm.py', line: 5 } })));
  const stats = new TensorStats('float32');
  stats.add(bytesOf(Float32Array.from(elements)));
  return weightFindings(b.graph, new Map([[weightKey(b.graph.weights[0].weight), stats.result()]]));
}

/** `small` among 99 ones. */
const oneOf100 = (small: number): number[] => [small, ...Array.from({ length: 99 }, () => 1)];

describe('weightFindings', () => {
  it('should name weights that overflow from one element on, with casts and lines', () => {
    const [finding, ...others] = judge(oneOf100(-65520), 'float16');
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      code: 'weight-overflow',
      severity: 'warning',
      weights: ['w'],
      nodes: ['_to_copy_0'],
      source: { file: 'm.py', line: 5 }
    });
    expect(finding.message).toContain('beyond the range of float16');
    expect(finding.message).toContain('w 1 % (1 of 100)');
    expect(finding.remedy).toContain('bfloat16');
  });

  it('should warn of weights that vanish, and remark on those that only become subnormal', () => {
    const [vanishing] = judge(oneOf100(1e-8), 'float16');
    expect(vanishing).toMatchObject({ code: 'weight-vanishes', severity: 'warning' });
    expect(vanishing.message).toContain('w: 1 % (1 of 100) become zero.');
    const [subnormal] = judge([3e-5, 0, 1, 1], 'float16');
    expect(subnormal).toMatchObject({ code: 'weight-vanishes', severity: 'info' });
    expect(subnormal.message).toContain('w: 25 % (1 of 4) subnormal.');
  });

  it.each<[string, number[], DType[]]>([
    ['largest number of float16', oneOf100(65504), ['float16']],
    ['few subnormal elements', oneOf100(3e-5), ['float16']],
    ['zeros', [0, 0, 0, 1], ['float16', 'bfloat16']],
    ['range of float16, cast to bfloat16', [1e6, 1e-9, 1e-6, 1], ['bfloat16']],
    ['infinities', [Infinity, 1, 1], ['float16']],
    ['weights that are not cast', [1e6, 1e-9], []],
    ['casts to a wider type', [1e6, 1e-9], ['float64']]
  ])('should be silent on %s', (_, elements, targets) => {
    expect(judge(elements, ...targets)).toEqual([]);
  });

  it('should judge each dtype by itself', () => {
    const found = judge([1e39, 1e6].map(Math.fround), 'bfloat16', 'float16');
    expect(found.map(({ message }) => /range of (\w+)/.exec(message)?.[1])).toEqual(['float16']);
    const both = judge([3.4e38, 1], 'bfloat16', 'float16');
    expect(both.map(({ message }) => /range of (\w+)/.exec(message)?.[1])).toEqual([
      'bfloat16',
      'float16'
    ]);
  });
});

describe('Engine', () => {
  const engine = new Engine();

  it('should answer a request for statistics with what only values show', async () => {
    const data = bytesOf(Float32Array.of(1e6, 1e-9, 1, 1));
    const weight = (name: string) => ({ name, dtype: 'float32', shape: [2, 2], data });
    const cast = (input: string, output: string, to: string) => ({
      op: 'Cast',
      name: `${input}_${to}`,
      inputs: [input],
      outputs: [output],
      ints: { to: ONNX_TYPES[to] }
    });
    const path = folder.write(
      'casts.onnx',
      onnxModel({
        nodes: [
          cast('x', 'h', 'float16'),
          cast('cast', 'half', 'float16'),
          { op: 'MatMul', name: 'a', inputs: ['h', 'half'], outputs: ['p'] },
          cast('p', 'q', 'float32'),
          { op: 'MatMul', name: 'b', inputs: ['q', 'uncast'], outputs: ['y'] }
        ],
        inputs: [{ name: 'x', dtype: 'float32', shape: [2, 2] }],
        outputs: [{ name: 'y', dtype: 'float32', shape: [2, 2] }],
        initializers: [weight('cast'), weight('uncast')]
      })
    );
    const { result } = await engine.handle('weightStats', { path }, {});
    expect(codes(result.findings)).toEqual(['weight-overflow', 'weight-vanishes']);
    expect(result.findings.map(({ weights }) => weights)).toEqual([['cast'], ['cast']]);
    expect(codes((await engine.handle('census', { path }, {})).result.findings)).toEqual([
      'weights-cast-every-forward'
    ]);
  });

  it.each(['gpt2', 'reused-weights', 'seed-mlp'])(
    'should find nothing in the values of %s, which is cast to bfloat16',
    async name => {
      const path = join(FIXTURES, name, 'model.pt2');
      expect((await engine.handle('weightStats', { path }, {})).result.findings).toEqual([]);
    }
  );

  it('should tell of casts that the runtime inserts, of activations too', async () => {
    const path = folder.write(
      'half.onnx',
      onnxModel({
        nodes: [{ op: 'Sigmoid', name: 'gate', inputs: ['x'], outputs: ['y'] }],
        inputs: [{ name: 'x', dtype: 'float16', shape: [8] }],
        outputs: [{ name: 'y', dtype: 'float16', shape: [8] }]
      })
    );
    const run = async (cache: 'onnxruntime' | 'off') =>
      (
        await engine.handle(
          'run',
          { path, variant: { cache, passes: [], device: 'cpu' }, inputs: { seed: 0 } },
          {}
        )
      ).result.findings;
    const [finding, ...others] = await run('onnxruntime');
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ code: 'runtime-casts', severity: 'info', nodes: ['gate'] });
    // float16 to float32 and back, 8 elements of 2 and 4 bytes each time.
    expect(finding.cost).toEqual({ bytesMoved: 96 });
    expect(finding.message).toContain('2 of activations, 96 B moved');
    expect(await run('off')).toEqual([]);
  });

  it('should measure the cost of what a file is found to have', async () => {
    const path = join(FIXTURES, 'reused-weights', 'model.pt2');
    const variants = (['off', 'folded'] as const).map(cache => ({
      cache,
      passes: [],
      device: 'cpu'
    }));
    const { result } = await engine.handle('compare', { path, variants, runs: 5, warmup: 1 }, {});
    expect(codes(result.findings)).toEqual(['weights-cast-every-forward']);
    const { cost } = result.findings[0];
    expect(cost?.bytesMoved).toBe(149760);
    const [off, folded] = result.variants;
    expect(cost?.time).toMatchObject({ with: 'off', without: 'folded', device: 'cpu', runs: 5 });
    expect(cost?.time?.differenceMs).toBeCloseTo(off.medianMs - folded.medianMs, 9);
    expect(cost?.time?.lowMs).toBeLessThanOrEqual(cost!.time!.highMs!);
  });
});

describe('measureFindings', () => {
  const finding: IFinding = {
    code: 'weights-cast-every-forward',
    severity: 'warning',
    message: 'casts',
    cost: { bytesMoved: 2048 }
  };
  const off = makeResult({ samplesMs: [4, 4.1, 4.2, 4, 4.1, 4.2], runs: 6 });
  const timed = (cache: 'folded' | 'frozen', samplesMs: number[], passes = off.passes) =>
    makeResult({ cache, passes, samplesMs, runs: samplesMs.length });

  it('should give the difference, its interval and how it was measured', () => {
    const [{ cost }] = measureFindings(
      [finding],
      [off, timed('folded', [1, 1.1, 1.2, 1, 1.1, 1.2])]
    );
    expect(cost).toMatchObject({
      bytesMoved: 2048,
      time: { with: 'off', without: 'folded', verdict: 'faster', device: 'cpu', runs: 6 }
    });
    expect(cost!.time!.differenceMs).toBeCloseTo(3, 9);
    expect(formatCost(cost!)).toMatch(
      /^2\.0 KiB moved per forward; 3\.000 ms per forward \(95 % interval .* to .*; off against folded on cpu, 6 runs each\)$/
    );
  });

  it('should measure within one runtime', () => {
    const eager = makeResult({
      ...off,
      runtimeName: 'eager',
      samplesMs: [9, 9.1, 9.2, 9, 9.1, 9.2]
    });
    const repaired = makeResult({ ...eager, repaired: true });
    const folded = timed('folded', [1, 1.1, 1.2, 1, 1.1, 1.2]);
    expect(measureFindings([finding], [eager, repaired, folded])).toEqual([]);
    const [{ cost }] = measureFindings([finding], [eager, repaired, off, folded]);
    expect(cost!.time!.differenceMs).toBeCloseTo(3, 9);
  });

  it('should say that there is no difference beyond the noise', () => {
    const [{ cost }] = measureFindings(
      [finding],
      [off, timed('frozen', [4.2, 4, 4.1, 4.2, 4, 4.1])]
    );
    expect(cost!.time!.verdict).toBe('no-difference');
    expect(formatCost(cost!)).toContain('no difference in time beyond the noise');
  });

  it('should give no interval for too few runs', () => {
    const few = makeResult({ samplesMs: [4, 4], runs: 2 });
    const [{ cost }] = measureFindings([finding], [few, timed('folded', [1, 1])]);
    expect(cost!.time).toMatchObject({ differenceMs: 3, lowMs: null, verdict: 'unknown' });
    expect(formatCost(cost!)).toContain('too few runs for an interval');
  });

  it.each([
    ['the variant as exported is missing', [timed('folded', [1, 1])]],
    ['nothing has the remedy', [off, makeResult({ cache: 'float32' })]],
    ['passes change more than the casts of weights', [off, timed('folded', [1], ['share-casts'])]],
    [
      'regions were overridden',
      [off, timed('folded', [1])].map(result => ({ ...result, regions: { r: { enabled: false } } }))
    ],
    ['the devices differ', [off, { ...timed('folded', [1]), device: 'cuda' }]]
  ])('should measure nothing where %s', (_, variants) => {
    expect(measureFindings([finding], variants)).toEqual([]);
  });

  it('should leave out findings that no mode takes away', () => {
    const other = { ...finding, code: 'unused-weights' };
    expect(measureFindings([other], [off, timed('folded', [1])])).toEqual([]);
  });
});

describe('executionFindings', () => {
  const b = new GraphBuilder();
  const source = { file: 'm.py', line: 9 };
  const weight = b.weight('w');
  b.output(
    b.node(
      'onnx.MatMul',
      {},
      {},
      { name: 'mm', inputs: [b.cast(weight, 'float16'), weight], source }
    ).outputs[0]!
  );
  const prepared = (
    cache: 'off' | 'onnxruntime',
    runs: IRunRange = { least: 1, most: 1 }
  ): IPreparedVariant => ({
    variant: { cache, passes: [], device: 'cpu' },
    legal: { graph: b.graph, inputs: [], outputs: [] },
    forward: { weightCasts: 1, bytesMoved: 24 },
    weightCastNodes: new Map([['_to_copy_0', runs]]),
    possibleRuns: runs,
    activationCasts: 0,
    loweringCasts: 0,
    passes: [],
    convertedWeights: 0,
    computed: null
  });
  const executed = (patch: Partial<IExecutedCasts>): IExecutedCasts => ({
    total: 1,
    planned: 1,
    inserted: 0,
    insertedCasts: [],
    runs: new Map([['_to_copy_0', 1]]),
    ...patch
  });

  it('should be silent where what ran is what was planned', () => {
    expect(executionFindings(prepared('off'), executed({}))).toEqual([]);
  });

  it('should name planned casts that never ran, as a defect of all but the reference', () => {
    const missing = executed({ total: 0, planned: 0, runs: new Map([['_to_copy_0', 0]]) });
    const [finding] = executionFindings(prepared('off'), missing);
    expect(finding).toMatchObject({
      code: 'executed-differs-from-planned',
      severity: 'warning',
      nodes: ['_to_copy_0']
    });
    expect(finding.remedy).toContain('Do not rely');
    expect(executionFindings(prepared('onnxruntime'), missing)[0].severity).toBe('info');
  });

  it('should take any number of runs that branches and loops allow, and tell it', () => {
    const runs = (n: number): IExecutedCasts =>
      executed({ total: n, planned: n, runs: new Map([['_to_copy_0', n]]) });
    const loop = prepared('off', { least: 0, most: 4 });
    expect(executionFindings(loop, runs(1))).toEqual([]);
    const [counted, ...more] = executionFindings(loop, runs(3));
    expect(more).toEqual([]);
    expect(counted).toMatchObject({
      code: 'casts-counted-per-body',
      severity: 'info',
      nodes: ['_to_copy_0']
    });
    expect(counted.message).toContain('with these inputs 3 ran. Possible in a forward: 0 to 4.');
    const [beyond] = executionFindings(loop, runs(5));
    expect(beyond).toMatchObject({ code: 'executed-differs-from-planned', severity: 'warning' });
    expect(beyond.message).toContain('5 of them executed where 0 to 4 can run.');
  });

  it('should warn where neither of two branches ran its cast', () => {
    const either = {
      ...prepared('off', { least: 0, most: 1 }),
      possibleRuns: { least: 1, most: 1 }
    };
    const none = executed({ total: 0, planned: 0, runs: new Map([['_to_copy_0', 0]]) });
    expect(codes(executionFindings(either, none))).toEqual(['executed-differs-from-planned']);
  });

  it('should name the weights that the runtime casts, and the operators that it does so for', () => {
    const cast = { value: weight.name, isWeight: true, perForward: 1, bytesMoved: 24 };
    const found = executionFindings(
      prepared('off'),
      executed({ total: 2, inserted: 1, insertedCasts: [cast] })
    );
    expect(codes(found)).toEqual(['runtime-casts']);
    expect(found[0]).toMatchObject({ severity: 'warning', weights: ['w'], sources: [source] });
    expect(found[0].nodes).toContain('mm');
    expect(found[0].message).toContain('1 of weights (w), 24 B moved');
  });
});
