/**
 * Statistics for a terminal: the Arrow table as rows.
 *
 * @packageDocumentation
 */
import { tableFromIPC } from 'apache-arrow';

import type { IActivationStatsResult, IFinding, StatsColumn } from '../protocol';
import {
  ACTIVATION_COLUMNS,
  formatBytes,
  formatMs,
  formatRatio,
  formatSizes,
  formatSkipped,
  STATS_COLUMNS
} from '../protocol';
import { findingLines, table } from './text';

/** One tensor, by column name. The exponent histogram is an array of counts; what JSON has no number for is text. */
export type StatsRow = Readonly<Record<string, string | number | null | readonly number[]>>;

/** Rows of the table, with integers as numbers. */
export function statsRows(bytes: Uint8Array): StatsRow[] {
  const arrow = tableFromIPC(bytes);
  const rows: StatsRow[] = [];
  for (const row of arrow) {
    const plain: Record<string, StatsRow[string]> = {};
    for (const { name } of arrow.schema.fields) {
      plain[name] = plainValue(row[name]);
    }
    rows.push(plain);
  }
  return rows;
}

/** What `stats --json` prints. */
export interface IStatsReport {
  readonly weights: readonly StatsRow[];
  /** What only the values of weights show. */
  readonly findings: readonly IFinding[];
}

/** The columns that fit a terminal, and what was found. */
export function statsText({ weights, findings }: IStatsReport): string {
  const columns = STATS_COLUMNS.filter(({ name }) => name !== 'exponents' && name !== 'module');
  const rows = table(
    columns.map(({ label }) => label),
    weights.map(row => columns.map(({ name }) => cellText(row[name])))
  );
  return [rows, ...findingLines(findings)].join('\n');
}

/** Values for a terminal: the columns that tell of precision, then what it cost and what was left out. */
export function activationsText(
  stats: IActivationStatsResult & { readonly values: readonly StatsRow[] }
): string {
  const columns = ACTIVATION_COLUMNS.filter(({ name }) => SHOWN.includes(name));
  const rows = stats.values.map(row => columns.map(({ name }) => cellText(row[name])));
  const labels = columns.map(({ label }) => label);
  const figures = [table(labels, rows), probeCostText(stats)];
  return [
    `${stats.variant.cache}, ${stats.runtime}; inputs: ${stats.inputs}`,
    ...(rows.length > 0
      ? figures
      : ['There are no statistics of any value computed from the inputs']),
    ...formatSkipped(stats.skipped)
  ].join('\n');
}

const SHOWN: readonly StatsColumn[] = [
  'name',
  'dtype',
  'shape',
  'min',
  'max',
  'mean',
  'std',
  'nan',
  'inf',
  'limit_dtype',
  'overflow_binades',
  'near_subnormal',
  'max_abs_error',
  'max_rel_error',
  'cosine',
  'snr_db'
];

/** What probing cost beside a plain forward. */
export function probeCostText({ batches, cost }: IActivationStatsResult): string {
  const memory = (plain: number, probed: number): string =>
    `${formatBytes(probed)} (${formatRatio(probed / plain)} of a plain forward)`;
  const parts = [
    `${batches} ${batches === 1 ? 'run' : 'runs'} in ${formatMs(cost.probedMs)} with loading (${formatRatio(cost.probedMs / (cost.plainLoadMs + cost.plainMs))} of a plain forward with loading), all in ${formatMs(cost.totalMs)}`,
    `weights and values ${memory(cost.plainBytes, cost.probedBytes)}`
  ];
  if (cost.plainPeakRssBytes !== null && cost.probedPeakRssBytes !== null) {
    parts.push(`process at most ${memory(cost.plainPeakRssBytes, cost.probedPeakRssBytes)}`);
  }
  return parts.join('; ');
}

function cellText(value: StatsRow[string]): string {
  if (value === null) {
    return '';
  }
  if (typeof value === 'number') {
    return String(Number(value.toPrecision(5)));
  }
  return typeof value === 'string' ? value : formatSizes(value);
}

function plainValue(value: unknown): StatsRow[string] {
  if (value === null || value === undefined) {
    return null;
  }
  if (typeof value === 'number') {
    return Number.isFinite(value) ? value : String(value);
  }
  if (typeof value === 'string') {
    return value;
  }
  if (typeof value === 'bigint') {
    return Number(value);
  }
  return Array.from(value as Iterable<number | bigint>, Number);
}
