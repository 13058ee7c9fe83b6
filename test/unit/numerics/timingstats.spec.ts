import {
  differenceOfMedians,
  median,
  normal,
  quantile,
  ratioOfMedians,
  spreadOf,
  uniform,
  verdictOf
} from '../../../src/numerics';

/** Rounds of a simulated machine: log-normal noise, now and then a disturbance, a slow drift shared by a round. */
function simulate(rounds: number, seed: number, factors: number[]): number[][] {
  const random = uniform(seed);
  const gauss = normal(random);
  const samples = factors.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    factors.forEach((factor, i) => {
      const disturbance = random() < 0.1 ? 1 + random() : 1;
      samples[i].push(10 * factor * (1 + round / 100) * Math.exp(0.05 * gauss()) * disturbance);
    });
  }
  return samples;
}

describe('quantile', () => {
  it('interpolates as NumPy does by default', () => {
    expect(quantile([1, 2, 3, 4], 0.25)).toBe(1.75);
    expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5);
    expect(quantile([7], 0.9)).toBe(7);
  });
});

describe('spreadOf', () => {
  it('does not mind the order', () => {
    expect(spreadOf([9, 1, 5, 3, 7])).toEqual({ median: 5, low: 3, high: 7 });
    expect(median([4, 1])).toBe(2.5);
  });
});

describe('differenceOfMedians', () => {
  it('holds the difference in 95 of 100 comparisons, and zero for a variant with itself', () => {
    const held = [0, 0];
    for (let seed = 0; seed < 100; seed++) {
      const [a, b, c] = simulate(20, seed, [0.8, 1, 1]);
      // The drift of the simulated machine raises the median round by a tenth.
      const apart = differenceOfMedians(b, a, { resamples: 400 });
      const same = differenceOfMedians(b, c, { resamples: 400 });
      held[0] += apart.low! <= 2.2 && apart.high! >= 2.2 ? 1 : 0;
      held[1] += same.low! <= 0 && same.high! >= 0 ? 1 : 0;
    }
    expect(held[0]).toBeGreaterThanOrEqual(93);
    expect(held[1]).toBeGreaterThanOrEqual(95);
  });

  it('gives no interval for too few rounds, and the same one for the same samples', () => {
    expect(differenceOfMedians([3, 3], [1, 1])).toEqual({ difference: 2, low: null, high: null });
    const [a, b] = simulate(20, 1, [2, 1]);
    expect(differenceOfMedians(a, b)).toEqual(differenceOfMedians(a, b));
  });
});

describe('ratioOfMedians', () => {
  it.each([10, 20])('holds 1 in 95 of 100 comparisons of a variant with itself, %d rounds', n => {
    let held = 0;
    for (let seed = 0; seed < 100; seed++) {
      const [a, b] = simulate(n, seed, [1, 1]);
      const { low, high } = ratioOfMedians(a, b, { resamples: 400 });
      held += low! <= 1 && high! >= 1 ? 1 : 0;
    }
    expect(held).toBeGreaterThanOrEqual(95);
  });

  it('finds a real difference and holds its size', () => {
    let found = 0;
    let held = 0;
    for (let seed = 0; seed < 100; seed++) {
      const [a, b] = simulate(20, seed, [0.8, 1]);
      const ratio = ratioOfMedians(a, b, { resamples: 250 });
      found += verdictOf(ratio) === 'faster' ? 1 : 0;
      held += ratio.low! <= 0.8 && ratio.high! >= 0.8 ? 1 : 0;
    }
    expect(found).toBeGreaterThanOrEqual(99);
    expect(held).toBeGreaterThanOrEqual(93);
  });

  it('uses that rounds are paired', () => {
    const baseline = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? 1 : 100));
    const { low, high } = ratioOfMedians(
      baseline.map(t => 2 * t),
      baseline
    );
    expect([low, high]).toEqual([2, 2]);
  });

  it('gives the same interval for the same samples', () => {
    const [a, b] = simulate(20, 3, [1, 1]);
    expect(ratioOfMedians(a, b)).toEqual(ratioOfMedians(a, b));
  });

  it('gives no interval for a handful of rounds', () => {
    const ratio = ratioOfMedians([1, 2, 3, 4], [2, 4, 6, 8]);
    expect(ratio).toEqual({ ratio: 0.5, low: null, high: null });
    expect(verdictOf(ratio)).toBe('unknown');
  });
});

describe('verdictOf', () => {
  it('speaks of a difference only outside the interval', () => {
    expect(verdictOf({ ratio: 0.5, low: 0.4, high: 0.6 })).toBe('faster');
    expect(verdictOf({ ratio: 1.5, low: 1.4, high: 1.6 })).toBe('slower');
    expect(verdictOf({ ratio: 0.98, low: 0.9, high: 1 })).toBe('no-difference');
  });
});
