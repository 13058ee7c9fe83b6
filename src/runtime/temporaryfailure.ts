/**
 * Failures to write temporary files, for the reader: which folder, why, and what to do.
 *
 * @packageDocumentation
 */
import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { CastlensError } from '../model';

/**
 * The error of something temporary that cannot be written.
 *
 * @param what - for the reader, in the plural: `converted weights`.
 * @param path - the file, or its folder.
 */
export function temporaryFailure(what: string, path: string, cause: unknown): CastlensError {
  const isFull = FULL.includes((cause as NodeJS.ErrnoException).code ?? '');
  return new CastlensError(
    'runtime',
    isFull ? `${what} cannot be written: the disk is full` : `${what} cannot be written`,
    {
      file: path,
      found: (cause as Error).message,
      hint: isFull
        ? 'Free some space there, or set TMPDIR to a folder that has it'
        : 'Set TMPDIR to a folder that can be written to',
      cause
    }
  );
}

/** Codes of the system for disks without room: of blocks or files, of the user's share, of the size of one file. */
const FULL: readonly string[] = ['ENOSPC', 'EDQUOT', 'EFBIG'];

/** More than systems keep for themselves in a block that is open already. */
const PROBE_BYTES = 256 * 1024;

/** Why nothing can be written to a folder now, which libraries do not tell of their own files; null where it can. */
export function writingFails(folder: string): Error | null {
  const probe = join(folder, `probe-${randomBytes(6).toString('hex')}`);
  try {
    writeFileSync(probe, new Uint8Array(PROBE_BYTES));
    return null;
  } catch (error) {
    return error as Error;
  } finally {
    rmSync(probe, { force: true });
  }
}
