/**
 * Statistics of all weights of a model as an Arrow table.
 *
 * @packageDocumentation
 */
import { storedBytes, weightKey } from '../autocast';
import type { IExportedModel, IWeight } from '../model';
import { DTYPES, elementCount } from '../model';
import type { ITensorStats } from '../numerics';
import { hasStats, TensorStats } from '../numerics';
import type { IJob } from '../runtime';
import { breathe, readElements } from '../runtime';
import type { IStatsRow } from './statstable';
import { encodeStats } from './statstable';

/** The table as it travels, and the statistics in it. */
export interface IWeightStatsTable {
  /** An Arrow IPC stream; the columns are `STATS_COLUMNS` of protocol/stats.ts. */
  readonly bytes: Uint8Array;
  readonly rows: number;
  /** The same statistics by `weightKey`; weights whose elements are no real numbers are left out. */
  readonly byWeight: ReadonlyMap<string, ITensorStats>;
}

/**
 * Read every weight once and summarise it. Tied weights are one row, under the name the graph uses.
 *
 * #### Notes
 * Weights are read in chunks of a few megabytes; the job is looked at between them.
 *
 * @throws CastlensError where a weight reaches beyond its file, or the job was cancelled.
 */
export async function weightStatsTable(
  model: IExportedModel,
  job: IJob
): Promise<IWeightStatsTable> {
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
