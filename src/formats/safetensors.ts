/**
 * The safetensors format: a JSON table and the bytes of the tensors.
 *
 * Layout: 8 bytes with the length of the table (little endian), the table, the tensors. Source: the format's README,
 * https://github.com/huggingface/safetensors.
 *
 * @packageDocumentation
 */
import type { DType, IByteRange } from '../model';
import { CastlensError, DTYPES, elementCount, sizeInBytes } from '../model';
import { writeFileAtomically } from './atomicfile';
import { FileReader } from './filereader';
import { JsonRecord } from './jsonrecord';

/** A tensor stored in a safetensors file. */
export interface ISafetensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Where its bytes lie: row-major, little endian, without gaps. */
  readonly range: IByteRange;
}

/** A tensor to be stored. */
export interface ISafetensorInput {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** The bytes, or where to read them in pieces. */
  readonly data: Uint8Array | (() => AsyncIterable<Uint8Array>);
}

/** The format's own limit. */
const MAX_HEADER_BYTES = 100_000_000;

const DTYPE_BY_NAME: ReadonlyMap<string, DType> = new Map([
  ['F64', 'float64'],
  ['F32', 'float32'],
  ['F16', 'float16'],
  ['BF16', 'bfloat16'],
  ['F8_E4M3', 'float8_e4m3fn'],
  ['F8_E5M2', 'float8_e5m2'],
  ['F8_E4M3FNUZ', 'float8_e4m3fnuz'],
  ['F8_E5M2FNUZ', 'float8_e5m2fnuz'],
  ['F8_E8M0', 'float8_e8m0fnu'],
  ['I64', 'int64'],
  ['I32', 'int32'],
  ['I16', 'int16'],
  ['I8', 'int8'],
  ['U64', 'uint64'],
  ['U32', 'uint32'],
  ['U16', 'uint16'],
  ['U8', 'uint8'],
  ['BOOL', 'bool'],
  ['C64', 'complex64']
]);

const NAME_BY_DTYPE: ReadonlyMap<DType, string> = new Map(
  [...DTYPE_BY_NAME].map(([name, dtype]) => [dtype, name])
);

/**
 * Read the table of a safetensors file; no tensor is read.
 *
 * @returns tensors by name, in the order of the table.
 * @throws CastlensError where the file is damaged: table too long, ranges outside the file, sizes that do not fit the shape.
 */
export async function openSafetensors(path: string): Promise<Map<string, ISafetensor>> {
  const file = FileReader.open(path);
  try {
    return readSafetensors(file);
  } finally {
    file.close();
  }
}

/**
 * Write a safetensors file: to a temporary file first, which then takes the name.
 *
 * @throws CastlensError where a tensor's bytes do not fit its shape or its dtype has no name in the format.
 */
export async function writeSafetensors(
  path: string,
  tensors: readonly ISafetensorInput[],
  metadata: Readonly<Record<string, string>> = {}
): Promise<void> {
  const table: Record<string, unknown> = {};
  if (Object.keys(metadata).length > 0) {
    table.__metadata__ = metadata;
  }
  let offset = 0;
  for (const { name, dtype, shape } of tensors) {
    const dtypeName = NAME_BY_DTYPE.get(dtype);
    if (dtypeName === undefined || name === '__metadata__' || Object.hasOwn(table, name)) {
      throw new CastlensError('bad-argument', `tensor '${name}' cannot be stored`, {
        file: path,
        expected: 'a name used once and a dtype safetensors knows',
        found: dtypeName === undefined ? dtype : 'a name that is taken'
      });
    }
    const end = offset + sizeInBytes(dtype, elementCount(shape));
    table[name] = { dtype: dtypeName, shape, data_offsets: [offset, end] };
    offset = end;
  }
  let header = Buffer.from(JSON.stringify(table), 'utf8');
  const padding = (8 - (header.length % 8)) % 8;
  header = Buffer.concat([header, Buffer.alloc(padding, ' ')]);
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(header.length));
  await writeFileAtomically(path, async sink => {
    await sink.write(prefix);
    await sink.write(header);
    for (const { name, dtype, shape, data } of tensors) {
      const start = sink.position;
      if (typeof data === 'function') {
        for await (const chunk of data()) {
          await sink.write(chunk);
        }
      } else {
        await sink.write(data);
      }
      const expected = sizeInBytes(dtype, elementCount(shape));
      if (sink.position - start !== expected) {
        throw new CastlensError(
          'bad-argument',
          `the bytes of tensor '${name}' do not fit its shape`,
          {
            file: path,
            expected: `${expected} bytes for ${dtype} [${shape.join(', ')}]`,
            found: `${sink.position - start} bytes`
          }
        );
      }
    }
  });
}

/** Where the tensors of an open file lie, see {@link openSafetensors}. */
export function readSafetensors(file: FileReader): Map<string, ISafetensor> {
  if (file.sizeBytes < 8) {
    throw tooShort(file, 'header', 8);
  }
  const headerBytes = file.read(0, 8, 'header').readBigUInt64LE();
  if (headerBytes > BigInt(Math.min(MAX_HEADER_BYTES, file.sizeBytes - 8))) {
    throw new CastlensError('bad-file', 'this is no safetensors file, or it is truncated', {
      file: file.path,
      entry: 'header',
      expected: `a header of at most ${Math.min(MAX_HEADER_BYTES, file.sizeBytes - 8)} bytes`,
      found: `${headerBytes} bytes`
    });
  }
  const dataStart = 8 + Number(headerBytes);
  const json = new JsonRecord(file.path, 'header');
  const table = json.parse(
    file.read(8, Number(headerBytes), 'header').toString('utf8'),
    file.budget
  );
  const tensors = new Map<string, ISafetensor>();
  for (const name of Object.keys(table)) {
    if (name !== '__metadata__') {
      tensors.set(name, readEntry(file, json, dataStart, name, table[name]));
    }
  }
  refuseOverlaps(file.path, tensors);
  return tensors;
}

/** The format gives every tensor bytes of its own. */
function refuseOverlaps(path: string, tensors: ReadonlyMap<string, ISafetensor>): void {
  const inOrder = [...tensors]
    .filter(([, { range }]) => range.length > 0)
    .sort(([, a], [, b]) => a.range.offset - b.range.offset);
  inOrder.forEach(([name, { range }], i) => {
    const [next, after] = inOrder[i + 1] ?? [];
    if (after !== undefined && range.offset + range.length > after.range.offset) {
      throw new CastlensError('bad-file', 'two tensors share bytes', {
        file: path,
        entry: next,
        expected: `an offset of ${range.offset + range.length} in the file, or beyond`,
        found: `${after.range.offset}, inside of '${name}'`,
        hint: 'The file is damaged: write it again.'
      });
    }
  });
}

function readEntry(
  file: FileReader,
  json: JsonRecord,
  dataStart: number,
  name: string,
  value: unknown
): ISafetensor {
  const entry = json.object(value, name);
  const dtype = DTYPE_BY_NAME.get(json.string(entry.dtype, `${name}.dtype`));
  if (dtype === undefined) {
    throw json.fail(`${name}.dtype`, [...DTYPE_BY_NAME.keys()].join(', '), entry.dtype);
  }
  const natural = (item: unknown, where: string): number => {
    const size = json.safeInteger(item, where);
    if (size < 0) {
      throw json.fail(where, 'a non-negative integer', size);
    }
    return size;
  };
  const shape = json
    .array(entry.shape, `${name}.shape`)
    .map(size => natural(size, `${name}.shape`));
  const offsets = json.array(entry.data_offsets, `${name}.data_offsets`);
  const begin = natural(offsets[0], `${name}.data_offsets`);
  const end = natural(offsets[1], `${name}.data_offsets`);
  const length = end - begin;
  const expected = Math.ceil((elementCount(shape) * DTYPES[dtype].bits) / 8);
  if (length !== expected) {
    throw new CastlensError('bad-file', 'the bytes of a tensor do not fit its shape', {
      file: file.path,
      entry: name,
      expected: `${expected} bytes for ${dtype} [${shape.join(', ')}]`,
      found: `${length} bytes`
    });
  }
  if (dataStart + end > file.sizeBytes) {
    throw tooShort(file, name, dataStart + end);
  }
  return { dtype, shape, range: { file: file.path, offset: dataStart + begin, length } };
}

function tooShort(file: FileReader, entry: string, expected: number): CastlensError {
  return new CastlensError('bad-file', 'the file ends too early', {
    file: file.path,
    entry,
    expected: `at least ${expected} bytes`,
    found: `${file.sizeBytes} bytes`,
    hint: 'The file may be truncated: copy or write it again.'
  });
}
