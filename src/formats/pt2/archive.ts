/**
 * The zip container of a `.pt2` file: its records and where their bytes lie.
 *
 * @packageDocumentation
 */
import * as zlib from 'node:zlib';
import * as yauzl from 'yauzl';

import type { IByteRange } from '../../model';
import { CastlensError } from '../../model';
import type { IByteSource } from '../filereader';

/**
 * A PT2 archive, opened for reading.
 *
 * #### Notes
 * Opening reads the central directory; a local header is read only for the records that are asked for (they are needed
 * because the padding that aligns the data is in the local header alone). Names are without the root folder.
 */
export interface IPt2Archive {
  /** Names of all records, in the order of the central directory. */
  readonly names: readonly string[];
  /** Name of the folder everything lies in, `''` where there is none. */
  readonly root: string;
  has(name: string): boolean;
  /** Whether the bytes of a record lie in the file as they are: `locate()` can be used. */
  isStored(name: string): boolean;
  /** Bytes of a record once it is decoded. */
  sizeOf(name: string): number;
  /** Where the bytes of a stored record lie in the file. */
  locate(name: string): Promise<IByteRange>;
  /** The bytes of a (small) record. */
  read(name: string): Promise<Uint8Array>;
  /** The bytes of a record as text. */
  readText(name: string): Promise<string>;
}

/** Largest record that is read into memory: a graph of this size would have some ten million nodes. */
const MAX_READ_BYTES = 4 * 1024 ** 3 - 1;

/** What is read of the container itself, in errors. */
const ZIP_DIRECTORY = 'zip directory';

const METHOD_STORED = 0;
const METHOD_DEFLATE = 8;

/**
 * Read the central directory of an archive.
 *
 * @param file - stays open, and stays the caller's to close, as long as the archive is used.
 * @throws CastlensError where this is no zip, its directory is damaged, two records have one name, or records share bytes: readers
 * would not agree on what such an archive holds.
 */
export async function openPt2Archive(file: IByteSource): Promise<IPt2Archive> {
  const entries = new Map<string, yauzl.Entry>();
  let zip: yauzl.ZipFile;
  try {
    zip = await yauzl.fromRandomAccessReaderPromise(new ZipSource(file), file.sizeBytes, {
      autoClose: false
    });
    for await (const entry of zip.eachEntry()) {
      file.budget.takeRecord(entry.fileName);
      if (!entry.fileName.endsWith('/')) {
        if (entries.has(entry.fileName)) {
          throw ambiguous(file, entry.fileName, 'two records of this name', 'one');
        }
        entries.set(entry.fileName, entry);
      }
    }
  } catch (error) {
    throw error instanceof CastlensError && error.details.entry !== ZIP_DIRECTORY
      ? error
      : asBadZip(file, error);
  }
  refuseOverlaps(file, [...entries.values()]);
  return new Pt2Archive(file, zip, entries);
}

const LOCAL_HEADER_BYTES = 30;

/** Records lie one behind the other, each with its header. Padding between header and data may make them longer than counted here. */
function refuseOverlaps(file: IByteSource, entries: readonly yauzl.Entry[]): void {
  const inOrder = [...entries].sort(
    (a, b) => a.relativeOffsetOfLocalHeader - b.relativeOffsetOfLocalHeader
  );
  inOrder.forEach((entry, i) => {
    const next = inOrder[i + 1];
    const end =
      entry.relativeOffsetOfLocalHeader +
      LOCAL_HEADER_BYTES +
      entry.fileNameLength +
      entry.compressedSize;
    // One that leaves the file is told about where it is read.
    const isInFile = end <= file.sizeBytes;
    if (next !== undefined && isInFile && end > next.relativeOffsetOfLocalHeader) {
      throw ambiguous(
        file,
        next.fileName,
        `a record at ${next.relativeOffsetOfLocalHeader}, inside of '${entry.fileName}'`,
        'records that share no bytes'
      );
    }
  });
}

function ambiguous(
  file: IByteSource,
  entry: string,
  found: string,
  expected: string
): CastlensError {
  return new CastlensError('bad-file', 'the archive is ambiguous', {
    file: file.path,
    entry,
    expected,
    found,
    hint: 'Save the model again with torch.export.save.'
  });
}

class Pt2Archive implements IPt2Archive {
  constructor(
    private readonly _file: IByteSource,
    private readonly _zip: yauzl.ZipFile,
    entries: ReadonlyMap<string, yauzl.Entry>
  ) {
    this.root = rootOf(entries);
    const prefix = this.root === '' ? '' : `${this.root}/`;
    for (const [name, entry] of entries) {
      if (name.startsWith(prefix)) {
        this._entries.set(name.slice(prefix.length), entry);
      }
    }
    this.names = [...this._entries.keys()];
  }

  readonly root: string;
  readonly names: readonly string[];

  has(name: string): boolean {
    return this._entries.has(name);
  }

  isStored(name: string): boolean {
    const entry = this._entry(name);
    return (
      entry.compressionMethod === METHOD_STORED &&
      !entry.isEncrypted() &&
      this._file.fileOffset !== null
    );
  }

  sizeOf(name: string): number {
    return this._entry(name).uncompressedSize;
  }

  async locate(name: string): Promise<IByteRange> {
    const entry = this._entry(name);
    if (!this.isStored(name)) {
      throw new CastlensError('unsupported-format', 'the record is compressed or encrypted', {
        file: this._file.path,
        entry: this._fullName(name),
        expected: 'a stored record (compression method 0), as torch.export.save writes it',
        found: entry.isEncrypted() ? 'encryption' : `method ${entry.compressionMethod}`,
        hint: 'Save the model again with torch.export.save.'
      });
    }
    const { file, offset, length } = await this._range(name, entry);
    return { file, offset: offset + (this._file.fileOffset ?? 0), length };
  }

  async read(name: string): Promise<Uint8Array> {
    const entry = this._entry(name);
    const deflated = entry.compressionMethod === METHOD_DEFLATE;
    if (entry.isEncrypted() || (entry.compressionMethod !== METHOD_STORED && !deflated)) {
      throw new CastlensError('unsupported-format', 'the record cannot be decoded', {
        file: this._file.path,
        entry: this._fullName(name),
        expected: 'a stored record',
        found: entry.isEncrypted() ? 'encryption' : `compression method ${entry.compressionMethod}`
      });
    }
    if (entry.uncompressedSize > MAX_READ_BYTES) {
      throw new CastlensError('bad-file', 'the record is larger than any graph', {
        file: this._file.path,
        entry: this._fullName(name),
        expected: `at most ${MAX_READ_BYTES} bytes`,
        found: `${entry.uncompressedSize} bytes`
      });
    }
    const range = await this._range(name, entry);
    if (deflated) {
      this._file.budget.takeDecoded(entry.uncompressedSize, this._fullName(name));
    }
    const bytes = this._file.read(range.offset, range.length, this._fullName(name));
    if (!deflated) {
      return bytes;
    }
    try {
      return zlib.inflateRawSync(bytes, { maxOutputLength: Math.max(entry.uncompressedSize, 1) });
    } catch (error) {
      throw new CastlensError('bad-file', 'the compressed record is damaged', {
        file: this._file.path,
        entry: this._fullName(name),
        expected: `${entry.uncompressedSize} bytes of deflated data`,
        found: String(error),
        cause: error
      });
    }
  }

  async readText(name: string): Promise<string> {
    const bytes = await this.read(name);
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch (error) {
      throw new CastlensError('bad-file', 'the record is no text', {
        file: this._file.path,
        entry: this._fullName(name),
        expected: 'UTF-8',
        found: String(error),
        cause: error
      });
    }
  }

  private _entry(name: string): yauzl.Entry {
    const entry = this._entries.get(name);
    if (entry === undefined) {
      throw new CastlensError('bad-file', 'a record is missing from the archive', {
        file: this._file.path,
        entry: this._fullName(name),
        expected: 'this record',
        found: `${this.names.length} others`
      });
    }
    return entry;
  }

  /** Where the data of a record lies in the source. */
  private async _range(name: string, entry: yauzl.Entry): Promise<IByteRange> {
    let start: number;
    try {
      start = (await this._zip.readLocalFileHeaderPromise(entry, { minimal: true })).fileDataStart;
    } catch (error) {
      throw new CastlensError('bad-file', 'the record lies outside the file', {
        file: this._file.path,
        entry: this._fullName(name),
        expected: `a local header at ${entry.relativeOffsetOfLocalHeader} and ${entry.compressedSize} bytes of data`,
        found: errorText(error),
        hint: 'The file may be truncated or damaged: copy or export it again.',
        cause: error
      });
    }
    return { file: this._file.path, offset: start, length: entry.compressedSize };
  }

  private _fullName(name: string): string {
    return this.root === '' ? name : `${this.root}/${name}`;
  }

  private readonly _entries = new Map<string, yauzl.Entry>();
}

/**
 * The file as yauzl wants it.
 *
 * #### Notes
 * yauzl's own file source passes positions from the archive to `fs.read` unchecked; a damaged one then throws inside a
 * callback, where nobody can catch it. Here every failure reaches the callback.
 */
class ZipSource extends yauzl.RandomAccessReader {
  constructor(private readonly _file: IByteSource) {
    super();
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (err: Error | null, bytesRead?: number) => void
  ): void {
    let failure: Error | null = null;
    try {
      this._file.read(position, length, ZIP_DIRECTORY).copy(buffer, offset);
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
    }
    setImmediate(() => (failure === null ? callback(null, length) : callback(failure)));
  }

  override close(callback: (err: Error | null) => void): void {
    setImmediate(() => callback(null));
  }
}

/** The folder that holds the archive: that of its `archive_format` record, else that of the first record, or `''`. */
function rootOf(entries: ReadonlyMap<string, yauzl.Entry>): string {
  let first: string | null = null;
  for (const name of entries.keys()) {
    const end = name.indexOf('/');
    if (end > 0 && name.slice(end + 1) === 'archive_format') {
      return name.slice(0, end);
    }
    if (first === null) {
      first = end > 0 ? name.slice(0, end) : '';
    }
  }
  if (first === null || first === '' || entries.has('archive_format')) {
    return '';
  }
  const prefix = `${first}/`;
  for (const name of entries.keys()) {
    if (!name.startsWith(prefix)) {
      return '';
    }
  }
  return first;
}

function asBadZip(file: IByteSource, error: unknown): CastlensError {
  return new CastlensError('bad-file', 'the zip archive is damaged or truncated', {
    file: file.path,
    entry: ZIP_DIRECTORY,
    expected: 'the end of a zip archive with its directory of records',
    found: errorText(error),
    hint: 'Copy or export the file again.',
    cause: error
  });
}

/** The innermost fact of an error, without the file name that the wrapping error repeats. */
function errorText(error: unknown): string {
  if (error instanceof CastlensError) {
    return error.details.found ?? error.summary;
  }
  return error instanceof Error ? error.message : String(error);
}
