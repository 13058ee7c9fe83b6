/**
 * Reading byte ranges: the one way weight bytes enter memory.
 *
 * @packageDocumentation
 */
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';

import type { IByteRange } from '../model';
import { CastlensError } from '../model';

/** Bytes of one piece of a streamed range. */
export const CHUNK_BYTES = 4 * 1024 * 1024;

/**
 * The bytes of a range, in memory.
 *
 * @throws CastlensError where the file is gone or has become shorter.
 */
export async function readByteRange(range: IByteRange): Promise<Uint8Array> {
  const bytes = new Uint8Array(range.length);
  const handle = await openForRange(range);
  try {
    await readInto(handle, range, bytes, range.offset);
  } finally {
    await handle.close();
  }
  return bytes;
}

/**
 * The bytes of a range in pieces of at most CHUNK_BYTES.
 *
 * #### Notes
 * Every piece is the same buffer, overwritten by the next: use it before asking for more.
 */
export async function* streamByteRange(range: IByteRange): AsyncGenerator<Uint8Array> {
  const handle = await openForRange(range);
  try {
    const buffer = new Uint8Array(Math.min(CHUNK_BYTES, range.length));
    for (let done = 0; done < range.length;) {
      const piece = buffer.subarray(0, Math.min(buffer.length, range.length - done));
      await readInto(handle, range, piece, range.offset + done);
      done += piece.length;
      yield piece;
    }
  } finally {
    await handle.close();
  }
}

async function openForRange(range: IByteRange): Promise<FileHandle> {
  try {
    return await open(range.file, 'r');
  } catch (error) {
    throw new CastlensError('file-not-found', 'a file with weights cannot be opened', {
      file: range.file,
      expected: 'the file as it was when the model was opened',
      found: String(error),
      cause: error
    });
  }
}

async function readInto(
  handle: FileHandle,
  range: IByteRange,
  bytes: Uint8Array,
  offset: number
): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesRead } = await handle.read(bytes, done, bytes.length - done, offset + done);
    if (bytesRead === 0) {
      throw new CastlensError(
        'bad-file',
        'the file has become shorter since the model was opened',
        {
          file: range.file,
          expected: `${range.length} bytes at offset ${range.offset}`,
          found: `the end of the file at ${offset + done}`
        }
      );
    }
    done += bytesRead;
  }
}
