import { bandwidthOf } from '../../../bench/cuda/bandwidth';
import type { ICudaBenchmark, IMeasured } from '../../../bench/cuda/report';
import { atLeast, cudaReport, driverText, floorMs } from '../../../bench/cuda/report';
import type { ICompareResult, IVariantResult } from '../../../src/protocol';

const GB = 1e9;
const MiB = 2 ** 20;

/** A variant whose rounds all took about as long. */
function variant(
  cache: IVariantResult['cache'],
  ms: number,
  more: Partial<IVariantResult> = {}
): IVariantResult {
  return {
    cache,
    medianMs: ms,
    samplesMs: Array.from({ length: 20 }, (_, i) => ms * (1 + ((i % 3) - 1) / 100)),
    plannedWeightCasts: 0,
    executedWeightCasts: 0,
    plannedBytesMoved: 0,
    memory: { fileBackedBytes: null, hostBytes: null, deviceBytes: null },
    bitIdenticalToOff: true,
    ...more
  } as unknown as IVariantResult;
}

function measured(
  variants: readonly IVariantResult[],
  more: Partial<IMeasured> = {},
  failed: ICompareResult['failed'] = []
): IMeasured {
  const compare = { runtime: 'a runtime', variants, failed } as unknown as ICompareResult;
  return { model: 'mlp', dtype: 'float16', batch: 1, compare, torch: null, ...more };
}

/** 600 MB moved by casts: 200 MB of weights in low precision. */
const OFF = variant('off', 4, {
  plannedWeightCasts: 8,
  executedWeightCasts: 8,
  plannedBytesMoved: 0.6 * GB,
  memory: { fileBackedBytes: 0, hostBytes: 0, deviceBytes: 600 * MiB }
});

function rowsOf(...all: readonly IMeasured[]): string[] {
  return report(all)
    .split('\n')
    .filter(line => /^\| (?:mlp|decoder) /.test(line));
}

function report(all: readonly IMeasured[], more: Partial<ICudaBenchmark> = {}): string {
  return cudaReport({
    machine: 'a machine',
    device: 'cuda:1',
    gpu: 'a GPU',
    bandwidth: 2000 * GB,
    runs: 20,
    warmup: 5,
    measured: all,
    ...more
  });
}

describe('floorMs', () => {
  it('is the time to move the weights in low precision once', () => {
    const { compare } = measured([OFF]);
    expect(floorMs(compare!, 2000 * GB)).toBeCloseTo(0.1);
    expect(floorMs(compare!, null)).toBeNull();
    expect(floorMs(measured([variant('frozen', 1)]).compare!, 2000 * GB)).toBeNull();
  });
});

describe('bandwidthOf', () => {
  it('takes the median', () => {
    expect(bandwidthOf(4 * GB, [2, 1000, 1.9, -50, 2.1])).toBeCloseTo(2000 * GB, -3);
  });

  it('is unknown where the longer graph was not slower', () => {
    expect(bandwidthOf(4 * GB, [0, -1, 3])).toBeNull();
  });
});

describe('atLeast', () => {
  it.each([
    [3, 2.6, 3.4, 'yes'],
    [2.7, 2.4, 3, 'within the noise'],
    [2, 1.9, 2.4, 'no'],
    [3, null, null, 'yes (too few runs)'],
    [2, null, null, 'no (too few runs)']
  ])('for %p (%p to %p) is %p', (ratio, low, high, text) => {
    expect(atLeast({ ratio, low, high }, 2.5)).toBe(text);
  });
});

describe('cudaReport', () => {
  it('has a row for everything that ran, with its ratios, and what it means', () => {
    const frozen = variant('frozen', 1);
    const folded = variant('folded', 1, { bitIdenticalToOff: false, executedWeightCasts: 2 });
    const float32 = variant('float32', 2, { bitIdenticalToOff: false });
    const torch = { 'torch eager, cache': 1.5, 'AOTInductor folded': 'OSError: no | compiler' };
    expect(rowsOf(measured([OFF, folded, frozen, float32], { torch }))).toEqual([
      '| mlp | float16 | 1 | off | 4.000 ms | 4.00 | 40.00 | 8 / 8 | 600.0 MiB | same |',
      '| mlp | float16 | 1 | folded | 1.000 ms | 1.00 | 10.00 | 0 / 2 |  | differ |',
      '| mlp | float16 | 1 | frozen | 1.000 ms | 1.00 | 10.00 | 0 / 0 |  | same |',
      '| mlp | float16 | 1 | float32 | 2.000 ms | 2.00 | 20.00 | 0 / 0 |  | differ |',
      '| mlp | float16 | 1 | torch eager, cache | 1.500 ms | 1.50 | 15.00 |  |  |  |',
      '| mlp | float16 | 1 | AOTInductor folded | not run: OSError: no \\| compiler |  |  |  |  |  |',
      '| mlp | float16 | 1 | floor | 0.100 ms | 0.10 | 1.00 |  |  |  |',
      '| mlp | float16 | 1 | 4.000 (4.000 to 4.000) | yes | 1.000 (1.000 to 1.000) | no: folded | no: folded |'
    ]);
  });

  it('tells of modes and models that did not run', () => {
    const failed = [
      {
        variant: { cache: 'frozen' as const, passes: [], device: 'cuda' },
        message: 'no\nroom',
        error: { code: 'out-of-memory' as const, summary: 'no\nroom' }
      }
    ];
    const rows = rowsOf(
      measured([OFF], {}, failed),
      measured([], { model: 'decoder', batch: 8, compare: null, failure: 'the device was lost' })
    );
    expect(rows).toEqual([
      '| mlp | float16 | 1 | off | 4.000 ms |  | 40.00 | 8 / 8 | 600.0 MiB | same |',
      '| mlp | float16 | 1 | frozen | not run: no room |  |  |  |  |  |',
      '| mlp | float16 | 1 | floor | 0.100 ms |  | 1.00 |  |  |  |',
      '| decoder | float16 | 8 | all modes | not run: the device was lost |  |  |  |  |  |',
      '| mlp | float16 | 1 |  |  |  | yes | yes |',
      '| decoder | float16 | 8 |  |  |  |  |  |'
    ]);
  });

  it('names what was measured on', () => {
    expect(
      report([measured([OFF])])
        .split('\n')
        .slice(0, 4)
    ).toEqual([
      'Machine: a machine  ',
      'GPU: a GPU  ',
      'Runtime: a runtime on cuda:1  ',
      'Copy bandwidth: 2000.0 GB/s; 20 rounds after 5 of warm-up, interleaved'
    ]);
    const nothing = report([], { bandwidth: null });
    expect(nothing).toContain('nothing ran on cuda:1');
    expect(nothing).toContain('Copy bandwidth: not measured');
  });

  it('has as many cells in every row of a table as in its headings', () => {
    const text = report([measured([OFF, variant('frozen', 1)], { torch: { torch: 'none' } })]);
    for (const table of text.split('\n\n').slice(1)) {
      const counts = table.split('\n').map(line => line.split(' | ').length);
      expect(new Set(counts).size).toBe(1);
    }
  });
});

describe('driverText', () => {
  it('names GPUs and versions, or says why there are none', () => {
    const gpu = {
      index: 0,
      name: 'H100',
      uuid: null,
      computeCapability: '9.0',
      totalBytes: null,
      freeBytes: null,
      mig: null
    };
    const gpus = [gpu, { ...gpu, index: 1, computeCapability: null }];
    expect(
      driverText({ kind: 'present', driverVersion: '580.65.06', cudaVersion: null, gpus })
    ).toBe('H100 (9.0), H100 (unknown), driver 580.65.06, CUDA up to unknown');
    expect(driverText({ kind: 'missing', message: 'no driver' })).toBe('no driver');
  });
});
