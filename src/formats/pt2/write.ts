/**
 * Writes stored zip archives laid out as torch's own writer lays them out.
 *
 * @packageDocumentation
 */
import type { IByteRange } from '../../model';
import { CastlensError } from '../../model';
import { writeFileAtomically } from '../atomicfile';
import type { ISink } from '../atomicfile';
import { streamByteRange } from '../byterange';
import { crc32 } from '../crc32';

/** Where the bytes of a record come from. Streams may reuse their buffer once the next piece is asked for. */
export type RecordSource =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'text'; readonly text: string }
  /** Copied from a file in pieces. */
  | { readonly kind: 'range'; readonly range: IByteRange }
  /** Made while writing; `sizeBytes` in all. */
  | {
      readonly kind: 'stream';
      readonly sizeBytes: number;
      readonly open: () => AsyncIterable<Uint8Array>;
    };

/** One record of an archive. */
export interface IArchiveRecord {
  /** Full name, the root folder included: `model/data/weights/weight_0`. */
  readonly name: string;
  readonly source: RecordSource;
}

/** Data of every record starts at a multiple of this, so that it can be mapped as any element type. */
export const RECORD_ALIGNMENT = 64;

/**
 * Write an archive: to a temporary file first, which then takes the name.
 *
 * @throws CastlensError as {@link writeRecords} does, and where the file cannot be made.
 */
export async function writePt2Archive(
  path: string,
  records: readonly IArchiveRecord[]
): Promise<void> {
  await writeFileAtomically(path, sink => writeRecords(path, sink, records));
}

/**
 * Write the bytes of an archive.
 *
 * #### Notes
 * Records are stored uncompressed, aligned to RECORD_ALIGNMENT by an extra field `FB` of the local header, and followed by a
 * data descriptor, all as torch's PyTorchFileWriter does. Archives and records beyond 4 GiB use the zip64 structures.
 * Sources are read in pieces: memory does not grow with the weights.
 *
 * @param path - for errors alone.
 * @throws CastlensError for a name used twice and for a stream that is not as long as it said.
 */
export async function writeRecords(
  path: string,
  sink: ISink,
  records: readonly IArchiveRecord[]
): Promise<void> {
  const names = new Set<string>();
  for (const { name } of records) {
    if (names.has(name) || name === '' || name.startsWith('/') || name.length > 0xffff) {
      throw new CastlensError('bad-argument', 'a record cannot have this name', {
        file: path,
        entry: name,
        expected: 'a relative name that is used once',
        found: names.has(name) ? 'a second record of this name' : JSON.stringify(name.slice(0, 80))
      });
    }
    names.add(name);
  }
  const written: IWrittenRecord[] = [];
  for (const record of records) {
    written.push(await writeRecord(path, sink, record));
  }
  await writeDirectory(sink, written);
}

interface IWrittenRecord {
  readonly name: Uint8Array;
  readonly crc: number;
  readonly sizeBytes: number;
  readonly headerOffset: number;
}

/** UTF-8 names, sizes and checksum in a data descriptor. */
const FLAGS = 0x0808;
/** 1 January 1980, midnight: archives of the same content are the same bytes. */
const DOS_DATE = 0x0021;
const VERSION = 20;
const VERSION_ZIP64 = 45;
const MAX_32 = 0xffffffff;
const MAX_16 = 0xffff;
const PADDING_ID = 0x4246;
const ZIP64_ID = 0x0001;
const ZIP64_LOCAL_BYTES = 20;

async function writeRecord(
  path: string,
  sink: ISink,
  record: IArchiveRecord
): Promise<IWrittenRecord> {
  const name = Buffer.from(record.name, 'utf8');
  const headerOffset = sink.position;
  const declared = sizeOf(record.source);
  const large = declared >= MAX_32;
  const wide = large ? ZIP64_LOCAL_BYTES : 0;
  const fixed = 30 + name.length + wide + 4;
  const padding =
    (RECORD_ALIGNMENT - ((headerOffset + fixed) % RECORD_ALIGNMENT)) % RECORD_ALIGNMENT;
  const header = Buffer.alloc(fixed + padding);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(large ? VERSION_ZIP64 : VERSION, 4);
  header.writeUInt16LE(FLAGS, 6);
  header.writeUInt16LE(DOS_DATE, 12);
  header.writeUInt16LE(name.length, 26);
  header.writeUInt16LE(wide + 4 + padding, 28);
  name.copy(header, 30);
  if (large) {
    // The sizes themselves follow in the data descriptor; the field says that they have eight bytes there.
    header.writeUInt32LE(MAX_32, 18);
    header.writeUInt32LE(MAX_32, 22);
    header.writeUInt16LE(ZIP64_ID, 30 + name.length);
    header.writeUInt16LE(ZIP64_LOCAL_BYTES - 4, 32 + name.length);
  }
  header.writeUInt16LE(PADDING_ID, fixed - 4);
  header.writeUInt16LE(padding, fixed - 2);
  header.fill('Z', fixed);
  await sink.write(header);

  const start = sink.position;
  let crc = 0;
  for await (const piece of piecesOf(record.source)) {
    crc = crc32(piece, crc);
    await sink.write(piece);
  }
  const sizeBytes = sink.position - start;
  if (sizeBytes !== declared) {
    throw new CastlensError('bad-argument', 'a record is not as long as announced', {
      file: path,
      entry: record.name,
      expected: `${declared} bytes`,
      found: `${sizeBytes} bytes`
    });
  }
  const descriptor = Buffer.alloc(large ? 24 : 16);
  descriptor.writeUInt32LE(0x08074b50, 0);
  descriptor.writeUInt32LE(crc, 4);
  if (large) {
    descriptor.writeBigUInt64LE(BigInt(sizeBytes), 8);
    descriptor.writeBigUInt64LE(BigInt(sizeBytes), 16);
  } else {
    descriptor.writeUInt32LE(sizeBytes, 8);
    descriptor.writeUInt32LE(sizeBytes, 12);
  }
  await sink.write(descriptor);
  return { name, crc, sizeBytes, headerOffset };
}

async function writeDirectory(sink: ISink, records: readonly IWrittenRecord[]): Promise<void> {
  const offset = sink.position;
  for (const record of records) {
    await sink.write(directoryEntry(record));
  }
  const sizeBytes = sink.position - offset;
  if (offset >= MAX_32 || sizeBytes >= MAX_32 || records.length >= MAX_16) {
    const end = Buffer.alloc(56 + 20);
    end.writeUInt32LE(0x06064b50, 0);
    end.writeBigUInt64LE(44n, 4);
    end.writeUInt16LE(VERSION_ZIP64, 12);
    end.writeUInt16LE(VERSION_ZIP64, 14);
    end.writeBigUInt64LE(BigInt(records.length), 24);
    end.writeBigUInt64LE(BigInt(records.length), 32);
    end.writeBigUInt64LE(BigInt(sizeBytes), 40);
    end.writeBigUInt64LE(BigInt(offset), 48);
    end.writeUInt32LE(0x07064b50, 56);
    end.writeBigUInt64LE(BigInt(sink.position), 64);
    end.writeUInt32LE(1, 72);
    await sink.write(end);
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Math.min(records.length, MAX_16), 8);
  end.writeUInt16LE(Math.min(records.length, MAX_16), 10);
  end.writeUInt32LE(Math.min(sizeBytes, MAX_32), 12);
  end.writeUInt32LE(Math.min(offset, MAX_32), 16);
  await sink.write(end);
}

function directoryEntry({ name, crc, sizeBytes, headerOffset }: IWrittenRecord): Buffer {
  const wide = [
    ...(sizeBytes >= MAX_32 ? [sizeBytes, sizeBytes] : []),
    ...(headerOffset >= MAX_32 ? [headerOffset] : [])
  ];
  const extraBytes = wide.length === 0 ? 0 : 4 + 8 * wide.length;
  const entry = Buffer.alloc(46 + name.length + extraBytes);
  const version = wide.length === 0 ? VERSION : VERSION_ZIP64;
  entry.writeUInt32LE(0x02014b50, 0);
  entry.writeUInt16LE(version, 4);
  entry.writeUInt16LE(version, 6);
  entry.writeUInt16LE(FLAGS, 8);
  entry.writeUInt16LE(DOS_DATE, 14);
  entry.writeUInt32LE(crc, 16);
  entry.writeUInt32LE(Math.min(sizeBytes, MAX_32), 20);
  entry.writeUInt32LE(Math.min(sizeBytes, MAX_32), 24);
  entry.writeUInt16LE(name.length, 28);
  entry.writeUInt16LE(extraBytes, 30);
  entry.writeUInt32LE(Math.min(headerOffset, MAX_32), 42);
  entry.set(name, 46);
  if (wide.length > 0) {
    const extra = 46 + name.length;
    entry.writeUInt16LE(ZIP64_ID, extra);
    entry.writeUInt16LE(8 * wide.length, extra + 2);
    wide.forEach((value, i) => entry.writeBigUInt64LE(BigInt(value), extra + 4 + 8 * i));
  }
  return entry;
}

function sizeOf(source: RecordSource): number {
  switch (source.kind) {
    case 'bytes':
      return source.bytes.byteLength;
    case 'text':
      return Buffer.byteLength(source.text, 'utf8');
    case 'range':
      return source.range.length;
    case 'stream':
      return source.sizeBytes;
  }
}

async function* piecesOf(source: RecordSource): AsyncGenerator<Uint8Array> {
  switch (source.kind) {
    case 'bytes':
      yield source.bytes;
      return;
    case 'text':
      yield Buffer.from(source.text, 'utf8');
      return;
    case 'range':
      yield* streamByteRange(source.range);
      return;
    case 'stream':
      yield* source.open();
  }
}
