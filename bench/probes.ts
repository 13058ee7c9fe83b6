// What statistics of activations cost: `npm run bench:probes [-- --cache MODE --batch N --no-reference --model FILE]`.
// One variant per process: memory that an earlier one has touched would be counted again.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { Engine } from '../src/engine/service';
import type { IActivationStatsResult, IVariant } from '../src/protocol';
import { formatBytes, formatMs, formatRatio } from '../src/protocol';
import { describeMachine } from '../src/runtime';
import { WEIGHT_BOUND, writeMlp } from './models/mlp';

const OPTIONS = {
  cache: { type: 'string', default: 'off' },
  batch: { type: 'string', default: '256' },
  model: { type: 'string' },
  'no-reference': { type: 'boolean', default: false }
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
    const variant: IVariant = {
      cache: values.cache as IVariant['cache'],
      passes: [],
      device: 'cpu'
    };
    const params = { path, variant, inputs: { seed: 0 }, reference: !values['no-reference'] };
    const { result } = await new Engine().handle('activationStats', params, {});
    console.log(describeMachine());
    console.log(report(result));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function report({
  variant,
  runtime,
  rows,
  batches,
  reference,
  cost
}: IActivationStatsResult): string {
  const compared = reference ? 'compared with float32' : 'not compared';
  const lines = [
    `${variant.cache}, ${runtime}: ${rows} values, ${compared}, ${batches} runs`,
    row('time of loading and forwards', cost.plainLoadMs + cost.plainMs, cost.probedMs, formatMs),
    row('weights and values', cost.plainBytes, cost.probedBytes, formatBytes)
  ];
  if (cost.plainPeakRssBytes !== null && cost.probedPeakRssBytes !== null) {
    lines.push(row('resident set', cost.plainPeakRssBytes, cost.probedPeakRssBytes, formatBytes));
  }
  return [...lines, `in all ${formatMs(cost.totalMs)}`].join('\n');
}

function row(name: string, plain: number, probed: number, format: (x: number) => string): string {
  return `${name}: plain ${format(plain)}, probed ${format(probed)}, ratio ${formatRatio(probed / plain)}`;
}

void main();
