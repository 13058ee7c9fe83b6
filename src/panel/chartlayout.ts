/**
 * Where the marks of the variants' chart stand.
 *
 * @packageDocumentation
 */
import type { IVariantResult } from '../protocol';

/** One variant's marks, as shares of the plot's width. */
export interface IChartRow {
  readonly result: IVariantResult;
  /** First quartile, median, third quartile. */
  readonly low: number;
  readonly median: number;
  readonly high: number;
  /** Every timed forward inside the plot. */
  readonly samples: readonly number[];
}

/** A mark of the scale. */
export interface IChartTick {
  readonly position: number;
  readonly valueMs: number;
}

/** A laid-out chart. */
export interface IChart {
  readonly rows: readonly IChartRow[];
  readonly ticks: readonly IChartTick[];
}

/** Samples drawn per row: more would only overlap. */
const SAMPLE_LIMIT = 100;

/**
 * Lay out a chart with its scale at zero, so that lengths compare as ratios do.
 *
 * #### Notes
 * The scale ends at a round value above the largest third quartile; single forwards beyond it are left out. Linear in the
 * number of samples.
 */
export function layoutChart(results: readonly IVariantResult[]): IChart {
  const largest = results.reduce((max, r) => Math.max(max, r.highMs, r.medianMs), 0);
  const step = niceStep(largest);
  const end = Math.max(step, Math.ceil((largest * 1.02) / step) * step);
  const ticks: IChartTick[] = [];
  for (let i = 0; i * step <= end + step / 2; i++) {
    ticks.push({ position: (i * step) / end, valueMs: Number((i * step).toPrecision(6)) });
  }
  return {
    ticks,
    rows: results.map(result => {
      const stride = Math.max(1, Math.ceil(result.samplesMs.length / SAMPLE_LIMIT));
      return {
        result,
        low: result.lowMs / end,
        median: result.medianMs / end,
        high: result.highMs / end,
        samples: result.samplesMs
          .filter((ms, i) => i % stride === 0 && ms <= end)
          .map(ms => ms / end)
      };
    })
  };
}

/** A step of 1, 2 or 5 times a power of ten that divides `largest` into three to six parts. */
function niceStep(largest: number): number {
  if (!(largest > 0)) {
    return 1;
  }
  const raw = largest / 5;
  const power = 10 ** Math.floor(Math.log10(raw));
  const factor = [1, 2, 5, 10].find(f => f * power >= raw) ?? 10;
  return factor * power;
}
