/**
 * The private folder of this process for converted weights and profiles.
 *
 * @packageDocumentation
 */
import type { Stats } from 'node:fs';
import { mkdtempSync, rmSync, utimesSync } from 'node:fs';
import { lstat, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { FORGOTTEN_MS, isLeftover, ownerOf, processTag } from '../formats';
import { holdLock, isLockHeld } from './folderlock';
import { removeWhenGone } from './reaper';
import { temporaryFailure } from './temporaryfailure';

const PREFIX = 'castlens-';

interface IFolder {
  readonly path: string;
  /** Give up everything that goes with it. */
  release(): void;
}

let folder: IFolder | null = null;

/**
 * The folder, made on first use and removed when the process ends, however it ends.
 *
 * #### Notes
 * It lies in the system's folder for temporary files (`TMPDIR` moves it), is readable by its owner only, holds a lock, and its name
 * carries machine and process, by which others see whether it is in use.
 *
 * @throws CastlensError where the system's folder cannot be written to.
 */
export function privateFolder(): string {
  folder ??= makeFolder();
  return folder.path;
}

function makeFolder(): IFolder {
  let path: string;
  try {
    path = mkdtempSync(join(tmpdir(), `${PREFIX}${processTag()}-`));
  } catch (cause) {
    throw temporaryFailure('temporary files', tmpdir(), cause);
  }
  const unlock = holdLock(path);
  const unwatch = removeWhenGone(path);
  // Who cannot see this process sees by this that it runs.
  const pulse = setInterval(() => touch(path), FORGOTTEN_MS / 24).unref();
  process.once('exit', removePrivateFolder);
  return {
    path,
    release: () => {
      process.removeListener('exit', removePrivateFolder);
      clearInterval(pulse);
      unlock();
      rmSync(path, { recursive: true, force: true });
      unwatch();
    }
  };
}

function touch(path: string): void {
  try {
    const now = new Date();
    utimesSync(path, now, now);
  } catch {
    // Removed by somebody else: whoever looks for a file in it will say so.
  }
}

/** Remove the folder with everything in it. The next use makes a new one. */
export function removePrivateFolder(): void {
  folder?.release();
  folder = null;
}

/**
 * Remove folders of processes that have ended, of this user: those that were killed together with all that watched them.
 *
 * #### Notes
 * The folder of a process of another container is known by its lock. That of another machine, with which a folder may be shared, is removed
 * when it was not touched for a day.
 *
 * @param parent - where to look, by default where the folders are made.
 * @returns the paths removed. Never rejects.
 */
export async function removeStaleFolders(parent = tmpdir()): Promise<string[]> {
  const removed: string[] = [];
  // An unreadable folder has nothing of ours to clean.
  const names = await readdir(parent).catch((): string[] => []);
  for (const name of names.filter(each => each.startsWith(PREFIX))) {
    const path = join(parent, name);
    if (await isStale(path, name.slice(PREFIX.length))) {
      await rm(path, { recursive: true, force: true }).then(
        () => removed.push(path),
        () => undefined
      );
    }
  }
  return removed;
}

async function isStale(path: string, tag: string): Promise<boolean> {
  const owner = ownerOf(tag);
  if (owner === null || owner === 'runs') {
    return false;
  }
  // Removed by another process meanwhile, or not ours.
  const stats = await lstat(path).catch(() => null);
  if (stats === null || !isOwnFolder(stats)) {
    return false;
  }
  const held = owner === 'other-namespace' ? await isLockHeld(path) : null;
  return held === null ? isLeftover(tag, stats.mtimeMs) : !held;
}

function isOwnFolder(stats: Stats): boolean {
  return stats.isDirectory() && (process.getuid === undefined || stats.uid === process.getuid());
}
