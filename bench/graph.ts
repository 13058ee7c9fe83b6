// Measures how the graph layer grows with the graph:
// `npm run bench:graph [-- --shape NAME --format NAME --sizes 1000,10000,100000 --all]`.
//
// Every stage from the file to the graph of a variant is measured on graphs of three sizes. Printed is the mean processor time of
// each (all threads: collecting garbage counts), and the exponent of growth: the slope of a straight line through the
// logarithms. 1 is linear. The script lets young objects have more room than Node does by itself: a small graph fits into it whole and
// a large one does not, which would be the collector's exponent, not ours.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import type { IExplicitGraph } from '../src/autocast';
import { makeCastsExplicit, takeCensus } from '../src/autocast';
import { describeModel } from '../src/engine/describe';
import { fixModel } from '../src/engine/fix';
import { planFix } from '../src/engine/fixplan';
import { LoadedModel, ModelStore } from '../src/engine/modelstore';
import { readModel, writeOnnx } from '../src/formats';
import { CPU_CAPABILITIES, legalize, lowerToOnnx } from '../src/lowering';
import type { IExportedModel } from '../src/model';
import { cloneGraph } from '../src/model';
import { PASS_ORDER, planGraph } from '../src/passes';
import type { CacheMode, Reference } from '../src/protocol';
import { CACHE_MODES, formatMs, PASSES } from '../src/protocol';
import { describeMachine, WeightConverter, WeightWorkers } from '../src/runtime';
import type { GraphShape } from './models/shapes';
import {
  chain,
  fanOut,
  manyCasts,
  manyWeights,
  nestedModules,
  nestedRegions
} from './models/shapes';
import type { SyntheticFormat } from './models/synthetic';
import { writeSynthetic } from './models/synthetic';

const OPTIONS = {
  shape: { type: 'string' },
  format: { type: 'string' },
  sizes: { type: 'string' },
  /** Print every stage, not only the slowest and the steepest. */
  all: { type: 'boolean', default: false }
} as const;

interface IFamily {
  readonly name: string;
  readonly shape: GraphShape;
  readonly formats: readonly SyntheticFormat[];
  readonly sizes: readonly number[];
}

const SIZES = [1_000, 10_000, 100_000];

/** Nesting is part of every name of a module: such files grow with the square of the depth by themselves. */
const DEPTHS = [250, 500, 1_000];

const FAMILIES: readonly IFamily[] = [
  { name: 'chain', shape: chain, formats: ['training', 'aten', 'onnx'], sizes: SIZES },
  { name: 'fan-out', shape: fanOut, formats: ['training', 'aten', 'onnx'], sizes: SIZES },
  { name: 'weights', shape: manyWeights, formats: ['training', 'aten', 'onnx'], sizes: SIZES },
  { name: 'casts', shape: manyCasts, formats: ['training', 'aten', 'onnx'], sizes: SIZES },
  { name: 'nested regions', shape: nestedRegions, formats: ['training'], sizes: DEPTHS },
  { name: 'nested modules', shape: nestedModules, formats: ['training', 'aten'], sizes: DEPTHS }
];

/** Growth that still counts as linear: caches of the processor and collections of garbage are not. */
const MOST_EXPONENT = 1.1;

/** Stages that take less than this at the largest size are too short to fit a line through. */
const SHORTEST_MS = 20;

const WIDTH = 4;

/** Runs before anything is measured: the code is compiled then. */
const WARMUP_RUNS = 3;

/** Operators that the runs of one size have together, at least. */
const OPERATORS = 10_000;

const workers = new WeightWorkers();

/** Mean times by stage, one per size. */
type Times = Map<string, number[]>;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: OPTIONS });
  console.log(`Machine: ${describeMachine()}\n`);
  console.log('| graph | format | stage | times | exponent |');
  console.log('| --- | --- | --- | ---: | ---: |');
  for (const family of FAMILIES) {
    if (values.shape !== undefined && values.shape !== family.name) {
      continue;
    }
    for (const format of family.formats) {
      if (values.format !== undefined && values.format !== format) {
        continue;
      }
      const sizes = values.sizes?.split(',').map(Number) ?? family.sizes;
      print(family, format, sizes, await measure(family, format, sizes), values.all);
    }
  }
}

function print(
  { name }: IFamily,
  format: SyntheticFormat,
  sizes: readonly number[],
  times: Times,
  all: boolean
): void {
  for (const [stage, means] of times) {
    const exponent = slope(sizes, means);
    const isSteep = exponent > MOST_EXPONENT && means[means.length - 1] >= SHORTEST_MS;
    if (isSteep) {
      process.exitCode = 1;
    }
    if (all || isSteep || SUMMARY.has(stage)) {
      const note = isSteep ? ' (too steep)' : '';
      const list = means.map(ms => formatMs(ms)).join(', ');
      console.log(`| ${name} | ${format} | ${stage} | ${list} | ${exponent.toFixed(2)}${note} |`);
    }
  }
}

/** Stages of the short table. */
const SUMMARY: ReadonlySet<string> = new Set(['read', 'census', 'plan, all modes', 'all']);

async function measure(
  family: IFamily,
  format: SyntheticFormat,
  sizes: readonly number[]
): Promise<Times> {
  const folder = await mkdtemp(join(tmpdir(), 'castlens-graph-'));
  const times: Times = new Map();
  try {
    for (const [i, size] of sizes.entries()) {
      const extension = format.startsWith('onnx') ? 'onnx' : 'pt2';
      const path = join(folder, `${i}.${extension}`);
      const fixed = join(folder, `fixed-${i}.${extension}`);
      await writeSynthetic(path, format, family.shape(size, WIDTH));
      if (i === 0) {
        for (let run = 0; run < WARMUP_RUNS; run++) {
          await stages(path, fixed, () => undefined);
        }
      }
      // As many operators at all but the largest size: what is spread over many runs, such as collecting garbage, counts alike.
      const runs = Math.max(1, Math.round(OPERATORS / size));
      for (let run = 0; run < runs; run++) {
        await stages(path, fixed, (stage, ms) => {
          const means = times.get(stage) ?? sizes.map(() => 0);
          times.set(stage, means);
          means[i] += ms / runs;
        });
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  for (const [i] of sizes.entries()) {
    const total = (names: (name: string) => boolean): number =>
      [...times].reduce((sum, [name, means]) => sum + (names(name) ? means[i] : 0), 0);
    set(
      times,
      'plan, all modes',
      i,
      total(name => name.startsWith('plan '))
    );
    set(
      times,
      'all',
      i,
      total(name => !name.startsWith('plan,') && name !== 'all')
    );
  }
  return times;
}

function set(times: Times, stage: string, index: number, ms: number): void {
  const list = times.get(stage) ?? [];
  times.set(stage, list);
  list[index] = ms;
}

/** Run every stage once on a file. */
async function stages(
  path: string,
  fixed: string,
  note: (stage: string, ms: number) => void
): Promise<void> {
  const time = async <T>(stage: string, work: () => T | Promise<T>): Promise<T> => {
    const start = process.cpuUsage();
    const result = await work();
    const { user, system } = process.cpuUsage(start);
    note(stage, (user + system) / 1000);
    return result;
  };
  globalThis.gc?.();
  const model: IExportedModel = await time('read', () => readModel(path));
  const explicit: IExplicitGraph = await time('make casts explicit', () =>
    makeCastsExplicit(model)
  );
  await time('census', () => takeCensus(explicit, model, path));
  const loaded = new LoadedModel(model, []);
  await time('describe', () => describeModel(loaded, path));
  for (const pass of PASS_ORDER) {
    const { graph } = cloneGraph(explicit.graph);
    await time(pass.name, () => pass.run(graph));
  }
  const caches: (CacheMode | Reference)[] = [...CACHE_MODES, 'float32'];
  for (const cache of caches) {
    const planned = await time(`plan ${cache}`, () =>
      planGraph(explicit.graph, model, { cache, passes: PASSES })
    );
    if (cache === 'off' || cache === 'frozen') {
      const lowered = await time(`lower ${cache}`, () => lowerToOnnx(planned.graph));
      const legal = await time(`legalise ${cache}`, () => legalize(lowered, CPU_CAPABILITIES));
      const converted = await time(`materialise ${cache}`, () =>
        new WeightConverter(workers).materialize(legal.graph, { reuse: false })
      );
      await time(`write ${cache}`, () => writeOnnx(converted.graph));
      converted.dispose();
    }
  }
  await time('plan the repair', () => planFix(explicit, model, 'leave', NO_LIMITS));
  await time('read, repair and write', () =>
    fixModel(new ModelStore(), workers, { path, output: fixed, overwrite: true }, {})
  );
}

const NO_LIMITS = { pinned: () => null, fixedOperands: () => null };

/** Least squares through the logarithms. */
function slope(sizes: readonly number[], times: readonly number[]): number {
  const xs = sizes.map(Math.log);
  const ys = times.map(Math.log);
  const mean = (list: readonly number[]): number =>
    list.reduce((sum, value) => sum + value, 0) / list.length;
  const [x, y] = [mean(xs), mean(ys)];
  const covariance = xs.reduce((sum, value, i) => sum + (value - x) * (ys[i] - y), 0);
  return covariance / xs.reduce((sum, value) => sum + (value - x) ** 2, 0);
}

main()
  .catch((error: unknown) => {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 1;
  })
  .finally(() => workers.dispose());
