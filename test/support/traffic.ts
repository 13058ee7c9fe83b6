/** Bytes that this process moves: what all of its threads and native libraries read and write through system calls, and its memory. */
import { readFileSync, writeFileSync } from 'node:fs';

import { currentRssBytes, withPeakRss } from '../../src/runtime';

/** What some work moved. Mapped files are not read: their pages count where they are touched, in the memory alone. */
export interface ITraffic<T> {
  readonly result: T;
  readonly readBytes: number;
  readonly writtenBytes: number;
  /** The largest resident set meanwhile, above what was resident before. */
  readonly peakGrowthBytes: number;
}

/** Whether this system lets a process count its peak memory anew. Containers may show the file and refuse to write it. */
export const countsPeak = succeeds(() => writeFileSync('/proc/self/clear_refs', '5'));

/** Whether this system counts. */
export const countsTraffic = countsPeak && succeeds(counters);

/** Do work and count. What else the process does meanwhile counts too: a few kilobytes of modules loaded late. */
export async function trafficOf<T>(work: () => Promise<T>): Promise<ITraffic<T>> {
  const before = counters();
  const resident = currentRssBytes();
  const { result, peakBytes } = await withPeakRss(work);
  const after = counters();
  return {
    result,
    readBytes: after.rchar - before.rchar,
    writtenBytes: after.wchar - before.wchar,
    peakGrowthBytes: (peakBytes ?? NaN) - resident
  };
}

function succeeds(work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}

/** See proc_pid_io(5). */
function counters(): { rchar: number; wchar: number } {
  const text = readFileSync('/proc/self/io', 'latin1');
  const count = (name: string): number =>
    Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(text)![1]);
  return { rchar: count('rchar'), wchar: count('wchar') };
}
