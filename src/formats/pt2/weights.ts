/**
 * The tensors stored in a `.pt2` archive, as byte ranges.
 *
 * @packageDocumentation
 */
import type { IByteRange, IWeight, WeightData, WeightKind } from '../../model';
import { CastlensError, DTYPES, elementCount } from '../../model';
import type { FileReader } from '../filereader';
import type { IPt2Archive } from './archive';
import { JsonRecord } from '../jsonrecord';
import type { ITensorMeta } from './tensormeta';
import { TensorMetaReader } from './tensormeta';
import type { IPickledTensor } from './unpickle';
import { asTensor, readTorchSave } from './unpickle';

/** A tensor under one of its names. */
export interface IStoredTensor {
  readonly name: string;
  readonly kind: WeightKind;
  readonly dtype: IWeight['dtype'];
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly storageOffset: number;
  readonly requiresGrad: boolean;
  /** The whole storage. */
  readonly data: WeightData;
  /** Identity of the bytes this tensor covers, and of its layout over them: equal for tied names. */
  readonly identity: string;
  /** See IWeight. */
  readonly storage: string;
}

interface ISource {
  readonly folder: 'weights' | 'constants';
  /** The last two are the names another writer uses. */
  readonly configs: readonly string[];
}

/** Records that hold the tensors of a program. */
export interface ITensorRecords {
  /** Name of the program, which starts the names of its tables. */
  readonly model: string;
  /** Pickles that torch <= 2.8 wrote in place of the tables; null where a table is used. */
  readonly weights: string | null;
  readonly constants: string | null;
}

/**
 * Find the bytes of every weight and constant of one program of the archive.
 *
 * @throws CastlensError for tensors that are no plain bytes, tensors larger than their record, unknown layouts and damaged
 * tables.
 */
export async function readStoredTensors(
  file: FileReader,
  archive: IPt2Archive,
  records: ITensorRecords
): Promise<Map<string, IStoredTensor>> {
  const tensors = new Map<string, IStoredTensor>();
  const { model } = records;
  const sources: ISource[] = [
    {
      folder: 'weights',
      configs: [`${model}_weights_config.json`, `${model}_model_param_config.json`]
    },
    {
      folder: 'constants',
      configs: [`${model}_constants_config.json`, `${model}_model_constants_config.json`]
    }
  ];
  const ranges = new Map<string, IByteRange>();
  for (const { folder, configs } of sources) {
    const pickle = records[folder];
    if (pickle !== null) {
      await readPickledTensors(file, archive, pickle, folder, tensors);
      continue;
    }
    const entry = configs.map(name => `data/${folder}/${name}`).find(name => archive.has(name));
    if (entry === undefined) {
      continue;
    }
    const json = new JsonRecord(file.path, entry);
    const metas = new TensorMetaReader(json);
    const table = json.object(
      json.parse(await archive.readText(entry), file.budget).config,
      'config'
    );
    for (const name of Object.keys(table)) {
      const payload = json.object(table[name], name);
      const record = `data/${folder}/${json.string(payload.path_name, `${name}.path_name`)}`;
      if (payload.use_pickle === true || payload.tensor_meta == null) {
        throw new CastlensError('unsupported-format', `'${name}' is stored as a pickle`, {
          file: file.path,
          entry: record,
          expected: 'plain tensor bytes',
          found: 'a Python pickle (a tensor subclass or a custom object)',
          hint: 'Pickles hold code and are never read: replace the object by a plain tensor and export again.'
        });
      }
      const meta = metas.tensorMeta(payload.tensor_meta, `${name}.tensor_meta`);
      let range = ranges.get(record);
      if (range === undefined) {
        range = await archive.locate(record);
        ranges.set(record, range);
      }
      const kind =
        payload.is_param === true ? 'parameter' : folder === 'weights' ? 'buffer' : 'constant';
      tensors.set(name, placeTensor(json, name, kind, meta, range, record));
    }
  }
  return tensors;
}

/** The tensors of a state dict that `torch.save` wrote. */
async function readPickledTensors(
  file: FileReader,
  archive: IPt2Archive,
  record: string,
  folder: ISource['folder'],
  into: Map<string, IStoredTensor>
): Promise<void> {
  if (archive.sizeOf(record) === 0) {
    // How torch writes an empty artifact.
    return;
  }
  const table = await readTorchSave(file, archive, record);
  if (!(table instanceof Map)) {
    throw new CastlensError('bad-file', 'the record holds no dictionary of tensors', {
      file: file.path,
      entry: record,
      expected: 'a state dict',
      found: table === null ? 'None' : 'another value'
    });
  }
  for (const [name, value] of table) {
    const tensor = asTensor(value);
    if (tensor !== null && typeof name === 'string') {
      const kind = tensor.isParameter ? 'parameter' : folder === 'weights' ? 'buffer' : 'constant';
      into.set(name, placePickled(file.path, record, name, kind, tensor));
    }
  }
}

/**
 * A pickled tensor, checked against the bytes of its storage.
 *
 * @throws CastlensError where the storage is too short.
 */
export function placePickled(
  file: string,
  record: string,
  name: string,
  kind: WeightKind,
  tensor: IPickledTensor
): IStoredTensor {
  return placeView(file, record, name, kind, tensor, tensor.stored.data, tensor.stored.identity);
}

/** Check a tensor of a table against the bytes of its storage. */
function placeTensor(
  json: JsonRecord,
  name: string,
  kind: WeightKind,
  meta: ITensorMeta,
  range: IByteRange,
  record: string
): IStoredTensor {
  const { layout } = meta;
  if (layout !== 'strided') {
    throw new CastlensError('unsupported-format', `'${name}' has a layout castlens cannot read`, {
      file: json.file,
      entry: record,
      expected: 'a strided tensor',
      found: layout
    });
  }
  const shape = integers(json, meta.shape, `${name}.sizes`);
  const strides = integers(json, meta.strides, `${name}.strides`);
  const storageOffset = meta.storageOffset;
  if (strides.length !== shape.length) {
    throw json.fail(`${name}.strides`, `${shape.length} strides`, strides);
  }
  if (storageOffset === null || storageOffset < 0) {
    throw json.fail(`${name}.storage_offset`, 'a non-negative integer', storageOffset);
  }
  const view = { ...meta, shape, strides, storageOffset };
  return placeView(json.file, record, name, kind, view, { kind: 'range', range }, '');
}

/** Checks that a view lies in its storage. `inlineStorage` is the identity of one that has no byte range. */
function placeView(
  file: string,
  record: string,
  name: string,
  kind: WeightKind,
  view: Pick<IStoredTensor, 'dtype' | 'shape' | 'strides' | 'storageOffset' | 'requiresGrad'>,
  data: WeightData,
  inlineStorage: string
): IStoredTensor {
  const { dtype, shape, strides, storageOffset, requiresGrad } = view;
  const length = data.kind === 'range' ? data.range.length : sizeOfInline(data);
  const itemBytes = DTYPES[dtype].bits / 8;
  const empty = elementCount(shape) === 0;
  const last = shape.reduce((index, size, i) => index + (size - 1) * strides[i], storageOffset);
  const begin = storageOffset * itemBytes;
  const end = empty ? begin : (last + 1) * itemBytes;
  if (!empty && !(end <= length)) {
    throw new CastlensError('bad-file', `the record is shorter than the tensor '${name}'`, {
      file,
      entry: record,
      expected: `at least ${end} bytes for ${dtype} [${shape.join(', ')}]`,
      found: `${length} bytes`,
      hint:
        length === 0
          ? 'The archive was saved without weights: export it from a model with real tensors.'
          : 'The file is damaged: export it again.'
    });
  }
  const storage =
    data.kind === 'range'
      ? `${data.range.file}:${data.range.offset + begin}:${end - begin}`
      : `${inlineStorage}:${begin}:${end - begin}`;
  return {
    name,
    kind,
    dtype,
    shape,
    strides,
    storageOffset,
    requiresGrad,
    data,
    storage,
    identity: `${storage}|${dtype}|${shape.join()}|${strides.join()}`
  };
}

function sizeOfInline(data: WeightData): number {
  return data.kind === 'inline' ? data.bytes.length : 0;
}

function integers(json: JsonRecord, values: readonly unknown[], where: string): number[] {
  return values.map(value => {
    if (typeof value !== 'number' || value < 0) {
      throw json.fail(where, 'non-negative integers', value);
    }
    return value;
  });
}

/**
 * One weight per set of tied names.
 *
 * @param tensors - by name.
 * @param preferred - names in the order the graph uses them: the first of a set leads.
 * @param kinds - what the signature says of a name, where it says anything.
 * @returns the weights, those of `preferred` first, and the weight of every name.
 */
export function groupTensors(
  tensors: ReadonlyMap<string, IStoredTensor>,
  preferred: readonly string[],
  kinds: ReadonlyMap<string, WeightKind>
): { weights: IWeight[]; byName: Map<string, IWeight> } {
  const groups = new Map<string, IStoredTensor[]>();
  for (const name of new Set([...preferred, ...tensors.keys()])) {
    const tensor = tensors.get(name);
    if (tensor === undefined) {
      continue;
    }
    const group = groups.get(tensor.identity);
    if (group === undefined) {
      groups.set(tensor.identity, [tensor]);
    } else {
      group.push(tensor);
    }
  }
  const weights: IWeight[] = [];
  const byName = new Map<string, IWeight>();
  for (const group of groups.values()) {
    const [first] = group;
    const weight: IWeight = {
      storage: first.storage,
      names: group.map(tensor => tensor.name),
      kind: kinds.get(first.name) ?? first.kind,
      dtype: first.dtype,
      shape: first.shape,
      strides: first.strides,
      storageOffset: first.storageOffset,
      requiresGrad: first.requiresGrad,
      data: first.data
    };
    weights.push(weight);
    group.forEach(tensor => byName.set(tensor.name, weight));
  }
  return { weights, byName };
}
