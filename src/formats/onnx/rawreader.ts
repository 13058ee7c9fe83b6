/**
 * Reads the messages of an ONNX file.
 *
 * @packageDocumentation
 */
import {
  ATTRIBUTE,
  DIMENSION,
  ENTRY,
  FUNCTION,
  GRAPH,
  MODEL,
  NODE,
  OPSET,
  SHAPE,
  TENSOR,
  TENSOR_TYPE,
  VALUE_INFO
} from './fields';
import type {
  IRawAttribute,
  IRawFunction,
  IRawGraph,
  IRawModel,
  IRawNode,
  IRawTensor,
  IRawValueInfo,
  RawDim
} from './rawmodel';
import { normalizeDomain } from './rawmodel';
import type { WireReader } from './wirereader';
import { WIRE } from './wirereader';

/** `GraphProto.metadata_props`. */
const GRAPH_METADATA = 16;
const VALUE_INFO_METADATA = 4;
/** `TypeProto`: sequence and optional hold another type in their field 1. */
const TYPE_FIELDS = { tensor: 1, sequence: 4, map: 5, opaque: 7, sparse: 8, optional: 9 } as const;

/**
 * Read a ModelProto.
 *
 * #### Notes
 * Unknown fields, and known fields of another wire type than theirs, are skipped, as protobuf demands.
 *
 * #### Complexity
 * Linear in the graph; weights are skipped.
 */
export function readRawModel(wire: WireReader): IRawModel {
  return new RawModelReader(wire).model();
}

class RawModelReader {
  constructor(private readonly _wire: WireReader) {}

  model(): IRawModel {
    const wire = this._wire;
    const model: IRawModel = {
      irVersion: 0,
      producerName: '',
      producerVersion: '',
      graph: null,
      opsets: new Map(),
      functions: []
    };
    wire.readRoot((field, type) => {
      if (type === WIRE.varint && field === MODEL.irVersion) {
        model.irVersion = Number(wire.readInt64());
        return true;
      }
      if (type !== WIRE.bytes) {
        return false;
      }
      switch (field) {
        case MODEL.producerName:
          model.producerName = wire.readString();
          return true;
        case MODEL.producerVersion:
          model.producerVersion = wire.readString();
          return true;
        case MODEL.graph:
          model.graph = this._graph();
          return true;
        case MODEL.opsetImport:
          this._opset(model.opsets);
          return true;
        case MODEL.functions:
          model.functions.push(this._function());
          return true;
        default:
          return false;
      }
    });
    return model;
  }

  private _graph(): IRawGraph {
    const wire = this._wire;
    const graph: IRawGraph = {
      name: '',
      nodes: [],
      initializers: [],
      inputs: [],
      outputs: [],
      valueInfos: [],
      sparseInitializers: 0,
      metadata: new Map()
    };
    wire.readMessage((field, type) => {
      if (type !== WIRE.bytes) {
        return false;
      }
      switch (field) {
        case GRAPH.node:
          graph.nodes.push(this._node());
          return true;
        case GRAPH.name:
          graph.name = wire.readString();
          return true;
        case GRAPH.initializer:
          graph.initializers.push(this._tensor());
          return true;
        case GRAPH.input:
          graph.inputs.push(this._valueInfo());
          return true;
        case GRAPH.output:
          graph.outputs.push(this._valueInfo());
          return true;
        case GRAPH.valueInfo:
          graph.valueInfos.push(this._valueInfo());
          return true;
        case GRAPH.sparseInitializer:
          graph.sparseInitializers++;
          return false;
        case GRAPH_METADATA:
          this._entry(graph.metadata);
          return true;
        default:
          return false;
      }
    });
    return graph;
  }

  private _node(): IRawNode {
    const wire = this._wire;
    const node: IRawNode = {
      name: '',
      opType: '',
      domain: '',
      overload: '',
      inputs: [],
      outputs: [],
      attributes: [],
      metadata: new Map()
    };
    wire.readMessage((field, type) => {
      if (type !== WIRE.bytes) {
        return false;
      }
      switch (field) {
        case NODE.input:
          node.inputs.push(wire.readString());
          return true;
        case NODE.output:
          node.outputs.push(wire.readString());
          return true;
        case NODE.name:
          node.name = wire.readString();
          return true;
        case NODE.opType:
          node.opType = wire.readString();
          return true;
        case NODE.attribute:
          node.attributes.push(this._attribute());
          return true;
        case NODE.domain:
          node.domain = wire.readString();
          return true;
        case NODE.overload:
          node.overload = wire.readString();
          return true;
        case NODE.metadataProps:
          this._entry(node.metadata);
          return true;
        default:
          return false;
      }
    });
    return node;
  }

  private _attribute(): IRawAttribute {
    const wire = this._wire;
    const attribute: IRawAttribute = {
      name: '',
      type: 0,
      refName: '',
      f: null,
      i: null,
      s: null,
      t: null,
      g: null,
      floats: [],
      ints: [],
      strings: [],
      tensors: [],
      graphs: [],
      messages: []
    };
    wire.readMessage((field, type) => {
      switch (field) {
        case ATTRIBUTE.floats:
          if (type === WIRE.bytes || type === WIRE.fixed32) {
            wire.readRepeated(type, () => attribute.floats.push(wire.readFloat()));
            return true;
          }
          return false;
        case ATTRIBUTE.ints:
          if (type === WIRE.bytes || type === WIRE.varint) {
            wire.readRepeated(type, () => attribute.ints.push(wire.readInt64()));
            return true;
          }
          return false;
        case ATTRIBUTE.f:
          if (type === WIRE.fixed32) {
            attribute.f = wire.readFloat();
            return true;
          }
          return false;
        case ATTRIBUTE.i:
        case ATTRIBUTE.type:
          if (type === WIRE.varint) {
            const value = wire.readInt64();
            if (field === ATTRIBUTE.i) {
              attribute.i = value;
            } else {
              attribute.type = Number(value);
            }
            return true;
          }
          return false;
        default:
          return type === WIRE.bytes && this._attributeBytes(attribute, field);
      }
    });
    return attribute;
  }

  private _attributeBytes(attribute: IRawAttribute, field: number): boolean {
    const wire = this._wire;
    switch (field) {
      case ATTRIBUTE.name:
        attribute.name = wire.readString();
        return true;
      case ATTRIBUTE.refAttrName:
        attribute.refName = wire.readString();
        return true;
      case ATTRIBUTE.s:
        attribute.s = wire.readBytes();
        return true;
      case ATTRIBUTE.strings:
        attribute.strings.push(wire.readBytes());
        return true;
      case ATTRIBUTE.t:
        attribute.t = this._tensor();
        return true;
      case ATTRIBUTE.tensors:
        attribute.tensors.push(this._tensor());
        return true;
      case ATTRIBUTE.g:
        attribute.g = this._graph();
        return true;
      case ATTRIBUTE.graphs:
        attribute.graphs.push(this._graph());
        return true;
      case ATTRIBUTE.typeProto:
      case ATTRIBUTE.typeProtos:
      case ATTRIBUTE.sparseTensor:
      case ATTRIBUTE.sparseTensors:
        attribute.messages.push(wire.readBytes());
        return true;
      default:
        return false;
    }
  }

  private _tensor(): IRawTensor {
    const wire = this._wire;
    const tensor: IRawTensor = {
      name: '',
      dims: [],
      dataType: 0,
      range: null,
      numbers: [],
      strings: null,
      external: null
    };
    let external = new Map<string, string>();
    let isExternal = false;
    wire.readMessage((field, type) => {
      switch (field) {
        case TENSOR.dims:
          if (type === WIRE.bytes || type === WIRE.varint) {
            wire.readRepeated(type, () => tensor.dims.push(wire.readInt64()));
            return true;
          }
          return false;
        case TENSOR.floatData:
        case TENSOR.doubleData: {
          // Packed floats are the tensor's bytes; pieces and single elements have to be gathered.
          const single = field === TENSOR.floatData ? WIRE.fixed32 : WIRE.fixed64;
          if (type === WIRE.bytes && tensor.range === null && tensor.numbers.length === 0) {
            tensor.range = { file: wire.path, ...wire.readRange() };
            return true;
          }
          if (type === WIRE.bytes || type === single) {
            const read = (): number =>
              field === TENSOR.floatData ? wire.readFloat() : wire.readDouble();
            if (tensor.range !== null) {
              throw wire.fail(
                'a tensor is stored in pieces',
                'one packed list of floats',
                'several'
              );
            }
            wire.readRepeated(type, () => tensor.numbers.push(read()));
            return true;
          }
          return false;
        }
        case TENSOR.int32Data:
        case TENSOR.int64Data:
        case TENSOR.uint64Data:
          if (type === WIRE.bytes || type === WIRE.varint) {
            const read =
              field === TENSOR.uint64Data ? () => wire.readUint64() : () => wire.readInt64();
            wire.readRepeated(type, () => tensor.numbers.push(read()));
            return true;
          }
          return false;
        case TENSOR.dataType:
        case TENSOR.dataLocation:
          if (type === WIRE.varint) {
            const value = wire.readInt32();
            if (field === TENSOR.dataType) {
              tensor.dataType = value;
            } else {
              isExternal = value !== 0;
            }
            return true;
          }
          return false;
        default:
          break;
      }
      if (type !== WIRE.bytes) {
        return false;
      }
      switch (field) {
        case TENSOR.name:
          tensor.name = wire.readString();
          return true;
        case TENSOR.rawData:
          tensor.range = { file: wire.path, ...wire.readRange() };
          return true;
        case TENSOR.stringData:
          tensor.strings ??= [];
          tensor.strings.push(wire.readBytes());
          return true;
        case TENSOR.externalData:
          this._entry(external);
          return true;
        default:
          return false;
      }
    });
    if (isExternal) {
      tensor.external = external;
      external = new Map();
    }
    return tensor;
  }

  private _valueInfo(): IRawValueInfo {
    const wire = this._wire;
    const info: IRawValueInfo = {
      name: '',
      elemType: 0,
      dims: null,
      isTensor: false,
      typeText: '',
      metadata: new Map()
    };
    wire.readMessage((field, type) => {
      if (type !== WIRE.bytes) {
        return false;
      }
      switch (field) {
        case VALUE_INFO.name:
          info.name = wire.readString();
          return true;
        case VALUE_INFO.type:
          info.typeText = this._type(info, true);
          return true;
        case VALUE_INFO_METADATA:
          this._entry(info.metadata);
          return true;
        default:
          return false;
      }
    });
    return info;
  }

  /** Reads a TypeProto; returns it in words where it is none of a tensor by itself. */
  private _type(info: IRawValueInfo, outermost: boolean): string {
    const wire = this._wire;
    let text = '';
    wire.readMessage((field, type) => {
      if (type !== WIRE.bytes) {
        return false;
      }
      switch (field) {
        case TYPE_FIELDS.tensor:
          info.isTensor = outermost;
          this._tensorType(info);
          text = outermost ? '' : 'tensor';
          return true;
        case TYPE_FIELDS.sequence:
        case TYPE_FIELDS.optional: {
          let inner = '';
          wire.readMessage((number, innerType) => {
            if (number === 1 && innerType === WIRE.bytes) {
              inner = this._type(info, false);
              return true;
            }
            return false;
          });
          text = `${field === TYPE_FIELDS.sequence ? 'sequence' : 'optional'}(${inner})`;
          return true;
        }
        case TYPE_FIELDS.map:
          text = 'map';
          return false;
        case TYPE_FIELDS.sparse:
          text = 'sparse tensor';
          return false;
        case TYPE_FIELDS.opaque:
          text = 'opaque';
          return false;
        default:
          return false;
      }
    });
    return text;
  }

  private _tensorType(info: IRawValueInfo): void {
    const wire = this._wire;
    wire.readMessage((field, type) => {
      if (field === TENSOR_TYPE.elemType && type === WIRE.varint) {
        info.elemType = wire.readInt32();
        return true;
      }
      if (field === TENSOR_TYPE.shape && type === WIRE.bytes) {
        const dims: RawDim[] = [];
        wire.readMessage((inner, innerType) => {
          if (inner === SHAPE.dim && innerType === WIRE.bytes) {
            dims.push(this._dim());
            return true;
          }
          return false;
        });
        info.dims = dims;
        return true;
      }
      return false;
    });
  }

  private _dim(): RawDim {
    const wire = this._wire;
    let dim: RawDim = null;
    wire.readMessage((field, type) => {
      if (field === DIMENSION.value && type === WIRE.varint) {
        const value = wire.readInt64();
        dim = typeof value === 'number' && value >= 0 ? value : null;
        return true;
      }
      if (field === DIMENSION.param && type === WIRE.bytes) {
        const name = wire.readString();
        dim = name === '' ? null : name;
        return true;
      }
      return false;
    });
    return dim;
  }

  private _function(): IRawFunction {
    const wire = this._wire;
    const made: IRawFunction = {
      name: '',
      domain: '',
      overload: '',
      inputs: [],
      outputs: [],
      attributes: [],
      defaults: [],
      nodes: [],
      opsets: new Map()
    };
    wire.readMessage((field, type) => {
      if (type !== WIRE.bytes) {
        return false;
      }
      switch (field) {
        case FUNCTION.name:
          made.name = wire.readString();
          return true;
        case FUNCTION.domain:
          made.domain = wire.readString();
          return true;
        case FUNCTION.overload:
          made.overload = wire.readString();
          return true;
        case FUNCTION.input:
          made.inputs.push(wire.readString());
          return true;
        case FUNCTION.output:
          made.outputs.push(wire.readString());
          return true;
        case FUNCTION.attribute:
          made.attributes.push(wire.readString());
          return true;
        case FUNCTION.attributeProto:
          made.defaults.push(this._attribute());
          return true;
        case FUNCTION.node:
          made.nodes.push(this._node());
          return true;
        case FUNCTION.opsetImport:
          this._opset(made.opsets);
          return true;
        default:
          return false;
      }
    });
    return made;
  }

  private _opset(opsets: Map<string, number>): void {
    const wire = this._wire;
    let domain = '';
    let version = 0;
    wire.readMessage((field, type) => {
      if (field === OPSET.domain && type === WIRE.bytes) {
        domain = wire.readString();
        return true;
      }
      if (field === OPSET.version && type === WIRE.varint) {
        version = Number(wire.readInt64());
        return true;
      }
      return false;
    });
    opsets.set(normalizeDomain(domain), version);
  }

  private _entry(entries: Map<string, string>): void {
    const wire = this._wire;
    let key = '';
    let value = '';
    wire.readMessage((field, type) => {
      if (type !== WIRE.bytes || (field !== ENTRY.key && field !== ENTRY.value)) {
        return false;
      }
      if (field === ENTRY.key) {
        key = wire.readString();
      } else {
        value = wire.readString();
      }
      return true;
    });
    entries.set(key, value);
  }
}
