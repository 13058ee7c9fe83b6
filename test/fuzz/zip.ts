/** Zip archives, record by record: read leniently, written with right checksums so that what is inside reaches the parsers. */
import { deflateRawSync, inflateRawSync } from 'node:zlib';

import { crc32 } from '../../src/formats/crc32';

export interface IZipRecord {
  readonly name: string;
  readonly data: Uint8Array;
  readonly deflated?: boolean;
  /** The size that the headers claim, where it is not that of the data. */
  readonly claimedBytes?: number;
}

/** Records of an archive that is in order. */
export function zipRecords(bytes: Buffer): IZipRecord[] {
  const end = bytes.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  let count = bytes.readUInt16LE(end + 10);
  let at = bytes.readUInt32LE(end + 16);
  if (at === 0xffffffff || count === 0xffff) {
    const zip64 = bytes.lastIndexOf('PK\x06\x06', undefined, 'latin1');
    count = Number(bytes.readBigUInt64LE(zip64 + 32));
    at = Number(bytes.readBigUInt64LE(zip64 + 48));
  }
  const records: IZipRecord[] = [];
  for (; count > 0; count--) {
    const method = bytes.readUInt16LE(at + 10);
    const [size, local] = [bytes.readUInt32LE(at + 20), bytes.readUInt32LE(at + 42)];
    const nameLength = bytes.readUInt16LE(at + 28);
    const name = bytes.toString('utf8', at + 46, at + 46 + nameLength);
    const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    const stored = bytes.subarray(start, start + size);
    records.push({ name, data: method === 8 ? inflateRawSync(stored) : stored });
    at += 46 + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  return records;
}

/** An archive of these records, in this order. */
export function zipArchive(records: readonly IZipRecord[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, data, deflated = false, claimedBytes = data.length } of records) {
    const body = deflated ? deflateRawSync(data) : Buffer.from(data);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(0x800, 2);
    fields.writeUInt16LE(deflated ? 8 : 0, 4);
    fields.writeUInt32LE(crc32(data, 0), 10);
    fields.writeUInt32LE(body.length, 14);
    fields.writeUInt32LE(claimedBytes, 18);
    fields.writeUInt16LE(Buffer.byteLength(name), 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fields, Buffer.from(name)]);
    const entry = Buffer.alloc(14);
    entry.writeUInt32LE(offset, 10);
    directory.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), fields, entry, Buffer.from(name));
    parts.push(local, body);
    offset += local.length + body.length;
  }
  const table = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(records.length, 8);
  end.writeUInt16LE(records.length, 10);
  end.writeUInt32LE(table.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, table, end]);
}
