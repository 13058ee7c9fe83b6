/**
 * Writes an `.onnx` file anew with initializers in another dtype.
 *
 * The protobuf is edited where it must be and copied byte for byte everywhere else: functions, metadata, operator sets and
 * fields that castlens does not know come through unchanged.
 *
 * @packageDocumentation
 */
import * as path from 'node:path';

import type { DType, IByteRange, IExportedModel, INode, IValue, IWeight } from '../../model';
import {
  CastlensError,
  DTYPES,
  elementCount,
  forEachNode,
  graphsOf,
  sizeInBytes,
  UniqueNames
} from '../../model';
import type { INewFile, ISink } from '../atomicfile';
import { writeFilesAtomically } from '../atomicfile';
import type { IByteTransfer } from '../bytetransfer';
import { FileReader } from '../filereader';
import { dtypeOfElementType, elementTypeOf } from './elementtypes';
import { ExternalFiles } from './externaldata';
import {
  ATTRIBUTE,
  ATTRIBUTE_TYPE,
  DIMENSION,
  ENTRY,
  EXTERNAL,
  FUNCTION,
  GRAPH,
  MODEL,
  NODE,
  SEQUENCE_TYPE,
  SHAPE,
  TENSOR,
  TENSOR_TYPE,
  TYPE,
  VALUE_INFO
} from './fields';
import type { IScope, Place } from './scopes';
import { placeOf, placesOf, Scopes } from './scopes';
import type { Piece } from './wirepieces';
import { FieldSplitter, PieceList } from './wirepieces';
import type { IField } from './wirepieces';

/** What is to change in a model, by places of values, see `editableParts`. */
export interface IOnnxEdits {
  /** Initializers and tensors of Constant nodes that get another dtype. */
  readonly weights: ReadonlyMap<Place, DType>;
  /** Values that get another dtype: converted weights and what only arranges them or hands them on. */
  readonly dtypes: ReadonlyMap<Place, DType>;
  /**
   * Results of casts that are removed. A cast stays, and does nothing, where its graph returns the result. No nested graph may have another
   * value of its operand's name.
   */
  readonly casts: ReadonlySet<Place>;
  /** Second weights beside their originals; `name` is that of the value, for the new name. */
  readonly copies: readonly { readonly value: Place; readonly name: string; readonly to: DType }[];
  /** By first result of a node, the operands that become a copy: place to index in `copies`. */
  readonly operands: ReadonlyMap<Place, ReadonlyMap<Place, number>>;
  /** Casts that are put in, and casts that get another target. */
  readonly newCasts?: INewCasts;
  /** Computed values that are stored instead. */
  readonly folded?: IFolding;
}

/** Computed values that are stored, and what goes because of it. All are of the outermost graph. */
export interface IFolding {
  /** New initializers: each takes the place of the result of a node that goes, and of results that are equal to it. */
  readonly values: readonly {
    readonly place: Place;
    readonly name: string;
    readonly equal: readonly Place[];
    readonly dtype: DType;
    readonly shape: readonly number[];
    readonly range: IByteRange;
  }[];
  /** Nodes and initializers that go, by the (first) value they stand for. */
  readonly gone: ReadonlySet<Place>;
}

/** Casts to put into a graph; nodes are known by their first result. */
export interface INewCasts {
  /** By node, the operands that are cast before it, by position. */
  readonly operands: ReadonlyMap<Place, ReadonlyMap<number, DType>>;
  /** Results that are cast behind their node; who uses the value takes the result of that. */
  readonly results: ReadonlyMap<Place, DType>;
  /** Casts of the file that get another target. */
  readonly targets: ReadonlyMap<Place, DType>;
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

/** What of a model its file has. Calls of functions are replaced by what these hold when a file is read: that is not there. */
export interface IEditable {
  readonly values: ReadonlyMap<IValue, Place>;
  /** By place of the first result. */
  readonly nodes: ReadonlyMap<INode, Place>;
}

/** Find out what can be edited in the file of a model. Linear in the graph. */
export function editableParts(model: IExportedModel): IEditable {
  const file = FileReader.open(model.path);
  try {
    const wire = new FieldSplitter(file);
    const inFile = new Set<Place>();
    const called = new Set<Place>();
    for (const scope of new Scopes(wire, wire.split(0, file.sizeBytes)).all) {
      scope.names.forEach(name => inFile.add(placeOf(scope.path, name)));
      scope.called.forEach(name => called.add(placeOf(scope.path, name)));
    }
    const values = new Map([...placesOf(model.graph)].filter(([, place]) => inFile.has(place)));
    const nodes = new Map<INode, Place>();
    forEachNode(model.graph, node => {
      const place = node.outputs[0] ? values.get(node.outputs[0]) : undefined;
      if (place !== undefined && !called.has(place)) {
        nodes.set(node, place);
      }
    });
    return { values, nodes };
  } finally {
    file.close();
  }
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
    this._hasExternalData = model.files.length > 1;
    const places = placesOf(model.graph);
    for (const graph of graphsOf(model.graph)) {
      for (const { value, weight } of graph.weights) {
        this._weights.set(places.get(value)!, weight);
      }
    }
    // Names that nothing has, in whatever graph: a nested one that uses a copy must find no value of its own.
    this._names = new UniqueNames(
      [...places.keys()].map(({ name }) => name),
      1
    );
    this.copies = _edits.copies.map(({ name, to }) => this._names.take(`${name}_${to}`));
  }

  /** Tensors of the new data file, in order. Complete once `model()` has returned. */
  readonly placed: IPlacedTensor[] = [];
  readonly copies: readonly string[];

  model(): Piece[] {
    const out = new PieceList();
    const fields = this._wire.split(0, this._sizeBytes);
    this._scopes = new Scopes(this._wire, fields);
    this._findRemovedCasts(this._scopes);
    for (const { name, equal } of this._edits.folded?.values ?? []) {
      equal.forEach(place => this._renamed.set(place, name));
    }
    for (const field of fields) {
      if (field.number === MODEL.irVersion) {
        this._initializersAreInputs = this._wire.numbers(field)[0] < FREE_INITIALIZERS;
      }
    }
    for (const field of fields) {
      switch (field.number) {
        case MODEL.graph:
          out.message(field.number, this._graph(field));
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

  private _graph(graph: IField): PieceList {
    const scope = this._scopes?.of(graph) ?? null;
    const out = new PieceList();
    for (const field of scope?.fields ?? this._wire.split(graph.start, graph.end)) {
      switch (field.number) {
        case GRAPH.node:
          this._node(out, field, scope);
          break;
        case GRAPH.initializer:
          this._initializer(out, field, scope);
          break;
        case GRAPH.input:
        case GRAPH.output:
        case GRAPH.valueInfo:
          this._valueInfo(out, field, scope);
          break;
        default:
          out.raw(field);
      }
    }
    if (scope?.outer === null) {
      this._foldedInitializers(out);
    }
    return out;
  }

  private _foldedInitializers(out: PieceList): void {
    for (const { name, dtype, shape, range } of this._edits.folded?.values ?? []) {
      const tensor = new PieceList();
      shape.forEach(size => tensor.number(TENSOR.dims, size));
      tensor.number(TENSOR.dataType, elementTypeOf(dtype)!);
      tensor.text(TENSOR.name, name);
      if (this._hasExternalData) {
        tensor.number(TENSOR.dataLocation, EXTERNAL);
        this._externalData(tensor, this._place(range, dtype, dtype));
      } else {
        const content = new PieceList();
        content.stream(range.length, () => this._bytes.copy(range));
        tensor.message(TENSOR.rawData, content);
      }
      out.message(GRAPH.initializer, tensor);
      if (this._initializersAreInputs) {
        out.message(GRAPH.input, tensorInfo(name, dtype, shape));
      }
    }
  }

  /** What stands for the result of each cast that goes. A result that a graph returns must keep its maker. */
  private _findRemovedCasts(scopes: Scopes): void {
    const returned = new Set<Place | undefined>();
    for (const scope of scopes.all) {
      for (const field of scope.fields) {
        if (field.number === GRAPH.output) {
          returned.add(scopes.resolve(scope, this._textIn(field, VALUE_INFO.name)));
        }
      }
    }
    for (const scope of scopes.all) {
      for (const field of scope.fields) {
        if (field.number !== GRAPH.node) {
          continue;
        }
        const parts = this._wire.split(field.start, field.end);
        const operand = parts.find(({ number }) => number === NODE.input);
        const result = this._firstResult(parts, scope);
        if (
          operand !== undefined &&
          result !== undefined &&
          this._edits.casts.has(result) &&
          !returned.has(result)
        ) {
          const name = this._wire.text(operand);
          const copy = this._redirected(result, scopes.resolve(scope, name));
          this._renamed.set(result, copy ?? name);
        }
      }
    }
  }

  private _isGone(place: Place): boolean {
    return this._edits.folded?.gone.has(place) === true;
  }

  private _firstResult(parts: readonly IField[], scope: IScope): Place | undefined {
    const result = parts.find(part => part.number === NODE.output);
    return result === undefined ? undefined : placeOf(scope.path, this._wire.text(result));
  }

  private _redirected(result: Place, operand: Place | undefined): string | undefined {
    const index =
      operand === undefined ? undefined : this._edits.operands.get(result)?.get(operand);
    return index === undefined ? undefined : this.copies[index];
  }

  private _node(out: PieceList, node: IField, scope: IScope | null): void {
    const parts = this._wire.split(node.start, node.end);
    const first = scope === null ? undefined : this._firstResult(parts, scope);
    if (first !== undefined && (this._renamed.has(first) || this._isGone(first))) {
      return;
    }
    const edited = new PieceList();
    const casts =
      first === undefined ? NO_CASTS : (this._edits.newCasts?.operands.get(first) ?? NO_CASTS);
    const behind: PieceList[] = [];
    let position = 0;
    for (const part of parts) {
      if (part.number === NODE.input) {
        const other = scope === null ? undefined : this._operand(part, scope, first);
        const to = casts.get(position++);
        if (to !== undefined) {
          const name = this._wire.text(part);
          const cast = this._names.take(`${name}_${to}`);
          out.message(GRAPH.node, this._cast(name, cast, to));
          edited.text(NODE.input, cast);
        } else if (other === undefined) {
          edited.raw(part);
        } else {
          edited.text(NODE.input, other);
        }
      } else if (part.number === NODE.output) {
        const name = this._wire.text(part);
        const to =
          scope === null ? undefined : this._edits.newCasts?.results.get(placeOf(scope.path, name));
        if (to === undefined) {
          edited.raw(part);
        } else {
          const before = this._names.take(`${name}_before_cast`);
          edited.text(NODE.output, before);
          behind.push(this._cast(before, name, to));
        }
      } else if (part.number === NODE.attribute) {
        edited.message(part.number, this._attribute(part, first));
      } else {
        edited.raw(part);
      }
    }
    out.message(node.number, edited);
    behind.forEach(cast => out.message(GRAPH.node, cast));
    if (first !== undefined && this._weights.get(first)?.kind === 'constant') {
      for (const tensor of this._tensorsOf(parts)) {
        this._copiesOf(out, tensor, first);
      }
    }
  }

  /** What a node takes instead of an operand. */
  private _operand(input: IField, scope: IScope, result: Place | undefined): string | undefined {
    const place = this._scopes!.resolve(scope, this._wire.text(input));
    if (place === undefined) {
      return undefined;
    }
    return (
      this._renamed.get(place) ?? (result === undefined ? result : this._redirected(result, place))
    );
  }

  /** Tensors in the attributes of a node. */
  private _tensorsOf(node: readonly IField[]): IField[] {
    return node
      .filter(part => part.number === NODE.attribute)
      .flatMap(attribute => this._wire.split(attribute.start, attribute.end))
      .filter(part => part.number === ATTRIBUTE.t);
  }

  /** A Cast of ai.onnx. */
  private _cast(operand: string, result: string, to: DType): PieceList {
    const attribute = new PieceList();
    attribute.text(ATTRIBUTE.name, 'to');
    attribute.number(ATTRIBUTE.i, elementTypeOf(to)!);
    attribute.number(ATTRIBUTE.type, ATTRIBUTE_TYPE.int);
    const cast = new PieceList();
    cast.text(NODE.input, operand);
    cast.text(NODE.output, result);
    cast.text(NODE.name, this._names.take(`${result}_cast`));
    cast.text(NODE.opType, 'Cast');
    cast.message(NODE.attribute, attribute);
    return cast;
  }

  /** @param result - first result of the node, which is its tensor where that is a weight. */
  private _attribute(attribute: IField, result?: Place): PieceList {
    const out = new PieceList();
    const target = result === undefined ? undefined : this._edits.newCasts?.targets.get(result);
    if (target !== undefined && this._textIn(attribute, ATTRIBUTE.name) === 'to') {
      out.text(ATTRIBUTE.name, 'to');
      out.number(ATTRIBUTE.i, elementTypeOf(target)!);
      out.number(ATTRIBUTE.type, ATTRIBUTE_TYPE.int);
      return out;
    }
    for (const part of this._wire.split(attribute.start, attribute.end)) {
      switch (part.number) {
        case ATTRIBUTE.g:
        case ATTRIBUTE.graphs:
          out.message(part.number, this._graph(part));
          break;
        case ATTRIBUTE.t:
          this._weight(out, part, result);
          break;
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
  private _valueInfo(out: PieceList, field: IField, scope: IScope | null): void {
    const place =
      scope === null
        ? undefined
        : this._scopes!.resolve(scope, this._textIn(field, VALUE_INFO.name));
    if (place !== undefined && (this._renamed.has(place) || this._isGone(place))) {
      return;
    }
    const dtype = place === undefined ? undefined : this._edits.dtypes.get(place);
    if (dtype === undefined) {
      out.raw(field);
      return;
    }
    const edited = new PieceList();
    for (const part of this._wire.split(field.start, field.end)) {
      if (part.number === VALUE_INFO.type) {
        edited.message(part.number, this._type(part, dtype));
      } else {
        edited.raw(part);
      }
    }
    out.message(field.number, edited);
  }

  /** The type of a tensor, or of a sequence of tensors, with other elements. */
  private _type(type: IField, dtype: DType): PieceList {
    const out = new PieceList();
    for (const part of this._wire.split(type.start, type.end)) {
      const isTensor = part.number === TYPE.tensor;
      if (!isTensor && part.number !== TYPE.sequence) {
        out.raw(part);
        continue;
      }
      const edited = new PieceList();
      for (const inner of this._wire.split(part.start, part.end)) {
        if (isTensor && inner.number === TENSOR_TYPE.elemType) {
          edited.number(inner.number, elementTypeOf(dtype)!);
        } else if (!isTensor && inner.number === SEQUENCE_TYPE.elemType) {
          edited.message(inner.number, this._type(inner, dtype));
        } else {
          edited.raw(inner);
        }
      }
      out.message(part.number, edited);
    }
    return out;
  }

  private _initializer(out: PieceList, field: IField, scope: IScope | null): void {
    const place =
      scope === null ? undefined : placeOf(scope.path, this._textIn(field, TENSOR.name));
    if (place !== undefined && this._isGone(place)) {
      return;
    }
    this._weight(out, field, place);
    if (place !== undefined) {
      this._copiesOf(out, field, place);
    }
  }

  /** The tensor that a value is, converted where it is to be. */
  private _weight(out: PieceList, tensor: IField, place: Place | undefined): void {
    const weight = place === undefined ? undefined : this._weights.get(place);
    const to = place === undefined ? undefined : this._edits.weights.get(place);
    if (weight === undefined || to === undefined) {
      this._tensor(out, tensor);
    } else {
      const name = this._textIn(tensor, TENSOR.name);
      out.message(tensor.number, this._convertedTensor(tensor, name, weight, to));
    }
  }

  /** Initializers beside a weight that hold it in other dtypes. */
  private _copiesOf(out: PieceList, tensor: IField, place: Place): void {
    const weight = this._weights.get(place);
    this._edits.copies.forEach((copy, i) => {
      if (copy.value === place && weight !== undefined) {
        const converted = this._convertedTensor(tensor, this.copies[i], weight, copy.to);
        out.message(GRAPH.initializer, converted);
      }
    });
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

  private _convertedTensor(tensor: IField, name: string, weight: IWeight, to: DType): PieceList {
    const parts = this._wire.split(tensor.start, tensor.end);
    const edited = new PieceList();
    for (const part of parts) {
      if (part.number === TENSOR.dataType) {
        edited.number(part.number, elementTypeOf(to)!);
      } else if (part.number !== TENSOR.name && !DATA_FIELDS.has(part.number)) {
        edited.raw(part);
      }
    }
    if (name !== '') {
      edited.text(TENSOR.name, name);
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
    return edited;
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

  private readonly _names: UniqueNames;
  private readonly _path: string;
  private readonly _sizeBytes: number;
  private readonly _wire: FieldSplitter;
  private readonly _location: string;
  private readonly _external: ExternalFiles;
  private readonly _hasExternalData: boolean;
  private _initializersAreInputs = false;
  private _scopes: Scopes | null = null;
  private readonly _weights = new Map<Place, IWeight>();
  /** By result of a cast that goes, the name of what its users take. */
  private readonly _renamed = new Map<Place, string>();
  private readonly _places = new Map<string, IPlacedTensor>();
  private _dataEnd = 0;
}

/** First IR version whose initializers need not be inputs too. */
const FREE_INITIALIZERS = 4;

/** A ValueInfoProto of a tensor. */
function tensorInfo(name: string, dtype: DType, sizes: readonly number[]): PieceList {
  const shape = new PieceList();
  for (const size of sizes) {
    const dimension = new PieceList();
    dimension.number(DIMENSION.value, size);
    shape.message(SHAPE.dim, dimension);
  }
  const tensor = new PieceList();
  tensor.number(TENSOR_TYPE.elemType, elementTypeOf(dtype)!);
  tensor.message(TENSOR_TYPE.shape, shape);
  const type = new PieceList();
  type.message(TYPE.tensor, tensor);
  const info = new PieceList();
  info.text(VALUE_INFO.name, name);
  info.message(VALUE_INFO.type, type);
  return info;
}

const EMPTY = new Uint8Array(0);
const NO_CASTS: ReadonlyMap<number, DType> = new Map();

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
