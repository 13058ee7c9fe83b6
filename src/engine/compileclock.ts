/**
 * How long compiling takes, for those who wait.
 *
 * @packageDocumentation
 */
import type { IProgress } from '../protocol';
import type { IJob } from '../runtime';

/** How often the time is told, milliseconds. */
const TICK_MS = 2000;

/** Work shorter than this is not compiling. */
const SHORT_MS = 3000;

/**
 * What compilations of this process took, by program: variants of one program take about the same time, and each comparison compiles
 * several.
 */
export class CompileClock {
  /** Remember what compiling `program` took. */
  note(program: string, ms: number): void {
    this._times.set(program, ms);
  }

  /**
   * A job that tells how long it has been under way beside its stage, and how long it may still take where the program was compiled before.
   * `stop` is to be called when it is done.
   */
  watch(program: string, job: IJob): { readonly job: IJob; readonly stop: () => void } {
    const startedAt = performance.now();
    let stage: string | null = null;
    const tell = (): void => {
      if (stage !== null) {
        const elapsed = performance.now() - startedAt;
        job.progress?.(timedProgress(stage, elapsed, this._times.get(program)));
      }
    };
    const timer = setInterval(tell, TICK_MS).unref();
    return {
      job: {
        ...job,
        progress: ({ text }) => {
          stage = text;
          tell();
        }
      },
      stop: () => clearInterval(timer)
    };
  }

  private readonly _times = new Map<string, number>();
}

/** The stage with the time so far, where that is worth saying, and what is left where the whole is expected to take `expectedMs`. */
export function timedProgress(
  stage: string,
  elapsedMs: number,
  expectedMs: number | undefined
): IProgress {
  const leftSeconds =
    expectedMs === undefined ? 0 : Math.round(Math.max(0, expectedMs - elapsedMs) / 1000);
  return {
    text: elapsedMs < SHORT_MS ? stage : `${stage}, ${Math.round(elapsedMs / 1000)} s so far`,
    ...(leftSeconds > 0 ? { leftSeconds } : {})
  };
}
