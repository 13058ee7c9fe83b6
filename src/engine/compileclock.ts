/**
 * How long compiling takes, for those who wait.
 *
 * @packageDocumentation
 */
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
        job.progress?.({ text: stage + timeText(elapsed, this._times.get(program)) });
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

/** `, 12 s so far, about 8 s left`; empty for what has only begun. */
export function timeText(elapsedMs: number, expectedMs: number | undefined): string {
  const seconds = (ms: number): number => Math.round(ms / 1000);
  const left =
    expectedMs !== undefined && expectedMs - elapsedMs >= 1000
      ? `, about ${seconds(expectedMs - elapsedMs)} s left`
      : '';
  return elapsedMs < SHORT_MS ? left : `, ${seconds(elapsedMs)} s so far${left}`;
}
