import { activationsText, statsRows } from '../../../src/cli/stats';
import { encodeActivationStats } from '../../../src/engine/statstable';
import type { IActivationRow } from '../../../src/engine/statstable';
import { bytesOf, TensorStats } from '../../../src/numerics';
import type { IActivationStatsResult } from '../../../src/protocol';

function row(name: string, difference: IActivationRow['difference']): IActivationRow {
  const stats = new TensorStats('float32');
  stats.add(bytesOf(Float32Array.of(1, -2)));
  return {
    name,
    dtype: 'bfloat16',
    shape: [2],
    module: 'sub',
    stats: stats.result(),
    headroom: {
      dtype: 'bfloat16',
      overflowRatio: 2 ** -126,
      overflowBinades: 126,
      subnormalBinades: 126,
      nearSubnormal: 0
    },
    difference
  };
}

const result: IActivationStatsResult = {
  variant: { cache: 'off', passes: [], device: 'cpu' },
  runtime: 'CPUExecutionProvider',
  inputs: 'random, seed 0',
  rows: 2,
  batches: 3,
  reference: true,
  skipped: [{ name: 'odd', reason: 'there are no statistics of complex64' }],
  cost: {
    plainMs: 2,
    plainLoadMs: 0,
    probedMs: 10,
    totalMs: 40,
    plainBytes: 1024,
    probedBytes: 1280,
    plainPeakRssBytes: null,
    probedPeakRssBytes: null
  }
};

describe('statistics of activations', () => {
  const same = {
    maxAbsError: 0,
    maxRelError: 0,
    maxElementRelError: 0,
    cosine: 1,
    snrDb: Infinity
  };
  const rows = statsRows(encodeActivationStats([row('v', same), row('w', null)]));

  it('should become rows that JSON can hold', () => {
    expect(rows[0]).toMatchObject({ name: 'v', shape: [2], count: 2, max_abs_error: 0, cosine: 1 });
    expect(rows[0].snr_db).toBe('Infinity');
    expect(rows[1]).toMatchObject({ max_abs_error: null, snr_db: null, overflow_binades: 126 });
    expect(JSON.parse(JSON.stringify(rows))).toEqual(rows);
  });

  it('should be told with what they cost and what they leave out', () => {
    const text = activationsText({ ...result, values: rows });
    expect(text).toContain('off, CPUExecutionProvider; inputs: random, seed 0');
    expect(text).toMatch(/^v +bfloat16 +2 .*Infinity$/m);
    expect(text).toContain(
      '3 runs in 10.0 ms with loading (5.000× of a plain forward with loading), all in 40.0 ms'
    );
    expect(text).toContain('weights and values 1.3 KiB (1.250× of a plain forward)');
    expect(text).not.toContain('process at most');
    expect(text).toContain('1 value left out (odd): there are no statistics of complex64');
  });

  it('should say so where nothing is computed from the inputs', () => {
    const text = activationsText({ ...result, rows: 0, batches: 0, values: [], skipped: [] });
    expect(text.split('\n')).toEqual([
      'off, CPUExecutionProvider; inputs: random, seed 0',
      'There are no statistics of any value computed from the inputs'
    ]);
  });

  it('should tell what is left out once per reason', () => {
    const inside = ['a', 'b', 'c', 'd', 'e'].map(name => ({ name, reason: 'it is nested' }));
    const text = activationsText({
      ...result,
      values: rows,
      skipped: [...inside, ...result.skipped]
    });
    expect(text.split('\n').slice(-2)).toEqual([
      '5 values left out (a, b, c and 2 more): it is nested',
      '1 value left out (odd): there are no statistics of complex64'
    ]);
  });
});
