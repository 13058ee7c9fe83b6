/**
 * Statistics of weights and of computed values in cells.
 *
 * @packageDocumentation
 */
import type { Table } from 'apache-arrow';
import type { IActivationStatsResult, IFinding, StatsColumn } from '../../../protocol';
import {
  ACTIVATION_COLUMNS,
  formatMs,
  formatRatio,
  formatSizes,
  formatSkipped
} from '../../../protocol';
import type { IDisplayable } from '../display';
import { DISPLAY } from '../display';
import type { ITable } from './table';
import { tableBundle } from './table';
import { findingText } from './views';

/** One tensor; columns that only activations have are missing from rows of weights. */
export type StatsRow = Readonly<Partial<Record<StatsColumn, unknown>>>;

/** The statistics of a model's weights or of the values that a forward computes, one row per tensor. */
export class TensorStats implements IDisplayable {
  /**
   * Read the Arrow IPC stream the engine made. Arrow is loaded with the first one.
   *
   * @param about - for activations: what was run, and what it cost.
   */
  static async read(
    stream: Uint8Array,
    findings: readonly IFinding[],
    about: IActivationStatsResult | null = null
  ): Promise<TensorStats> {
    const { tableFromIPC } = await import('apache-arrow');
    return new TensorStats(tableFromIPC(stream), findings, about);
  }

  private constructor(
    /** All columns, as an Arrow table. */
    readonly table: Table,
    /** What only the values of weights show. */
    readonly findings: readonly IFinding[],
    /** What was run for these figures, and what it cost; null for weights, which are read from the file. */
    readonly about: IActivationStatsResult | null
  ) {
    this._columns = ACTIVATION_COLUMNS.filter(({ name }) => table.getChild(name) !== null);
  }

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
    const columns = this._columns.filter(({ name }) => name !== 'exponents');
    const rows = Array.from({ length: shown }, (_, index) => {
      const row = this._row(index);
      return columns.map(({ name }) => cellText(row[name]));
    });
    const table: ITable = {
      title: [`Statistics of ${this.length} tensors`],
      columns: columns.map(({ label, type }, i) => ({ label, numeric: i > 3 && type !== 'utf8' })),
      rows,
      notes: [
        ...(shown < this.length ? [`${this.length - shown} more rows in .toArray()`] : []),
        ...this.findings.map(findingText),
        ...(this.about === null ? [] : [costText(this.about), ...formatSkipped(this.about.skipped)])
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
    for (const { name } of this._columns) {
      row[name] = plain(this.table.getChild(name)?.get(index));
    }
    return row;
  }

  private readonly _columns: readonly (typeof ACTIVATION_COLUMNS)[number][];
}

function costText({ batches, cost }: IActivationStatsResult): string {
  const times = formatRatio(cost.probedMs / (cost.plainLoadMs + cost.plainMs));
  const runs = `${batches} ${batches === 1 ? 'run' : 'runs'}`;
  return `${runs} took ${formatMs(cost.probedMs)} with loading, ${times} of one plain forward`;
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
