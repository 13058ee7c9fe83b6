import { existsSync } from 'node:fs';

import { currentRssBytes, peakRssBytes, withPeakRss } from '../../../src/runtime';

const SIZE = 256 * 2 ** 20;

/** Memory that is touched, and given up at the end. */
function touch(): number {
  return new Uint8Array(SIZE).fill(1)[SIZE - 1];
}

const linux = existsSync('/proc/self/clear_refs') ? it : it.skip;

describe('withPeakRss()', () => {
  linux('should tell the most memory of the work alone', async () => {
    const small = await withPeakRss(() => Promise.resolve(currentRssBytes()));
    const before = currentRssBytes();
    const large = await withPeakRss(() => Promise.resolve(touch()));
    expect(small.peakBytes).toBeLessThan(small.result + SIZE / 2);
    expect(large.peakBytes).toBeGreaterThan(before + SIZE / 2);
  });

  linux('should not make the peak since the start forget', async () => {
    touch();
    const peak = peakRssBytes();
    await withPeakRss(() => Promise.resolve());
    expect(peakRssBytes()).toBeGreaterThanOrEqual(peak);
  });

  it('should hand on what the work returns and throws', async () => {
    expect((await withPeakRss(() => Promise.resolve(7))).result).toBe(7);
    await expect(withPeakRss(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  });
});
