/**
 * Memory of this process.
 *
 * @packageDocumentation
 */
import { readFileSync } from 'node:fs';

/** Largest resident set since the process started, in bytes. */
export function peakRssBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
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
