// Measures the cache modes on a weight-bound model, in one run in every runtime that is named:
// `npm run bench [-- --runtime aotinductor,onnxruntime,eager --python PATH --threads N --runs N --warmup N --batch N --model FILE --json FILE]`.
// PyTorch loads the model, which trusts it: the one that is made here, or the one that you name.
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { Engine } from '../src/engine/service';
import type { ICompareResult } from '../src/protocol';
import type { RuntimeName } from '../src/protocol';
import { compareParams, RUNTIMES } from '../src/protocol';
import { report } from './report';
import { WEIGHT_BOUND, writeMlp } from './models/mlp';

const OPTIONS = {
  runs: { type: 'string', default: '30' },
  warmup: { type: 'string', default: '5' },
  batch: { type: 'string', default: String(WEIGHT_BOUND.batch) },
  model: { type: 'string' },
  runtime: { type: 'string', default: 'onnxruntime' },
  python: { type: 'string' },
  threads: { type: 'string' },
  json: { type: 'string' }
} as const;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: OPTIONS });
  const folder = await mkdtemp(join(tmpdir(), 'castlens-bench-'));
  try {
    let path = values.model;
    if (path === undefined) {
      path = join(folder, 'mlp.pt2');
      await writeMlp(path, { ...WEIGHT_BOUND, batch: Number(values.batch) });
    }
    const { runs, warmup, threads, python } = values;
    const compare = await measure(path, {
      cache: 'all',
      runtimes: runtimesOf(values.runtime),
      runs: Number(runs),
      warmup: Number(warmup),
      trust: true,
      ...(threads === undefined ? {} : { threads: Number(threads) }),
      ...(python === undefined ? {} : { python })
    });
    if (values.json !== undefined) {
      writeFileSync(values.json, JSON.stringify(compare, null, 2));
    }
    console.log(report(compare));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @throws Error where a name is none of a runtime. */
function runtimesOf(names: string): RuntimeName[] {
  return names.split(',').map(name => {
    const runtime = RUNTIMES.find(known => known === name);
    if (runtime === undefined) {
      throw new Error(`${name} is no runtime; there are ${RUNTIMES.join(', ')}`);
    }
    return runtime;
  });
}

async function measure(
  path: string,
  options: Parameters<typeof compareParams>[0]
): Promise<ICompareResult> {
  const engine = new Engine();
  const params = { path, ...compareParams(options) };
  const { result } = await engine.handle('compare', params, {
    progress: ({ text, fraction }) => {
      if (process.stderr.isTTY) {
        const percent = Math.round(100 * (fraction ?? 0));
        process.stderr.write(`\r\u001b[K${percent} % ${text}`);
      }
    }
  });
  if (process.stderr.isTTY) {
    process.stderr.write('\r\u001b[K');
  }
  await engine.dispose();
  return result;
}

main().catch((error: unknown) => {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
});
