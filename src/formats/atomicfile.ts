/**
 * Files that appear whole or not at all.
 *
 * @packageDocumentation
 */
import * as crypto from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { open, readdir, rename, rm } from 'node:fs/promises';
import * as path from 'node:path';

import { CastlensError } from '../model';
import { isTagOfEnded, processTag } from './processtag';

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
 * Where `produce` fails, the temporary file is removed and an existing file stays as it was. What a process that was killed left
 * of the same file is removed by the next one that writes it.
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
  try {
    for (const { path: filePath, produce } of files) {
      const target = path.resolve(filePath);
      await removeLeftovers(target);
      const suffix = `${processTag()}-${crypto.randomBytes(6).toString('hex')}`;
      const temporary = `${temporaryPrefix(target)}${suffix}${TEMPORARY}`;
      const handle = await attempt(filePath, open(temporary, 'wx'));
      written.push({ temporary, target });
      try {
        const sink = new BufferedSink(handle, filePath);
        await produce(sink);
        await sink.flush();
        await attempt(filePath, handle.sync());
      } finally {
        await handle.close();
      }
    }
    for (const { temporary, target } of written) {
      await attempt(target, rename(temporary, target));
    }
  } catch (error) {
    for (const { temporary } of written) {
      // What went wrong is worth more to the reader than a leftover that cannot be removed either.
      await rm(temporary, { force: true }).catch(() => undefined);
    }
    throw error;
  }
  for (const folder of new Set(written.map(({ target }) => path.dirname(target)))) {
    await syncDirectory(folder);
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
    if (
      name.startsWith(start) &&
      name.endsWith(TEMPORARY) &&
      isTagOfEnded(name.slice(start.length))
    ) {
      await rm(path.join(folder, name), { force: true }).catch(() => undefined);
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
      const writing = this._handle.write(bytes, done, bytes.byteLength - done, null);
      done += (await attempt(this._filePath, writing)).bytesWritten;
    }
    this._written += bytes.byteLength;
  }

  private readonly _buffer = new Uint8Array(256 * 1024);
  private _used = 0;
  private _written = 0;
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
