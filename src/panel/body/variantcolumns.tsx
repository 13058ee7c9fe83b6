/**
 * The columns of the table of variants.
 *
 * @packageDocumentation
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactNode } from 'react';
import {
  formatBytes,
  formatMs,
  formatRatio,
  isOff,
  RUNTIME_LABELS,
  runtimeOf
} from '../../protocol';
import type { ICompareResult, IForwardCasts, IVariantResult } from '../../protocol';
import { CommandIDs } from '../commandids';
import { formatCount, formatRatioInterval, formatValue, NO_FIGURE } from '../format';
import type { RowId } from '../runtimes';
import { modeOfRow, rowOf, runtimeOfRow } from '../runtimes';
import { isCacheMode } from '../variants';
import { describeRow } from '../words';
import type { ISectionProps } from './sectionprops';
import type { IColumn } from './table';

/** One row: a runtime and its mode. */
export interface IVariantRow {
  readonly id: RowId;
  readonly selected: boolean;
  /** Null for PyTorch, whose graphs castlens does not plan. */
  readonly planned: IForwardCasts | null;
  readonly result: IVariantResult | null;
  /** Why the row could not be run. */
  readonly failure: string | null;
}

/** The columns that these rows have something to say in. */
export function variantColumns(
  trans: TranslationBundle,
  execute: ISectionProps['execute'],
  rows: readonly IVariantRow[],
  compare: ICompareResult | null
): IColumn<IVariantRow>[] {
  const isOfTorch = rows.some(row => runtimeOfRow(row.id) !== 'onnxruntime');
  const baseline = referenceName(compare);
  const onDevice = rows.some(row => (row.result?.memory.deviceBytes ?? null) !== null);
  const planned: IColumn<IVariantRow>[] = [
    {
      name: 'cache',
      label: isOfTorch ? trans.__('Runtime, cache') : trans.__('Cache'),
      header: true,
      cell: row => (
        <label className="castlens-Variant" title={describeRow(row.id, trans)}>
          <input
            type="checkbox"
            checked={row.selected}
            onChange={() => execute(CommandIDs.toggleVariant, { cache: row.id })}
          />
          {isOfTorch ? (
            <span className="castlens-Variant-runtime">
              {RUNTIME_LABELS[runtimeOfRow(row.id)]}{' '}
            </span>
          ) : null}
          {modeOfRow(row.id)}
          {isReference(row.id) ? (
            <span className="castlens-Table-note">{trans.__('reference')}</span>
          ) : null}
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
  const columns: IColumn<IVariantRow>[] = [
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
      about: trans.__(
        'Median over that of off in the same runtime, with its 95 % confidence interval'
      ),
      numeric: true,
      cell: figure(result => <Ratio result={result} trans={trans} />)
    },
    planned[1],
    {
      name: 'executed',
      label: trans.__('Executed casts'),
      about: isOfTorch
        ? trans.__(
            'Weight casts of one forward; the tooltip of a figure says how they were counted'
          )
        : trans.__('Weight casts counted in the runtime’s profile of one forward'),
      numeric: true,
      cell: figure(result => <Executed result={result} trans={trans} />)
    },
    ...(isOfTorch
      ? [
          {
            name: 'at-load',
            label: trans.__('At load'),
            about: trans.__('Weight casts that run once, when a compiled package is loaded'),
            numeric: true,
            cell: figure(result =>
              result.castsAtLoad == null ? NO_FIGURE : formatCount(result.castsAtLoad)
            )
          }
        ]
      : []),
    {
      name: 'identical',
      label: trans.__('Output bits'),
      about: trans.__('Executed: whether all outputs are bit-identical to those of %1', baseline),
      cell: figure(result => (
        <Bits
          result={result}
          isBaseline={isOff(result) && runtimeOf(result) === compare?.outputsComparedWith}
          baseline={baseline}
          isExpected={
            compare?.outputsComparedWith !== 'onnxruntime' ||
            runtimeOf(result) !== 'onnxruntime' ||
            isReference(rowOf(result))
          }
          trans={trans}
        />
      ))
    },
    planned[2],
    ...(isOfTorch
      ? [
          {
            name: 'compile',
            label: trans.__('Compile, s'),
            about: trans.__(
              'Time of compiling; of a package that was kept, what it took when it was compiled'
            ),
            numeric: true,
            cell: figure(result =>
              result.compileMs == null ? NO_FIGURE : (result.compileMs / 1000).toFixed(1)
            )
          }
        ]
      : []),
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
  if (!isOfTorch) {
    return columns;
  }
  // What castlens plans says nothing of PyTorch: it stands behind what was measured.
  const isPlan = ({ name }: IColumn<IVariantRow>) => PLANNED.has(name);
  return [...columns.filter(column => !isPlan(column)), ...columns.filter(isPlan)];
}

/** Columns that rows of PyTorch leave empty. */
const PLANNED: ReadonlySet<string> = new Set(['planned', 'moved', 'load', 'weights']);

function memory(bytes: number | null): string {
  return bytes === null ? NO_FIGURE : formatBytes(bytes);
}

/** Milliseconds without the unit, which stands in the column's header. */
function bareMs(ms: number): string {
  return formatMs(ms).replace(' ms', '');
}

function Ratio({ result, trans }: { result: IVariantResult; trans: TranslationBundle }) {
  if (isOff(result)) {
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

function Executed({ result, trans }: { result: IVariantResult; trans: TranslationBundle }) {
  const { executedWeightCasts, plannedWeightCasts, executedBy } = result;
  const count = formatCount(executedWeightCasts);
  const warning =
    plannedWeightCasts !== null && executedWeightCasts !== plannedWeightCasts
      ? trans.__('Executed and planned weight casts differ')
      : null;
  return warning === null ? (
    <span title={executedBy}>{count}</span>
  ) : (
    <span className="castlens-Table-warning" title={warning}>
      ⚠ {count}
    </span>
  );
}

function Bits({
  result,
  isBaseline,
  baseline,
  isExpected,
  trans
}: {
  result: IVariantResult;
  isBaseline: boolean;
  baseline: string;
  /** Whether outputs may differ: runtimes add up in other orders. */
  isExpected: boolean;
  trans: TranslationBundle;
}) {
  if (isBaseline) {
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
          className={isExpected ? undefined : 'castlens-Table-warning'}
          title={trans.__('Largest difference, relative to the largest output of %1', baseline)}
        >
          {trans.__('differ by %1', formatValue(result.maxRelativeDifferenceToOff))}
        </span>
      );
  }
}

/** Whose outputs the others are compared with: `off`, `eager off`. */
function referenceName(compare: ICompareResult | null): string {
  const runtime = compare?.outputsComparedWith ?? 'onnxruntime';
  return runtime === 'onnxruntime' ? 'off' : `${RUNTIME_LABELS[runtime]} off`;
}

function isReference(row: RowId): boolean {
  return runtimeOfRow(row) === 'onnxruntime' && !isCacheMode(row);
}
