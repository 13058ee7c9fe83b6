/**
 * Exponent histograms, made fit to draw.
 *
 * @packageDocumentation
 */
import { EXPONENT_BINS } from '../../protocol';

/** A run of bins, both ends included. */
export interface IBinRange {
  readonly first: number;
  readonly last: number;
}

/** Bins of the exponents that are normal in float16: 2^-14 to 2^15. */
export const FLOAT16_BINS: IBinRange = { first: 127 - 14, last: 127 + 15 };

/**
 * The bins that any of `histograms` uses, so that all rows share one scale.
 *
 * #### Notes
 * Bin 0 holds zeros, which say nothing of magnitudes, and the last one infinities and NaN: both have columns of their own
 * and are left out. Without any other element the range is that of float16.
 */
export function usedBins(histograms: Iterable<Uint32Array>): IBinRange {
  let first = EXPONENT_BINS;
  let last = -1;
  for (const counts of histograms) {
    for (let bin = 1; bin < EXPONENT_BINS - 1; bin++) {
      if (counts[bin] > 0) {
        first = Math.min(first, bin);
        last = Math.max(last, bin);
      }
    }
  }
  return last < 0 ? FLOAT16_BINS : { first, last };
}

/**
 * Heights of at most `limit` bars over `range`, the highest bar being 1.
 *
 * #### Notes
 * Where there are more bins than bars, neighbouring bins are added up; every bin goes to exactly one bar. Bars that hold
 * anything at all are at least `floor` high, so that a few outliers stay visible.
 */
export function barHeights(
  counts: Uint32Array,
  range: IBinRange,
  limit: number,
  floor = 0
): number[] {
  const bins = range.last - range.first + 1;
  const bars = Math.max(1, Math.min(bins, Math.floor(limit)));
  const sums = new Array<number>(bars).fill(0);
  for (let i = 0; i < bins; i++) {
    sums[Math.floor((i * bars) / bins)] += counts[range.first + i];
  }
  const highest = Math.max(...sums);
  return sums.map(sum => (sum === 0 ? 0 : Math.max(floor, sum / highest)));
}

/** Where `bin` begins inside `range`, as a share of its width; null outside it. */
export function binPosition(bin: number, range: IBinRange): number | null {
  const bins = range.last - range.first + 1;
  const position = (bin - range.first) / bins;
  return position > 0 && position < 1 ? position : null;
}
