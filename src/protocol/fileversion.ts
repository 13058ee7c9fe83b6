/**
 * What tells a file from what it may become.
 *
 * Engine and kernel compare versions with one another: both compute them here.
 *
 * @packageDocumentation
 */

/** The part of a file's status that its version is made of, as `fs.Stats` has it. */
export interface IFileStatus {
  readonly size: number;
  readonly mtimeMs: number;
  readonly ino: number;
}

/** Changes with the size and the modification time of a file, and where another file takes its name. */
export function versionOf({ size, mtimeMs, ino }: IFileStatus): string {
  return `${size}:${mtimeMs}:${ino}`;
}
