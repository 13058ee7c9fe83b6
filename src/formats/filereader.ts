/**
 * Bounded random access to a file: what every reader here is built on.
 *
 * @packageDocumentation
 */
import * as fs from 'node:fs';
import * as path from 'node:path';

import type { IModelFile } from '../model';
import { CastlensError } from '../model';
import { versionOf } from '../protocol';
import { ReadBudget } from './readbudget';

/** Bytes at known positions: a file, a part of one, or memory. */
export interface IByteSource {
  /** Absolute path of the file the bytes come from, for errors. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Position of the first byte in the file; null where the bytes are in memory alone. */
  readonly fileOffset: number | null;
  /** What reading the file may still cost, whatever part of it is read. */
  readonly budget: ReadBudget;
  /** See FileReader.read(). */
  read(offset: number, length: number, what: string): Buffer;
}

/** A part of a file as a source of its own. */
export function partOfFile(file: FileReader, offset: number, sizeBytes: number): IByteSource {
  return {
    path: file.path,
    sizeBytes,
    fileOffset: offset,
    budget: file.budget,
    read: (from, length, what) => {
      checkRange(file.path, sizeBytes, from, length, what);
      return file.read(offset + from, length, what);
    }
  };
}

/** Bytes of a file that have been decoded, as a source. */
export function bytesAsSource({ path, budget }: FileReader, bytes: Uint8Array): IByteSource {
  return {
    path,
    budget,
    sizeBytes: bytes.length,
    fileOffset: null,
    read: (from, length, what) => {
      checkRange(path, bytes.length, from, length, what);
      return Buffer.from(bytes.subarray(from, from + length));
    }
  };
}

/**
 * An open file of known size. Reads outside it are errors of the file, never short results.
 *
 * #### Notes
 * Reads are synchronous and small: headers and graphs, never weights. Whoever opens it closes it.
 */
export class FileReader implements IByteSource {
  /**
   * Open a regular file for reading.
   *
   * @param filePath - as the user named it.
   * @throws CastlensError with code `file-not-found` or `bad-file` where it cannot be read as a file.
   */
  static open(filePath: string): FileReader {
    const absolute = path.resolve(filePath);
    let descriptor: number;
    try {
      // Non-blocking: opening a named pipe must not wait for a writer.
      descriptor = fs.openSync(absolute, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    } catch (error) {
      throw describeOpenError(filePath, error);
    }
    let reader: FileReader | null = null;
    try {
      const stat = fs.fstatSync(descriptor);
      if (!stat.isFile()) {
        throw new CastlensError('bad-file', 'this is no regular file', {
          file: filePath,
          expected: 'a .pt2 or .onnx file',
          found: stat.isDirectory() ? 'a directory' : 'a device, pipe or socket'
        });
      }
      reader = new FileReader(absolute, descriptor, stat.size, versionOf(stat));
      return reader;
    } finally {
      if (reader === null) {
        fs.closeSync(descriptor);
      }
    }
  }

  private constructor(
    /** Absolute path. */
    readonly path: string,
    private readonly _descriptor: number,
    /** Size in bytes when it was opened. */
    readonly sizeBytes: number,
    private readonly _version: string
  ) {
    this.budget = new ReadBudget(path, sizeBytes);
  }

  readonly budget: ReadBudget;

  /** What was opened: of this very file, whatever has its name by now. */
  get file(): IModelFile {
    return { path: this.path, sizeBytes: this.sizeBytes, version: this._version };
  }

  readonly fileOffset = 0;

  /**
   * Read exactly `length` bytes from `offset`.
   *
   * @param what - what is being read, for the error.
   * @throws CastlensError where the range leaves the file.
   */
  read(offset: number, length: number, what: string): Buffer {
    checkRange(this.path, this.sizeBytes, offset, length, what);
    const bytes = Buffer.allocUnsafe(length);
    let done = 0;
    while (done < length) {
      const count = fs.readSync(this._descriptor, bytes, done, length - done, offset + done);
      if (count === 0) {
        throw new CastlensError('bad-file', 'the file became shorter while it was read', {
          file: this.path,
          entry: what,
          expected: `${length} bytes at offset ${offset}`,
          found: `${done} bytes`
        });
      }
      done += count;
    }
    return bytes;
  }

  /** Close the file. Further reads fail. */
  close(): void {
    fs.closeSync(this._descriptor);
  }
}

function checkRange(
  file: string,
  sizeBytes: number,
  offset: number,
  length: number,
  what: string
): void {
  if (
    !Number.isSafeInteger(offset) ||
    !Number.isSafeInteger(length) ||
    offset < 0 ||
    length < 0 ||
    offset + length > sizeBytes
  ) {
    throw new CastlensError('bad-file', 'the file ends too early', {
      file,
      entry: what,
      expected: `${length} bytes at offset ${offset}`,
      found: `a file of ${sizeBytes} bytes`,
      hint: 'The file may be truncated: copy or export it again.'
    });
  }
}

function describeOpenError(filePath: string, error: unknown): CastlensError {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new CastlensError('file-not-found', 'there is no such file', {
      file: filePath,
      cause: error
    });
  }
  return new CastlensError('bad-file', 'the file cannot be opened', {
    file: filePath,
    expected: 'a readable file',
    found: code ?? String(error),
    cause: error
  });
}
