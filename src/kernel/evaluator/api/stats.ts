/**
 * Weight statistics in cells.
 *
 * @packageDocumentation
 */
import type { Table } from 'apache-arrow';
import type { IFinding, StatsColumn } from '../../../protocol';
import { formatSizes, STATS_COLUMNS } from '../../../protocol';
import type { IDisplayable } from '../display';
import { DISPLAY } from '../display';
import type { ITable } from './table';
import { tableBundle } from './table';
import { findingText } from './views';

/** One tensor. */
export type StatsRow = Readonly<Record<StatsColumn, unknown>>;

/** The statistics of a model's weights, one row per tensor. */
export class WeightStats implements IDisplayable {
  /** Read the Arrow IPC stream the engine made. Arrow is loaded with the first one. */
  static async read(stream: Uint8Array, findings: readonly IFinding[]): Promise<WeightStats> {
    const { tableFromIPC } = await import('apache-arrow');
    return new WeightStats(tableFromIPC(stream), findings);
  }

  private constructor(
    /** All columns, as an Arrow table. */
    readonly table: Table,
    /** What only the values of weights show. */
    readonly findings: readonly IFinding[]
  ) {}

  /** Number of tensors. */
  get length(): number {
    return this.table.numRows;
  }

  /** A tensor by position or name; sizes and counts as numbers. */
  get(key: number | string): StatsRow | null {
    const index = typeof key === 'number' ? key : this._indexOf(key);
    return index < 0 || index >= this.length ? null : this._row(index);
  }

  /** All tensors. */
  toArray(): StatsRow[] {
    return Array.from({ length: this.length }, (_, index) => this._row(index));
  }

  *[Symbol.iterator](): Iterator<StatsRow> {
    for (let index = 0; index < this.length; index++) {
      yield this._row(index);
    }
  }

  [DISPLAY]() {
    const shown = Math.min(this.length, SHOWN_ROWS);
    const columns = STATS_COLUMNS.filter(({ name }) => name !== 'exponents');
    const rows = Array.from({ length: shown }, (_, index) => {
      const row = this._row(index);
      return columns.map(({ name }) => cellText(row[name]));
    });
    const table: ITable = {
      title: [`Statistics of ${this.length} tensors`],
      columns: columns.map(({ label }, i) => ({ label, numeric: i > 3 })),
      rows,
      notes: [
        ...(shown < this.length ? [`${this.length - shown} more rows in .toArray()`] : []),
        ...this.findings.map(findingText)
      ]
    };
    return tableBundle(table);
  }

  private _indexOf(name: string): number {
    const names = this.table.getChild('name');
    return Array.from({ length: this.length }, (_, i) => String(names?.get(i))).indexOf(name);
  }

  private _row(index: number): StatsRow {
    const row: Partial<Record<StatsColumn, unknown>> = {};
    for (const { name } of STATS_COLUMNS) {
      row[name] = plain(this.table.getChild(name)?.get(index));
    }
    return row as StatsRow;
  }
}

/** How many rows are shown. */
const SHOWN_ROWS = 50;

/** Arrow's values as plain ones: 64-bit integers as numbers, vectors as arrays. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') {
    return Number(value);
  }
  if (typeof value === 'object' && value !== null && Symbol.iterator in value) {
    return Array.from(value as Iterable<unknown>, plain);
  }
  return value;
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) {
    return '';
  }
  if (Array.isArray(value)) {
    return formatSizes(value as number[]);
  }
  return typeof value === 'number' && !Number.isInteger(value)
    ? value.toPrecision(5)
    : String(value);
}
