/**
 * How figures are written, the same everywhere: panel, notebook and command line.
 *
 * @packageDocumentation
 */

import type { Verdict } from './requests';

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

/** A ratio: `0.263×`. */
export function formatRatio(ratio: number): string {
  return `${ratio.toFixed(ratio < 10 ? 3 : 1)}×`;
}

/** A shape: `256×128`, `scalar` for a 0-d tensor. */
export function formatSizes(shape: readonly (number | string)[]): string {
  return shape.length === 0 ? 'scalar' : shape.join('×');
}
