/** Bytes that this process moves: what all of its threads and native libraries read and write through system calls, and its memory. */
import { existsSync, readFileSync } from 'node:fs';

import { currentRssBytes, withPeakRss } from '../../src/runtime';

/** What some work moved. Mapped files are not read: their pages count where they are touched, in the memory alone. */
export interface ITraffic<T> {
  readonly result: T;
  readonly readBytes: number;
  readonly writtenBytes: number;
  /** The largest resident set meanwhile, above what was resident before. */
  readonly peakGrowthBytes: number;
}

/** Whether this system counts. */
export const countsTraffic = existsSync('/proc/self/io') && existsSync('/proc/self/clear_refs');

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

/** See proc_pid_io(5). */
function counters(): { rchar: number; wchar: number } {
  const text = readFileSync('/proc/self/io', 'latin1');
  const count = (name: string): number =>
    Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(text)![1]);
  return { rchar: count('rchar'), wchar: count('wchar') };
}
