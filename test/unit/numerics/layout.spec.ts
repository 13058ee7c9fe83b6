import fc from 'fast-check';

import { contiguousStrides, elementCount } from '../../../src/model';
import { bytesOf, copyTile, planGather, viewExtent } from '../../../src/numerics';

/** Gather element by element, from the definition of strides. */
function gatherSlowly(shape: number[], strides: number[]): number[] {
  const steps = contiguousStrides(shape);
  return Array.from({ length: elementCount(shape) }, (_, flat) =>
    shape.reduce((sum, size, i) => sum + (Math.floor(flat / steps[i]) % size) * strides[i], 0)
  );
}

/** Gather by plan from a storage whose element `i` is `i`. */
function gather(
  shape: number[],
  strides: number[],
  chunkElements: number
): { elements: number[]; largestRead: number; elementsRead: number } {
  const storage = Uint32Array.from({ length: viewExtent(shape, strides) }, (_, i) => i);
  const elements: number[] = [];
  let largestRead = 0;
  let elementsRead = 0;
  const plan = planGather(shape, strides, chunkElements);
  for (let index = 0; index < plan.count; index++) {
    const { start, count, tiles } = plan.chunk(index);
    expect(start).toBe(elements.length);
    expect(count).toBe(plan.size(index));
    expect(count).toBeLessThanOrEqual(chunkElements);
    const chunk = new Uint32Array(count).fill(0xffffffff);
    for (const tile of tiles) {
      const run = storage.subarray(tile.sourceStart, tile.sourceStart + tile.sourceCount);
      expect(run).toHaveLength(tile.sourceCount);
      copyTile(tile, bytesOf(run), bytesOf(chunk), 4);
      largestRead = Math.max(largestRead, tile.sourceCount);
      elementsRead += tile.sourceCount;
    }
    elements.push(...chunk);
  }
  return { elements, largestRead, elementsRead };
}

describe('planGather', () => {
  it.each([
    ['a scalar', [], []],
    ['a contiguous tensor', [3, 4], [4, 1]],
    ['a transposed matrix', [5, 7], [1, 5]],
    ['a slice with gaps', [4, 3], [10, 2]],
    ['an expanded row', [6, 4], [0, 1]],
    ['a permuted tensor', [3, 4, 5], [1, 15, 3]],
    ['dimensions of size 1 with odd strides', [1, 4, 1], [99, 1, 77]]
  ])('gathers %s', (_, shape, strides) => {
    for (const chunkElements of [1, 2, 3, 16, 1000]) {
      expect(gather(shape, strides, chunkElements).elements).toEqual(gatherSlowly(shape, strides));
    }
  });

  it('gathers any view', () => {
    const dims = fc.array(
      fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 0, max: 30 })),
      {
        maxLength: 4
      }
    );
    fc.assert(
      fc.property(dims, fc.integer({ min: 1, max: 100 }), (pairs, chunkElements) => {
        const shape = pairs.map(([size]) => size);
        const strides = pairs.map(([, stride]) => stride);
        expect(gather(shape, strides, chunkElements).elements).toEqual(
          gatherSlowly(shape, strides)
        );
      })
    );
  });

  it('yields nothing for an empty tensor', () => {
    expect(planGather([3, 0], [0, 1], 16).count).toBe(0);
    expect(viewExtent([3, 0], [1, 3])).toBe(0);
  });

  it('reads no more at a time than a chunk, and little in vain, however the view lies', () => {
    const chunkElements = 8192;
    const { largestRead, elementsRead } = gather([700, 600], [1, 700], chunkElements);
    expect(largestRead).toBeLessThanOrEqual(chunkElements);
    expect(elementsRead).toBeLessThanOrEqual(100 * 700 * 600);
  });
});
