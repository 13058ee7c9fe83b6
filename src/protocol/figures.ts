/**
 * How figures are written, the same everywhere: panel, notebook and command line.
 *
 * @packageDocumentation
 */

import type { IFindingCost, IMeasuredTime } from './contract/census';
import type { Verdict } from './contract/words';

/** A verdict in words, where they need not be translated. */
export const VERDICT_TEXTS: Readonly<Record<Verdict, string>> = {
  faster: 'faster',
  slower: 'slower',
  'no-difference': 'no difference',
  unknown: 'too few runs'
};

/** A count of bytes in binary units: `395520` is `386.3 KiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return unit === 0 ? `${bytes} B` : `${value.toFixed(1)} ${units[unit]}`;
}

/** Milliseconds with three significant decimals below 10, fewer above: `0.137 ms`, `38.2 ms`, `1204 ms`. */
export function formatMs(ms: number): string {
  const digits = ms < 10 ? 3 : ms < 100 ? 1 : 0;
  return `${ms.toFixed(digits)} ms`;
}

/** What a finding costs, the part that was measured last: `386.3 KiB moved per forward; 0.120 ms (95 % interval ...)`. */
export function formatCost(cost: IFindingCost): string {
  const { bytesMoved, isLowerBound, time } = cost;
  const parts: string[] = [];
  if (bytesMoved !== undefined) {
    parts.push(`${isLowerBound ? 'at least ' : ''}${formatBytes(bytesMoved)} moved per forward`);
  }
  if (time !== undefined) {
    parts.push(formatMeasuredTime(time));
  }
  return parts.join('; ');
}

function formatMeasuredTime(time: IMeasuredTime): string {
  const { with: one, without, differenceMs, lowMs, highMs, verdict, device, runs } = time;
  const how = `${one} against ${without} on ${device}, ${runs} run${runs === 1 ? '' : 's'} each`;
  const interval =
    lowMs === null || highMs === null
      ? 'too few runs for an interval'
      : `95 % interval ${formatMs(lowMs)} to ${formatMs(highMs)}`;
  return verdict === 'no-difference'
    ? `no difference in time beyond the noise (${interval}; ${how})`
    : `${formatMs(differenceMs)} per forward (${interval}; ${how})`;
}

/** A ratio: `0.263×`. */
export function formatRatio(ratio: number): string {
  return `${ratio.toFixed(ratio < 10 ? 3 : 1)}×`;
}

/** A shape: `256×128`, `scalar` for a 0-d tensor. */
export function formatSizes(shape: readonly (number | string)[]): string {
  return shape.length === 0 ? 'scalar' : shape.join('×');
}

/** What a table leaves out, a line per reason: `12 values left out (a, b, c and 9 more): REASON`. */
export function formatSkipped(
  skipped: readonly { readonly name: string; readonly reason: string }[]
): string[] {
  const byReason = new Map<string, string[]>();
  for (const { name, reason } of skipped) {
    const names = byReason.get(reason) ?? [];
    byReason.set(reason, names);
    names.push(name);
  }
  return [...byReason].map(([reason, names]) => {
    const more = names.length - NAMED;
    const listed = names.slice(0, NAMED).join(', ') + (more > 0 ? ` and ${more} more` : '');
    return `${names.length} ${names.length === 1 ? 'value' : 'values'} left out (${listed}): ${reason}`;
  });
}

/** How many of what is left out are named. */
const NAMED = 3;
