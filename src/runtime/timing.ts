/**
 * Timing variants against each other.
 *
 * @packageDocumentation
 */
import type { IJob } from './job';
import { breathe } from './job';

/** One thing to time. */
export interface ITimedVariant {
  /** For progress messages. */
  readonly name: string;
  /** One forward. */
  run(): Promise<void>;
}

/** How often. */
export interface ITimingOptions extends IJob {
  /** Timed rounds, each running every variant once. */
  readonly runs: number;
  /** Rounds before that which are not timed. */
  readonly warmup: number;
}

/**
 * Time variants interleaved, A B C A B C ..., so that slow drifts of the machine meet all of them alike.
 *
 * @returns wall times in milliseconds per variant, in the order of the rounds: sample `i` of all variants is of one round.
 *
 * #### Notes
 * The event loop turns between runs, outside the timed part, so that a cancellation can arrive. Progress is told ten times a
 * second at most.
 *
 * @throws CastlensError `cancelled`, or what a variant throws.
 */
export async function timeInterleaved(
  variants: readonly ITimedVariant[],
  options: ITimingOptions
): Promise<number[][]> {
  const samples = variants.map((): number[] => []);
  const total = (options.warmup + options.runs) * variants.length;
  let done = 0;
  let lastProgress = -Infinity;
  for (let round = 0; round < options.warmup + options.runs; round++) {
    for (const [i, { name, run }] of variants.entries()) {
      if (performance.now() - lastProgress > PROGRESS_INTERVAL_MS) {
        lastProgress = performance.now();
        options.progress?.({ text: `Timing ${name}`, fraction: done / total });
      }
      await breathe(options);
      const start = performance.now();
      await run();
      const elapsed = performance.now() - start;
      if (round >= options.warmup) {
        samples[i].push(elapsed);
      }
      done++;
    }
  }
  return samples;
}

const PROGRESS_INTERVAL_MS = 100;
