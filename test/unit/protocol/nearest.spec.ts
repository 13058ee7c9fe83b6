import { nearestOf } from '../../../src/protocol';

describe('nearestOf()', () => {
  it.each([
    ['cahce', 'cache'],
    ['CACHE', 'cache'],
    ['pass', 'passes'],
    ['sed', 'seed'],
    ['zzzzzz', null],
    ['', null]
  ])('should take %s for %s', (word, nearest) => {
    expect(nearestOf(word, ['cache', 'passes', 'seed'])).toBe(nearest);
  });

  it('should not spend long on long words', () => {
    expect(nearestOf('x'.repeat(1e6), ['cache'])).not.toBe(undefined);
  });
});
