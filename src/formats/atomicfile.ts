/**
 * Files that appear whole or not at all.
 *
 * @packageDocumentation
 */
import * as crypto from 'node:crypto';
import type { Stats } from 'node:fs';
import { constants, renameSync, rmSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { lstat, open, readdir, readlink, rm, stat } from 'node:fs/promises';
import * as path from 'node:path';

import { CastlensError } from '../model';
import { undoAtEnd } from './endcleanup';
import { isLeftover, processTag } from './processtag';

/** Sequential writer that knows its position. */
export interface ISink {
  /** Bytes written so far. */
  readonly position: number;
  /** Append `bytes`. They may be reused once the promise has resolved. */
  write(bytes: Uint8Array): Promise<void>;
}

/** A file to be written. */
export interface INewFile {
  readonly path: string;
  produce(sink: ISink): Promise<void>;
}

/**
 * Write a file through `produce`: to a temporary file beside it, flushed to the disk, then renamed.
 *
 * #### Notes
 * Where `produce` fails, or the process is told to end, the temporary file is removed and an existing file stays as it was. What a process that was killed left
 * of the same file is removed by the next one that writes it. Of a link the file it leads to is written. A file that is replaced keeps
 * its permissions, and its owner where the process may set it; until it is whole only its owner can read it. What is no regular file (a device, a pipe) is written into and never replaced.
 *
 * @throws CastlensError where the file cannot be made: the folder may not be written to, the disk is full.
 */
export function writeFileAtomically(filePath: string, produce: INewFile['produce']): Promise<void> {
  return writeFilesAtomically([{ path: filePath, produce }]);
}

/**
 * Write files that belong together: none takes its name before all of them are on the disk.
 *
 * @throws CastlensError as `writeFileAtomically()`; existing files stay as they were then.
 */
export async function writeFilesAtomically(files: readonly INewFile[]): Promise<void> {
  const written: { readonly temporary: string; readonly target: string }[] = [];
  const isWanted = undoAtEnd(() =>
    written.forEach(({ temporary }) => rmSync(temporary, { force: true }))
  );
  try {
    for (const { path: filePath, produce } of files) {
      const target = await attempt(filePath, followLinks(path.resolve(filePath)));
      const existing = await stat(target).catch(() => null);
      const isPlain = existing === null || existing.isFile() || existing.isDirectory();
      if (existing !== null && (!isPlain || OPEN_FILE.test(target))) {
        await writeInto(filePath, target, existing, produce);
        continue;
      }
      await removeLeftovers(target);
      const suffix = `${processTag()}-${crypto.randomBytes(6).toString('hex')}`;
      const temporary = `${temporaryPrefix(target)}${suffix}${TEMPORARY}`;
      written.push({ temporary, target });
      const handle = await attempt(filePath, open(temporary, 'wx', PRIVATE));
      try {
        const sink = new BufferedSink(handle, filePath);
        await produce(sink);
        await sink.flush();
        await giveAway(handle, existing);
        await attempt(filePath, handle.sync());
      } finally {
        await handle.close();
      }
    }
    // At one go: files that belong together are not to be parted by a signal.
    for (const { temporary, target } of written) {
      rename(temporary, target);
    }
  } catch (error) {
    for (const { temporary } of written) {
      // What went wrong is worth more to the reader than a leftover that cannot be removed either.
      await rm(temporary, { force: true }).catch(() => undefined);
    }
    throw error;
  } finally {
    isWanted();
  }
  for (const folder of new Set(written.map(({ target }) => path.dirname(target)))) {
    await syncDirectory(folder);
  }
}

/** Paths of the system for files that a process has opened. */
const OPEN_FILE = /^\/(?:proc|dev\/fd)\//;

/** The most links that a path may lead through, as on Linux. */
const MAX_LINKS = 40;

/**
 * The path that a link leads to, through further links; of anything else its own. What it leads to need not exist.
 *
 * #### Notes
 * Links of the system to open files (`/dev/stdout`) lead to no path that could be opened: they are opened themselves.
 */
async function followLinks(target: string): Promise<string> {
  let current = target;
  for (let i = 0; i < MAX_LINKS; i++) {
    const next = await readlink(current).catch(() => null);
    if (next === null || OPEN_FILE.test(current)) {
      return current;
    }
    current = path.resolve(path.dirname(current), next);
  }
  throw Object.assign(new Error('too many links'), { code: 'ELOOP' });
}

/** Nobody else reads a file that is not whole, which is a copy of one that may have been private. */
const PRIVATE = 0o600;

/** Permissions of owner, group and others: not the bits that let a program run as its owner. */
const PERMISSIONS = 0o777;

/**
 * Give a new file the owner of the one it replaces, where that may be set, and its permissions; where there was none those of any new
 * file.
 */
async function giveAway(handle: FileHandle, existing: Stats | null): Promise<void> {
  if (existing !== null) {
    const { uid, gid } = existing;
    const own = await handle.stat();
    if (own.uid !== uid || own.gid !== gid) {
      await handle.chown(uid, gid).catch(() => undefined);
    }
  }
  const mode = existing === null ? 0o666 & ~process.umask() : existing.mode & PERMISSIONS;
  await handle.chmod(mode).catch(() => undefined);
}

/** Write into a device or a pipe. */
async function writeInto(
  filePath: string,
  target: string,
  existing: Stats,
  produce: INewFile['produce']
): Promise<void> {
  if (!existing.isFIFO() && !existing.isCharacterDevice() && !existing.isFile()) {
    throw new CastlensError('bad-argument', 'this is no regular file', {
      file: filePath,
      expected: 'a new name, a regular file, a pipe or a character device',
      found: existing.isSocket() ? 'a socket' : 'a device',
      hint: 'Choose another name'
    });
  }
  // Without a reader, opening a pipe would wait for one, and nothing could interrupt it.
  const handle = await open(target, constants.O_WRONLY | constants.O_NONBLOCK).catch(
    (cause: unknown) => {
      throw (cause as NodeJS.ErrnoException).code === 'ENXIO'
        ? new CastlensError('bad-argument', 'nobody reads from this pipe', {
            file: filePath,
            hint: 'Start the program that reads from it first',
            cause
          })
        : cannotWrite(filePath, cause);
    }
  );
  try {
    const sink = new BufferedSink(handle, filePath);
    await produce(sink);
    await sink.flush();
  } finally {
    await handle.close();
  }
}

const TEMPORARY = '.tmp';

/** How the paths of the temporary files of a target begin. */
function temporaryPrefix(target: string): string {
  return path.join(path.dirname(target), `.${path.basename(target)}.`);
}

/** Remove what processes that were killed left behind of the same file. Nobody else would know that these gigabytes are nobody's. */
async function removeLeftovers(target: string): Promise<void> {
  const folder = path.dirname(target);
  const start = path.basename(temporaryPrefix(target));
  // A folder that cannot be read may still be written to.
  const names = await readdir(folder).catch((): string[] => []);
  for (const name of names) {
    if (name.startsWith(start) && name.endsWith(TEMPORARY)) {
      const leftover = path.join(folder, name);
      const stats = await lstat(leftover).catch(() => null);
      if (stats !== null && isLeftover(name.slice(start.length), stats.mtimeMs)) {
        await rm(leftover, { force: true }).catch(() => undefined);
      }
    }
  }
}

/** The result of work on the file system; its failure told about the file that is wanted. */
async function attempt<T>(filePath: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw cannotWrite(filePath, cause);
  }
}

/** `renameSync`, its failure told about the file that is wanted. */
function rename(temporary: string, target: string): void {
  try {
    renameSync(temporary, target);
  } catch (cause) {
    throw cannotWrite(target, cause);
  }
}

function cannotWrite(filePath: string, cause: unknown): CastlensError {
  const { code = String(cause) } = cause as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new CastlensError('runtime', 'the file cannot be written: the disk is full', {
      file: filePath,
      found: code,
      hint: 'Free some space, or write to another disk; files that were there are as they were',
      cause
    });
  }
  return new CastlensError('bad-argument', 'the file cannot be written', {
    file: filePath,
    expected: 'a name in an existing folder that may be written to',
    found: code,
    cause
  });
}

/** Gathers small writes; large ones go straight to the file. */
class BufferedSink implements ISink {
  /** @param _filePath - of the file that is wanted, for errors. */
  constructor(
    private readonly _handle: FileHandle,
    private readonly _filePath: string
  ) {}

  get position(): number {
    return this._written + this._used;
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this._used + bytes.byteLength > this._buffer.byteLength) {
      await this.flush();
    }
    if (bytes.byteLength >= this._buffer.byteLength) {
      await this._writeAll(bytes);
      return;
    }
    this._buffer.set(bytes, this._used);
    this._used += bytes.byteLength;
  }

  /** Hand everything gathered to the file. */
  async flush(): Promise<void> {
    const used = this._used;
    this._used = 0;
    await this._writeAll(this._buffer.subarray(0, used));
  }

  private async _writeAll(bytes: Uint8Array): Promise<void> {
    let done = 0;
    while (done < bytes.byteLength) {
      const writing = this._handle
        .write(bytes, done, bytes.byteLength - done, null)
        .catch(whenFull);
      done += (await attempt(this._filePath, writing)).bytesWritten;
    }
    this._written += bytes.byteLength;
  }

  private readonly _buffer = new Uint8Array(256 * 1024);
  private _used = 0;
  private _written = 0;
}

/** A pipe that is full takes bytes again once its reader has taken some. */
async function whenFull(error: unknown): Promise<{ bytesWritten: number }> {
  if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') {
    throw error;
  }
  await new Promise(resolve => setTimeout(resolve, 5));
  return { bytesWritten: 0 };
}

/** Make a rename durable. Not every file system can; there the rename itself is all that can be had. */
async function syncDirectory(directory: string): Promise<void> {
  try {
    const handle = await open(directory, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch {
    return;
  }
}
