/**
 * The private folder of this process for converted weights and profiles.
 *
 * @packageDocumentation
 */
import { lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { isTagOfEnded, processTag } from '../formats';
import { CastlensError } from '../model';

const PREFIX = 'castlens-';

let folder: string | null = null;

/**
 * The folder, made on first use and removed when the process exits.
 *
 * #### Notes
 * It lies in the system's folder for temporary files (`TMPDIR` moves it), is readable by its owner only, and its name carries
 * machine and process: folders that processes of this user on this machine left behind when they were killed are removed here.
 *
 * @throws CastlensError where the system's folder cannot be written to.
 */
export function privateFolder(): string {
  if (folder === null) {
    removeStaleFolders(tmpdir());
    try {
      folder = mkdtempSync(join(tmpdir(), `${PREFIX}${processTag()}-`));
    } catch (cause) {
      throw new CastlensError('runtime', 'no folder for temporary files can be made', {
        file: tmpdir(),
        hint: 'Set TMPDIR to a folder with free space',
        cause
      });
    }
    process.once('exit', removePrivateFolder);
  }
  return folder;
}

/** Remove the folder with everything in it. The next use makes a new one. */
export function removePrivateFolder(): void {
  if (folder !== null) {
    rmSync(folder, { recursive: true, force: true });
    folder = null;
  }
}

/**
 * Remove folders of dead processes.
 *
 * @returns the paths removed.
 */
export function removeStaleFolders(parent: string): string[] {
  const removed: string[] = [];
  for (const name of entriesOf(parent)) {
    const path = join(parent, name);
    const isStale = name.startsWith(PREFIX) && isTagOfEnded(name.slice(PREFIX.length));
    if (isStale && isOwnFolder(path)) {
      rmSync(path, { recursive: true, force: true });
      removed.push(path);
    }
  }
  return removed;
}

function entriesOf(parent: string): string[] {
  try {
    return readdirSync(parent);
  } catch {
    // An unreadable folder has nothing of ours to clean.
    return [];
  }
}

function isOwnFolder(path: string): boolean {
  try {
    const stats = lstatSync(path);
    return stats.isDirectory() && (process.getuid === undefined || stats.uid === process.getuid());
  } catch {
    // Removed by another process meanwhile.
    return false;
  }
}
