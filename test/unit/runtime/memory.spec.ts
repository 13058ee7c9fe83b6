import type { IMemorySnapshot } from '../../../src/runtime';
import { currentRssBytes, memoryGrowth, peakRssBytes, withPeakRss } from '../../../src/runtime';
import { countsPeak } from '../../support/traffic';

const SIZE = 256 * 2 ** 20;

/** Memory that is touched, and given up at the end. */
function touch(): number {
  return new Uint8Array(SIZE).fill(1)[SIZE - 1];
}

const itCounts = countsPeak ? it : it.skip;

describe('withPeakRss()', () => {
  itCounts('should tell the most memory of the work alone', async () => {
    const small = await withPeakRss(() => Promise.resolve(currentRssBytes()));
    const before = currentRssBytes();
    const large = await withPeakRss(() => Promise.resolve(touch()));
    expect(small.peakBytes).toBeLessThan(small.result + SIZE / 2);
    expect(large.peakBytes).toBeGreaterThan(before + SIZE / 2);
  });

  itCounts('should not make the peak since the start forget', async () => {
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

describe('memoryGrowth()', () => {
  const at = (deviceBytes: number | null, deviceUsedBytes: number | null): IMemorySnapshot => ({
    fileBackedBytes: 10,
    hostBytes: null,
    deviceBytes,
    deviceUsedBytes
  });

  it.each([
    ['of a process', at(100, 500), at(300, 900), 200],
    ['of a process that did not use the device before', at(null, 500), at(300, 900), 300],
    ['of the GPU where processes are not told apart', at(null, 500), at(null, 900), 400],
    ['never below nothing', at(null, 500), at(null, 400), 0],
    ['unknown where the driver says nothing', at(null, null), at(null, 900), null]
  ])('should be that %s', (_name, before, after, bytes) => {
    expect(memoryGrowth(before, after)).toEqual({
      fileBackedBytes: 0,
      hostBytes: null,
      deviceBytes: bytes
    });
  });
});
