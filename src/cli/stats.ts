/**
 * Weight statistics for a terminal: the Arrow table as rows.
 *
 * @packageDocumentation
 */
import { tableFromIPC } from 'apache-arrow';

import { formatSizes, STATS_COLUMNS } from '../protocol';
import { table } from './text';

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

/** The columns that fit a terminal. */
export function statsText(rows: readonly StatsRow[]): string {
  const columns = STATS_COLUMNS.filter(({ name }) => name !== 'exponents' && name !== 'module');
  return table(
    columns.map(({ label }) => label),
    rows.map(row => columns.map(({ name }) => cellText(row[name])))
  );
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
