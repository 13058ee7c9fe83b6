/**
 * Memory of this process.
 *
 * @packageDocumentation
 */
import { readFileSync, writeFileSync } from 'node:fs';

import type { Device } from './devices';
import { deviceMemory } from './nvidiasmi';

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
  return statusOfProcess()('VmHWM');
}

/** Resident set now, in bytes. */
export function currentRssBytes(): number {
  return process.memoryUsage.rss();
}

/** Memory of the process by where it lies, in bytes; null where nobody says. */
export interface IProcessMemory {
  /** Pages of mapped files: the system can drop them and read them again. */
  readonly fileBackedBytes: number | null;
  /** The rest of the resident set. */
  readonly hostBytes: number | null;
  /** Device memory as the driver counts it, the context of CUDA and its libraries included. */
  readonly deviceBytes: number | null;
}

/** The memory of the process at one time. */
export interface IMemorySnapshot extends IProcessMemory {
  /** Device memory that all programs together use. */
  readonly deviceUsedBytes: number | null;
}

/**
 * The memory of the process now.
 *
 * Source: `RssFile`, and `RssAnon` with `RssShmem`, of proc_pid_status(5); `nvidia-smi` for CUDA.
 */
export async function processMemory(device: Device): Promise<IMemorySnapshot> {
  const status = statusOfProcess();
  const anonymous = status('RssAnon');
  const shared = status('RssShmem');
  const onDevice = device.kind === 'cuda' ? await deviceMemory() : null;
  return {
    fileBackedBytes: status('RssFile'),
    hostBytes: anonymous === null || shared === null ? null : anonymous + shared,
    deviceBytes: onDevice?.processBytes ?? null,
    deviceUsedBytes: onDevice?.usedBytes ?? null
  };
}

/**
 * By how much memory grew, never less than nothing.
 *
 * #### Notes
 * A process that does not use the device yet is not listed by the driver. Where it never is, as inside containers that hide process
 * ids, what all programs use has to do: right where no other program's use changes meanwhile.
 */
export function memoryGrowth(before: IMemorySnapshot, after: IMemorySnapshot): IProcessMemory {
  const growth = (from: number | null, to: number | null): number | null =>
    from === null || to === null ? null : Math.max(0, to - from);
  return {
    fileBackedBytes: growth(before.fileBackedBytes, after.fileBackedBytes),
    hostBytes: growth(before.hostBytes, after.hostBytes),
    deviceBytes:
      after.deviceBytes === null
        ? growth(before.deviceUsedBytes, after.deviceUsedBytes)
        : growth(before.deviceBytes ?? 0, after.deviceBytes)
  };
}

/** Sizes in bytes by their name in /proc/self/status; null where the system has none. */
function statusOfProcess(): (field: string) => number | null {
  let status = '';
  try {
    status = readFileSync('/proc/self/status', 'latin1');
  } catch {
    // Only Linux has it.
  }
  return field => {
    const size = new RegExp(`^${field}:\\s*(\\d+) kB$`, 'm').exec(status)?.[1];
    return size === undefined ? null : Number(size) * 1024;
  };
}
