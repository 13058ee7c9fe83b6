/**
 * Medians and quartiles of a comparison, drawn.
 *
 * @packageDocumentation
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import {
  formatMs,
  formatOverrides,
  formatRatio,
  isOff,
  modeOf,
  RUNTIME_LABELS,
  runtimeOf
} from '../../protocol';
import type { ICompareResult, IVariantResult } from '../../protocol';
import { layoutChart } from '../chartlayout';
import { formatQuartiles } from '../format';
import { variantKey } from '../variants';

/** What the chart shows. */
export interface IChartProps {
  readonly compare: ICompareResult;
  readonly trans: TranslationBundle;
}

const percent = (share: number) => `${(share * 100).toFixed(3)}%`;

/**
 * One row per variant: a dot at the median, a bar from the first to the third quartile, a faint mark per forward.
 *
 * #### Notes
 * Positions are shares of the width, so nothing is drawn anew when the panel is resized. The table beside it says the
 * same in words; to assistive technology the chart is one image with a summary. Overridden regions are those of all rows but
 * `float32`.
 */
export function Chart({ compare, trans }: IChartProps) {
  const { rows, ticks } = layoutChart(compare.variants);
  const baseline = rows.find(row => isOff(row.result)) ?? rows[0];
  const isOfTorch = compare.variants.some(result => runtimeOf(result) !== 'onnxruntime');
  const label = (result: IVariantResult) =>
    isOfTorch ? `${RUNTIME_LABELS[runtimeOf(result)]} ${modeOf(result)}` : result.cache;
  const overrides = formatOverrides(
    compare.variants.find(({ regions }) => regions !== undefined)?.regions
  );
  const medians = compare.variants
    .map(v =>
      trans.__(
        '%1: median %2, quartiles %3',
        label(v),
        formatMs(v.medianMs),
        formatQuartiles(v.lowMs, v.highMs)
      )
    )
    .join('; ');
  const note = overrides === '' ? null : trans.__('Regions overridden: %1', overrides);
  return (
    <figure
      className="castlens-Chart"
      data-wide={isOfTorch ? 'true' : undefined}
      role="img"
      aria-label={note === null ? medians : `${medians}; ${note}`}
    >
      {note === null ? null : (
        <figcaption className="castlens-Caption" aria-hidden="true">
          {note}
        </figcaption>
      )}
      <div className="castlens-Chart-rows" aria-hidden="true">
        {rows.map(({ result, low, median, high, samples }) => (
          <div className="castlens-Chart-row" key={variantKey(result)} data-cache={label(result)}>
            <span className="castlens-Chart-label">{label(result)}</span>
            <svg className="castlens-Chart-plot" width="100%" height="22">
              {ticks.map(tick => (
                <line
                  key={tick.valueMs}
                  className="castlens-Chart-grid"
                  x1={percent(tick.position)}
                  x2={percent(tick.position)}
                  y1="0"
                  y2="22"
                />
              ))}
              <line
                className="castlens-Chart-baseline"
                x1={percent(baseline.median)}
                x2={percent(baseline.median)}
                y1="0"
                y2="22"
              />
              {samples.map((sample, i) => (
                <line
                  key={i}
                  className="castlens-Chart-sample"
                  x1={percent(sample)}
                  x2={percent(sample)}
                  y1="7"
                  y2="15"
                />
              ))}
              <rect
                className="castlens-Chart-quartiles"
                x={percent(low)}
                width={percent(Math.max(0, high - low))}
                y="8"
                height="6"
              />
              <circle className="castlens-Chart-median" cx={percent(median)} cy="11" r="4" />
            </svg>
            <span className="castlens-Chart-value">{formatMs(result.medianMs)}</span>
            <span className="castlens-Chart-ratio">
              {result.ratioToOff === null ? '' : formatRatio(result.ratioToOff)}
            </span>
          </div>
        ))}
        <div className="castlens-Chart-row castlens-Chart-axis">
          <span className="castlens-Chart-label" />
          <div className="castlens-Chart-ticks">
            {ticks.map((tick, i) => (
              <span
                key={tick.valueMs}
                style={{ insetInlineStart: percent(tick.position) }}
                data-odd={i % 2 === 1 ? 'true' : undefined}
                data-last={i === ticks.length - 1 ? 'true' : undefined}
              >
                {tick.valueMs}
              </span>
            ))}
          </div>
          <span className="castlens-Chart-value">{trans.__('median, ms')}</span>
          <span className="castlens-Chart-ratio">{trans.__('ratio')}</span>
        </div>
      </div>
    </figure>
  );
}
