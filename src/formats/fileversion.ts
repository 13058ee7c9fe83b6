/**
 * What tells a file from what it may become.
 *
 * @packageDocumentation
 */
import type { Stats } from 'node:fs';

/** Changes with the size and the modification time of a file, and where another file takes its name. */
export function versionOf({ size, mtimeMs, ino }: Stats): string {
  return `${size}:${mtimeMs}:${ino}`;
}
