/**
 * The statistics table, read from Arrow.
 *
 * @packageDocumentation
 */
import { tableFromIPC } from 'apache-arrow';
import type { Vector } from 'apache-arrow';
import { ACTIVATION_COLUMNS, EXPONENT_BINS, STATS_COLUMNS } from '../../protocol';
import type { StatsColumn } from '../../protocol';

/** A cell: text, a figure, or nothing; sizes and exponents are arrays. */
export type StatsValue = string | number | null | readonly number[] | Uint32Array;

/** A column: its name, and what it says. */
export type IStatsColumn = (typeof ACTIVATION_COLUMNS)[number];

/** Statistics by row and column. */
export interface IStatsTable {
  readonly rows: number;
  /** The columns of the table, in the order of the schema. Weights lack those that only values have. */
  readonly columns: readonly IStatsColumn[];
  value(column: StatsColumn, row: number): StatsValue;
}

/**
 * Read an Arrow IPC stream.
 *
 * #### Notes
 * Columns stay as Arrow holds them; a cell is converted when it is asked for. 64-bit integers become numbers: they count
 * elements, which stay below 2^53.
 *
 * @throws where a column that every table has is missing.
 */
export function readStatistics(ipc: Uint8Array): IStatsTable {
  const table = tableFromIPC(ipc);
  const columns = new Map<StatsColumn, Vector>();
  for (const { name } of STATS_COLUMNS) {
    if (table.getChild(name) === null) {
      throw new Error(`The statistics have no column '${name}'`);
    }
  }
  const known = ACTIVATION_COLUMNS.filter(({ name }) => {
    const column = table.getChild(name);
    if (column !== null) {
      columns.set(name, column);
    }
    return column !== null;
  });
  return {
    rows: table.numRows,
    columns: known,
    value: (column, row) => convert(columns.get(column)?.get(row))
  };
}

/** The name stands in the row header; what tells most comes first, what is long and seldom looked at last. */
const FIRST: readonly StatsColumn[] = ['dtype', 'shape', 'count', 'exponents'];
const LAST: readonly StatsColumn[] = ['module'];

/** The columns of the grid's body, in its order. */
export function bodyColumns(table: IStatsTable): IStatsColumn[] {
  const named = (names: readonly StatsColumn[]) =>
    names.flatMap(name => table.columns.find(column => column.name === name) ?? []);
  const rest = table.columns.filter(
    ({ name }) => name !== 'name' && !FIRST.includes(name) && !LAST.includes(name)
  );
  return [...named(FIRST), ...rest, ...named(LAST)];
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
