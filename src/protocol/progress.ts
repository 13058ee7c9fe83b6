/**
 * How far a request is, how long the rest may take, and how both are written. No other place estimates or words it.
 *
 * @packageDocumentation
 */
import { formatBytes } from './figures';

/** Progress of a request that takes long. */
export interface IProgress {
  /** What is being done, for the reader. */
  readonly text: string;
  /** How much of the present step is done, and of how much; absent where it is not known. */
  readonly done?: number;
  readonly total?: number;
  /** What is counted; things where left out. */
  readonly unit?: 'bytes';
  /** Share of the whole request, 0 to 1; that of the present step where left out. */
  readonly fraction?: number;
  /** Seconds that the rest takes if it goes on as it did; absent while that is not known. */
  readonly leftSeconds?: number;
}

/** Share done, 0 to 1; null where it is not known. */
export function shareOf({ fraction, done, total }: IProgress): number | null {
  if (fraction !== undefined) {
    return fraction;
  }
  return done === undefined || total === undefined || total <= 0
    ? null
    : Math.min(1, Math.max(0, done / total));
}

/** `Timing off: 12 of 40, about 30 s left` */
export function progressText({ text, done, total, unit, leftSeconds }: IProgress): string {
  const counted = unit === 'bytes' ? formatBytes : String;
  const parts = [
    ...(done === undefined || total === undefined ? [] : [`${counted(done)} of ${counted(total)}`]),
    ...(leftSeconds === undefined ? [] : [`about ${formatLeft(leftSeconds)} left`])
  ];
  return parts.length === 0 ? text : `${text}: ${parts.join(', ')}`;
}

function formatLeft(seconds: number): string {
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}

/** Before this much of a step was seen, its pace says little; milliseconds. */
const LEAST_MS = 500;

/**
 * Estimates how long the rest of one request takes, from the pace of its present step. Another step has another pace: it starts anew when
 * `total` changes or the share falls.
 */
export class ProgressEstimate {
  /** The progress with its share and the estimate, where there is one. @param nowMs - milliseconds of a clock that never goes back. */
  add(progress: IProgress, nowMs: number): IProgress {
    const share = shareOf(progress);
    if (share === null) {
      return progress;
    }
    const { total } = progress;
    if (this._start === null || this._start.total !== total || share < this._start.share) {
      this._start = { total, share, atMs: nowMs };
    }
    const gained = share - this._start.share;
    const elapsedMs = nowMs - this._start.atMs;
    if (gained <= 0 || elapsedMs < LEAST_MS) {
      return { ...progress, fraction: share };
    }
    const leftSeconds = Math.ceil((elapsedMs * (1 - share)) / gained / 1000);
    return { ...progress, fraction: share, leftSeconds };
  }

  private _start: { total: number | undefined; share: number; atMs: number } | null = null;
}
