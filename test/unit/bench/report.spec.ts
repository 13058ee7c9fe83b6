import { report } from '../../../bench/report';
import type { ICompareResult, IVariantResult } from '../../../src/protocol';

function variant(cache: IVariantResult['cache'], ms: number, casts: number): IVariantResult {
  return {
    cache,
    medianMs: ms,
    lowMs: ms - 1,
    highMs: ms + 1,
    samplesMs: Array.from({ length: 10 }, (_, i) => ms + (i % 3) - 1),
    plannedWeightCasts: casts,
    executedWeightCasts: casts,
    plannedBytesMoved: casts * 1024,
    loadMs: 2,
    runtime: 'a runtime',
    memory: { hostBytes: 1024 },
    bitIdenticalToOff: cache !== 'float32',
    maxRelativeDifferenceToOff: cache === 'float32' ? 0.005 : 0,
    findings: []
  } as unknown as IVariantResult;
}

describe('report', () => {
  it('is a table of the variants and the ratios that matter', () => {
    const text = report({
      machine: 'a machine',
      runtime: 'a runtime',
      runs: 10,
      warmup: 2,
      inputs: 'random, seed 0',
      variants: [
        variant('off', 40, 8),
        variant('folded', 10, 0),
        variant('frozen', 10, 0),
        variant('float32', 12, 0)
      ],
      failed: [{ variant: { cache: 'onnxruntime', passes: [], device: 'cpu' }, message: 'no' }]
    } as unknown as ICompareResult);
    const rows = text.split('\n').filter(line => line.startsWith('| '));
    expect(rows).toHaveLength(6);
    expect(rows[2]).toBe(
      '| off | 40.0 ms | 39.0 ms to 41.0 ms | 1 | 8 / 8 |  | 8.0 KiB |  | 2.000 ms | 1.0 KiB | bit-identical |'
    );
    expect(rows[3]).toMatch(/^\| folded \| .* \| 0\.250 \(0\.\d+ to 0\.\d+\) \| 0 \/ 0 \|/);
    expect(rows[5]).toContain('within 5.0e-3');
    expect(text).toMatch(/^off \/ frozen: 4\.000 \(.*\), slower$/m);
    expect(text).toMatch(/^folded \/ frozen: 1\.000 \(1\.000 to 1\.000\), no difference$/m);
    expect(text).toContain('onnxruntime could not be run: no');
  });

  it('measures every runtime against its own off', () => {
    const ofTorch = (ms: number, cache: IVariantResult['cache']) => ({
      ...variant(cache, ms, 0),
      runtimeName: 'aotinductor',
      plannedWeightCasts: null,
      castsAtLoad: 8,
      compileMs: 12_340
    });
    const text = report({
      outputsComparedWith: 'onnxruntime',
      variants: [variant('off', 40, 8), ofTorch(20, 'off'), ofTorch(5, 'frozen')],
      failed: []
    } as unknown as ICompareResult);
    expect(text).toMatch(
      /^\| AOTInductor frozen .* \| 0\.250 \(.*\) \| – \/ 0 \| 8 \| .* \| 12\.3 s \|/m
    );
    expect(text).toMatch(/^AOTInductor off \/ frozen: 4\.000/m);
  });
});
