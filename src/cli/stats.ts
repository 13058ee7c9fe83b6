/**
 * Weight statistics for a terminal: the Arrow table as rows.
 *
 * @packageDocumentation
 */
import { tableFromIPC } from 'apache-arrow';

import type { IFinding } from '../protocol';
import { formatSizes, STATS_COLUMNS } from '../protocol';
import { findingLines, table } from './text';

/** One weight, by column name. The exponent histogram is an array of counts. */
export type StatsRow = Readonly<Record<string, string | number | null | readonly number[]>>;

/** Rows of the table, with integers as numbers. */
export function statsRows(bytes: Uint8Array): StatsRow[] {
  const arrow = tableFromIPC(bytes);
  const rows: StatsRow[] = [];
  for (const row of arrow) {
    const plain: Record<string, StatsRow[string]> = {};
    for (const { name } of STATS_COLUMNS) {
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
  if (typeof value === 'string' || typeof value === 'number') {
    return value;
  }
  if (typeof value === 'bigint') {
    return Number(value);
  }
  return Array.from(value as Iterable<number | bigint>, Number);
}
