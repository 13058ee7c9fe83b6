/**
 * Statistics of timings: medians, spread, and ratios with confidence intervals.
 *
 * @packageDocumentation
 */

import { uniform } from './random';

/** Median and quartiles of samples. */
export interface ISpread {
  readonly median: number;
  /** First quartile. */
  readonly low: number;
  /** Third quartile. */
  readonly high: number;
}

/** A ratio of medians with its 95 % confidence interval. */
export interface IRatio {
  readonly ratio: number;
  /** Null where there are too few rounds to say. */
  readonly low: number | null;
  readonly high: number | null;
}

/** A difference of medians with its 95 % confidence interval. */
export interface IDifference {
  readonly difference: number;
  /** Null where there are too few rounds to say. */
  readonly low: number | null;
  readonly high: number | null;
}

/** What an interval says about the difference. */
export type Verdict = 'faster' | 'slower' | 'no-difference' | 'unknown';

/** The fewest rounds that give an interval. */
export const MIN_ROUNDS = 5;

/**
 * Quantile by linear interpolation between order statistics (type 7 of Hyndman and Fan, the default of NumPy and R).
 *
 * @param sorted - at least one number, ascending.
 */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const position = (sorted.length - 1) * share;
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (position - below);
}

/** Median of at least one number. */
export function median(samples: ArrayLike<number>): number {
  return quantile(Float64Array.from(samples).sort(), 0.5);
}

/** Median and quartiles of at least one number. */
export function spreadOf(samples: ArrayLike<number>): ISpread {
  const sorted = Float64Array.from(samples).sort();
  return {
    median: quantile(sorted, 0.5),
    low: quantile(sorted, 0.25),
    high: quantile(sorted, 0.75)
  };
}

/**
 * Median of `samples` over median of `baseline`, with a 95 % bootstrap interval.
 *
 * #### Notes
 * Both lists are of the same rounds, in order: sample `i` of either was taken in round `i`. Whole rounds are resampled, so what
 * disturbed a round disturbs both sides of the ratio. The interval is the percentile interval, its ends widened by
 * the small-sample factor `sqrt(n / (n - 1))` in log space, since the percentile interval alone is a little narrow for few
 * rounds. The same samples give the same interval: the resampling is seeded.
 */
export function ratioOfMedians(
  samples: ArrayLike<number>,
  baseline: ArrayLike<number>,
  options: IResampling = {}
): IRatio {
  const ratio = median(samples) / median(baseline);
  const resampled = resampleMedians(samples, baseline, options);
  if (resampled === null) {
    return { ratio, low: null, high: null };
  }
  const { medians, baselines, widen } = resampled;
  const ratios = medians.map((value, i) => value / baselines[i]).sort();
  const end = (share: number): number => ratio * (quantile(ratios, share) / ratio) ** widen;
  return { ratio, low: end(0.025), high: end(0.975) };
}

/**
 * Median of `samples` less median of `baseline`, with a 95 % bootstrap interval: as {@link ratioOfMedians}, widened on the scale of
 * the samples.
 */
export function differenceOfMedians(
  samples: ArrayLike<number>,
  baseline: ArrayLike<number>,
  options: IResampling = {}
): IDifference {
  const difference = median(samples) - median(baseline);
  const resampled = resampleMedians(samples, baseline, options);
  if (resampled === null) {
    return { difference, low: null, high: null };
  }
  const { medians, baselines, widen } = resampled;
  const differences = medians.map((value, i) => value - baselines[i]).sort();
  const end = (share: number): number =>
    difference + (quantile(differences, share) - difference) * widen;
  return { difference, low: end(0.025), high: end(0.975) };
}

/** How medians are resampled. */
interface IResampling {
  readonly resamples?: number;
  readonly seed?: number;
}

/** Medians of both lists over resampled rounds, and the small-sample factor; null where there are too few rounds. */
function resampleMedians(
  samples: ArrayLike<number>,
  baseline: ArrayLike<number>,
  options: IResampling
): { medians: Float64Array; baselines: Float64Array; widen: number } | null {
  const rounds = Math.min(samples.length, baseline.length);
  if (rounds < MIN_ROUNDS) {
    return null;
  }
  const resamples = options.resamples ?? 2000;
  const random = uniform(options.seed ?? 0);
  const medians = new Float64Array(resamples);
  const baselines = new Float64Array(resamples);
  const a = new Resampled(samples, rounds);
  const b = new Resampled(baseline, rounds);
  for (let k = 0; k < resamples; k++) {
    for (let i = 0; i < rounds; i++) {
      const round = Math.floor(random() * rounds);
      a.draw(round);
      b.draw(round);
    }
    medians[k] = a.takeMedian();
    baselines[k] = b.takeMedian();
  }
  return { medians, baselines, widen: Math.sqrt(rounds / (rounds - 1)) };
}

/** What an interval of a ratio to the baseline says. */
export function verdictOf(ratio: IRatio): Verdict {
  if (ratio.low === null || ratio.high === null) {
    return 'unknown';
  }
  if (ratio.high < 1) {
    return 'faster';
  }
  return ratio.low > 1 ? 'slower' : 'no-difference';
}

/** Samples drawn with repetition, counted by rank: their median takes one walk instead of a sort. */
class Resampled {
  constructor(
    samples: ArrayLike<number>,
    private readonly _size: number
  ) {
    const order = Array.from({ length: _size }, (_, i) => i).sort(
      (i, j) => samples[i] - samples[j]
    );
    this._sorted = Float64Array.from(order, i => samples[i]);
    this._ranks = new Uint32Array(_size);
    order.forEach((i, rank) => (this._ranks[i] = rank));
    this._counts = new Uint32Array(_size);
  }

  draw(round: number): void {
    this._counts[this._ranks[round]]++;
  }

  /** Median of as many draws as there are samples; starts anew. */
  takeMedian(): number {
    const lower = this._at((this._size - 1) >> 1);
    const upper = this._at(this._size >> 1);
    this._counts.fill(0);
    return (lower + upper) / 2;
  }

  /** The draw at a position of the sorted draws. */
  private _at(position: number): number {
    let rank = 0;
    for (let seen = this._counts[0]; seen <= position; seen += this._counts[rank]) {
      rank++;
    }
    return this._sorted[rank];
  }

  private readonly _sorted: Float64Array;
  private readonly _ranks: Uint32Array;
  private readonly _counts: Uint32Array;
}
