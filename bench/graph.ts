// Measures how the graph layer grows with the graph:
// `npm run bench:graph [-- --shape NAME --format NAME --sizes 1000,10000,100000 --all]`.
//
// Every stage from the file to the graph of a variant is measured on graphs of three sizes. Printed is the median processor time of
// each (all threads), how much of it the collector of garbage stopped the program for, and the exponent of growth: the slope of a straight
// line through the logarithms. 1 is linear. The second exponent leaves the collector's stops out. The young generation is emptied
// before every stage, everything before every run. The script lets young objects have more room than Node does by itself: a small
// graph fits into it whole and a large one does not, which would be the collector's exponent, not ours.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PerformanceObserver } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
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
const DEPTHS = [1_000, 2_000, 4_000];

const FAMILIES: readonly IFamily[] = [
  { name: 'chain', shape: chain, formats: ['training', 'aten', 'onnx'], sizes: SIZES },
  { name: 'fan-out', shape: fanOut, formats: ['training', 'aten', 'onnx'], sizes: SIZES },
  { name: 'weights', shape: manyWeights, formats: ['training', 'aten', 'onnx'], sizes: SIZES },
  { name: 'casts', shape: manyCasts, formats: ['training', 'aten', 'onnx'], sizes: SIZES },
  { name: 'nested regions', shape: nestedRegions, formats: ['training'], sizes: DEPTHS },
  { name: 'nested modules', shape: nestedModules, formats: ['training', 'aten'], sizes: DEPTHS }
];

/** Growth that still counts as linear: caches of the processor are not. */
const MOST_EXPONENT = 1.1;

/** Stages that take less than this at the largest size are too short to fit a line through. */
const SHORTEST_MS = 20;

const WIDTH = 4;

/** Runs before anything is measured: the code is compiled then. */
const WARMUP_RUNS = 3;

/** Runs by number of operators: the median of several where one is short. */
const RUNS: readonly { readonly most: number; readonly runs: number }[] = [
  { most: 1_000, runs: 9 },
  { most: 10_000, runs: 5 },
  { most: Infinity, runs: 1 }
];

const workers = new WeightWorkers();

/** What one stage took. */
interface ITime {
  /** Processor time of all threads. */
  readonly ms: number;
  /** How long the collector of garbage stopped the program. */
  readonly stoppedMs: number;
}

/** What each stage took, by name, one per size. */
type Times = Map<string, ITime[]>;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: OPTIONS });
  observer.observe({ entryTypes: ['gc'] });
  console.log(`Machine: ${describeMachine()}\n`);
  console.log('| graph | format | stage | times | exponent | collector | exponent without |');
  console.log('| --- | --- | --- | ---: | ---: | ---: | ---: |');
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
  for (const [stage, sized] of times) {
    const exponent = slope(
      sizes,
      sized.map(({ ms }) => ms)
    );
    const without = exponentWithout(sizes, sized);
    const { ms, stoppedMs } = sized[sized.length - 1];
    const isSteep = exponent > MOST_EXPONENT && ms >= SHORTEST_MS;
    if (isSteep) {
      process.exitCode = 1;
    }
    if (all || isSteep || SUMMARY.has(stage)) {
      const note = isSteep ? ' (too steep)' : '';
      const list = sized.map(time => formatMs(time.ms)).join(', ');
      const share = `${((100 * stoppedMs) / ms).toFixed(0)} %`;
      console.log(
        `| ${name} | ${format} | ${stage} | ${list} | ${exponent.toFixed(2)}${note} | ${share} | ${without} |`
      );
    }
  }
}

/**
 * The exponent of the time without the collector's stops. Stops are told as time that passed: where other programs keep the processors
 * busy they may be longer than the processor time, and nothing can be said.
 */
function exponentWithout(sizes: readonly number[], times: readonly ITime[]): string {
  const own = times.map(({ ms, stoppedMs }) => ms - stoppedMs);
  return own.every(ms => ms > 0) ? slope(sizes, own).toFixed(2) : '';
}

/** Stages of the short table. */
const SUMMARY: ReadonlySet<string> = new Set([
  'copy, for comparison',
  'read',
  'census',
  'plan, all modes',
  'off, from the model to the runtime',
  'frozen, from the model to the runtime',
  'all'
]);

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
      const runs = new Map<string, ITime[]>();
      for (let run = RUNS.find(({ most }) => size <= most)!.runs; run > 0; run--) {
        const own = new Map<string, ITime>();
        await stages(path, fixed, (stage, time) => own.set(stage, time));
        const sums = new Map<string, ITime>();
        own.forEach((time, stage) =>
          sumsWith(stage).forEach(name => sums.set(name, added(sums.get(name), time)))
        );
        for (const [stage, time] of [...own, ...sums]) {
          runs.set(stage, [...(runs.get(stage) ?? []), time]);
        }
      }
      runs.forEach((list, stage) => times.set(stage, [...(times.get(stage) ?? []), median(list)]));
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return times;
}

/** The sums that a stage is part of. */
function sumsWith(stage: string): string[] {
  const sums = stage.startsWith('copy') ? [] : ['all'];
  if (stage.startsWith('plan ') && stage !== 'plan the repair') {
    sums.push('plan, all modes');
  }
  for (const cache of LOWERED) {
    if ([`plan ${cache}`, `lower ${cache}`, `legalise ${cache}`, EXPLICIT].includes(stage)) {
      sums.push(`${cache}, from the model to the runtime`);
    }
  }
  return sums;
}

function added(sum: ITime | undefined, time: ITime): ITime {
  return {
    ms: (sum?.ms ?? 0) + time.ms,
    stoppedMs: (sum?.stoppedMs ?? 0) + time.stoppedMs
  };
}

/** The run in the middle. */
function median(runs: readonly ITime[]): ITime {
  return runs.toSorted((a, b) => a.ms - b.ms)[Math.floor(runs.length / 2)];
}

const EXPLICIT = 'make casts explicit';

/** Modes whose graphs are taken all the way. */
const LOWERED: readonly (CacheMode | Reference)[] = ['off', 'frozen'];

/** The collector's stops since this was last asked for. */
let stoppedMs = 0;
const observer = new PerformanceObserver(list => {
  for (const { duration } of list.getEntries()) {
    stoppedMs += duration;
  }
});

async function takeStops(): Promise<number> {
  // Stops are told in a later turn.
  await setImmediate();
  for (const { duration } of observer.takeRecords()) {
    stoppedMs += duration;
  }
  const taken = stoppedMs;
  stoppedMs = 0;
  return taken;
}

/** Empty the young generation, or everything. */
function collect(type: 'minor' | 'major'): void {
  (globalThis.gc as ((options?: { type: 'minor' | 'major' }) => void) | undefined)?.({ type });
}

/** Run every stage once on a file. */
async function stages(
  path: string,
  fixed: string,
  note: (stage: string, time: ITime) => void
): Promise<void> {
  const time = async <T>(stage: string, work: () => T | Promise<T>): Promise<T> => {
    collect('minor');
    await takeStops();
    const start = process.cpuUsage();
    const result = await work();
    const { user, system } = process.cpuUsage(start);
    note(stage, { ms: (user + system) / 1000, stoppedMs: await takeStops() });
    return result;
  };
  collect('major');
  const model: IExportedModel = await time('read', () => readModel(path));
  const explicit: IExplicitGraph = await time(EXPLICIT, () => makeCastsExplicit(model));
  // What the processor's caches make of the plainest stage there can be.
  await time('copy, for comparison', () => cloneGraph(explicit.graph));
  await time('census', () => takeCensus(explicit, model, path));
  const loaded = new LoadedModel(model);
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
    if (LOWERED.includes(cache)) {
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
  .finally(() => {
    observer.disconnect();
    return workers.dispose();
  })
  .catch((error: unknown) => {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 1;
  });
