// Measures what opening a model costs, with small weights and with large ones: `npm run bench:open [-- --gigabytes N --rounds N]`.
//
// Every round starts `castlens census` as a process of its own on the small and on the large file of a format, so that whatever
// disturbs the machine disturbs both.
import { spawn } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { ratioOfMedians, spreadOf } from '../src/numerics';
import { formatMs } from '../src/protocol';
import { describeMachine } from '../src/runtime';
import { chain } from './models/shapes';
import type { SyntheticFormat } from './models/synthetic';
import { SYNTHETIC_FORMATS, writeSynthetic } from './models/synthetic';
import { ratioText } from './report';

const OPTIONS = {
  gigabytes: { type: 'string', default: '4' },
  rounds: { type: 'string', default: '15' }
} as const;

/** Operators of the chain, which has 16 weights. */
const NODES = 400;
const SHARED_WEIGHTS = 16;
const SMALL_BYTES = 4e6;

/** What the two sizes may differ by. */
const MOST_RATIO = 1.3;
const MOST_EXTRA_BYTES = 50e6;

interface IProcessUsage {
  readonly ms: number;
  readonly peakRssBytes: number;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: OPTIONS });
  const rounds = Number(values.rounds);
  const folder = await mkdtemp(join(tmpdir(), 'castlens-open-'));
  try {
    const probe = join(folder, 'usage.cjs');
    await writeFile(probe, PROBE);
    console.log(`Machine: ${describeMachine()}  `);
    console.log(
      `${rounds} rounds after one of warm-up; whole processes, small and large in turn\n`
    );
    console.log(
      '| format | weights | written in | on disk | `census` | ratio (95 % interval) | peak memory |'
    );
    console.log('| --- | ---: | ---: | ---: | ---: | ---: | ---: |');
    for (const format of SYNTHETIC_FORMATS) {
      await measure(folder, probe, format, Number(values.gigabytes) * 1e9, rounds);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(
  folder: string,
  probe: string,
  format: SyntheticFormat,
  largeBytes: number,
  rounds: number
): Promise<void> {
  const sizes = [SMALL_BYTES, largeBytes];
  const files: string[] = [];
  const written: string[] = [];
  for (const [i, sizeBytes] of sizes.entries()) {
    const width = Math.round(Math.sqrt(sizeBytes / SHARED_WEIGHTS / 4));
    const path = join(folder, `${format}-${i}${format.startsWith('onnx') ? '.onnx' : '.pt2'}`);
    const start = performance.now();
    await writeSynthetic(path, format, chain(NODES, width));
    written.push(formatMs(performance.now() - start));
    files.push(path);
  }
  const usages: IProcessUsage[][] = sizes.map(() => []);
  for (let round = -1; round < rounds; round++) {
    for (const [i, file] of files.entries()) {
      const usage = await census(probe, file);
      if (round >= 0) {
        usages[i].push(usage);
      }
    }
  }
  const times = usages.map(list => list.map(({ ms }) => ms));
  const peaks = usages.map(list => spreadOf(list.map(usage => usage.peakRssBytes)).median);
  for (const [i, sizeBytes] of sizes.entries()) {
    const compared = ratioOfMedians(times[i], times[0]);
    const cells = [
      format,
      `${(sizeBytes / 1e6).toFixed(0)} MB`,
      written[i],
      `${((await diskBytes(files[i])) / 1e6).toFixed(1)} MB`,
      formatMs(spreadOf(times[i]).median),
      i === 0 ? '1' : ratioText(compared),
      `${(peaks[i] / 1e6).toFixed(1)} MB`
    ];
    console.log(`| ${cells.join(' | ')} |`);
    if (i > 0 && (compared.ratio > MOST_RATIO || peaks[i] - peaks[0] > MOST_EXTRA_BYTES)) {
      console.log(`\n${format}: opening costs more with larger weights\n`);
      process.exitCode = 1;
    }
  }
}

/** Space that a file and its data take, holes left out. */
async function diskBytes(path: string): Promise<number> {
  let total = 0;
  for (const file of [path, `${path}.data`]) {
    const found = await stat(file).catch(() => null);
    total += 512 * (found?.blocks ?? 0);
  }
  return total;
}

/** Tells the peak memory of the process it is loaded into on descriptor 3. */
const PROBE = `process.on('exit', () => require('node:fs').writeSync(3, String(process.resourceUsage().maxRSS)));`;

function census(probe: string, file: string): Promise<IProcessUsage> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const child = spawn(
      process.execPath,
      ['--require', probe, 'dist/sidecar/cli.js', 'census', file, '--json'],
      { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] }
    );
    let peak = '';
    child.stdio[3]!.on('data', (piece: Buffer) => (peak += piece.toString()));
    child.on('error', reject);
    child.on('close', status => {
      if (status === 0) {
        resolve({ ms: performance.now() - start, peakRssBytes: Number(peak) * 1024 });
      } else {
        reject(new Error(`castlens census ${file} ended with status ${status}`));
      }
    });
  });
}

main().catch((error: unknown) => {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
});
