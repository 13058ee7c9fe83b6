/**
 * Statistics of all weights of a model as an Arrow table.
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

import { storedBytes, weightKey } from '../autocast';
import type { IExportedModel, IWeight } from '../model';
import { DTYPES, elementCount } from '../model';
import type { ITensorStats } from '../numerics';
import { hasStats, TensorStats } from '../numerics';
import type { StatsColumn } from '../protocol';
import {
  EXPONENT_BINS,
  STATS_COLUMNS,
  STATS_SCHEMA_VERSION,
  STATS_SCHEMA_VERSION_KEY
} from '../protocol';
import type { IJob } from '../runtime';
import { breathe, readElements } from '../runtime';

/** The table as it travels. */
export interface IStatsTable {
  /** An Arrow IPC stream; the columns are those of protocol/stats.ts. */
  readonly bytes: Uint8Array;
  readonly rows: number;
  /** The same statistics by `weightKey`; weights whose elements are no real numbers are left out. */
  readonly byWeight: ReadonlyMap<string, ITensorStats>;
}

/** A tensor and its statistics; null where its elements are no real numbers. */
export interface IStatsRow {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Path of the module that holds it, `''` for the root. */
  readonly module: string;
  readonly stats: ITensorStats | null;
}

/**
 * Read every weight once and summarise it. Tied weights are one row, under the name the graph uses.
 *
 * #### Notes
 * Weights are read in chunks of a few megabytes; the job is looked at between them.
 *
 * @throws CastlensError where a weight reaches beyond its file, or the job was cancelled.
 */
export async function weightStatsTable(model: IExportedModel, job: IJob): Promise<IStatsTable> {
  const weights = distinctWeights(model.weights);
  const modules = new Set(model.modules.map(({ path }) => path));
  let totalBytes = 0;
  weights.forEach(weight => (totalBytes += storedBytes(weight)));
  const rows: IStatsRow[] = [];
  const byWeight = new Map<string, ITensorStats>();
  let doneBytes = 0;
  for (const [key, weight] of weights) {
    const [name] = weight.names;
    await breathe(job);
    const stats = await weightStats(weight, job, chunkBytes => {
      doneBytes += chunkBytes;
      job.progress?.({ text: `Reading ${name}`, fraction: doneBytes / totalBytes });
    });
    if (stats !== null) {
      byWeight.set(key, stats);
    }
    const { dtype, shape } = weight;
    rows.push({ name, dtype, shape, module: moduleOf(name, modules), stats });
  }
  return { bytes: encodeStats(rows), rows: rows.length, byWeight };
}

/** Rows as an Arrow IPC stream with the columns of protocol/stats.ts, in memory of its own. */
export function encodeStats(rows: readonly IStatsRow[]): Uint8Array {
  const columns: Readonly<Record<StatsColumn, IColumn>> = {
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
  const fields = STATS_COLUMNS.map(({ name }) => {
    const { data, isNullable } = columns[name];
    return new Field<DataType>(name, data.type, isNullable);
  });
  const schema = new Schema(fields, new Map([[STATS_SCHEMA_VERSION_KEY, STATS_SCHEMA_VERSION]]));
  const struct = makeData({
    type: new Struct(fields),
    length: rows.length,
    nullCount: 0,
    children: STATS_COLUMNS.map(({ name }) => columns[name].data)
  });
  const bytes = tableToIPC(new Table(schema, [new RecordBatch(schema, struct)]), 'stream');
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
}

async function weightStats(
  weight: IWeight,
  job: IJob,
  progress: (chunkBytes: number) => void
): Promise<ITensorStats | null> {
  if (!hasStats(weight.dtype)) {
    return null;
  }
  const stats = new TensorStats(weight.dtype);
  let left = elementCount(weight.shape);
  for (const chunk of readElements(weight)) {
    stats.add(chunk, left);
    left -= (chunk.length * 8) / DTYPES[weight.dtype].bits;
    progress(chunk.length);
    await breathe(job);
  }
  return stats.result();
}

/** Weights that differ in storage or in how it is looked at, by `weightKey`. */
function distinctWeights(weights: readonly IWeight[]): Map<string, IWeight> {
  const byKey = new Map<string, IWeight>();
  for (const weight of weights) {
    const key = weightKey(weight);
    if (!byKey.has(key)) {
      byKey.set(key, weight);
    }
  }
  return byKey;
}

/** The innermost module whose path leads to `name`; the root where the file names no modules that fit. */
function moduleOf(name: string, modules: ReadonlySet<string>): string {
  let path = name;
  do {
    path = path.slice(0, Math.max(0, path.lastIndexOf('.')));
  } while (path !== '' && modules.size > 0 && !modules.has(path));
  return path;
}

interface IColumn {
  readonly data: Data<DataType>;
  readonly isNullable: boolean;
}

type Optional<T> = T | null | undefined;

function text(values: readonly string[]): IColumn {
  return { data: vectorFromArray(values, new Utf8()).data[0], isNullable: false };
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
