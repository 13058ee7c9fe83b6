/**
 * Memory that statistics and conversion take above an idle engine, measured in a process of their own.
 *
 * @packageDocumentation
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { weightStatsTable } from '../../src/engine/weightstats';
import { Engine } from '../../src/engine/service';
import type { IExportedModel, IWeight } from '../../src/model';
import { currentRssBytes, peakRssBytes, WeightConverter, WeightWorkers } from '../../src/runtime';
import { contiguousStrides } from '../../src/model';

/** Bytes above the idle engine, at the peak. */
export interface IMemory {
  readonly stats: number;
  readonly convert: number;
}

/** Elements of a weight of the made-up models: 32 MiB of float32. */
const WEIGHT_ELEMENTS = 8 * 1024 * 1024;

/** A file of float32 elements as the weights of a model. */
export function weightsOf(file: string, sizeBytes: number): IWeight[] {
  const count = Math.floor(sizeBytes / (4 * WEIGHT_ELEMENTS));
  return Array.from({ length: count }, (_, i): IWeight => {
    const range = { file, offset: 4 * WEIGHT_ELEMENTS * i, length: 4 * WEIGHT_ELEMENTS };
    const shape = [2048, WEIGHT_ELEMENTS / 2048];
    return {
      storage: `${file}:${range.offset}:${range.length}`,
      names: [`layers.${i}.weight`],
      kind: 'parameter',
      dtype: 'float32',
      shape,
      strides: contiguousStrides(shape),
      storageOffset: 0,
      requiresGrad: true,
      data: { kind: 'range', range }
    };
  });
}

/** A model of weights alone. */
export function modelOf(weights: readonly IWeight[]): IExportedModel {
  return { weights, modules: [] } as unknown as IExportedModel;
}

/** Convert weights to a type, as loading a variant does. */
export async function convert(
  workers: WeightWorkers,
  weights: readonly IWeight[],
  dtype: 'float16' | 'bfloat16'
): Promise<void> {
  const graph = {
    name: 'weights',
    inputs: [],
    outputs: [],
    nodes: [],
    weights: weights.map((source, i) => ({
      value: { id: i, name: source.names[0], dtype, shape: source.shape, kind: 'weight' },
      weight: { ...source, dtype, data: { kind: 'derived', source, steps: [dtype] } }
    })),
    opsets: {}
  };
  const converter = new WeightConverter(workers);
  const made = await converter.materialize(graph as never, { reuse: false });
  made.dispose();
}

/** Measure in a new process. */
export async function measureMemory(file: string, sizeBytes: number): Promise<IMemory> {
  const results: number[] = [];
  for (const work of ['stats', 'convert']) {
    const args = [
      ...process.execArgv,
      process.argv[1],
      '--memory-of',
      work,
      file,
      String(sizeBytes)
    ];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    results.push(Number(stdout));
  }
  return { stats: results[0], convert: results[1] };
}

/** What such a process does: print the bytes above idle. The peak is the process's own record, which only grows. */
export async function reportMemory([work, file, sizeBytes]: readonly string[]): Promise<void> {
  const engine = new Engine();
  await engine.handle('devices', {}, {});
  const weights = weightsOf(file, Number(sizeBytes));
  const idle = currentRssBytes();
  const workers = new WeightWorkers();
  if (work === 'stats') {
    await weightStatsTable(modelOf(weights), workers, {});
  } else {
    await convert(workers, weights, 'bfloat16');
  }
  process.stdout.write(String(peakRssBytes() - idle));
  await workers.dispose();
}
