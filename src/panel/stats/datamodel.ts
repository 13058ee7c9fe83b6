/**
 * The statistics as a datagrid wants them.
 *
 * @packageDocumentation
 */
// eslint-disable-next-line jupyter/prefer-lazy-imports -- this module is itself loaded on demand
import { DataModel } from '@lumino/datagrid';
import type { StatsColumn } from '../../protocol';
import { bodyColumns } from './table';
import type { IStatsColumn, IStatsTable, StatsValue } from './table';

/** An order of the rows: that of the file, or by one column. */
export interface ISortOrder {
  readonly column: StatsColumn | null;
  readonly descending: boolean;
}

/** Rows in the order the user asked for. */
export class StatisticsModel extends DataModel {
  constructor(table: IStatsTable) {
    super();
    this._table = table;
    this.columns = bodyColumns(table);
    this._order = Uint32Array.from({ length: table.rows }, (_, i) => i);
  }

  /** Columns of the body. */
  readonly columns: readonly IStatsColumn[];

  override rowCount(region: DataModel.RowRegion): number {
    return region === 'body' ? this._table.rows : 1;
  }

  override columnCount(region: DataModel.ColumnRegion): number {
    return region === 'body' ? this.columns.length : 1;
  }

  override data(region: DataModel.CellRegion, row: number, column: number): StatsValue {
    switch (region) {
      case 'corner-header':
        return this._table.columns[0].label;
      case 'column-header':
        return this.columns[column].label;
      case 'row-header':
        return this._table.value('name', this._order[row]);
      case 'body':
        return this._table.value(this.columns[column].name, this._order[row]);
    }
  }

  override metadata(
    region: DataModel.CellRegion,
    _row: number,
    column: number
  ): DataModel.Metadata {
    const isBody = region === 'body' || region === 'column-header';
    return { name: isBody ? this.columns[column].name : 'name' };
  }

  /**
   * Order the rows. Missing values stand last in both directions; equal ones keep the order of the file.
   *
   * #### Complexity
   * n log n in rows.
   */
  sort({ column, descending }: ISortOrder): void {
    const order = Array.from({ length: this._table.rows }, (_, i) => i);
    if (column !== null) {
      const keys = order.map(row => sortKey(this._table.value(column, row)));
      const sign = descending ? -1 : 1;
      order.sort((a, b) => compareKeys(keys[a], keys[b], sign) || a - b);
    }
    this._order = Uint32Array.from(order);
    for (const [region, columnSpan] of [
      ['body', this.columns.length],
      ['row-header', 1]
    ] as const) {
      this.emitChanged({
        type: 'cells-changed',
        region,
        row: 0,
        column: 0,
        rowSpan: this._table.rows,
        columnSpan
      });
    }
  }

  private _table: IStatsTable;
  private _order: Uint32Array;
}

/** Lists sort by the product of their items: a shape by its elements. */
function sortKey(value: StatsValue): string | number | null {
  if (value === null || typeof value === 'string' || typeof value === 'number') {
    return value;
  }
  let product = 1;
  for (const item of value) {
    product *= item;
  }
  return product;
}

function compareKeys(a: string | number | null, b: string | number | null, sign: number): number {
  if (a === null || b === null) {
    return a === b ? 0 : a === null ? 1 : -1;
  }
  if (typeof a === 'number' && typeof b === 'number') {
    return sign * (a - b);
  }
  return sign * String(a).localeCompare(String(b));
}
