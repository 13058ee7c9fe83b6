/**
 * The statistics table, read from Arrow.
 *
 * @packageDocumentation
 */
import { tableFromIPC } from 'apache-arrow';
import type { Vector } from 'apache-arrow';
import { EXPONENT_BINS, STATS_COLUMNS } from '../../protocol';
import type { StatsColumn } from '../../protocol';

/** A cell: text, a figure, or nothing; sizes and exponents are arrays. */
export type StatsValue = string | number | null | readonly number[] | Uint32Array;

/** Statistics by row and column. */
export interface IStatsTable {
  readonly rows: number;
  value(column: StatsColumn, row: number): StatsValue;
}

/**
 * Read an Arrow IPC stream.
 *
 * #### Notes
 * Columns stay as Arrow holds them; a cell is converted when it is asked for. 64-bit integers become numbers: they count
 * elements, which stay below 2^53.
 *
 * @throws where a column of the schema is missing.
 */
export function readStatistics(ipc: Uint8Array): IStatsTable {
  const table = tableFromIPC(ipc);
  const columns = new Map<StatsColumn, Vector>();
  for (const { name } of STATS_COLUMNS) {
    const column = table.getChild(name);
    if (column === null) {
      throw new Error(`The statistics have no column '${name}'`);
    }
    columns.set(name, column);
  }
  return {
    rows: table.numRows,
    value: (column, row) => convert(columns.get(column)?.get(row))
  };
}

function convert(value: unknown): StatsValue {
  switch (typeof value) {
    case 'bigint':
      return Number(value);
    case 'number':
    case 'string':
      return value;
    case 'object':
      return value === null ? null : convertList(value);
    default:
      return null;
  }
}

function convertList(value: object): StatsValue {
  const { toArray } = value as { toArray?: () => ArrayLike<number | bigint> };
  if (toArray === undefined) {
    return null;
  }
  const items = toArray.call(value);
  return items instanceof Uint32Array && items.length === EXPONENT_BINS
    ? items
    : Array.from(items, Number);
}
