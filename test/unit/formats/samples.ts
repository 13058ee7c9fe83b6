/** Files for the tests of this folder: fixtures, changed fixtures, temporary files. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

import { writePt2Archive } from '../../../src/formats';
import { FileReader } from '../../../src/formats/filereader';
import { openPt2Archive } from '../../../src/formats/pt2/archive';
import { CastlensError } from '../../../src/model';

/** Path of a fixture's file. */
export function fixture(name: string): string {
  return path.join(__dirname, '../../fixtures', name);
}

/** A folder that is removed after the tests of the file. */
export function temporaryFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'castlens-formats-'));
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Records of an archive by name (without the root folder), to be changed. */
export type Records = Map<string, Uint8Array>;

/** All records of a `.pt2` file. */
export async function readRecords(file: string): Promise<Records> {
  const reader = FileReader.open(file);
  try {
    const archive = await openPt2Archive(reader);
    const records: Records = new Map();
    for (const name of archive.names) {
      records.set(name, await archive.read(name));
    }
    return records;
  } finally {
    reader.close();
  }
}

/** A copy of a `.pt2` file with changed records. */
export async function changedCopy(
  file: string,
  target: string,
  change: (records: Records) => void
): Promise<string> {
  const records = await readRecords(file);
  change(records);
  await writePt2Archive(
    target,
    [...records].map(([name, bytes]) => ({
      name: `model/${name}`,
      source: { kind: 'bytes', bytes }
    }))
  );
  return target;
}

/** Change a JSON record. Integers beyond 2^53 do not survive; the fixtures this is used on have none that matter. */
export function editJson(
  records: Records,
  name: string,
  edit: (value: ReturnType<typeof JSON.parse>) => void
): void {
  const value = JSON.parse(Buffer.from(records.get(name)!).toString('utf8'));
  edit(value);
  records.set(name, Buffer.from(JSON.stringify(value), 'utf8'));
}

/** The error a promise is rejected with, which must be one for the reader. */
export async function failureOf(promise: Promise<unknown>): Promise<CastlensError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof CastlensError) {
      return error;
    }
    throw error;
  }
  throw new Error('expected an error');
}
