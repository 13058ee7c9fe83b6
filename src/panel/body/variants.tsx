/**
 * The variants: what is planned for each, and what was measured.
 *
 * @packageDocumentation
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactNode } from 'react';
import { formatBytes, formatMs, formatRatio } from '../../protocol';
import type { ICompareResult, IForwardCasts, IVariant, IVariantResult } from '../../protocol';
import { CommandIDs } from '../commandids';
import { formatCount, formatRatioInterval, formatValue, NO_FIGURE } from '../format';
import type { VariantCache } from '../variants';
import { isCacheMode, plannedCasts, rowVariant, VARIANT_CACHES, variantKey } from '../variants';
import { describeCache, listVariant } from '../words';
import type { ISectionProps } from './sectionprops';
import { Chart } from './chart';
import { Section } from './section';
import type { IColumn } from './table';
import { Table } from './table';

/** One row: a cache mode or reference with the chosen passes and device. */
interface IVariantRow {
  readonly cache: VariantCache;
  readonly variant: IVariant;
  readonly selected: boolean;
  readonly planned: IForwardCasts | null;
  readonly result: IVariantResult | null;
  /** Why the row could not be run. */
  readonly failure: string | null;
}

/** Chart and table of the last comparison; before it, the table of what is planned. */
export function Variants({ state, trans, execute }: ISectionProps) {
  const { info, compare, variant, selected, plans } = state;
  if (info === null) {
    return null;
  }
  const rows = VARIANT_CACHES.map((cache): IVariantRow => {
    const row = rowVariant(cache, variant);
    return {
      cache,
      variant: row,
      selected: selected.includes(cache),
      planned: plannedCasts(info, plans, row),
      result: compare?.variants.find(result => result.cache === cache) ?? null,
      failure: compare?.failed.find(failed => failed.variant.cache === cache)?.message ?? null
    };
  });
  return (
    <Section
      name="variants"
      title={trans.__('Variants')}
      about={
        compare
          ? trans.__('executed: %1', compare.runtime)
          : trans.__('planned; Compare runs the ticked ones')
      }
    >
      {compare && compare.variants.length > 0 ? <Chart compare={compare} trans={trans} /> : null}
      <Table
        label={trans.__('Variants')}
        trans={trans}
        rows={rows}
        rowKey={row => row.cache}
        isCurrent={row => row.cache === variant.cache}
        columns={columns(trans, execute, rows)}
      />
      {compare ? <Caption compare={compare} variant={variant} trans={trans} /> : null}
    </Section>
  );
}

function columns(
  trans: TranslationBundle,
  execute: ISectionProps['execute'],
  rows: readonly IVariantRow[]
): IColumn<IVariantRow>[] {
  const onDevice = rows.some(row => (row.result?.memory.deviceBytes ?? null) !== null);
  const planned: IColumn<IVariantRow>[] = [
    {
      name: 'cache',
      label: trans.__('Cache'),
      header: true,
      cell: row => (
        <label className="castlens-Variant" title={describeCache(row.cache, trans)}>
          <input
            type="checkbox"
            checked={row.selected}
            onChange={() => execute(CommandIDs.toggleVariant, { cache: row.cache })}
          />
          {row.cache}
          {isCacheMode(row.cache) ? null : (
            <span className="castlens-Table-note">{trans.__('reference')}</span>
          )}
        </label>
      )
    },
    {
      name: 'planned',
      label: trans.__('Planned casts'),
      about: trans.__('Weight casts of one forward in the graph handed to the runtime'),
      numeric: true,
      cell: row =>
        row.result
          ? row.result.plannedWeightCasts === null
            ? NO_FIGURE
            : formatCount(row.result.plannedWeightCasts)
          : row.planned
            ? formatCount(row.planned.weightCasts)
            : NO_FIGURE
    },
    {
      name: 'moved',
      label: trans.__('Moved'),
      about: trans.__('Planned: bytes read plus bytes written by the weight casts of one forward'),
      numeric: true,
      cell: row =>
        row.result
          ? memory(row.result.plannedBytesMoved)
          : row.planned
            ? formatBytes(row.planned.bytesMoved)
            : NO_FIGURE
    }
  ];
  const figure =
    (format: (result: IVariantResult) => ReactNode): IColumn<IVariantRow>['cell'] =>
    row =>
      row.result ? format(row.result) : NO_FIGURE;
  return [
    planned[0],
    {
      name: 'median',
      label: trans.__('Median, ms'),
      about: trans.__('Executed: median wall time of one forward'),
      numeric: true,
      cell: row =>
        row.result ? (
          bareMs(row.result.medianMs)
        ) : row.failure ? (
          <span className="castlens-Table-failure" title={row.failure}>
            {trans.__('failed')}
          </span>
        ) : (
          NO_FIGURE
        )
    },
    {
      name: 'quartiles',
      label: trans.__('Quartiles, ms'),
      about: trans.__('Executed: first to third quartile'),
      numeric: true,
      cell: figure(result => `${bareMs(result.lowMs)}–${bareMs(result.highMs)}`)
    },
    {
      name: 'ratio',
      label: trans.__('Ratio (95 %)'),
      about: trans.__('Median over that of off, with its 95 % confidence interval'),
      numeric: true,
      cell: figure(result => <Ratio result={result} trans={trans} />)
    },
    planned[1],
    {
      name: 'executed',
      label: trans.__('Executed casts'),
      about: trans.__('Weight casts counted in the runtime’s profile of one forward'),
      numeric: true,
      cell: figure(result =>
        result.executedWeightCasts === result.plannedWeightCasts ? (
          formatCount(result.executedWeightCasts)
        ) : (
          <span
            className="castlens-Table-warning"
            title={trans.__('Executed and planned weight casts differ')}
          >
            ⚠ {formatCount(result.executedWeightCasts)}
          </span>
        )
      )
    },
    {
      name: 'identical',
      label: trans.__('Output bits'),
      about: trans.__('Executed: whether all outputs are bit-identical to those of off'),
      cell: figure(result => <Bits result={result} trans={trans} />)
    },
    planned[2],
    {
      name: 'load',
      label: trans.__('Load, ms'),
      about: trans.__('Executed: session creation, weight conversion included'),
      numeric: true,
      cell: figure(result => bareMs(result.loadMs))
    },
    {
      name: 'weights',
      label: trans.__('Weights'),
      about: trans.__('Bytes of the weights the session refers to'),
      numeric: true,
      cell: figure(result => memory(result.weightBytes))
    },
    {
      name: 'host-memory',
      label: trans.__('Memory'),
      about: trans.__(
        'Executed: what the process gained while this variant was loaded and first run, pages of mapped files not counted'
      ),
      numeric: true,
      cell: figure(result => memory(result.memory.hostBytes))
    },
    ...(onDevice
      ? [
          {
            name: 'device-memory',
            label: trans.__('Device memory'),
            about: trans.__(
              'Executed: what the process gained while this variant was loaded and first run; the first one brings the context of CUDA along'
            ),
            numeric: true,
            cell: figure(result => memory(result.memory.deviceBytes))
          }
        ]
      : [])
  ];
}

function memory(bytes: number | null): string {
  return bytes === null ? NO_FIGURE : formatBytes(bytes);
}

/** Milliseconds without the unit, which stands in the column's header. */
function bareMs(ms: number): string {
  return formatMs(ms).replace(' ms', '');
}

function Ratio({ result, trans }: { result: IVariantResult; trans: TranslationBundle }) {
  if (result.cache === 'off') {
    return <>{formatRatio(result.ratioToOff ?? 1)}</>;
  }
  return (
    <>
      {result.verdict === 'no-difference' ? (
        <span
          className="castlens-Table-note"
          title={trans.__('The interval holds 1: the difference is inside the noise')}
        >
          {trans.__('no difference')}{' '}
        </span>
      ) : null}
      {formatRatioInterval(result)}
    </>
  );
}

function Bits({ result, trans }: { result: IVariantResult; trans: TranslationBundle }) {
  if (result.cache === 'off') {
    return <span className="castlens-Table-note">{trans.__('baseline')}</span>;
  }
  switch (result.bitIdenticalToOff) {
    case null:
      return <>{NO_FIGURE}</>;
    case true:
      return <>{trans.__('identical')}</>;
    case false:
      return (
        <span
          className={isCacheMode(result.cache) ? 'castlens-Table-warning' : undefined}
          title={trans.__('Largest difference, relative to the largest output of off')}
        >
          {trans.__('differ by %1', formatValue(result.maxRelativeDifferenceToOff))}
        </span>
      );
  }
}

function Caption({
  compare,
  variant,
  trans
}: {
  compare: ICompareResult;
  variant: IVariant;
  trans: TranslationBundle;
}) {
  const measured = compare.variants.find(result => isCacheMode(result.cache));
  const same =
    measured === undefined ||
    variantKey(measured) === variantKey(rowVariant(measured.cache, variant));
  return (
    <>
      {compare.failed.map(failed => (
        <p key={variantKey(failed.variant)} className="castlens-Variants-failure">
          {trans.__('%1 could not be run: %2', failed.variant.cache, failed.message)}
        </p>
      ))}
      {same ? null : (
        <p className="castlens-Variants-stale" role="note">
          {trans.__(
            'Measured with %1. Compare again to measure with %2.',
            listVariant(measured, trans),
            listVariant(variant, trans)
          )}
        </p>
      )}
      <p className="castlens-Caption">
        {trans.__(
          '%1 forwards each, interleaved, after %2 to warm up; inputs: %3; %4.',
          formatCount(compare.runs),
          formatCount(compare.warmup),
          compare.inputs,
          compare.machine
        )}{' '}
        {trans.__('Dot: median. Bar: first to third quartile. Ratio: to off, below 1 is faster.')}
      </p>
    </>
  );
}
