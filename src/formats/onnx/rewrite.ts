/**
 * Writes an `.onnx` file anew with initializers in another dtype.
 *
 * The protobuf is edited where it must be and copied byte for byte everywhere else: functions, metadata, operator sets and
 * fields that castlens does not know come through unchanged.
 *
 * @packageDocumentation
 */
import * as path from 'node:path';

import type { DType, IByteRange, IExportedModel, IWeight } from '../../model';
import { CastlensError, DTYPES, elementCount, sizeInBytes } from '../../model';
import type { INewFile, ISink } from '../atomicfile';
import { writeFilesAtomically } from '../atomicfile';
import type { IByteTransfer } from '../bytetransfer';
import { FileReader } from '../filereader';
import { dtypeOfElementType, elementTypeOf } from './elementtypes';
import { ExternalFiles } from './externaldata';
import {
  ATTRIBUTE,
  ENTRY,
  EXTERNAL,
  FUNCTION,
  GRAPH,
  MODEL,
  NODE,
  TENSOR,
  VALUE_INFO
} from './fields';
import { TENSOR_TYPE, TYPE } from './fields';
import type { Piece } from './wirepieces';
import { FieldSplitter, PieceList } from './wirepieces';
import type { IField } from './wirepieces';

/** What is to change in the outermost graph of a model. */
export interface IOnnxEdits {
  /** Initializers that get another dtype, by name. */
  readonly weights: ReadonlyMap<string, DType>;
  /** Values that get another dtype, by name: converted initializers and what only arranges them. */
  readonly dtypes: ReadonlyMap<string, DType>;
  /** Results of casts that are removed; where the graph returns one, its cast stays and does nothing. */
  readonly casts: ReadonlySet<string>;
  /** Second initializers beside their originals. */
  readonly copies: readonly { readonly value: string; readonly to: DType }[];
  /** By first result of a node, the operands that become a copy: name to index in `copies`. */
  readonly operands: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

/** A tensor in the new data file. */
interface IPlacedTensor {
  readonly range: IByteRange;
  readonly from: DType;
  readonly to: DType;
  readonly offset: number;
  readonly sizeBytes: number;
}

const DATA_ALIGNMENT = 64;
const MODEL_FILE_PIECE = 1024 * 1024;

/** Name of the file beside an `.onnx` file that holds its external data. */
export function dataFileOf(modelPath: string): string {
  return `${modelPath}.data`;
}

/**
 * Write the model with the edits. Tensors inside the file stay inside, those outside go to one new file beside the new model.
 *
 * @param target - must be no file of the model; neither must `dataFileOf(target)`.
 * @returns names of the copies, and the files written.
 */
export async function rewriteOnnx(
  model: IExportedModel,
  target: string,
  edits: IOnnxEdits,
  bytes: IByteTransfer
): Promise<{ readonly copies: readonly string[]; readonly files: readonly string[] }> {
  const file = FileReader.open(model.path);
  try {
    const rewriter = new OnnxRewriter(model, file, target, edits, bytes);
    const pieces = rewriter.model();
    const dataFile = dataFileOf(target);
    const { placed } = rewriter;
    const files: INewFile[] = [
      { path: target, produce: sink => writePieces(sink, file, pieces, bytes) }
    ];
    if (placed.length > 0) {
      files.unshift({ path: dataFile, produce: sink => writeData(sink, placed, bytes) });
    }
    await writeFilesAtomically(files);
    return { copies: rewriter.copies, files: placed.length > 0 ? [target, dataFile] : [target] };
  } finally {
    file.close();
  }
}

class OnnxRewriter {
  constructor(
    model: IExportedModel,
    file: FileReader,
    target: string,
    private readonly _edits: IOnnxEdits,
    private readonly _bytes: IByteTransfer
  ) {
    this._path = file.path;
    this._sizeBytes = file.sizeBytes;
    this._wire = new FieldSplitter(file);
    this._location = path.basename(dataFileOf(target));
    this._external = new ExternalFiles(file.path);
    for (const { value, weight } of model.graph.weights) {
      this._weights.set(value.name, weight);
    }
    const taken = new Set<string>(this._weights.keys());
    for (const value of model.graph.inputs) {
      taken.add(value.name);
    }
    for (const node of model.graph.nodes) {
      node.outputs.forEach(value => value !== null && taken.add(value.name));
    }
    this.copies = _edits.copies.map(({ value, to }) => {
      let name = `${value}_${to}`;
      for (let i = 1; taken.has(name); i++) {
        name = `${value}_${to}_${i}`;
      }
      taken.add(name);
      return name;
    });
  }

  /** Tensors of the new data file, in order. Complete once `model()` has returned. */
  readonly placed: IPlacedTensor[] = [];
  readonly copies: readonly string[];

  model(): Piece[] {
    const out = new PieceList();
    for (const field of this._wire.split(0, this._sizeBytes)) {
      switch (field.number) {
        case MODEL.graph:
          out.message(field.number, this._graph(field, true));
          break;
        case MODEL.functions:
          out.message(field.number, this._function(field));
          break;
        default:
          out.raw(field);
      }
    }
    return out.pieces;
  }

  private _graph(graph: IField, outermost: boolean): PieceList {
    const fields = this._wire.split(graph.start, graph.end);
    if (outermost) {
      this._findRemovedCasts(fields);
    }
    const out = new PieceList();
    for (const field of fields) {
      switch (field.number) {
        case GRAPH.node:
          this._node(out, field, outermost);
          break;
        case GRAPH.initializer:
          this._initializer(out, field, outermost);
          break;
        case GRAPH.input:
        case GRAPH.output:
        case GRAPH.valueInfo:
          if (outermost) {
            this._valueInfo(out, field);
          } else {
            out.raw(field);
          }
          break;
        default:
          out.raw(field);
      }
    }
    return out;
  }

  /** What stands for the result of each cast that goes. A result that a graph returns must keep its maker. */
  private _findRemovedCasts(fields: readonly IField[]): void {
    const returned = new Set<string>();
    const pending: (readonly IField[])[] = [fields];
    while (pending.length > 0) {
      for (const field of pending.pop()!) {
        if (field.number === GRAPH.output) {
          returned.add(this._textIn(field, VALUE_INFO.name));
        } else if (field.number === GRAPH.node) {
          for (const body of this._bodies(field)) {
            pending.push(this._wire.split(body.start, body.end));
          }
        }
      }
    }
    for (const field of fields) {
      if (field.number !== GRAPH.node) {
        continue;
      }
      const parts = this._wire.split(field.start, field.end);
      const result = parts.find(part => part.number === NODE.output);
      const operand = parts.find(part => part.number === NODE.input);
      const name = result === undefined ? '' : this._wire.text(result);
      if (operand !== undefined && this._edits.casts.has(name) && !returned.has(name)) {
        const source = this._wire.text(operand);
        this._renamed.set(name, this._redirected(name, source) ?? source);
      }
    }
  }

  /** Graphs in the attributes of a node. */
  private _bodies(node: IField): IField[] {
    return this._wire
      .split(node.start, node.end)
      .filter(part => part.number === NODE.attribute)
      .flatMap(attribute => this._wire.split(attribute.start, attribute.end))
      .filter(part => part.number === ATTRIBUTE.g || part.number === ATTRIBUTE.graphs);
  }

  private _redirected(result: string, operand: string): string | undefined {
    const index = this._edits.operands.get(result)?.get(operand);
    return index === undefined ? undefined : this.copies[index];
  }

  private _node(out: PieceList, node: IField, outermost: boolean): void {
    const parts = this._wire.split(node.start, node.end);
    const result = parts.find(part => part.number === NODE.output);
    const first = result === undefined ? '' : this._wire.text(result);
    if (outermost && this._renamed.has(first)) {
      return;
    }
    const edited = new PieceList();
    for (const part of parts) {
      if (part.number === NODE.input) {
        const name = this._wire.text(part);
        const other =
          this._renamed.get(name) ?? (outermost ? this._redirected(first, name) : undefined);
        if (other === undefined) {
          edited.raw(part);
        } else {
          edited.text(NODE.input, other);
        }
      } else if (part.number === NODE.attribute) {
        edited.message(part.number, this._attribute(part));
      } else {
        edited.raw(part);
      }
    }
    out.message(node.number, edited);
  }

  private _attribute(attribute: IField): PieceList {
    const out = new PieceList();
    for (const part of this._wire.split(attribute.start, attribute.end)) {
      switch (part.number) {
        case ATTRIBUTE.g:
        case ATTRIBUTE.graphs:
          out.message(part.number, this._graph(part, false));
          break;
        case ATTRIBUTE.t:
        case ATTRIBUTE.tensors:
          this._tensor(out, part);
          break;
        default:
          out.raw(part);
      }
    }
    return out;
  }

  private _function(field: IField): PieceList {
    const out = new PieceList();
    for (const part of this._wire.split(field.start, field.end)) {
      if (part.number !== FUNCTION.node) {
        out.raw(part);
        continue;
      }
      const edited = new PieceList();
      for (const item of this._wire.split(part.start, part.end)) {
        if (item.number === NODE.attribute) {
          edited.message(item.number, this._attribute(item));
        } else {
          edited.raw(item);
        }
      }
      out.message(part.number, edited);
    }
    return out;
  }

  /** A value's type follows its dtype; values that are gone have none. */
  private _valueInfo(out: PieceList, field: IField): void {
    const name = this._textIn(field, VALUE_INFO.name);
    if (this._renamed.has(name)) {
      return;
    }
    const dtype = this._edits.dtypes.get(name);
    if (dtype === undefined) {
      out.raw(field);
      return;
    }
    const path = [VALUE_INFO.type, TYPE.tensor];
    out.message(field.number, this._withElementType(field, path, dtype));
  }

  private _withElementType(message: IField, path: readonly number[], dtype: DType): PieceList {
    const out = new PieceList();
    for (const part of this._wire.split(message.start, message.end)) {
      if (path.length > 0 && part.number === path[0]) {
        out.message(part.number, this._withElementType(part, path.slice(1), dtype));
      } else if (path.length === 0 && part.number === TENSOR_TYPE.elemType) {
        out.number(part.number, elementTypeOf(dtype)!);
      } else {
        out.raw(part);
      }
    }
    return out;
  }

  private _initializer(out: PieceList, field: IField, outermost: boolean): void {
    const name = this._textIn(field, TENSOR.name);
    const weight = outermost ? this._weights.get(name) : undefined;
    const to = this._edits.weights.get(name);
    if (weight === undefined || to === undefined) {
      this._tensor(out, field);
    } else {
      this._convertedTensor(out, field, name, weight, to);
    }
    if (weight !== undefined) {
      this._edits.copies.forEach((copy, i) => {
        if (copy.value === name) {
          this._convertedTensor(out, field, this.copies[i], weight, copy.to);
        }
      });
    }
  }

  /** A tensor as it is, but for the place of its external data. */
  private _tensor(out: PieceList, tensor: IField): void {
    const parts = this._wire.split(tensor.start, tensor.end);
    if (!this._isExternal(parts)) {
      out.raw(tensor);
      return;
    }
    const name = this._textIn(tensor, TENSOR.name);
    const dims: number[] = [];
    let code = 0;
    const entries = new Map<string, string>();
    for (const part of parts) {
      if (part.number === TENSOR.dims) {
        dims.push(...this._wire.numbers(part));
      } else if (part.number === TENSOR.dataType) {
        [code] = this._wire.numbers(part);
      } else if (part.number === TENSOR.externalData) {
        entries.set(this._textIn(part, ENTRY.key), this._textIn(part, ENTRY.value));
      }
    }
    const dtype = dtypeOfElementType(code);
    if (dtype === null) {
      throw new CastlensError('unsupported-format', 'a tensor has an unknown element type', {
        file: this._path,
        entry: name,
        found: `data_type ${code}`
      });
    }
    const range = this._external.resolve(name, entries, sizeInBytes(dtype, elementCount(dims)));
    const edited = new PieceList();
    parts.filter(({ number }) => number !== TENSOR.externalData).forEach(part => edited.raw(part));
    this._externalData(edited, this._place(range, dtype, dtype));
    out.message(tensor.number, edited);
  }

  private _convertedTensor(
    out: PieceList,
    tensor: IField,
    name: string,
    weight: IWeight,
    to: DType
  ): void {
    const parts = this._wire.split(tensor.start, tensor.end);
    const edited = new PieceList();
    for (const part of parts) {
      if (part.number === TENSOR.dataType) {
        edited.number(part.number, elementTypeOf(to)!);
      } else if (part.number === TENSOR.name) {
        edited.text(part.number, name);
      } else if (!DATA_FIELDS.has(part.number)) {
        edited.raw(part);
      }
    }
    const { data, dtype } = weight;
    if (this._isExternal(parts) && data.kind === 'range') {
      edited.number(TENSOR.dataLocation, EXTERNAL);
      this._externalData(edited, this._place(data.range, dtype, to));
    } else {
      const sizeBytes = sizeInBytes(to, elementCount(weight.shape));
      const content = new PieceList();
      content.stream(sizeBytes, () =>
        data.kind === 'range'
          ? this._bytes.convert(data.range, dtype, to)
          : this._bytes.convertBytes(data.kind === 'inline' ? data.bytes : EMPTY, dtype, to)
      );
      edited.message(TENSOR.rawData, content);
    }
    out.message(tensor.number, edited);
  }

  private _isExternal(parts: readonly IField[]): boolean {
    const location = parts.findLast(part => part.number === TENSOR.dataLocation);
    return location !== undefined && this._wire.numbers(location)[0] === EXTERNAL;
  }

  private _externalData(out: PieceList, { offset, sizeBytes }: IPlacedTensor): void {
    const entries = [
      ['location', this._location],
      ['offset', String(offset)],
      ['length', String(sizeBytes)]
    ];
    for (const [key, value] of entries) {
      const entry = new PieceList();
      entry.text(ENTRY.key, key);
      entry.text(ENTRY.value, value);
      out.message(TENSOR.externalData, entry);
    }
  }

  /** A place in the new data file; tensors that share their bytes share it. */
  private _place(range: IByteRange, from: DType, to: DType): IPlacedTensor {
    const key = `${range.file}:${range.offset}:${range.length}:${from}>${to}`;
    let placed = this._places.get(key);
    if (placed === undefined) {
      const sizeBytes =
        from === to ? range.length : (range.length / DTYPES[from].bits) * DTYPES[to].bits;
      placed = { range, from, to, offset: this._dataEnd, sizeBytes };
      this._dataEnd = Math.ceil((this._dataEnd + sizeBytes) / DATA_ALIGNMENT) * DATA_ALIGNMENT;
      this._places.set(key, placed);
      this.placed.push(placed);
    }
    return placed;
  }

  private _textIn(message: IField, number: number): string {
    const part = this._wire.split(message.start, message.end).find(one => one.number === number);
    return part === undefined ? '' : this._wire.text(part);
  }

  private readonly _path: string;
  private readonly _sizeBytes: number;
  private readonly _wire: FieldSplitter;
  private readonly _location: string;
  private readonly _external: ExternalFiles;
  private readonly _weights = new Map<string, IWeight>();
  private readonly _renamed = new Map<string, string>();
  private readonly _places = new Map<string, IPlacedTensor>();
  private _dataEnd = 0;
}

const EMPTY = new Uint8Array(0);

/** Fields of TensorProto that hold elements or say where they are. */
const DATA_FIELDS: ReadonlySet<number> = new Set([
  TENSOR.floatData,
  TENSOR.int32Data,
  TENSOR.stringData,
  TENSOR.int64Data,
  TENSOR.rawData,
  TENSOR.doubleData,
  TENSOR.uint64Data,
  TENSOR.externalData,
  TENSOR.dataLocation
]);

async function writeData(
  sink: ISink,
  placed: readonly IPlacedTensor[],
  bytes: IByteTransfer
): Promise<void> {
  for (const { range, from, to, offset } of placed) {
    await sink.write(new Uint8Array(offset - sink.position));
    const source = from === to ? bytes.copy(range) : bytes.convert(range, from, to);
    for await (const piece of source) {
      await sink.write(piece);
    }
  }
}

async function writePieces(
  sink: ISink,
  file: FileReader,
  pieces: readonly Piece[],
  bytes: IByteTransfer
): Promise<void> {
  for (const piece of pieces) {
    switch (piece.kind) {
      case 'bytes':
        await sink.write(piece.bytes);
        break;
      case 'range': {
        const { offset, sizeBytes } = piece;
        if (sizeBytes <= MODEL_FILE_PIECE) {
          await sink.write(file.read(offset, sizeBytes, 'ONNX protobuf'));
        } else {
          const range = { file: file.path, offset, length: sizeBytes };
          for await (const part of bytes.copy(range)) {
            await sink.write(part);
          }
        }
        break;
      }
      case 'stream':
        for await (const part of piece.open()) {
          await sink.write(part);
        }
        break;
    }
  }
}
