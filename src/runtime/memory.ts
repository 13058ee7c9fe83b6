/**
 * Memory of this process.
 *
 * @packageDocumentation
 */
import { readFileSync, writeFileSync } from 'node:fs';

/** Largest resident set since the process started, in bytes. */
export function peakRssBytes(): number {
  return Math.max(earlierPeak, process.resourceUsage().maxRSS * 1024);
}

/**
 * Do work, and say what the largest resident set of the process was meanwhile, in bytes: all of its memory, that of other work going
 * on at the time included. Null where the operating system does not let a process start counting anew (any but Linux).
 *
 * #### Notes
 * One at a time: an inner measurement would cut the outer one short.
 */
export async function withPeakRss<T>(
  work: () => Promise<T>
): Promise<{ result: T; peakBytes: number | null }> {
  const isCounting = resetPeak();
  const result = await work();
  return { result, peakBytes: isCounting ? residentPeak() : null };
}

/** What `peakRssBytes` has told before the system's own figure was reset. */
let earlierPeak = 0;

/** Start counting the peak anew; false where the system cannot. */
function resetPeak(): boolean {
  const peak = peakRssBytes();
  try {
    // 5: "reset the peak resident set size", see proc(5).
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Not Linux, or not permitted.
    return false;
  }
  earlierPeak = peak;
  return residentPeak() !== null;
}

/** The system's count since it was last reset. */
function residentPeak(): number | null {
  try {
    const found = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'));
    return found ? Number(found[1]) * 1024 : null;
  } catch {
    // The file is gone with its file system.
    return null;
  }
}

/** Resident set now, in bytes. */
export function currentRssBytes(): number {
  return process.memoryUsage.rss();
}

/** The resident set by what it holds, in bytes. */
export interface IResidentMemory {
  /** Pages of files that are mapped: the system can drop them and read them again. */
  readonly fileBackedBytes: number;
  /** Everything else. */
  readonly hostBytes: number;
}

/**
 * The resident set now, by what it holds.
 *
 * Source: `RssFile`, and `RssAnon` with `RssShmem`, of proc_pid_status(5).
 *
 * @returns null where the system does not tell them apart.
 */
export function residentMemory(): IResidentMemory | null {
  let status: string;
  try {
    status = readFileSync('/proc/self/status', 'latin1');
  } catch {
    return null;
  }
  const bytes = (field: string): number =>
    Number(new RegExp(`^${field}:\\s*(\\d+) kB$`, 'm').exec(status)?.[1] ?? NaN) * 1024;
  const memory = {
    fileBackedBytes: bytes('RssFile'),
    hostBytes: bytes('RssAnon') + bytes('RssShmem')
  };
  return Number.isNaN(memory.fileBackedBytes + memory.hostBytes) ? null : memory;
}
