// Measures casts and statistics of weights against NumPy and against reading alone:
// `npm run bench:stats [-- --mib N --large-mib N --rounds N --json FILE]`.
import { closeSync, ftruncateSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { weightStatsTable } from '../src/engine/weightstats';
import type { IWeight } from '../src/model';
import { bytesOf, median, normal, ratioOfMedians, uniform } from '../src/numerics';
import { formatBytes, formatMs } from '../src/protocol';
import type { ICastTask } from '../src/runtime';
import { describeMachine, removePrivateFolder, WeightChunks, WeightWorkers } from '../src/runtime';
import type { IMemory } from './weights/memory';
import { convert, measureMemory, modelOf, reportMemory, weightsOf } from './weights/memory';
import type { ITimes, NumpyWork } from './weights/numpyside';
import { NumpySide } from './weights/numpyside';

const MIB = 1024 * 1024;

const OPTIONS = {
  mib: { type: 'string', default: '256' },
  'large-mib': { type: 'string', default: '4096' },
  rounds: { type: 'string', default: '15' },
  json: { type: 'string' }
} as const;

/** A thread that reads its chunk as the others do, and does nothing with it. */
const READER = `
  const fs = require('node:fs');
  const { parentPort } = require('node:worker_threads');
  const piece = new Uint8Array(256 * 1024);
  parentPort.on('message', ({ task }) => {
    const { file, offset, length } = task.weight.data.range;
    const start = task.chunk * ${8 * MIB};
    const fd = fs.openSync(file, 'r');
    for (let done = start; done < Math.min(length, start + ${8 * MIB});) {
      done += fs.readSync(fd, piece, 0, piece.length, offset + done);
    }
    fs.closeSync(fd);
    parentPort.postMessage({ result: 0 });
  });`;

/** One thing that is timed. */
interface ISubject {
  readonly name: string;
  run(): Promise<ITimes>;
}

async function main(): Promise<void> {
  if (process.argv[2] === '--memory-of') {
    return reportMemory(process.argv.slice(3));
  }
  const { values } = parseArgs({ options: OPTIONS });
  const sizeBytes = Number(values.mib) * MIB;
  const largeBytes = Number(values['large-mib']) * MIB;
  const folder = await mkdtemp(join(tmpdir(), 'castlens-bench-'));
  try {
    const file = join(folder, 'weights.bin');
    writeWeights(file, sizeBytes);
    const numpy = await NumpySide.start(file);
    const samples = await measure(file, sizeBytes, numpy, Number(values.rounds));
    numpy?.dispose();
    const large = join(folder, 'large.bin');
    writeHole(large, largeBytes);
    const memory = [
      [sizeBytes, await measureMemory(file, sizeBytes)],
      [largeBytes, await measureMemory(large, largeBytes)]
    ] as const;
    if (values.json !== undefined) {
      writeFileSync(values.json, JSON.stringify({ samples: [...samples], memory }, null, 2));
    }
    console.log(report(sizeBytes, Number(values.rounds), numpy, samples, memory));
  } finally {
    await rm(folder, { recursive: true, force: true });
    removePrivateFolder();
  }
}

/** Weights as they are: normal, standard deviation 0.02. */
function writeWeights(file: string, sizeBytes: number): void {
  const next = normal(uniform(0));
  const block = new Float32Array(MIB);
  const fd = openSync(file, 'wx');
  for (let done = 0; done < sizeBytes; done += block.byteLength) {
    block.forEach((_, i) => (block[i] = 0.02 * next()));
    writeSync(fd, bytesOf(block));
  }
  closeSync(fd);
}

/** A file of zeros that takes no space. */
function writeHole(file: string, sizeBytes: number): void {
  const fd = openSync(file, 'wx');
  ftruncateSync(fd, sizeBytes);
  closeSync(fd);
}

/** Times of every subject, each once a round, in milliseconds. */
async function measure(
  file: string,
  sizeBytes: number,
  numpy: NumpySide | null,
  rounds: number
): Promise<Map<string, ITimes[]>> {
  const weights = weightsOf(file, sizeBytes);
  const workers = new WeightWorkers();
  const readers = new WeightWorkers({ script: READER, inlineBytes: 0 });
  const timed = (name: string, work: () => Promise<unknown>): ISubject => ({
    name,
    run: async () => {
      const cpu = process.cpuUsage();
      const start = performance.now();
      await work();
      const ms = performance.now() - start;
      const { user, system } = process.cpuUsage(cpu);
      return { ms, cpuMs: (user + system) / 1000 };
    }
  });
  const subjects: ISubject[] = [
    timed('read', () => drain(readers.run(castTasks(weights, []), Infinity, {}))),
    timed('stats', () => weightStatsTable(modelOf(weights), workers, {}))
  ];
  for (const dtype of ['float16', 'bfloat16'] as const) {
    subjects.push(
      timed(dtype, () => drain(workers.run(castTasks(weights, [dtype]), Infinity, {}))),
      timed(`${dtype} file`, () => convert(workers, weights, dtype))
    );
  }
  if (numpy !== null) {
    const works: NumpyWork[] = ['read', 'stats', 'float16'];
    if (numpy.versions.torch !== null) {
      works.push('bfloat16');
    }
    subjects.push(...works.map(work => ({ name: `numpy ${work}`, run: () => numpy.time(work) })));
  }
  const samples = new Map(subjects.map(({ name }): [string, ITimes[]] => [name, []]));
  for (let round = -2; round < rounds; round++) {
    for (const { name, run } of subjects) {
      const times = await run();
      // The first two warm up.
      if (round >= 0) {
        samples.get(name)!.push(times);
      }
    }
  }
  await Promise.all([workers.dispose(), readers.dispose()]);
  return samples;
}

function castTasks(weights: readonly IWeight[], steps: ICastTask['steps']): ICastTask[] {
  return weights.flatMap(weight =>
    Array.from({ length: new WeightChunks(weight).count }, (_, chunk): ICastTask => ({
      kind: 'cast',
      weight,
      chunk,
      steps
    }))
  );
}

async function drain(results: AsyncIterable<unknown>): Promise<void> {
  for await (const result of results) {
    void result;
  }
}

const LABELS: Readonly<Record<string, string>> = {
  read: 'reading alone, same threads and chunks',
  stats: 'statistics, all columns',
  float16: 'float32 to float16, elements handed back',
  'float16 file': 'float32 to float16, written to a file',
  bfloat16: 'float32 to bfloat16, elements handed back',
  'bfloat16 file': 'float32 to bfloat16, written to a file',
  'numpy read': 'NumPy: one pass over its memory (`max`)',
  'numpy stats': 'NumPy: `min`, `max`, `mean`, `std`, `isnan`',
  'numpy float16': 'NumPy: `astype(float16)`',
  'numpy bfloat16': 'PyTorch: `bfloat16()`'
};

function report(
  sizeBytes: number,
  rounds: number,
  numpy: NumpySide | null,
  samples: ReadonlyMap<string, ITimes[]>,
  memory: readonly (readonly [number, IMemory])[]
): string {
  const torch = numpy?.versions.torch == null ? '' : `, torch ${numpy.versions.torch}`;
  const bandwidth = (ms: number): string => `${(sizeBytes / ms / 1e6).toFixed(1)} GB/s`;
  const lines = [
    `Machine: ${describeMachine()}  `,
    numpy === null
      ? 'NumPy: skipped, no Python with NumPy was found (PYTHON names one)  '
      : `NumPy ${numpy.versions.numpy}${torch}, on the same elements in its memory  `,
    `${formatBytes(sizeBytes)} of float32 weights in a file that the system has in memory; ${rounds} rounds after 2 of warm-up, interleaved; ` +
      'processor time is that of all threads, in the round that took least',
    '',
    '| work | median | bandwidth | fastest | bandwidth | processor time |',
    '| --- | ---: | ---: | ---: | ---: | ---: |'
  ];
  for (const [name, times] of samples) {
    const ms = median(times.map(time => time.ms));
    const best = Math.min(...times.map(time => time.ms));
    const cpu = formatMs(Math.min(...times.map(time => time.cpuMs)));
    const cells = [LABELS[name], formatMs(ms), bandwidth(ms), formatMs(best), bandwidth(best), cpu];
    lines.push(`| ${cells.join(' | ')} |`);
  }
  lines.push('');
  for (const [slower, faster, text] of [
    ['numpy stats', 'stats', 'statistics, NumPy / castlens'],
    ['stats', 'read', 'statistics / reading alone'],
    ['numpy float16', 'float16', 'to float16, NumPy / castlens'],
    ['numpy bfloat16', 'bfloat16', 'to bfloat16, PyTorch / castlens'],
    ['float16', 'read', 'to float16 / reading alone'],
    ['bfloat16', 'read', 'to bfloat16 / reading alone']
  ]) {
    const [first, second] = [samples.get(slower), samples.get(faster)];
    if (first !== undefined && second !== undefined) {
      const [a, b] = [first, second].map(times => times.map(({ ms }) => ms));
      const { ratio, low, high } = ratioOfMedians(a, b);
      const interval =
        low === null || high === null
          ? 'too few rounds for an interval'
          : `95 % interval ${low.toFixed(2)} to ${high.toFixed(2)}`;
      const best = (Math.min(...a) / Math.min(...b)).toFixed(2);
      lines.push(`${text}: ${ratio.toFixed(2)} (${interval}); of the fastest rounds: ${best}  `);
    }
  }
  for (const [size, { stats, convert: conversion }] of memory) {
    lines.push(
      `peak memory above the idle engine, ${formatBytes(size)} of weights: ` +
        `statistics ${formatBytes(stats)}, conversion to bfloat16 ${formatBytes(conversion)}  `
    );
  }
  return lines.join('\n');
}

main().catch((error: unknown) => {
  process.stderr.write(`${(error as Error).stack}\n`);
  process.exitCode = 1;
});
