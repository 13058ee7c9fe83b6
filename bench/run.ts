// Measures the cache modes on a weight-bound model: `npm run bench [-- --runs N --warmup N --batch N --model FILE --json FILE]`.
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { Engine } from '../src/engine/service';
import type { ICompareResult } from '../src/protocol';
import { CACHE_MODES, REFERENCES } from '../src/protocol';
import { report } from './report';
import { WEIGHT_BOUND, writeMlp } from './models/mlp';

const OPTIONS = {
  runs: { type: 'string', default: '30' },
  warmup: { type: 'string', default: '5' },
  batch: { type: 'string', default: String(WEIGHT_BOUND.batch) },
  model: { type: 'string' },
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
    const compare = await measure(path, Number(values.runs), Number(values.warmup));
    if (values.json !== undefined) {
      writeFileSync(values.json, JSON.stringify(compare, null, 2));
    }
    console.log(report(compare));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(path: string, runs: number, warmup: number): Promise<ICompareResult> {
  const variants = [...CACHE_MODES, ...REFERENCES].map(cache => ({
    cache,
    passes: [],
    device: 'cpu'
  }));
  const params = { path, variants, runs, warmup };
  const { result } = await new Engine().handle('compare', params, {
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
  return result;
}

main().catch((error: unknown) => {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
});
