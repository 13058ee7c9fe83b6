// Measures all modes on weight-bound models, in float16 and bfloat16, at batch 1 and 8, against the floor and against PyTorch:
// `run.sh [--device cuda] [--runs N] [--warmup N] [--small] [--python PYTHON] [--out NAME]`. Needs no network.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';

import { Engine } from '../../src/engine/service';
import type { ICompareResult } from '../../src/protocol';
import { CACHE_MODES, formatBytes, formatMs, REFERENCES } from '../../src/protocol';
import { describeMachine, inspectCuda } from '../../src/runtime';
import { writeDecoder } from '../models/decoder';
import { writeMlp } from '../models/mlp';
import { copyBandwidth } from './bandwidth';

const OPTIONS = {
  device: { type: 'string', default: 'cuda' },
  runs: { type: 'string', default: '50' },
  warmup: { type: 'string', default: '10' },
  small: { type: 'boolean', default: false },
  python: { type: 'string' },
  out: { type: 'string', default: 'cuda-bench' }
} as const;

/** Sizes of the models: as measured, and for trying the benchmark out. */
const SIZES = {
  full: {
    mlp: { layers: 8, width: 4096, hidden: 8192 },
    decoder: { layers: 8, width: 2048, hidden: 5632, heads: 16, past: 128 },
    copyElements: 1 << 26
  },
  small: {
    mlp: { layers: 2, width: 64, hidden: 128 },
    decoder: { layers: 2, width: 64, hidden: 128, heads: 4, past: 8 },
    copyElements: 1 << 20
  }
} as const;

const DTYPES = ['float16', 'bfloat16'] as const;
const BATCHES = [1, 8];

/** Times of PyTorch by what ran: milliseconds per forward, or why it did not run. */
type TorchTimes = Readonly<Record<string, number | string>>;

interface IMeasured {
  readonly model: 'mlp' | 'decoder';
  readonly dtype: (typeof DTYPES)[number];
  readonly batch: number;
  readonly compare: ICompareResult;
  /** Time to read the weights once in low precision at the speed at which the device copies. */
  readonly floorMs: number;
  readonly torch: TorchTimes | null;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: OPTIONS });
  const sizes = values.small ? SIZES.small : SIZES.full;
  const folder = mkdtempSync(join(tmpdir(), 'castlens-cuda-bench-'));
  try {
    const bandwidth = await copyBandwidth(values.device, sizes.copyElements);
    const measured: IMeasured[] = [];
    for (const dtype of DTYPES) {
      for (const model of ['mlp', 'decoder'] as const) {
        for (const batch of BATCHES) {
          process.stderr.write(`${model}, ${dtype}, batch ${batch}\n`);
          const path = join(folder, model === 'mlp' ? 'model.pt2' : 'model.onnx');
          const common = { batch, dtype };
          await (model === 'mlp'
            ? writeMlp(path, { ...sizes.mlp, ...common })
            : writeDecoder(path, { ...sizes.decoder, ...common }));
          const compare = await measure(path, values.device, values);
          // What `off` writes in low precision is what every forward must read.
          const off = compare.variants.find(({ cache }) => cache === 'off');
          const lowBytes = (off?.plannedBytesMoved ?? 0) / 3;
          measured.push({
            model,
            dtype,
            batch,
            compare,
            floorMs: (lowBytes / bandwidth) * 1000,
            torch: values.python
              ? await measureTorch(
                  values.python,
                  values.device,
                  { model, ...sizes[model], ...common },
                  values.runs
                )
              : null
          });
        }
      }
    }
    const { driver, provider, cudaMajor } = await inspectCuda();
    const machine = {
      machine: describeMachine(),
      device: values.device,
      driver,
      provider,
      cudaMajor,
      bandwidth
    };
    writeFileSync(`${values.out}.json`, JSON.stringify({ ...machine, measured }, null, 2));
    const text = report(measured, bandwidth, driverText(driver));
    writeFileSync(`${values.out}.md`, text);
    console.log(text);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(
  path: string,
  device: string,
  options: { runs: string; warmup: string }
): Promise<ICompareResult> {
  const variants = [...CACHE_MODES, ...REFERENCES].map(cache => ({ cache, passes: [], device }));
  const params = { path, variants, runs: Number(options.runs), warmup: Number(options.warmup) };
  return (await new Engine().handle('compare', params, {})).result;
}

/** PyTorch on the same sizes, in a process of its own. */
async function measureTorch(
  python: string,
  device: string,
  sizes: object,
  runs: string
): Promise<TorchTimes> {
  const beside = join(__dirname, 'torch_bench.py');
  const script = existsSync(beside) ? beside : 'bench/cuda/torch_bench.py';
  const args = [script, '--device', device, '--runs', runs, '--sizes', JSON.stringify(sizes)];
  try {
    const { stdout } = await promisify(execFile)(python, args, { maxBuffer: 1 << 24 });
    return JSON.parse(stdout.trim().split('\n').pop()!) as TorchTimes;
  } catch (error) {
    return { torch: (error as Error).message.trim().split('\n').pop()! };
  }
}

function driverText(driver: Awaited<ReturnType<typeof inspectCuda>>['driver']): string {
  if (driver.kind !== 'present') {
    return driver.message;
  }
  const gpus = driver.gpus.map(gpu => `${gpu.name} (${gpu.computeCapability ?? 'unknown'})`);
  return `${gpus.join(', ')}, driver ${driver.driverVersion}, CUDA up to ${driver.cudaVersion ?? 'unknown'}`;
}

function report(measured: readonly IMeasured[], bandwidth: number, driver: string): string {
  const { machine, runtime, runs, warmup } = measured[0].compare;
  const lines = [
    `Machine: ${machine}  `,
    `GPU: ${driver}  `,
    `Runtime: ${runtime}  `,
    `Copy bandwidth: ${formatBytes(bandwidth)}/s; ${runs} rounds after ${warmup} of warm-up, interleaved`,
    '',
    '| model | dtype | batch | mode | median | × frozen | × floor | weight casts planned / executed | device memory | bits as off |',
    '| --- | --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | --- |'
  ];
  for (const { model, dtype, batch, compare, floorMs, torch } of measured) {
    const frozen = compare.variants.find(({ cache }) => cache === 'frozen')?.medianMs ?? NaN;
    const row = (mode: string, ms: number, rest: readonly string[]): void => {
      const ratios = [(ms / frozen).toFixed(2), (ms / floorMs).toFixed(2)];
      lines.push(
        `| ${[model, dtype, String(batch), mode, formatMs(ms), ...ratios, ...rest].join(' | ')} |`
      );
    };
    for (const variant of compare.variants) {
      const { plannedWeightCasts, executedWeightCasts, memory, bitIdenticalToOff } = variant;
      row(variant.cache, variant.medianMs, [
        `${plannedWeightCasts} / ${executedWeightCasts}`,
        memory.deviceBytes === null ? '' : formatBytes(memory.deviceBytes),
        bitIdenticalToOff === null ? '' : bitIdenticalToOff ? 'same' : 'differ'
      ]);
    }
    for (const { variant, message } of compare.failed) {
      lines.push(
        `| ${[model, dtype, String(batch), variant.cache, 'not run', '', '', message, '', ''].join(' | ')} |`
      );
    }
    for (const [name, time] of Object.entries(torch ?? {})) {
      if (typeof time === 'number') {
        row(name, time, ['', '', '']);
      } else {
        lines.push(
          `| ${[model, dtype, String(batch), name, 'not run', '', '', time, '', ''].join(' | ')} |`
        );
      }
    }
    row('floor', floorMs, ['', '', '']);
  }
  return lines.join('\n');
}

main().catch((error: unknown) => {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
});
