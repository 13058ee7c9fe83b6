/**
 * Files that appear whole or not at all.
 *
 * @packageDocumentation
 */
import * as crypto from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { open, rename, rm } from 'node:fs/promises';
import * as path from 'node:path';

import { CastlensError } from '../model';

/** Sequential writer that knows its position. */
export interface ISink {
  /** Bytes written so far. */
  readonly position: number;
  /** Append `bytes`. They may be reused once the promise has resolved. */
  write(bytes: Uint8Array): Promise<void>;
}

/**
 * Write a file through `produce`: to a temporary file beside it, flushed to the disk, then renamed.
 *
 * #### Notes
 * Where `produce` fails, the temporary file is removed and an existing file stays as it was.
 *
 * @throws CastlensError where the file cannot be made.
 */
export async function writeFileAtomically(
  filePath: string,
  produce: (sink: ISink) => Promise<void>
): Promise<void> {
  const target = path.resolve(filePath);
  const suffix = crypto.randomBytes(6).toString('hex');
  const temporary = path.join(path.dirname(target), `.${path.basename(target)}.${suffix}.tmp`);
  const handle = await open(temporary, 'wx').catch((cause: unknown) => {
    throw cannotWrite(filePath, cause);
  });
  try {
    try {
      const sink = new BufferedSink(handle);
      await produce(sink);
      await sink.flush();
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, target).catch((cause: unknown) => {
      throw cannotWrite(filePath, cause);
    });
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncDirectory(path.dirname(target));
}

function cannotWrite(filePath: string, cause: unknown): CastlensError {
  const { code = 'unknown error' } = cause as NodeJS.ErrnoException;
  return new CastlensError('bad-argument', 'the file cannot be written', {
    file: filePath,
    expected: 'a name in an existing folder that may be written to',
    found: code,
    cause
  });
}

/** Gathers small writes; large ones go straight to the file. */
class BufferedSink implements ISink {
  constructor(private readonly _handle: FileHandle) {}

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
      const result = await this._handle.write(bytes, done, bytes.byteLength - done, null);
      done += result.bytesWritten;
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
