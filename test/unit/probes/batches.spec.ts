import type { DType } from '../../../src/model';
import type { IComparedPair } from '../../../src/probes';
import { differenceBatches, heldRoomBytes } from '../../../src/probes';
import { identityGraph } from './support';

describe('heldRoomBytes', () => {
  const pair = (size: number, referenceDtype: DType = 'float32'): IComparedPair => ({
    value: 'y',
    reference: 'y',
    size,
    referenceDtype
  });

  it('should be no more than there is to compare, in the dtype it is held in', () => {
    const graph = identityGraph('float32', [2 ** 30]);
    const room = (...pairs: IComparedPair[]): number => heldRoomBytes(graph, graph, pairs);
    expect(room()).toBe(0);
    expect(room(pair(10))).toBe(40);
    expect(room(pair(10), pair(10, 'bfloat16'), pair(10, 'float64'))).toBe(160);
  });

  it.each([10_000, 2 ** 20, 2 ** 35])(
    'should be enough for the pieces of a value of %d elements, and no more than a buffer can be',
    size => {
      const graph = identityGraph('float32', [size]);
      const room = heldRoomBytes(graph, graph, [pair(size)]);
      expect(room).toBeLessThanOrEqual(2 ** 31);
      let batches = 0;
      for (const { heldBytes, items } of differenceBatches(graph, graph, [pair(size)])) {
        expect(items.length).toBeGreaterThan(0);
        expect(heldBytes).toBeLessThanOrEqual(room);
        if (++batches === 10) {
          break;
        }
      }
      expect(batches).toBeGreaterThan(0);
    }
  );
});
