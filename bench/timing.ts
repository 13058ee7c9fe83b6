// Checks the timing harness on delays that are known: `npm run bench:timing [-- --runs N --delay MS --json FILE]`.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { Bench } from 'tinybench';

import type { IRatio } from '../src/numerics';
import { median, normal, ratioOfMedians, uniform, verdictOf } from '../src/numerics';
import { VERDICT_TEXTS } from '../src/protocol';
import { describeMachine, timeInterleaved } from '../src/runtime';

/** Factors on the delay. The first is the baseline, the second the same thing again: an A/A comparison. */
const FACTORS = [1, 1, 1.01, 1.02, 1.05, 1.2, 0.5, 3];

/** Noise of a forward, as a share of its duration. */
const NOISE = 0.02;

interface IRow {
  readonly injected: number;
  readonly harness: IRatio;
  readonly reference: number;
}

const OPTIONS = {
  runs: { type: 'string', default: '60' },
  delay: { type: 'string', default: '2' },
  json: { type: 'string' }
} as const;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: OPTIONS });
  const runs = Number(values.runs);
  const delayMs = Number(values.delay);
  const samples = await timeInterleaved(
    FACTORS.map((factor, i) => ({ name: `${factor}`, run: delay(factor * delayMs, i) })),
    { runs, warmup: 3 }
  );
  const references = await tinybenchMedians(runs, delayMs);
  const rows = FACTORS.slice(1).map((injected, k): IRow => {
    const i = k + 1;
    return {
      injected,
      harness: ratioOfMedians(samples[i], samples[0]),
      reference: references[i] / references[0]
    };
  });
  if (values.json !== undefined) {
    writeFileSync(values.json, JSON.stringify({ runs, delayMs, rows }, null, 2));
  }
  process.stdout.write(`${report(rows, runs, delayMs, median(samples[0]))}\n`);
}

/** A forward that takes a known time: it keeps its thread busy, as onnxruntime does, with noise of its own seed. */
function delay(ms: number, seed: number): () => Promise<void> {
  const gauss = normal(uniform(seed));
  return async () => {
    const end = performance.now() + ms * Math.exp(NOISE * gauss());
    while (performance.now() < end) {
      // Busy.
    }
  };
}

/** The same delays under tinybench: one after the other, as many runs each. */
async function tinybenchMedians(runs: number, delayMs: number): Promise<number[]> {
  const bench = new Bench({ time: 0, iterations: runs, warmupTime: 0, warmupIterations: 3 });
  FACTORS.forEach((factor, i) => bench.add(`${i}`, delay(factor * delayMs, i)));
  await bench.run();
  return bench.tasks.map(({ name, result }) => {
    if (result.state !== 'completed') {
      throw new Error(`tinybench did not finish delay ${name}: ${result.state}`);
    }
    return result.latency.p50;
  });
}

function report(rows: readonly IRow[], runs: number, delayMs: number, baseMs: number): string {
  return [
    `Machine: ${describeMachine()}  `,
    `${runs} interleaved rounds; baseline delay ${delayMs} ms injected, median ${baseMs.toFixed(3)} ms measured; noise ${100 * NOISE} %`,
    '',
    '| injected ratio | castlens (95 % interval) | holds it | verdict | tinybench, one after the other |',
    '| ---: | ---: | --- | --- | ---: |',
    ...rows.map(({ injected, harness: { ratio, low, high }, reference }) => {
      const holds = low !== null && high !== null && low <= injected && injected <= high;
      const interval =
        low === null || high === null ? '' : ` (${low.toFixed(3)} to ${high.toFixed(3)})`;
      const cells = [
        injected.toFixed(2),
        `${ratio.toFixed(3)}${interval}`,
        holds ? 'yes' : 'no',
        VERDICT_TEXTS[verdictOf({ ratio, low, high })],
        reference.toFixed(3)
      ];
      return `| ${cells.join(' | ')} |`;
    })
  ].join('\n');
}

main().catch((error: unknown) => {
  process.stderr.write(`${(error as Error).stack}\n`);
  process.exitCode = 1;
});
