/**
 * Writes graphs as ONNX models.
 *
 * @packageDocumentation
 */
import * as path from 'node:path';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

import type { Attr, Dim, DType, IGraph, INode, IValue, IWeight } from '../../model';
import {
  bodiesOf,
  DTYPES,
  elementCount,
  forEachNode,
  formatDim,
  isContiguous,
  sizeInBytes,
  UniqueNames
} from '../../model';
import { FileReader } from '../filereader';
import { elementTypeOf } from './elementtypes';
import {
  ATTRIBUTE,
  ATTRIBUTE_TYPE,
  DIMENSION,
  ENTRY,
  EXTERNAL,
  GRAPH,
  MODEL,
  NODE,
  OPSET,
  SHAPE,
  TENSOR,
  TENSOR_TYPE,
  TYPE,
  VALUE_INFO
} from './fields';
import { unpackStrings } from './stringtensor';

/** How a graph is written. */
export interface IWriteOnnxOptions {
  /** Default 10, which every runtime of the last two years reads. */
  readonly irVersion?: number;
  /** Default `castlens`. */
  readonly producerName?: string;
  readonly producerVersion?: string;
}

/**
 * Weights up to this size are embedded, integers and truth values up to the first: runtimes look into them (shapes, axes, indices, scales,
 * ends of ranges) while they load the graph, when external data is not at hand yet. Others are embedded up to the second size in graphs with
 * operators that floating-point elements are needed for, since these may be found behind operators that the runtime has folded.
 */
const EMBED_BYTES = 4096;
const EMBED_FLOAT_BYTES = 1024;

/** Operands with floating-point elements that runtimes look into as well, by position. */
const READ_EARLY: ReadonlyMap<string, readonly number[]> = new Map([
  ['onnx.Range', [0, 1, 2]],
  ['onnx.Resize', [1, 2]],
  ['onnx.Upsample', [1]]
]);

/**
 * Encode a graph of ONNX operators as a ModelProto.
 *
 * #### Notes
 * Weights with a byte range become external data whose location is the file's absolute path relative to the root of the file
 * system: load the model with that root as the folder of external data. Small integer weights and inline data are embedded.
 * Values of nested graphs that share a name with a value outside are renamed; the outermost graph keeps its names.
 * `onnx.Constant` nodes whose tensor is a byte range become initializers.
 *
 * @throws Error (a defect of the caller, not of the model) for operators and attributes that are not ONNX, weights that are
 * derived or not contiguous, values used before they are made, and names used twice.
 */
export function writeOnnx(graph: IGraph, options: IWriteOnnxOptions = {}): Uint8Array {
  return new OnnxWriter(graph, options).write();
}

class OnnxWriter {
  constructor(
    private readonly _graph: IGraph,
    private readonly _options: IWriteOnnxOptions
  ) {}

  write(): Uint8Array {
    const writer = this._writer;
    const { irVersion = 10, producerName = 'castlens', producerVersion } = this._options;
    this._reserveNames();
    this._noteReadEarly();
    writer.tag(MODEL.irVersion, WireType.Varint).int64(irVersion);
    this._string(MODEL.producerName, producerName);
    if (producerVersion !== undefined) {
      this._string(MODEL.producerVersion, producerVersion);
    }
    for (const [domain, version] of Object.entries(this._graph.opsets)) {
      this._message(MODEL.opsetImport, () => {
        this._string(OPSET.domain, domain);
        writer.tag(OPSET.version, WireType.Varint).int64(version);
      });
    }
    this._message(MODEL.graph, () => this._writeGraph(this._graph, true));
    return writer.finish();
  }

  /** The outermost graph keeps its names: nothing nested in it may take one of them first. */
  private _reserveNames(): void {
    const { inputs, weights, nodes } = this._graph;
    const values = [
      ...inputs,
      ...weights.map(({ value }) => value),
      ...nodes.flatMap(node => node.outputs)
    ];
    for (const value of values) {
      if (value !== null && (value.name === '' || this._taken.take(value.name) !== value.name)) {
        throw new Error(`writeOnnx: two values are called '${value.name}', or one has no name`);
      }
    }
    for (const { name, dtype } of inputs) {
      if (dtype === null) {
        throw new Error(`writeOnnx: input '${name}' has no dtype`);
      }
    }
  }

  private _noteReadEarly(): void {
    const weights = new Map<IValue, IWeight>();
    const addWeights = (graph: IGraph): void =>
      graph.weights.forEach(({ value, weight }) => weights.set(value, weight));
    addWeights(this._graph);
    forEachNode(this._graph, node => {
      bodiesOf(node).forEach(addWeights);
      const positions = READ_EARLY.get(node.op);
      this._readsFloats ||= positions !== undefined;
      for (const index of positions ?? []) {
        const value = node.inputs[index];
        const weight = value ? weights.get(value) : undefined;
        if (weight !== undefined) {
          this._readEarly.add(weight);
        }
      }
    });
  }

  private _writeGraph(graph: IGraph, outermost: boolean): void {
    for (const value of graph.inputs) {
      this._declare(value, outermost);
    }
    for (const { value } of graph.weights) {
      this._declare(value, outermost);
    }
    const hoisted: { value: IValue; weight: IWeight }[] = [];
    for (const node of graph.nodes) {
      const constant = hoistableConstant(node);
      if (constant !== null) {
        this._declare(constant.value, outermost);
        hoisted.push(constant);
        continue;
      }
      // Names of the whole node first: a nested graph may not take the name of a result.
      const inputs = node.inputs.map(value =>
        value === null ? '' : this._nameOf(value, node.name)
      );
      // onnxruntime refuses loops with fewer results than their bodies, and crashes where one has no name.
      const unnamed = bodiesOf(node).length > 0 ? `${node.name}_unused` : null;
      const outputs = node.outputs.map(value =>
        value !== null
          ? this._declare(value, outermost)
          : unnamed === null
            ? ''
            : this._taken.take(unnamed)
      );
      this._message(GRAPH.node, () => this._writeNode(node, inputs, outputs));
    }
    this._string(GRAPH.name, graph.name === '' ? 'main' : graph.name);
    for (const { value, weight } of [...graph.weights, ...hoisted]) {
      const name = this._nameOf(value, 'initializer');
      this._message(GRAPH.initializer, () => this._writeTensor(weight, name));
    }
    for (const value of graph.inputs) {
      this._message(GRAPH.input, () => this._writeValueInfo(value, 'input'));
    }
    const returned = new Set<IValue>();
    for (const value of outermost ? graph.outputs : this._ownOutputs(graph)) {
      if (returned.has(value)) {
        throw new Error(`writeOnnx: value '${value.name}' is returned twice`);
      }
      returned.add(value);
      this._message(GRAPH.output, () => this._writeValueInfo(value, 'output'));
    }
  }

  /** Results of a nested graph: runtimes refuse values of the graph around, and one value twice, but take copies of them. */
  private _ownOutputs(graph: IGraph): IValue[] {
    const own = new Set<IValue | null>([
      ...graph.inputs,
      ...graph.weights.map(({ value }) => value),
      ...graph.nodes.flatMap(node => node.outputs)
    ]);
    return graph.outputs.map(value => {
      if (own.delete(value)) {
        return value;
      }
      const copy = { ...value };
      const operand = this._nameOf(value, graph.name);
      const result = this._declare(copy, false);
      this._message(GRAPH.node, () => {
        this._string(NODE.input, operand);
        this._string(NODE.output, result);
        this._string(NODE.name, `${result}_returned`);
        this._string(NODE.opType, 'Identity');
      });
      return copy;
    });
  }

  private _writeNode(node: INode, inputs: string[], outputs: string[]): void {
    const split = node.op.lastIndexOf('.');
    const domain = node.op.startsWith('onnx.') ? '' : node.op.slice(0, split);
    if (!Object.hasOwn(this._graph.opsets, domain)) {
      throw new Error(
        `writeOnnx: node '${node.name}' (${node.op}) is of no operator set of the graph`
      );
    }
    for (const name of withoutTrailing(inputs)) {
      this._string(NODE.input, name);
    }
    for (const name of withoutTrailing(outputs)) {
      this._string(NODE.output, name);
    }
    this._string(NODE.name, node.name);
    this._string(NODE.opType, node.op.slice(split + 1));
    if (domain !== '') {
      this._string(NODE.domain, domain);
    }
    for (const [name, attr] of Object.entries(node.attrs)) {
      if (attr.kind !== 'none') {
        this._message(NODE.attribute, () => this._writeAttribute(node, name, attr));
      }
    }
  }

  private _writeAttribute(node: INode, name: string, attr: Attr): void {
    const writer = this._writer;
    this._string(ATTRIBUTE.name, name);
    const type = (code: number): void => {
      writer.tag(ATTRIBUTE.type, WireType.Varint).int32(code);
    };
    switch (attr.kind) {
      case 'int':
      case 'bool':
      case 'dtype':
        writer.tag(ATTRIBUTE.i, WireType.Varint).int64(integerOf(attr));
        type(ATTRIBUTE_TYPE.int);
        return;
      case 'float':
        writer.tag(ATTRIBUTE.f, WireType.Bit32).float(attr.value);
        type(ATTRIBUTE_TYPE.float);
        return;
      case 'string':
        this._string(ATTRIBUTE.s, attr.value);
        type(ATTRIBUTE_TYPE.string);
        return;
      case 'tensor':
        this._message(ATTRIBUTE.t, () => this._writeTensor(attr.value, ''));
        type(ATTRIBUTE_TYPE.tensor);
        return;
      case 'graph':
        this._message(ATTRIBUTE.g, () => this._writeGraph(attr.value, false));
        type(ATTRIBUTE_TYPE.graph);
        return;
      case 'list':
        type(this._writeList(node, name, attr.items));
        return;
      case 'encoded': {
        const field = ENCODED_FIELDS.get(attr.type)!;
        attr.messages.forEach(message =>
          writer.tag(field, WireType.LengthDelimited).bytes(message)
        );
        type(attr.type);
        return;
      }
      case 'none':
      case 'input':
      case 'device':
      case 'memory-format':
      case 'layout':
        throw new Error(
          `writeOnnx: attribute '${name}' of node '${node.name}' (${node.op}) is of kind ${attr.kind}`
        );
    }
  }

  /** Write the items of a list attribute; returns the attribute's type. */
  private _writeList(node: INode, name: string, items: readonly Attr[]): number {
    const writer = this._writer;
    const kinds = new Set(items.map(item => (isInteger(item) ? 'int' : item.kind)));
    if (kinds.size > 1) {
      throw new Error(
        `writeOnnx: attribute '${name}' of node '${node.name}' (${node.op}) mixes ${[...kinds].join(' and ')}`
      );
    }
    const [kind = 'int'] = kinds;
    switch (kind) {
      case 'int':
        for (const item of items) {
          writer.tag(ATTRIBUTE.ints, WireType.Varint).int64(integerOf(item));
        }
        return ATTRIBUTE_TYPE.ints;
      case 'float':
        for (const item of items) {
          writer
            .tag(ATTRIBUTE.floats, WireType.Bit32)
            .float(item.kind === 'float' ? item.value : 0);
        }
        return ATTRIBUTE_TYPE.floats;
      case 'string':
        for (const item of items) {
          this._string(ATTRIBUTE.strings, item.kind === 'string' ? item.value : '');
        }
        return ATTRIBUTE_TYPE.strings;
      case 'tensor':
        for (const item of items) {
          if (item.kind === 'tensor') {
            this._message(ATTRIBUTE.tensors, () => this._writeTensor(item.value, ''));
          }
        }
        return ATTRIBUTE_TYPE.tensors;
      case 'graph':
        for (const item of items) {
          if (item.kind === 'graph') {
            this._message(ATTRIBUTE.graphs, () => this._writeGraph(item.value, false));
          }
        }
        return ATTRIBUTE_TYPE.graphs;
      default:
        throw new Error(
          `writeOnnx: attribute '${name}' of node '${node.name}' (${node.op}) is a list of ${kind}`
        );
    }
  }

  private _writeTensor(weight: IWeight, name: string): void {
    const writer = this._writer;
    const label = name === '' ? (weight.names[0] ?? 'a constant') : name;
    const { data, dtype, shape } = weight;
    for (const size of shape) {
      writer.tag(TENSOR.dims, WireType.Varint).int64(size);
    }
    writer.tag(TENSOR.dataType, WireType.Varint).int32(elementType(dtype, label));
    if (name !== '') {
      this._string(TENSOR.name, name);
    }
    if (data.kind === 'derived') {
      throw new Error(`writeOnnx: weight '${label}' is derived and has not been materialised`);
    }
    if (dtype === 'string') {
      if (data.kind !== 'inline') {
        throw new Error(`writeOnnx: string tensor '${label}' is not in memory`);
      }
      for (const element of unpackStrings(data.bytes)) {
        writer.tag(TENSOR.stringData, WireType.LengthDelimited).bytes(element);
      }
      return;
    }
    if (!isContiguous(weight)) {
      throw new Error(`writeOnnx: weight '${label}' is not contiguous`);
    }
    const begin = (weight.storageOffset * DTYPES[dtype].bits) / 8;
    const length = sizeInBytes(dtype, elementCount(shape));
    const available = data.kind === 'inline' ? data.bytes.length : data.range.length;
    if (begin + length > available) {
      throw new Error(
        `writeOnnx: weight '${label}' has ${available} bytes, ${begin + length} are needed`
      );
    }
    if (data.kind === 'inline') {
      writer
        .tag(TENSOR.rawData, WireType.LengthDelimited)
        .bytes(data.bytes.subarray(begin, begin + length));
      return;
    }
    const { file } = data.range;
    const offset = data.range.offset + begin;
    const isRead = DTYPES[dtype].kind !== 'float' || this._readEarly.has(weight);
    if (length <= (isRead ? EMBED_BYTES : this._readsFloats ? EMBED_FLOAT_BYTES : 0)) {
      writer
        .tag(TENSOR.rawData, WireType.LengthDelimited)
        .bytes(length === 0 ? new Uint8Array(0) : readBytes(file, offset, length, label));
      return;
    }
    this._entry(TENSOR.externalData, 'location', locationOf(file));
    this._entry(TENSOR.externalData, 'offset', String(offset));
    this._entry(TENSOR.externalData, 'length', String(length));
    writer.tag(TENSOR.dataLocation, WireType.Varint).int32(EXTERNAL);
  }

  private _writeValueInfo(value: IValue, where: string): void {
    const { dtype, kind, shape } = value;
    this._string(VALUE_INFO.name, this._nameOf(value, where));
    if (dtype === null || kind === 'other') {
      // Ends of nested graphs may leave their type to inference, as sequences do.
      return;
    }
    this._message(VALUE_INFO.type, () =>
      this._message(TYPE.tensor, () => {
        this._writer
          .tag(TENSOR_TYPE.elemType, WireType.Varint)
          .int32(elementType(dtype, value.name));
        if (shape !== null) {
          this._message(TENSOR_TYPE.shape, () => shape.forEach(dim => this._writeDim(dim)));
        }
      })
    );
  }

  private _writeDim(dim: Dim): void {
    this._message(SHAPE.dim, () => {
      if (typeof dim === 'number') {
        this._writer.tag(DIMENSION.value, WireType.Varint).int64(dim);
      } else {
        this._string(DIMENSION.param, formatDim(dim));
      }
    });
  }

  /** Give a value the name it has in the file. */
  private _declare(value: IValue, outermost: boolean): string {
    if (this._names.has(value)) {
      throw new Error(`writeOnnx: value '${value.name}' is made twice`);
    }
    const name = outermost ? value.name : this._taken.take(value.name);
    this._names.set(value, name);
    return name;
  }

  private _nameOf(value: IValue, user: string): string {
    const name = this._names.get(value);
    if (name === undefined) {
      throw new Error(`writeOnnx: '${user}' uses '${value.name}' before anything makes it`);
    }
    return name;
  }

  private _entry(field: number, key: string, value: string): void {
    this._message(field, () => {
      this._string(ENTRY.key, key);
      this._string(ENTRY.value, value);
    });
  }

  private _string(field: number, value: string): void {
    this._writer.tag(field, WireType.LengthDelimited).string(value);
  }

  private _message(field: number, write: () => void): void {
    this._writer.tag(field, WireType.LengthDelimited).fork();
    write();
    this._writer.join();
  }

  private readonly _writer = new BinaryWriter();
  private readonly _taken = new UniqueNames();
  /** Weights whose elements a runtime needs while it loads the graph. */
  private readonly _readEarly = new Set<IWeight>();
  /** Whether there are operators that need floating-point elements then. */
  private _readsFloats = false;
  private readonly _names = new Map<IValue, string>();
}

/** Field of an attribute by its type, for messages that are written as they were read. */
const ENCODED_FIELDS: ReadonlyMap<number, number> = new Map([
  [ATTRIBUTE_TYPE.sparseTensor, ATTRIBUTE.sparseTensor],
  [ATTRIBUTE_TYPE.sparseTensors, ATTRIBUTE.sparseTensors],
  [ATTRIBUTE_TYPE.typeProto, ATTRIBUTE.typeProto],
  [ATTRIBUTE_TYPE.typeProtos, ATTRIBUTE.typeProtos]
]);

/** The tensor of a Constant node, where it lies in a file. */
function hoistableConstant(node: INode): { value: IValue; weight: IWeight } | null {
  const { value: attr } = node.attrs;
  const [value] = node.outputs;
  return node.op === 'onnx.Constant' &&
    attr?.kind === 'tensor' &&
    attr.value.data.kind === 'range' &&
    value != null
    ? { value, weight: attr.value }
    : null;
}

function withoutTrailing(names: readonly string[]): readonly string[] {
  let end = names.length;
  while (end > 0 && names[end - 1] === '') {
    end--;
  }
  return names.slice(0, end);
}

function isInteger(attr: Attr): boolean {
  return attr.kind === 'int' || attr.kind === 'bool' || attr.kind === 'dtype';
}

function integerOf(attr: Attr): number | bigint {
  switch (attr.kind) {
    case 'int':
      return attr.value;
    case 'bool':
      return attr.value ? 1 : 0;
    case 'dtype':
      return elementType(attr.value, 'an attribute');
    default:
      throw new Error(`writeOnnx: ${attr.kind} is no integer`);
  }
}

function elementType(dtype: DType, label: string): number {
  const code = elementTypeOf(dtype);
  if (code === null) {
    throw new Error(`writeOnnx: ONNX has no element type ${dtype} (${label})`);
  }
  return code;
}

/** The file's path relative to the root of its file system, as external data wants it. */
function locationOf(file: string): string {
  const { root } = path.parse(file);
  return file.slice(root.length).split(path.sep).join('/');
}

function readBytes(file: string, offset: number, length: number, label: string): Uint8Array {
  const reader = FileReader.open(file);
  try {
    return reader.read(offset, length, label);
  } finally {
    reader.close();
  }
}
