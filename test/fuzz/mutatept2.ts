/** Damage to `.pt2` archives: to the JSON and the pickles in them, and to the archive itself. */
import type { Random } from './random';
import { EDGES, mutateBytes } from './random';
import { mutateJson } from './mutatejson';
import type { IZipRecord } from './zip';
import { zipArchive, zipRecords } from './zip';

export function mutatePt2(random: Random, archive: Buffer): Buffer {
  const records = zipRecords(archive);
  const kind = random.below(100);
  if (kind < 60) {
    return zipArchive(edit(random, records, /\.json$/, record => damageJson(random, record)));
  }
  if (kind < 75) {
    return zipArchive(edit(random, records, /\.pt$/, record => damagePickle(random, record)));
  }
  if (kind < 90) {
    return zipArchive(damageRecords(random, records));
  }
  const whole = zipArchive(records);
  // Most of an archive is weights: aim at the directory.
  const tail = Math.max(0, whole.length - 2000);
  return random.chance(0.7)
    ? Buffer.concat([whole.subarray(0, tail), mutateBytes(random, whole.subarray(tail))])
    : mutateBytes(random, whole);
}

function edit(
  random: Random,
  records: readonly IZipRecord[],
  pattern: RegExp,
  change: (record: IZipRecord) => Uint8Array
): IZipRecord[] {
  const fitting = records.filter(({ name, data }) => pattern.test(name) && data.length > 2);
  if (fitting.length === 0) {
    return [...records];
  }
  const program = fitting.find(({ name }) => /models\/|exported_program/.test(name));
  const chosen = program !== undefined && random.chance(0.6) ? program : random.pick(fitting);
  return records.map(record =>
    record === chosen ? { ...record, data: change(record), deflated: random.chance(0.1) } : record
  );
}

function damageJson(random: Random, { data }: IZipRecord): Uint8Array {
  if (random.chance(0.1) || data[0] !== 0x7b) {
    return mutateBytes(random, data);
  }
  return Buffer.from(mutateJson(random, Buffer.from(data).toString('utf8')));
}

function damagePickle(random: Random, { data }: IZipRecord): Uint8Array {
  if (data[0] !== 0x50) {
    return mutateBytes(random, data);
  }
  const inner = zipRecords(Buffer.from(data));
  const pickle = inner.find(({ name }) => name.endsWith('data.pkl'));
  if (pickle === undefined || random.chance(0.2)) {
    return zipArchive(damageRecords(random, inner));
  }
  return zipArchive(
    inner.map(record =>
      record === pickle ? { ...record, data: damageOpcodes(random, record.data) } : record
    )
  );
}

/** Numbers in pickles are BININT1 (K), BININT2 (M) and BININT (J). */
function damageOpcodes(random: Random, data: Uint8Array): Uint8Array {
  const numbers = [...data.keys()].filter(i => data[i] === 0x4b || data[i] === 0x4d);
  if (numbers.length > 0 && random.chance(0.5)) {
    const at = random.pick(numbers);
    const size = data[at] === 0x4b ? 2 : 3;
    const long = Buffer.alloc(10, 0x8a);
    long[1] = 8;
    long.writeBigInt64LE(BigInt(random.pick(EDGES)), 2);
    return Buffer.concat([data.subarray(0, at), long, data.subarray(at + size)]);
  }
  return mutateBytes(random, data);
}

function damageRecords(random: Random, given: readonly IZipRecord[]): IZipRecord[] {
  const records = [...given];
  const at = random.below(records.length);
  const record = records[at];
  switch (random.below(7)) {
    case 0:
      records.splice(at, 1);
      break;
    case 1:
      records.push({ ...record, data: random.pick(records).data });
      break;
    case 2:
      records[at] = {
        ...record,
        name: random.pick([`../${record.name}`, '', `${record.name}_`, random.pick(records).name])
      };
      break;
    case 3:
      records[at] = {
        ...record,
        deflated: true,
        claimedBytes: random.pick([0, 1, 100, 2 ** 31, 2 ** 32 - 2])
      };
      break;
    case 4:
      records[at] = { ...record, data: mutateBytes(random, record.data) };
      break;
    case 5:
      records[at] = {
        ...record,
        data: Buffer.alloc(random.pick([0, 1, 10, 2 ** 22]), random.pick([0, 0x5b, 0x85, 0x28])),
        deflated: true
      };
      break;
    default:
      records.reverse();
  }
  return records;
}
