/**
 * Timing variants against each other.
 *
 * @packageDocumentation
 */
import { uniform } from '../numerics';
import type { IJob } from './job';
import { breathe } from './job';

/** One thing to time. */
export interface ITimedVariant {
  /** For progress messages. */
  readonly name: string;
  /** Process that runs it, where it is not this one. Before another process is timed, the last one comes to rest. */
  readonly process?: string;
  /** One forward; resolves with its time in milliseconds where another process measures it. */
  run(): Promise<number | void>;
}

/** How often. */
export interface ITimingOptions extends IJob {
  /** Timed rounds, each running every variant once. */
  readonly runs: number;
  /** Rounds before that which are not timed. */
  readonly warmup: number;
  /** Whether all is still as it must be: asked when progress is told, outside the timed part. What it throws ends the timing. */
  check?(): Promise<void>;
}

/**
 * Time variants interleaved, so that slow drifts of the machine meet all of them alike. Every round runs each once, in an order
 * of its own: what one variant leaves in the caches of the machine would otherwise always meet the same neighbour.
 *
 * @returns wall times in milliseconds per variant, in the order of the rounds: sample `i` of all variants is of one round.
 *
 * #### Notes
 * Orders are drawn from a seed: the same call runs in the same order. The event loop turns between runs, outside the timed part, so
 * that a cancellation can arrive. Progress is told ten times a second at most.
 *
 * @throws CastlensError `cancelled`, or what a variant or `check` throws.
 */
export async function timeInterleaved(
  variants: readonly ITimedVariant[],
  options: ITimingOptions
): Promise<number[][]> {
  const samples = variants.map((): number[] => []);
  const total = (options.warmup + options.runs) * variants.length;
  let done = 0;
  let lastProgress = -Infinity;
  let lastProcess = variants[0]?.process;
  const random = uniform(ORDER_SEED);
  for (let round = 0; round < options.warmup + options.runs; round++) {
    for (const i of shuffled(variants.length, random)) {
      const { name, run, process } = variants[i];
      if (performance.now() - lastProgress > PROGRESS_INTERVAL_MS) {
        lastProgress = performance.now();
        options.progress?.({ text: `Timing ${name}`, done, total });
        await options.check?.();
      }
      await breathe(options);
      if (process !== lastProcess) {
        lastProcess = process;
        await new Promise(resolve => setTimeout(resolve, REST_MS));
      }
      const start = performance.now();
      const measured = await run();
      const elapsed = measured ?? performance.now() - start;
      if (round >= options.warmup) {
        samples[i].push(elapsed);
      }
      done++;
    }
  }
  return samples;
}

/** The numbers below `length` in any order, all equally likely (Fisher and Yates). */
function shuffled(length: number, random: () => number): number[] {
  const order = Array.from({ length }, (_, i) => i);
  for (let last = length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}

const ORDER_SEED = 0;

/** Idle threads of OpenMP keep a processor busy for some milliseconds before they sleep. */
const REST_MS = 10;

const PROGRESS_INTERVAL_MS = 100;
