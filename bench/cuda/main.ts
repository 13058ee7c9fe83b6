// Measures all modes on weight-bound models, in float16 and bfloat16, at batch 1 and 8, against the floor and against PyTorch:
// `run.sh [--device cuda] [--runs N] [--warmup N] [--small] [--python PYTHON] [--out NAME]`. Needs no network.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';

import { Engine } from '../../src/engine/service';
import type { ICompareResult } from '../../src/protocol';
import { CACHE_MODES, REFERENCES } from '../../src/protocol';
import { describeMachine, inspectCuda, parseDevice, problemText } from '../../src/runtime';
import { writeDecoder } from '../models/decoder';
import { writeMlp } from '../models/mlp';
import { copyBandwidth } from './bandwidth';
import type { ICudaBenchmark, IMeasured, TorchTimes } from './report';
import { cudaReport, driverText } from './report';

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
    decoder: { layers: 4, width: 4096, hidden: 11008, heads: 32, tokens: 4 },
    copyElements: 1 << 26
  },
  small: {
    mlp: { layers: 2, width: 64, hidden: 128 },
    decoder: { layers: 2, width: 64, hidden: 128, heads: 4, tokens: 4 },
    copyElements: 1 << 20
  }
} as const;

const MODELS = ['mlp', 'decoder'] as const;
const DTYPES = ['float16', 'bfloat16'] as const;
const BATCHES = [1, 8];

/** AOTInductor compiles three times per model. */
const TORCH_TIMEOUT_MS = 30 * 60_000;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: OPTIONS });
  const { device, runs, warmup, python } = values;
  const sizes = values.small ? SIZES.small : SIZES.full;
  const cuda = await inspectCuda();
  if (parseDevice(device).kind === 'cuda') {
    cuda.problems.forEach(problem => say(problemText(problem)));
    if (cuda.problems.some(({ optional }) => !optional)) {
      throw new Error(`nothing can be measured on ${device} before this is solved`);
    }
  }
  const folder = mkdtempSync(join(tmpdir(), 'castlens-cuda-bench-'));
  try {
    const measured: IMeasured[] = [];
    const bandwidth = await attempt('copy bandwidth', () =>
      copyBandwidth(device, sizes.copyElements)
    );
    const bench: ICudaBenchmark = {
      machine: describeMachine(),
      device,
      gpu: driverText(cuda.driver),
      bandwidth: typeof bandwidth === 'number' ? bandwidth : null,
      runs: Number(runs),
      warmup: Number(warmup),
      measured
    };
    for (const model of MODELS) {
      for (const dtype of DTYPES) {
        for (const batch of BATCHES) {
          say(`${model}, ${dtype}, batch ${batch}`);
          const options = { ...sizes[model], batch, dtype };
          const compare = await attempt(model, async () => {
            const path = join(folder, model === 'mlp' ? 'mlp.pt2' : 'decoder.onnx');
            await (model === 'mlp'
              ? writeMlp(path, { ...sizes.mlp, batch, dtype })
              : writeDecoder(path, { ...sizes.decoder, batch, dtype }));
            return measure(path, device, Number(runs), Number(warmup));
          });
          const failed = typeof compare === 'string';
          measured.push({
            model,
            dtype,
            batch,
            compare: failed ? null : compare,
            ...(failed ? { failure: compare } : {}),
            torch: python ? await measureTorch(python, device, { model, ...options }, runs) : null
          });
          // What was measured stays, whatever happens to the next.
          writeFileSync(`${values.out}.json`, JSON.stringify({ ...bench, cuda }, null, 2));
          writeFileSync(`${values.out}.md`, `${cudaReport(bench)}\n`);
        }
      }
    }
    console.log(cudaReport(bench));
    if (measured.every(({ compare }) => compare === null)) {
      process.exitCode = 1;
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** The result, or why there is none: one model that fails must not hide the others. After the GPU is lost all of them fail. */
async function attempt<T>(what: string, work: () => Promise<T>): Promise<T | string> {
  try {
    return await work();
  } catch (error) {
    const { message } = error as Error;
    say(`${what}: ${message}`);
    return message;
  }
}

/** All modes and references, in an engine of its own, which gives up everything it placed on the device. */
async function measure(
  path: string,
  device: string,
  runs: number,
  warmup: number
): Promise<ICompareResult> {
  const variants = [...CACHE_MODES, ...REFERENCES].map(cache => ({ cache, passes: [], device }));
  const engine = new Engine();
  try {
    const params = { path, variants, runs, warmup };
    return (await engine.handle('compare', params, {})).result;
  } finally {
    await engine.dispose();
  }
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
    const { stdout } = await promisify(execFile)(python, args, {
      maxBuffer: 1 << 24,
      timeout: TORCH_TIMEOUT_MS
    });
    return JSON.parse(stdout.trim().split('\n').pop()!) as TorchTimes;
  } catch (error) {
    return { torch: (error as Error).message.trim().split('\n').pop()! };
  }
}

main().catch((error: unknown) => {
  say((error as Error).message);
  process.exitCode = 1;
});
