/**
 * Statistics of all weights of a model as an Arrow table.
 *
 * @packageDocumentation
 */
import { weightKey } from '../autocast';
import type { IExportedModel, IWeight } from '../model';
import type { ITensorStats } from '../numerics';
import { hasStats, TensorStats } from '../numerics';
import type { IJob, IStatsTask, WeightWorkers } from '../runtime';
import { WeightChunks } from '../runtime';
import type { IStatsRow } from './statstable';

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
 * Chunks of a few megabytes are read and summarised by the threads of a pool, and merged here in their order: the result does
 * not depend on the number of threads.
 *
 * @throws CastlensError where a weight reaches beyond its file, or the job was cancelled.
 */
export async function weightStatsTable(
  model: IExportedModel,
  workers: WeightWorkers,
  job: IJob
): Promise<IWeightStatsTable> {
  const weights = distinctWeights(model.weights);
  const modules = new Set(model.modules.map(({ path }) => path));
  const sums = await statsOf([...weights.values()], workers, job);
  const byWeight = new Map<string, ITensorStats>();
  const rows: IStatsRow[] = [];
  for (const [key, weight] of weights) {
    const { names, dtype, shape } = weight;
    const stats = sums.get(weight)?.result() ?? null;
    if (stats !== null) {
      byWeight.set(key, stats);
    }
    rows.push({ name: names[0], dtype, shape, module: moduleOf(names[0], modules), stats });
  }
  // Arrow is loaded where it is needed: reading a model does without.
  const { encodeStats } = await import('./statstable');
  return { bytes: encodeStats(rows), rows: rows.length, byWeight };
}

/** Statistics of each weight that has some. */
async function statsOf(
  weights: readonly IWeight[],
  workers: WeightWorkers,
  job: IJob
): Promise<Map<IWeight, TensorStats>> {
  const stats = new Map<IWeight, TensorStats>();
  const tasks: (IStatsTask & { readonly bytes: number })[] = [];
  let totalBytes = 0;
  for (const weight of weights) {
    if (!hasStats(weight.dtype)) {
      continue;
    }
    stats.set(weight, new TensorStats(weight.dtype));
    const chunks = new WeightChunks(weight);
    for (let chunk = 0; chunk < chunks.count; chunk++) {
      const bytes = chunks.sizeBytes(chunk);
      tasks.push({ kind: 'stats', weight, chunk, bytes });
      totalBytes += bytes;
    }
  }
  let done = 0;
  let doneBytes = 0;
  for await (const part of workers.run(tasks, totalBytes, job)) {
    const { weight, bytes } = tasks[done++];
    stats.get(weight)!.merge(part);
    doneBytes += bytes;
    const text = `Reading ${weight.names[0]}`;
    job.progress?.({ text, done: doneBytes, total: totalBytes, unit: 'bytes' });
  }
  return stats;
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
