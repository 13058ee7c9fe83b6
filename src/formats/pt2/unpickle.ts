/**
 * Reads what `torch.save` wrote: plain data and tensors as byte ranges.
 *
 * Source: torch/serialization.py and torch/_utils.py of torch 2.13.
 *
 * @packageDocumentation
 */
import type { DType, WeightData } from '../../model';
import { CastlensError } from '../../model';
import type { FileReader, IByteSource } from '../filereader';
import { bytesAsSource, partOfFile } from '../filereader';
import type { IPt2Archive } from './archive';
import { openPt2Archive } from './archive';
import type { IPickleConstructors, PickleValue } from './pickle';
import { PickleError, PickleGlobal, PickleObject, PickleTuple, unpickle } from './pickle';

/** A tensor of a `torch.save` file. Nothing of it has been checked against its storage. */
export interface IPickledTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** In elements, as storageOffset. */
  readonly strides: readonly number[];
  readonly storageOffset: number;
  readonly requiresGrad: boolean;
  /** Whether it was a torch.nn.Parameter. */
  readonly isParameter: boolean;
  /** The whole storage. */
  readonly stored: Readonly<IStorage>;
}

/** Largest pickle that is read: tensors are outside of it. */
const MAX_PICKLE_BYTES = 64 * 1024 ** 2;

/** Most bytes of a compressed `torch.save` file, or of a storage in one, that are held in memory. */
const MAX_INLINE_BYTES = 64 * 1024 ** 2;

/**
 * Read a record that `torch.save` wrote.
 *
 * #### Notes
 * Where both archives store their records uncompressed, as torch does, storages are byte ranges of the outer file and nothing
 * but the pickle is read. Names that are not on a closed list are refused: no code of the pickle is ever run.
 *
 * @param record - name in the archive.
 * @throws CastlensError.
 */
export async function readTorchSave(
  file: FileReader,
  archive: IPt2Archive,
  record: string
): Promise<PickleValue> {
  const source = await openRecord(file, archive, record);
  const inner = await openInner(source, record);
  const entry = `${record}/data.pkl`;
  if (!inner.has('data.pkl')) {
    throw new CastlensError('bad-file', 'the record was not written by torch.save', {
      file: file.path,
      entry,
      expected: 'a zip archive with data.pkl',
      found: inner.names.slice(0, 3).join(', ') || 'an empty archive'
    });
  }
  if (inner.has('byteorder')) {
    const order = (await inner.readText('byteorder')).trim();
    if (order !== 'little') {
      throw new CastlensError('unsupported-format', 'the tensors have the wrong byte order', {
        file: file.path,
        entry: `${record}/byteorder`,
        expected: "'little'",
        found: `'${order.slice(0, 20)}'`
      });
    }
  }
  if (inner.sizeOf('data.pkl') > MAX_PICKLE_BYTES) {
    throw tooLarge(file.path, entry, inner.sizeOf('data.pkl'), MAX_PICKLE_BYTES);
  }
  const constructors = new TorchConstructors(inner, record);
  const bytes = await inner.read('data.pkl');
  let value: PickleValue;
  try {
    value = unpickle(bytes, constructors, () => file.budget.takeItem(entry));
  } catch (error) {
    if (!(error instanceof PickleError)) {
      throw error;
    }
    const refused = error.reason === 'refused';
    throw new CastlensError(
      refused ? 'unsupported-format' : 'bad-file',
      refused ? 'the pickle holds something that is not read' : 'the pickle is damaged',
      {
        file: file.path,
        entry,
        expected: refused ? 'tensors, numbers, texts and containers of them' : 'a valid pickle',
        found: error.message,
        ...(refused
          ? { hint: 'Pickles can hold code: only names on a closed list are accepted.' }
          : {}),
        cause: error
      }
    );
  }
  for (const [key, storage] of constructors.storages) {
    Object.assign(storage, await readStorage(file.path, inner, `data/${key}`, record));
  }
  return value;
}

/** The tensor a value is, or null. */
export function asTensor(value: PickleValue | undefined): IPickledTensor | null {
  return value instanceof PickleObject && value.type === TENSOR
    ? (value.value as IPickledTensor)
    : null;
}

async function openRecord(
  file: FileReader,
  archive: IPt2Archive,
  record: string
): Promise<IByteSource> {
  if (archive.isStored(record)) {
    const range = await archive.locate(record);
    return partOfFile(file, range.offset, range.length);
  }
  if (archive.sizeOf(record) > MAX_INLINE_BYTES) {
    throw tooLarge(file.path, record, archive.sizeOf(record), MAX_INLINE_BYTES);
  }
  return bytesAsSource(file, await archive.read(record));
}

async function openInner(source: IByteSource, record: string): Promise<IPt2Archive> {
  try {
    return await openPt2Archive(source);
  } catch (error) {
    if (error instanceof CastlensError) {
      throw error.with({ entry: `${record}: ${error.details.entry ?? ''}` });
    }
    throw error;
  }
}

async function readStorage(
  file: string,
  inner: IPt2Archive,
  name: string,
  record: string
): Promise<Pick<IStorage, 'data' | 'identity'>> {
  if (inner.isStored(name)) {
    const range = await inner.locate(name);
    return {
      data: { kind: 'range', range },
      identity: `${range.file}:${range.offset}:${range.length}`
    };
  }
  if (inner.sizeOf(name) > MAX_INLINE_BYTES) {
    throw tooLarge(file, `${record}/${name}`, inner.sizeOf(name), MAX_INLINE_BYTES);
  }
  return {
    data: { kind: 'inline', bytes: await inner.read(name) },
    identity: `inline:${record}/${name.slice('data/'.length)}`
  };
}

function tooLarge(file: string, entry: string, size: number, limit: number): CastlensError {
  return new CastlensError('unsupported-format', 'the compressed record or pickle is too large', {
    file,
    entry,
    expected: `an uncompressed record, or at most ${limit} bytes`,
    found: `${size} bytes`,
    hint: 'Load the program with torch and save it again with torch.export.save.'
  });
}

/** Most items that constructors may copy in all; a state dict of 100,000 tensors copies some two million. */
const MAX_COPIED_ITEMS = 20_000_000;

const TENSOR = 'tensor';
const STORAGE = 'storage';

/** Where the bytes lie is filled in once the pickle has been read: those that no tensor asks for are left alone. */
interface IStorage {
  data: WeightData;
  identity: string;
  /** Null for untyped storages, whose tensors carry the dtype. */
  readonly dtype: DType | null;
}

const STORAGE_TYPES = new Map<string, DType | null>([
  ['torch.DoubleStorage', 'float64'],
  ['torch.FloatStorage', 'float32'],
  ['torch.HalfStorage', 'float16'],
  ['torch.BFloat16Storage', 'bfloat16'],
  ['torch.LongStorage', 'int64'],
  ['torch.IntStorage', 'int32'],
  ['torch.ShortStorage', 'int16'],
  ['torch.CharStorage', 'int8'],
  ['torch.ByteStorage', 'uint8'],
  ['torch.BoolStorage', 'bool'],
  ['torch.ComplexFloatStorage', 'complex64'],
  ['torch.ComplexDoubleStorage', 'complex128'],
  ['torch.UntypedStorage', null],
  ['torch.storage.UntypedStorage', null]
]);

const DTYPE_NAMES = new Map<string, DType>(
  (
    [
      ...['float64', 'float32', 'float16', 'bfloat16', 'complex32', 'complex64', 'complex128'],
      ...['int64', 'int32', 'int16', 'int8', 'uint64', 'uint32', 'uint16', 'uint8', 'bool'],
      ...['float8_e4m3fn', 'float8_e5m2', 'float8_e4m3fnuz', 'float8_e5m2fnuz', 'float8_e8m0fnu']
    ] as DType[]
  ).map(dtype => [`torch.${dtype}`, dtype])
);

type Constructor = (args: readonly PickleValue[]) => PickleValue;

/** Everything a pickle may call. Python 2 names are what protocol 2 writes for builtins. */
const CONSTRUCTORS = new Map<string, Constructor>([
  ['torch._utils._rebuild_tensor_v2', args => rebuildTensor(args, null)],
  ['torch._utils._rebuild_tensor_v3', args => rebuildTensor(args, dtypeOf(args[6]))],
  ['torch._utils._rebuild_parameter', rebuildParameter],
  ['collections.OrderedDict', args => dictionary(args)],
  ['torch.Size', args => new PickleTuple(sequence(args[0]))],
  ['torch.device', args => new PickleObject('device', args)],
  ...['builtins', '__builtin__'].flatMap((module): [string, Constructor][] => [
    [`${module}.tuple`, args => new PickleTuple(sequence(args[0]))],
    [`${module}.list`, args => [...sequence(args[0])]],
    [`${module}.dict`, args => dictionary(args)],
    [`${module}.set`, args => new Set(sequence(args[0]))],
    [`${module}.frozenset`, args => new Set(sequence(args[0]))],
    [`${module}.slice`, args => new PickleObject('slice', args)],
    [`${module}.complex`, args => new PickleObject('complex', args)]
  ])
]);

class TorchConstructors implements IPickleConstructors {
  constructor(
    private readonly _inner: IPt2Archive,
    private readonly _record: string
  ) {}

  isKnown(name: string): boolean {
    return CONSTRUCTORS.has(name) || STORAGE_TYPES.has(name) || DTYPE_NAMES.has(name);
  }

  call(name: string, args: readonly PickleValue[]): PickleValue {
    const constructor = CONSTRUCTORS.get(name);
    if (constructor === undefined) {
      throw new PickleError(`a call of ${name}`, 'refused');
    }
    for (const value of args) {
      // Copies of one memoized list, made over and over, are all that could outgrow the pickle.
      this._copied += sizeOf(value);
    }
    if (this._copied > MAX_COPIED_ITEMS) {
      throw new PickleError(`copies of more than ${MAX_COPIED_ITEMS} items`, 'refused');
    }
    return constructor(args);
  }

  /** `('storage', type, key, location, numel)`: `storage._reduce_ex` of torch/serialization.py. */
  persistent(id: PickleValue): PickleValue {
    const [tag, type, key] = id instanceof PickleTuple ? id.items : [];
    if (tag !== 'storage' || !(type instanceof PickleGlobal) || typeof key !== 'string') {
      throw new PickleError('a persistent id that is no storage', 'refused');
    }
    const dtype = STORAGE_TYPES.get(type.name);
    if (dtype === undefined) {
      throw new PickleError(`a storage of ${type.name}`, 'refused');
    }
    if (!this._inner.has(`data/${key}`)) {
      throw new PickleError(`no record data/${key} of ${this._record} for a storage`, 'damaged');
    }
    const known = this.storages.get(key);
    if (known !== undefined && known.dtype !== dtype) {
      throw new PickleError(`a storage data/${key} of two types`, 'damaged');
    }
    const storage = known ?? { data: NOT_READ, identity: '', dtype };
    this.storages.set(key, storage);
    return new PickleObject(STORAGE, storage);
  }

  /** Storages that the pickle asks for, by the names of their records. */
  readonly storages = new Map<string, IStorage>();

  private _copied = 0;
}

const NOT_READ: WeightData = { kind: 'inline', bytes: new Uint8Array(0) };

function sizeOf(value: PickleValue): number {
  if (value instanceof PickleTuple) {
    return value.items.length;
  }
  if (value instanceof Map || value instanceof Set) {
    return value.size;
  }
  return Array.isArray(value) ? value.length : 0;
}

/** `_rebuild_tensor_v2(storage, storage_offset, size, stride, requires_grad, backward_hooks, ...)`. */
function rebuildTensor(args: readonly PickleValue[], dtype: DType | null): PickleValue {
  const [source, offset, size, stride, requiresGrad] = args;
  if (!(source instanceof PickleObject) || source.type !== STORAGE) {
    throw new PickleError('a tensor without a storage', 'damaged');
  }
  const storage = source.value as IStorage;
  const type = dtype ?? storage.dtype;
  const shape = sequence(size).map(integer);
  const strides = sequence(stride).map(integer);
  if (type === null || shape.length !== strides.length) {
    throw new PickleError('a tensor without dtype or with other strides than sizes', 'damaged');
  }
  const tensor: IPickledTensor = {
    dtype: type,
    shape,
    strides,
    storageOffset: integer(offset),
    requiresGrad: requiresGrad === true,
    isParameter: false,
    stored: storage
  };
  return new PickleObject(TENSOR, tensor);
}

/** `_rebuild_parameter(data, requires_grad, backward_hooks)`. */
function rebuildParameter(args: readonly PickleValue[]): PickleValue {
  const tensor = asTensor(args[0]);
  if (tensor === null) {
    throw new PickleError('a parameter without a tensor', 'damaged');
  }
  const parameter: IPickledTensor = {
    ...tensor,
    requiresGrad: args[1] === true,
    isParameter: true
  };
  return new PickleObject(TENSOR, parameter);
}

function dtypeOf(value: PickleValue): DType {
  const dtype = value instanceof PickleGlobal ? DTYPE_NAMES.get(value.name) : undefined;
  if (dtype === undefined) {
    throw new PickleError('a dtype expected', 'damaged');
  }
  return dtype;
}

function dictionary(args: readonly PickleValue[]): Map<PickleValue, PickleValue> {
  const pairs = args.length === 0 ? [] : sequence(args[0]);
  return new Map(
    pairs.map(pair => {
      const [key, value] = sequence(pair);
      return [key ?? null, value ?? null];
    })
  );
}

function sequence(value: PickleValue | undefined): readonly PickleValue[] {
  if (value === undefined) {
    return [];
  }
  if (value instanceof PickleTuple) {
    return value.items;
  }
  if (value instanceof Set) {
    return [...value];
  }
  if (Array.isArray(value)) {
    return value;
  }
  if (value instanceof Map) {
    return [...value].map(pair => new PickleTuple(pair));
  }
  throw new PickleError('a sequence expected', 'damaged');
}

function integer(value: PickleValue | undefined): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new PickleError('a non-negative integer expected', 'damaged');
  }
  return value;
}
