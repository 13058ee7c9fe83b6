// Measures what castlens adds to the runtime: `npm run bench:overhead [-- --rounds N --model FILE --cache MODE]`.
//
// The forward that castlens times and a bare loop of onnxruntime-node over the same bytes run in turn in one process, in sessions
// of their own with the same options; which of them is first changes from round to round. The models: one whose forward takes
// some ten microseconds, where an overhead shows at all, and the weight-bound one.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Tensor } from 'onnxruntime-node';

import { bindInputs } from '../src/engine/inputs';
import { ModelStore } from '../src/engine/modelstore';
import type { VariantSession } from '../src/engine/sessions';
import { VariantSessions } from '../src/engine/sessions';
import type { ElementArray, ITensor } from '../src/numerics';
import { ratioOfMedians, spreadOf } from '../src/numerics';
import type { CacheMode, IVariant } from '../src/protocol';
import { CACHE_MODES, formatMs } from '../src/protocol';
import { breathe, describeMachine, loadOrt, RuntimeSession, WeightWorkers } from '../src/runtime';
import { WEIGHT_BOUND, writeMlp } from './models/mlp';
import { ratioText } from './report';

const OPTIONS = {
  rounds: { type: 'string' },
  model: { type: 'string' },
  cache: { type: 'string', default: 'frozen' }
} as const;

/** What a forward by castlens may take, relative to a bare one. */
const MOST_RATIO = 1.02;

/** Part of the rounds that is not counted, before those that are. */
const WARMUP = 0.1;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: OPTIONS });
  const cache = CACHE_MODES.find(mode => mode === values.cache);
  if (cache === undefined) {
    throw new Error(`--cache is one of ${CACHE_MODES.join(', ')}`);
  }
  const folder = await mkdtemp(join(tmpdir(), 'castlens-overhead-'));
  try {
    console.log(`Machine: ${describeMachine()}  `);
    console.log(`Variant: ${cache}; rounds in turn, in changing order\n`);
    console.log(
      '| model | rounds | castlens | onnxruntime-node alone | ratio (95 % interval) | loading | switching back |'
    );
    console.log('| --- | ---: | ---: | ---: | ---: | ---: | ---: |');
    const rounds = values.rounds === undefined ? null : Number(values.rounds);
    if (values.model !== undefined) {
      await measure(values.model, values.model, cache, rounds ?? 500);
      return;
    }
    await measure('examples/mlp.pt2', 'examples/mlp.pt2', cache, rounds ?? 5000);
    const large = join(folder, 'mlp.pt2');
    await writeMlp(large, WEIGHT_BOUND);
    await measure('weight-bound', large, cache, rounds ?? 200);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(
  name: string,
  path: string,
  cache: CacheMode,
  rounds: number
): Promise<void> {
  const loaded = await new ModelStore().load({ path });
  const workers = new WeightWorkers();
  const sessions = new VariantSessions(workers);
  const variant: IVariant = { cache, passes: [], device: 'cpu' };
  const { item: session, release } = await sessions.take(loaded, variant, {});
  try {
    const { tensors } = await bindInputs(loaded.model, {});
    const samples = await interleave(session, tensors, rounds);
    const compared = ratioOfMedians(samples[0], samples[1]);
    const start = performance.now();
    const again = await sessions.take(loaded, variant, {});
    const switchMs = performance.now() - start;
    await again.release();
    const cells = [
      name,
      String(rounds),
      ...samples.map(list => formatMs(spreadOf(list).median)),
      ratioText(compared),
      formatMs(session.loadMs),
      formatMs(switchMs)
    ];
    console.log(`| ${cells.join(' | ')} |`);
    // The interval decides, not the noise.
    if (!again.reused || (compared.low ?? compared.ratio) > MOST_RATIO) {
      process.exitCode = 1;
    }
  } finally {
    await release();
    await sessions.clear();
    await workers.dispose();
  }
}

/** Times of castlens' forward and of a bare one, milliseconds. */
async function interleave(
  session: VariantSession,
  inputs: ReadonlyMap<string, ITensor>,
  rounds: number
): Promise<number[][]> {
  const ort = await loadOrt();
  const bare = await ort.InferenceSession.create(
    session.model,
    RuntimeSession.nativeOptions({ device: { kind: 'cpu' }, level: 'planned' })
  );
  const make = ort.Tensor as new (
    type: string,
    data: ElementArray,
    dims: readonly number[]
  ) => Tensor;
  const feeds: Record<string, Tensor> = {};
  for (const [name, { dtype, data, shape }] of session.feeds(inputs)) {
    feeds[name] = new make(dtype, data, shape);
  }
  const forwards: (() => Promise<unknown>)[] = [session.prepareRun(inputs), () => bare.run(feeds)];
  const samples: number[][] = [[], []];
  for (let round = -Math.ceil(WARMUP * rounds); round < rounds; round++) {
    for (const i of round % 2 === 0 ? [0, 1] : [1, 0]) {
      await breathe({});
      const start = performance.now();
      await forwards[i]();
      const elapsed = performance.now() - start;
      if (round >= 0) {
        samples[i].push(elapsed);
      }
    }
  }
  await bare.release();
  return samples;
}

main().catch((error: unknown) => {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
});
