import * as fs from 'node:fs';

import { streamByteRange, writePt2Archive } from '../../../src/formats';
import { crc32, tableCrc32 } from '../../../src/formats/crc32';
import { FileReader } from '../../../src/formats/filereader';
import { openPt2Archive } from '../../../src/formats/pt2/archive';
import { failureOf, fixture, readRecords, temporaryFolder } from './samples';

const folder = temporaryFolder();

describe('writePt2Archive()', () => {
  it('should write records that read back, aligned to 64 bytes', async () => {
    const target = `${folder}/all.pt2`;
    const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i);
    await writePt2Archive(target, [
      { name: 'm/data/weights/weight_0', source: { kind: 'bytes', bytes } },
      { name: 'm/empty', source: { kind: 'bytes', bytes: new Uint8Array(0) } },
      { name: 'm/größe', source: { kind: 'text', text: 'äöü' } },
      {
        name: 'm/stream',
        source: {
          kind: 'stream',
          sizeBytes: 300_000,
          open: async function* () {
            const piece = new Uint8Array(100_000);
            for (let i = 0; i < 3; i++) {
              yield piece.fill(i);
            }
          }
        }
      }
    ]);
    const file = FileReader.open(target);
    const archive = await openPt2Archive(file);
    expect(archive.root).toBe('m');
    expect(archive.names).toEqual(['data/weights/weight_0', 'empty', 'größe', 'stream']);
    expect(await archive.readText('größe')).toBe('äöü');
    expect([...(await archive.read('data/weights/weight_0'))]).toEqual([...bytes]);
    const stream = await archive.read('stream');
    expect([stream[0], stream[100_000], stream[299_999]]).toEqual([0, 1, 2]);
    for (const name of archive.names) {
      expect((await archive.locate(name)).offset % 64).toBe(0);
    }
    file.close();
  });

  it('should copy an archive of torch byte for byte', async () => {
    const source = fixture('gpt2/model.pt2');
    const reader = FileReader.open(source);
    const archive = await openPt2Archive(reader);
    const records = [];
    for (const name of archive.names) {
      const range = await archive.locate(name);
      records.push({ name: `model/${name}`, source: { kind: 'range' as const, range } });
    }
    reader.close();
    const target = `${folder}/copy.pt2`;
    await writePt2Archive(target, records);
    const copied = await readRecords(target);
    for (const [name, bytes] of await readRecords(source)) {
      expect(Buffer.compare(copied.get(name)!, bytes)).toBe(0);
    }
  });

  it('should leave nothing behind where a source fails', async () => {
    const target = `${folder}/kept.pt2`;
    fs.writeFileSync(target, 'as it was');
    const before = fs.readdirSync(folder);
    const wrong = { kind: 'stream' as const, sizeBytes: 5, open: () => streamOf(4) };
    const failure = await failureOf(writePt2Archive(target, [{ name: 'a', source: wrong }]));
    expect(failure.details).toMatchObject({ entry: 'a', expected: '5 bytes', found: '4 bytes' });
    expect(fs.readFileSync(target, 'utf8')).toBe('as it was');
    expect(fs.readdirSync(folder)).toEqual(before);
  });

  it('should refuse a name used twice', async () => {
    const source = { kind: 'text' as const, text: '' };
    const records = [
      { name: 'a', source },
      { name: 'a', source }
    ];
    const failure = await failureOf(writePt2Archive(`${folder}/twice.pt2`, records));
    expect(failure.code).toBe('bad-argument');
  });
});

describe('openPt2Archive()', () => {
  it('should take the root from the archive, whatever lies beside it', async () => {
    const target = `${folder}/beside.pt2`;
    const source = { kind: 'text' as const, text: 'pt2' };
    await writePt2Archive(target, [
      { name: 'README', source },
      { name: 'any name/archive_format', source }
    ]);
    const file = FileReader.open(target);
    const archive = await openPt2Archive(file);
    expect([archive.root, archive.names]).toEqual(['any name', ['archive_format']]);
    file.close();
  });

  /** An archive of two records whose bytes are changed. */
  async function changed(change: (bytes: Buffer) => void): Promise<FileReader> {
    const target = `${folder}/changed.pt2`;
    await writePt2Archive(target, [
      { name: 'm/archive_format', source: { kind: 'text', text: 'pt2' } },
      { name: 'm/record_1', source: { kind: 'text', text: 'one' } },
      { name: 'm/record_2', source: { kind: 'text', text: 'two' } }
    ]);
    const bytes = fs.readFileSync(target);
    change(bytes);
    fs.writeFileSync(target, bytes);
    return FileReader.open(target);
  }

  it('should refuse two records of one name', async () => {
    const file = await changed(bytes => {
      for (let at = bytes.indexOf('record_2'); at >= 0; at = bytes.indexOf('record_2')) {
        bytes.write('record_1', at, 'latin1');
      }
    });
    const failure = await failureOf(openPt2Archive(file));
    expect(failure.message).toMatch(
      /changed\.pt2: m\/record_1: the archive is ambiguous; expected one; found two records of this name\. Save/
    );
    file.close();
  });

  it('should refuse records that share bytes', async () => {
    const file = await changed(bytes => {
      // In the directory, the second record gets the place of the first: 42 bytes into its entry, whose name is at 46.
      const [first, second] = ['record_1', 'record_2'].map(name => bytes.lastIndexOf(name) - 2);
      bytes.writeUInt32LE(bytes.readUInt32LE(first - 4) + 8, second - 4);
    });
    const failure = await failureOf(openPt2Archive(file));
    expect(failure.message).toMatch(
      /changed\.pt2: m\/record_2: the archive is ambiguous; expected records that share no bytes; found a record at \d+, inside of 'm\/record_1'\./
    );
    file.close();
  });
});

describe('crc32()', () => {
  it('should agree with the table, in one piece and in several', () => {
    const bytes = Buffer.from('123456789');
    expect(crc32(bytes, 0)).toBe(0xcbf43926);
    expect(tableCrc32(bytes, 0)).toBe(0xcbf43926);
    expect(tableCrc32(bytes.subarray(4), tableCrc32(bytes.subarray(0, 4), 0))).toBe(0xcbf43926);
  });
});

describe('streamByteRange()', () => {
  it('should give a range in pieces', async () => {
    const target = `${folder}/bytes`;
    fs.writeFileSync(target, Buffer.alloc(5_000_000, 1));
    let total = 0;
    for await (const piece of streamByteRange({ file: target, offset: 10, length: 4_500_000 })) {
      total += piece.length;
    }
    expect(total).toBe(4_500_000);
  });

  it('should fail where the file has become shorter', async () => {
    const target = `${folder}/short`;
    fs.writeFileSync(target, 'abc');
    const drain = async (): Promise<void> => {
      for await (const piece of streamByteRange({ file: target, offset: 0, length: 4 })) {
        expect(piece).toHaveLength(4);
      }
    };
    expect((await failureOf(drain())).code).toBe('bad-file');
  });
});

async function* streamOf(sizeBytes: number): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  yield new Uint8Array(sizeBytes);
}
