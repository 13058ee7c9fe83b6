/**
 * Tables of tensor statistics as Arrow IPC streams.
 *
 * @packageDocumentation
 */
import type { Data, DataType } from 'apache-arrow';
import {
  Field,
  FixedSizeList,
  Float64,
  Int64,
  List,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  tableToIPC,
  Uint32,
  Utf8,
  vectorFromArray
} from 'apache-arrow';

import { elementCount } from '../model';
import type { ITensorStats } from '../numerics';
import type { IDifference, IHeadroom } from '../probes';
import type { CommonStatsColumn, StatsColumn } from '../protocol';
import {
  ACTIVATION_COLUMNS,
  EXPONENT_BINS,
  STATS_COLUMNS,
  STATS_SCHEMA_VERSION,
  STATS_SCHEMA_VERSION_KEY
} from '../protocol';

/** A tensor and its statistics; null where its elements are no real numbers. */
export interface IStatsRow {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Path of the module that holds it, `''` for the root. */
  readonly module: string;
  readonly stats: ITensorStats | null;
}

/** A computed value and its statistics. */
export interface IActivationRow extends IStatsRow {
  /** Null where the value is nowhere held in a low-precision dtype. */
  readonly headroom: IHeadroom | null;
  /** Null where there is no reference to compare with. */
  readonly difference: IDifference | null;
}

/** Rows of weights as an Arrow IPC stream with the columns `STATS_COLUMNS`, in memory of its own. */
export function encodeStats(rows: readonly IStatsRow[]): Uint8Array {
  return encode(
    STATS_COLUMNS.map(({ name }) => name),
    commonColumns(rows)
  );
}

/** Rows of values as an Arrow IPC stream with the columns `ACTIVATION_COLUMNS`, in memory of its own. */
export function encodeActivationStats(rows: readonly IActivationRow[]): Uint8Array {
  const columns: Readonly<Record<StatsColumn, IColumn>> = {
    ...commonColumns(rows),
    limit_dtype: optionalText(rows.map(row => row.headroom?.dtype)),
    overflow_ratio: numbers(rows.map(row => row.headroom?.overflowRatio)),
    overflow_binades: numbers(rows.map(row => row.headroom?.overflowBinades)),
    subnormal_binades: numbers(rows.map(row => row.headroom?.subnormalBinades)),
    near_subnormal: numbers(rows.map(row => row.headroom?.nearSubnormal)),
    max_abs_error: numbers(rows.map(row => row.difference?.maxAbsError)),
    max_rel_error: numbers(rows.map(row => row.difference?.maxRelError)),
    max_element_rel_error: numbers(rows.map(row => row.difference?.maxElementRelError)),
    cosine: numbers(rows.map(row => row.difference?.cosine)),
    snr_db: numbers(rows.map(row => row.difference?.snrDb))
  };
  return encode(
    ACTIVATION_COLUMNS.map(({ name }) => name),
    columns
  );
}

function commonColumns(rows: readonly IStatsRow[]): Readonly<Record<CommonStatsColumn, IColumn>> {
  return {
    name: text(rows.map(row => row.name)),
    dtype: text(rows.map(row => row.dtype)),
    shape: sizes(rows.map(row => row.shape)),
    module: text(rows.map(row => row.module)),
    count: counts(rows.map(row => elementCount(row.shape))),
    min: numbers(rows.map(row => row.stats?.min)),
    max: numbers(rows.map(row => row.stats?.max)),
    mean: numbers(rows.map(row => row.stats?.mean)),
    std: numbers(rows.map(row => row.stats?.std)),
    zeros: counts(rows.map(row => row.stats?.zeros)),
    nan: counts(rows.map(row => row.stats?.nan)),
    inf: counts(rows.map(row => row.stats?.inf)),
    exponents: histograms(rows.map(row => row.stats?.exponents)),
    float16_overflow: numbers(rows.map(row => row.stats?.float16?.overflow)),
    float16_subnormal: numbers(rows.map(row => row.stats?.float16?.subnormal)),
    float16_vanish: numbers(rows.map(row => row.stats?.float16?.vanish)),
    bfloat16_overflow: numbers(rows.map(row => row.stats?.bfloat16?.overflow)),
    bfloat16_subnormal: numbers(rows.map(row => row.stats?.bfloat16?.subnormal)),
    bfloat16_vanish: numbers(rows.map(row => row.stats?.bfloat16?.vanish))
  };
}

function encode<K extends string>(
  names: readonly K[],
  columns: Readonly<Record<K, IColumn>>
): Uint8Array {
  const fields = names.map(name => {
    const { data, isNullable } = columns[name];
    return new Field<DataType>(name, data.type, isNullable);
  });
  const schema = new Schema(fields, new Map([[STATS_SCHEMA_VERSION_KEY, STATS_SCHEMA_VERSION]]));
  const children = names.map(name => columns[name].data);
  const struct = makeData({
    type: new Struct(fields),
    length: children[0].length,
    nullCount: 0,
    children
  });
  const bytes = tableToIPC(new Table(schema, [new RecordBatch(schema, struct)]), 'stream');
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
}

interface IColumn {
  readonly data: Data<DataType>;
  readonly isNullable: boolean;
}

type Optional<T> = T | null | undefined;

function text(values: readonly string[]): IColumn {
  return { ...optionalText(values), isNullable: false };
}

function optionalText(values: readonly Optional<string>[]): IColumn {
  const column = values.map(value => value ?? null);
  return { data: vectorFromArray(column, new Utf8()).data[0], isNullable: true };
}

function numbers(values: readonly Optional<number>[]): IColumn {
  const column = values.map(value => value ?? null);
  return { data: vectorFromArray(column, new Float64()).data[0], isNullable: true };
}

function counts(values: readonly Optional<number>[]): IColumn {
  const column = values.map(value => (value == null ? null : BigInt(value)));
  return { data: vectorFromArray(column, new Int64()).data[0], isNullable: true };
}

function sizes(shapes: readonly (readonly number[])[]): IColumn {
  const offsets = new Int32Array(shapes.length + 1);
  shapes.forEach((shape, i) => (offsets[i + 1] = offsets[i] + shape.length));
  const child = makeData({
    type: new Int64(),
    data: BigInt64Array.from(shapes.flat(), BigInt)
  });
  const data = makeData({
    type: new List(new Field('item', new Int64(), false)),
    length: shapes.length,
    nullCount: 0,
    valueOffsets: offsets,
    child
  });
  return { data, isNullable: false };
}

/** Histograms side by side; all zeros where there is none. */
function histograms(values: readonly Optional<Uint32Array>[]): IColumn {
  const bins = new Uint32Array(values.length * EXPONENT_BINS);
  values.forEach((histogram, i) => bins.set(histogram ?? [], i * EXPONENT_BINS));
  const data = makeData({
    type: new FixedSizeList(EXPONENT_BINS, new Field('item', new Uint32(), false)),
    length: values.length,
    nullCount: 0,
    child: makeData({ type: new Uint32(), data: bins })
  });
  return { data, isNullable: false };
}
