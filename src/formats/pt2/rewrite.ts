/**
 * Writes a `.pt2` archive anew with weights in another dtype, computed ones stored, and regions as they are wanted.
 *
 * @packageDocumentation
 */
import type { DType, IByteRange, IExportedModel } from '../../model';
import { CastlensError, UniqueNames } from '../../model';
import type { IByteTransfer } from '../bytetransfer';
import { FileReader } from '../filereader';
import { JsonNumber, stringifyJson } from '../json';
import { JsonRecord } from '../jsonrecord';
import type { IPt2Archive } from './archive';
import { openPt2Archive } from './archive';
import { findProgram, programNames, refusePickledTensors } from './programs';
import type { EditableJson, IAddedWeight, IProgramEdits } from './rewriteprogram';
import {
  convertedSize,
  editProgram,
  forEachValue,
  setDtype,
  structuredCopy
} from './rewriteprogram';
import type { IArchiveRecord, RecordSource } from './write';
import { writePt2Archive } from './write';

/** What is to change in an archive. */
export interface IPt2Edits extends IProgramEdits {
  /** Storages that are converted, by the key of their range. */
  readonly storages: ReadonlyMap<string, { readonly from: DType; readonly to: DType }>;
  /** Where the bytes of the added weights are. */
  readonly addedBytes: readonly IByteRange[];
  /** Stored tensors that are taken out, by fully qualified name. */
  readonly freed: ReadonlySet<string>;
}

/** Key of a storage: where its bytes lie. */
export function storageKey(range: IByteRange): string {
  return `${range.file}:${range.offset}:${range.length}`;
}

interface IConfig {
  readonly entry: string;
  readonly folder: string;
  readonly json: EditableJson;
  readonly table: { [fqn: string]: EditableJson };
}

/**
 * An archive that is to be written anew.
 *
 * #### Notes
 * The graph is read a second time, losslessly, and edited; everything that is not edited is copied byte for byte.
 */
export class Pt2Rewriter {
  /**
   * Open the archive of a model.
   *
   * @param model - as read from the file; the file stays open until `close()`.
   */
  static async open(model: IExportedModel): Promise<Pt2Rewriter> {
    const file = FileReader.open(model.path);
    try {
      const archive = await openPt2Archive(file);
      refusePickledTensors(file.path, archive);
      if (programNames(archive).length === 0 || PICKLED.some(name => archive.has(name))) {
        throw new CastlensError('unsupported-format', 'this layout can be read but not written', {
          file: file.path,
          expected: 'the layout of torch 2.9 or newer, which keeps weights as plain records',
          found: 'an older one',
          hint: 'Load it and save it again with torch >= 2.9: torch.export.save(torch.export.load(FILE), OUT).'
        });
      }
      const records = findProgram(file.path, archive, model.programs?.chosen);
      const { program: entry, model: name } = records;
      const lossless = async (record: string): Promise<EditableJson> =>
        new JsonRecord(file.path, record).parseLossless(
          await archive.readText(record),
          file.budget
        ) as EditableJson;
      const program = await lossless(entry);
      const configs = new Map<string, IConfig>();
      const foreign = new Set<string>();
      for (const record of archive.names) {
        const match = /^data\/(weights|constants)\/([^/]+_config\.json)$/.exec(record);
        if (match === null) {
          continue;
        }
        const json = await lossless(record);
        const table = (json.config ?? {}) as IConfig['table'];
        const folder = `data/${match[1]}`;
        if (CONFIGS[match[1]].includes(match[2].slice(name.length)) && match[2].startsWith(name)) {
          configs.set(record, { entry: record, folder, json, table });
        } else {
          Object.values(table).forEach(item => foreign.add(`${folder}/${String(item.path_name)}`));
        }
      }
      return new Pt2Rewriter(model, file, archive, entry, program, [...configs.values()], foreign);
    } catch (error) {
      file.close();
      throw error;
    }
  }

  private constructor(
    private readonly _model: IExportedModel,
    private readonly _file: FileReader,
    private readonly _archive: IPt2Archive,
    private readonly _entry: string,
    private readonly _program: EditableJson,
    private readonly _configs: readonly IConfig[],
    private readonly _foreign: ReadonlySet<string>
  ) {}

  /** Weights that must keep their dtype, by fully qualified name, with the reason. */
  pinned(): Map<string, string> {
    const reasons = new Map<string, string>();
    const { signature } = this._program.graph_module as { signature: EditableJson };
    for (const spec of signature.output_specs as EditableJson[]) {
      const [[tag, value]] = Object.entries(spec) as [string, EditableJson][];
      for (const key of ['buffer_name', 'parameter_name']) {
        if (typeof value[key] === 'string') {
          reasons.set(value[key], PINNED_BY[tag] ?? 'the program returns a value for it');
        }
      }
    }
    for (const { folder, table } of this._configs) {
      for (const [fqn, payload] of Object.entries(table)) {
        if (this._foreign.has(`${folder}/${String(payload.path_name)}`)) {
          reasons.set(fqn, 'another program of the archive uses the same bytes');
        }
      }
    }
    return reasons;
  }

  /** Strides of the values of the program, by name; of the first place where the file has them. Null where they are not plain numbers. */
  strides(): Map<string, readonly number[] | null> {
    const found = new Map<string, readonly number[] | null>();
    const graphModule = this._program.graph_module as EditableJson;
    forEachValue(graphModule, this._model, (name, meta) => {
      if (!found.has(name)) {
        const numbers = (meta.strides as EditableJson[]).map(({ as_int: size }) =>
          size instanceof JsonNumber ? Number(size.text) : NaN
        );
        found.set(name, numbers.every(Number.isSafeInteger) ? numbers : null);
      }
    });
    return found;
  }

  /**
   * Write the archive with the edits. May be called once.
   *
   * @param path - must be no file of the model.
   * @returns the fully qualified name of each copy and of each added weight.
   */
  async write(path: string, edits: IPt2Edits, bytes: IByteTransfer): Promise<string[]> {
    const graphModule = this._program.graph_module as EditableJson;
    const taken = this._configs.flatMap(({ table }) => Object.keys(table));
    const added = editProgram(graphModule, this._model, edits, taken);
    const texts = new Map<string, string>([[this._entry, stringifyJson(this._program)]]);
    const extra = await this._editConfigs(edits, added, bytes);
    for (const { entry, json } of this._configs) {
      texts.set(entry, stringifyJson(json));
    }
    const prefix = this._archive.root === '' ? '' : `${this._archive.root}/`;
    const records: IArchiveRecord[] = [];
    const dropped = this._dropped;
    for (const name of this._archive.names) {
      if (dropped.has(name)) {
        continue;
      }
      const text = texts.get(name);
      const source: RecordSource =
        text === undefined ? await this._record(name, edits, bytes) : { kind: 'text', text };
      records.push({ name: prefix + name, source });
      for (const record of extra.get(name) ?? []) {
        records.push({ name: prefix + record.name, source: record.source });
      }
    }
    await writePt2Archive(path, records);
    const names = new Map(added.map(({ index, name }) => [index, name] as const));
    return [...edits.copies, ...edits.added].map((_, index) => names.get(index) ?? '');
  }

  /** Close the file. Idempotent. */
  close(): void {
    if (!this._closed) {
      this._closed = true;
      this._file.close();
    }
  }

  /** A record that holds no text of ours: copied, or converted. */
  private async _record(
    name: string,
    edits: IPt2Edits,
    bytes: IByteTransfer
  ): Promise<RecordSource> {
    let range: IByteRange;
    try {
      range = await this._archive.locate(name);
    } catch (error) {
      if (error instanceof CastlensError && error.code === 'unsupported-format') {
        // Compressed, where another program wrote the archive. Tensors are not: the reader refuses that.
        return { kind: 'bytes', bytes: await this._archive.read(name) };
      }
      throw error;
    }
    const conversion = edits.storages.get(storageKey(range));
    return conversion === undefined
      ? { kind: 'stream', sizeBytes: range.length, open: () => bytes.copy(range) }
      : converted(range, conversion.from, conversion.to, bytes);
  }

  /**
   * Dtypes of converted tensors, and entries of copies.
   *
   * @returns records to add, by the record they follow.
   */
  private async _editConfigs(
    edits: IPt2Edits,
    added: readonly IAddedWeight[],
    bytes: IByteTransfer
  ): Promise<Map<string, IArchiveRecord[]>> {
    for (const { table } of this._configs) {
      for (const [fqn, payload] of Object.entries(table)) {
        const dtype = edits.weights.get(fqn);
        if (dtype !== undefined) {
          setDtype(payload.tensor_meta as EditableJson, dtype);
        }
      }
    }
    const extra = new Map<string, IArchiveRecord[]>();
    const names = new UniqueNames(this._archive.names);
    // Tied weights share their copy.
    const copied = new Map<string, string>();
    for (const { index, name, meta } of added) {
      if (index >= edits.copies.length) {
        const range = edits.addedBytes[index - edits.copies.length];
        this._addRecord(extra, names, { name, meta, range }, bytes);
        continue;
      }
      const copy = edits.copies[index];
      const config = this._configs.find(({ table }) => Object.hasOwn(table, copy.weight));
      if (config === undefined) {
        throw new CastlensError(
          'bad-file',
          'a weight of the program is not stored in the archive',
          {
            file: this._model.path,
            entry: copy.weight
          }
        );
      }
      const payload = structuredCopy(config.table[copy.weight]) as EditableJson;
      const record = `${config.folder}/${String(payload.path_name)}`;
      const key = `${record}>${copy.to}`;
      let target = copied.get(key);
      if (target === undefined) {
        const range = await this._archive.locate(record);
        const weight = this._model.weights.find(({ names: fqns }) => fqns.includes(copy.weight))!;
        const stem = config.folder === 'data/weights' ? 'weight' : 'tensor';
        target = names.takeNumbered(`${config.folder}/${stem}`);
        copied.set(key, target);
        const list = extra.get(record) ?? [];
        list.push({ name: target, source: converted(range, weight.dtype, copy.to, bytes) });
        extra.set(record, list);
      }
      payload.path_name = target.slice(config.folder.length + 1);
      setDtype(payload.tensor_meta as EditableJson, copy.to);
      config.table[name] = payload;
    }
    for (const { folder, table } of this._configs) {
      const freed = new Set<string>();
      for (const [fqn, payload] of Object.entries(table)) {
        if (edits.freed.has(fqn)) {
          freed.add(`${folder}/${String(payload.path_name)}`);
          delete table[fqn];
        }
      }
      for (const payload of Object.values(table)) {
        freed.delete(`${folder}/${String(payload.path_name)}`);
      }
      freed.forEach(record => this._foreign.has(record) || this._dropped.add(record));
    }
    return extra;
  }

  /** The record of a new constant and its entry in the table; behind the table, or the record before it. */
  private _addRecord(
    extra: Map<string, IArchiveRecord[]>,
    names: UniqueNames,
    { name, meta, range }: { name: string; meta: EditableJson; range: IByteRange },
    bytes: IByteTransfer
  ): void {
    const config = this._configs.find(({ folder }) => folder === 'data/constants');
    if (config === undefined) {
      throw new CastlensError('unsupported-format', 'the archive has no table of constants', {
        file: this._model.path,
        expected: 'a record data/constants/NAME_constants_config.json'
      });
    }
    const target = names.takeNumbered(`${config.folder}/tensor`);
    const list = extra.get(config.entry) ?? [];
    list.push({
      name: target,
      source: { kind: 'stream', sizeBytes: range.length, open: () => bytes.copy(range) }
    });
    extra.set(config.entry, list);
    config.json.config = config.table;
    config.table[name] = {
      path_name: target.slice(config.folder.length + 1),
      is_param: false,
      use_pickle: false,
      tensor_meta: structuredCopy(meta)
    };
  }

  private _closed = false;
  /** Records that nothing refers to any more. */
  private readonly _dropped = new Set<string>();
}

/** Where torch 2.8 keeps the weights, as one pickle each. */
const PICKLED = ['data/weights/model.pt', 'data/constants/model.pt'];

const CONFIGS: { readonly [folder: string]: readonly string[] } = {
  weights: ['_weights_config.json', '_model_param_config.json'],
  constants: ['_constants_config.json', '_model_constants_config.json']
};

const PINNED_BY: { readonly [tag: string]: string } = {
  buffer_mutation: 'the program updates it',
  parameter_mutation: 'the program updates it',
  gradient_to_parameter: 'the program returns its gradient'
};

function converted(range: IByteRange, from: DType, to: DType, bytes: IByteTransfer): RecordSource {
  return {
    kind: 'stream',
    sizeBytes: convertedSize(range.length, from, to),
    open: () => bytes.convert(range, from, to)
  };
}
