/**
 * Builds the graph of the model layer from the messages of an ONNX file.
 *
 * @packageDocumentation
 */
import type { Attr, Dim, IGraph, INode, IValue, IWeight, Shape } from '../../model';
import {
  castTarget,
  CastlensError,
  makeValue,
  mayHoldGraphs,
  perOperator,
  UniqueNames
} from '../../model';
import { checkArity } from './arity';
import { dtypeOfElementType } from './elementtypes';
import { ATTRIBUTE_TYPE } from './fields';
import { inferDtype, returnsSequence } from './infer';
import { describeNode, sortNodes } from './order';
import type { OriginReader } from './origin';
import type { IRawAttribute, IRawGraph, IRawNode, IRawValueInfo, RawDim } from './rawmodel';
import { normalizeDomain } from './rawmodel';
import type { TensorReader } from './tensors';

/** One text per operator, not one per node: they are compared all the time. */
const operatorOf = perOperator(op => op);

/** Values by name, in a graph and the graphs around it. */
interface IScope {
  readonly outer: IScope | null;
  readonly values: Map<string, IValue>;
}

/** Builds graphs, nested ones too. */
export class GraphBuilder {
  constructor(
    private readonly _file: string,
    private readonly _tensors: TensorReader,
    private readonly _origins: OriginReader,
    private readonly _opsets: ReadonlyMap<string, number>,
    /** Whether initializers among the inputs are defaults, as from IR version 4 on. */
    private readonly _takesDefaults: boolean
  ) {}

  /** Initializers that are defaults of inputs, by name. */
  readonly defaults = new Map<string, IWeight>();

  /** Build the graph of the model. */
  build(graph: IRawGraph): IGraph {
    return this._graph(graph, null, []);
  }

  /**
   * @param operandTypes - what the node that holds the graph passes to its inputs, where their types are not written down.
   */
  private _graph(raw: IRawGraph, outer: IScope | null, operandTypes: readonly Operand[]): IGraph {
    if (raw.sparseInitializers > 0) {
      throw new CastlensError('unsupported-format', 'the model holds sparse initializers', {
        file: this._file,
        entry: `graph '${raw.name}'`,
        expected: 'dense initializers',
        found: `${raw.sparseInitializers} sparse ones`,
        hint: 'Convert them to dense tensors.'
      });
    }
    const infos = new Map<string, IRawValueInfo>();
    for (const info of [...raw.valueInfos, ...raw.outputs, ...raw.inputs]) {
      infos.set(info.name, info);
    }
    const scope: IScope = { outer, values: new Map() };
    const graph: IGraph = {
      name: raw.name,
      inputs: [],
      outputs: [],
      nodes: [],
      weights: [],
      opsets: Object.fromEntries(this._opsets)
    };
    const weights = this._tensors.initializers(raw.initializers, name => kindOf(infos.get(name)));
    const overridable = outer === null && this._takesDefaults ? inputNamesOf(raw) : NO_NAMES;
    raw.initializers.forEach(({ name }, i) => {
      const weight = weights[i];
      if (overridable.has(name)) {
        // No constant: what callers give takes its place.
        this.defaults.set(name, weight);
        return;
      }
      const value = this._define(scope, name, infos.get(name), 'initializer');
      value.dtype = weight.dtype;
      value.shape = weight.shape;
      graph.weights.push({ value, weight });
    });
    raw.inputs.forEach((info, i) => {
      // Before IR version 4 initializers are listed among the inputs.
      if (!scope.values.has(info.name)) {
        const value = this._define(scope, info.name, info, 'input');
        value.dtype ??= operandTypes[i]?.dtype ?? null;
        if (outer === null && value.shape !== null) {
          value.shape = value.shape.map((dim, axis) => namedSize(dim, info.name, axis));
        }
        if (operandTypes[i]?.kind === 'other') {
          value.kind = 'other';
        }
        graph.inputs.push(value);
      }
    });
    const nodes = sortNodes(
      this._file,
      raw,
      name => scope.values.has(name),
      name => outer !== null && lookUp(outer, name) !== undefined
    );
    // Before the graphs nested in them, so that the names of outer nodes are those of the file.
    const nodeNames = nodes.map(({ name, opType }, i) =>
      this._nodeNames.take(name === '' ? `${opType}_${i}` : name)
    );
    nodes.forEach((node, i) => graph.nodes.push(this._node(node, i, scope, infos, nodeNames[i])));
    for (const info of raw.outputs) {
      const value = lookUp(scope, info.name);
      if (value === undefined) {
        throw new CastlensError('bad-file', 'the graph returns a value that nothing makes', {
          file: this._file,
          entry: `graph '${raw.name}'`,
          expected: 'the result of a node',
          found: `'${info.name}'`
        });
      }
      graph.outputs.push(value);
    }
    return graph;
  }

  private _node(
    raw: IRawNode,
    index: number,
    scope: IScope,
    infos: ReadonlyMap<string, IRawValueInfo>,
    name: string
  ): INode {
    checkArity(this._file, raw, index);
    const inputs = raw.inputs.map(name => (name === '' ? null : lookUp(scope, name)!));
    const attrs: Record<string, Attr> = {};
    for (const attribute of raw.attributes) {
      attrs[attribute.name] = this._attr(raw, index, attribute, scope, inputs);
    }
    const origin = this._origins.read(raw.metadata);
    const node: INode = {
      name,
      op: operatorNameOf(raw),
      inputs,
      attrs,
      outputs: [],
      region: null,
      module: origin.module,
      source: origin.source
    };
    node.outputs = raw.outputs.map((name, i) => {
      if (name === '') {
        return null;
      }
      const value = this._define(scope, name, infos.get(name), describeNode(raw, index));
      value.dtype = inferDtype(node, i, this._opsets.get('') ?? 1) ?? value.declaredDtype;
      if (returnsSequence(node, i)) {
        value.kind = 'other';
      }
      if (value.shape === null && i === 0) {
        value.shape = knownShape(node);
      }
      return value;
    });
    return node;
  }

  private _attr(
    node: IRawNode,
    index: number,
    raw: IRawAttribute,
    scope: IScope,
    inputs: readonly (IValue | null)[]
  ): Attr {
    const place = `${describeNode(node, index)}, attribute '${raw.name}'`;
    const label = `${node.name || `${node.opType}_${index}`}.${raw.name}`;
    const tensor = (item: IRawAttribute['tensors'][number]): Attr => ({
      kind: 'tensor',
      value: this._tensors.constant(item, item.name || label)
    });
    const graph = (item: IRawGraph): Attr => {
      if (!mayHoldGraphs(operatorNameOf(node))) {
        throw new CastlensError('bad-file', 'an operator holds a graph that it has no use for', {
          file: this._file,
          entry: place,
          expected: 'nested graphs in If, Loop, Scan and SequenceMap alone',
          found: `a graph in ${node.opType}`
        });
      }
      return { kind: 'graph', value: this._graph(item, scope, operandTypes(node, inputs)) };
    };
    const list = (items: Attr[]): Attr => ({ kind: 'list', items });
    switch (attributeType(raw)) {
      case ATTRIBUTE_TYPE.float:
        return { kind: 'float', value: raw.f ?? 0 };
      case ATTRIBUTE_TYPE.int:
        return integerAttr(raw);
      case ATTRIBUTE_TYPE.string:
        return { kind: 'string', value: textOf(raw.s ?? new Uint8Array(0)) };
      case ATTRIBUTE_TYPE.tensor:
        if (raw.t !== null) {
          return tensor(raw.t);
        }
        break;
      case ATTRIBUTE_TYPE.graph:
        if (raw.g !== null) {
          return graph(raw.g);
        }
        break;
      case ATTRIBUTE_TYPE.floats:
        return list(raw.floats.map(value => ({ kind: 'float', value })));
      case ATTRIBUTE_TYPE.ints:
        return list(raw.ints.map(value => ({ kind: 'int', value })));
      case ATTRIBUTE_TYPE.strings:
        return list(raw.strings.map(value => ({ kind: 'string', value: textOf(value) })));
      case ATTRIBUTE_TYPE.tensors:
        return list(raw.tensors.map(tensor));
      case ATTRIBUTE_TYPE.graphs:
        return list(raw.graphs.map(graph));
      case ATTRIBUTE_TYPE.typeProto:
      case ATTRIBUTE_TYPE.typeProtos:
      case ATTRIBUTE_TYPE.sparseTensor:
      case ATTRIBUTE_TYPE.sparseTensors:
        return { kind: 'encoded', type: raw.type, messages: raw.messages };
      default:
        break;
    }
    throw new CastlensError(
      'unsupported-format',
      'an attribute is of a kind castlens cannot read',
      {
        file: this._file,
        entry: place,
        expected: 'numbers, strings, tensors, types or graphs',
        found: raw.refName !== '' ? `a reference to '${raw.refName}'` : `type ${raw.type}`
      }
    );
  }

  private _define(
    scope: IScope,
    name: string,
    info: IRawValueInfo | undefined,
    what: string
  ): IValue {
    if (name === '' || scope.values.has(name)) {
      throw new CastlensError('bad-file', 'a value has no name of its own', {
        file: this._file,
        entry: what,
        expected: 'a name used once',
        found: `'${name}'`
      });
    }
    const dtype = info === undefined ? null : dtypeOfElementType(info.elemType);
    const value = makeValue(name, dtype, info?.dims ? shapeOf(info.dims) : null, {
      declaredDtype: dtype,
      kind: info !== undefined && info.typeText !== '' ? 'other' : 'tensor'
    });
    scope.values.set(name, value);
    return value;
  }

  /** Of the whole model: profiles of the runtime tell nodes of different bodies apart by nothing else. */
  private readonly _nodeNames = new UniqueNames();
}

/** `onnx.Gemm`, `com.microsoft.FusedMatMul`, ... */
function operatorNameOf({ domain, opType }: IRawNode): string {
  return operatorOf(`${normalizeDomain(domain) || 'onnx'}.${opType}`);
}

const NO_NAMES: ReadonlySet<string> = new Set();

function inputNamesOf({ inputs }: IRawGraph): ReadonlySet<string> {
  return new Set(inputs.map(({ name }) => name));
}

function lookUp(scope: IScope, name: string): IValue | undefined {
  for (let current: IScope | null = scope; current !== null; current = current.outer) {
    const value = current.values.get(name);
    if (value !== undefined) {
      return value;
    }
  }
  return undefined;
}

/** What exporters say about an initializer. */
function kindOf(info: IRawValueInfo | undefined): IWeight['kind'] {
  switch (info?.metadata.get('pkg.torch.export.graph_signature.InputSpec.kind')) {
    case 'PARAMETER':
      return 'parameter';
    case 'BUFFER':
      return 'buffer';
    default:
      return 'initializer';
  }
}

/** The attribute's type; files of IR version 1 leave it to the field that is set. */
function attributeType(raw: IRawAttribute): number {
  if (raw.type !== 0 || raw.refName !== '') {
    return raw.refName !== '' ? 0 : raw.type;
  }
  const set: readonly (readonly [boolean, number])[] = [
    [raw.f !== null, ATTRIBUTE_TYPE.float],
    [raw.i !== null, ATTRIBUTE_TYPE.int],
    [raw.s !== null, ATTRIBUTE_TYPE.string],
    [raw.t !== null, ATTRIBUTE_TYPE.tensor],
    [raw.g !== null, ATTRIBUTE_TYPE.graph],
    [raw.floats.length > 0, ATTRIBUTE_TYPE.floats],
    [raw.ints.length > 0, ATTRIBUTE_TYPE.ints],
    [raw.strings.length > 0, ATTRIBUTE_TYPE.strings],
    [raw.tensors.length > 0, ATTRIBUTE_TYPE.tensors],
    [raw.graphs.length > 0, ATTRIBUTE_TYPE.graphs]
  ];
  return set.find(([isSet]) => isSet)?.[1] ?? 0;
}

/** Attributes that hold an element type, whatever the operator. */
const TYPE_ATTRIBUTES: ReadonlySet<string> = new Set([
  'dtype',
  'output_datatype',
  'output_dtype',
  'softmax_precision',
  'stash_type',
  'to'
]);

/** An integer attribute; those that hold an element type are dtypes. */
function integerAttr(raw: IRawAttribute): Attr {
  const value = raw.i ?? 0;
  if (TYPE_ATTRIBUTES.has(raw.name) && value !== 0) {
    const dtype = dtypeOfElementType(Number(value));
    if (dtype !== null) {
      return { kind: 'dtype', value: dtype };
    }
  }
  return { kind: 'int', value };
}

/** What an operand says about the input of a nested graph that it is bound to. */
type Operand = Pick<IValue, 'dtype' | 'kind'> | null;

/** Types of the inputs of a nested graph, from the operands of the node that holds it. */
function operandTypes(node: IRawNode, inputs: readonly Operand[]): readonly Operand[] {
  switch (node.opType) {
    case 'Loop':
      return [
        { dtype: 'int64', kind: 'tensor' },
        { dtype: 'bool', kind: 'tensor' },
        ...inputs.slice(2)
      ];
    case 'Scan':
      return inputs;
    default:
      return [];
  }
}

/** Shape of the first result, where it is that of an operand or a constant. */
function knownShape(node: INode): Shape | null {
  if (castTarget(node) !== null || node.op === 'onnx.Identity') {
    return node.inputs[0]?.shape ?? null;
  }
  const { value } = node.attrs;
  return node.op === 'onnx.Constant' && value?.kind === 'tensor' ? value.value.shape : null;
}

function shapeOf(dims: readonly RawDim[]): Shape {
  return dims.map((dim): Dim => {
    if (typeof dim === 'number') {
      return dim;
    }
    if (dim === null) {
      return { kind: 'opaque', text: '?' };
    }
    return /^[A-Za-z_][A-Za-z0-9_.]*$/.test(dim)
      ? { kind: 'symbol', name: dim }
      : { kind: 'opaque', text: dim };
  });
}

/** The size of an input with a name of its own, by which it can be chosen: the file's, or `input.axis` where it says nothing. */
function namedSize(dim: Dim, input: string, axis: number): Dim {
  if (typeof dim === 'number' || dim.kind !== 'opaque') {
    return dim;
  }
  const isNamed = /[A-Za-z_]/.test(dim.text) && dim.text !== 'None';
  return { kind: 'symbol', name: isNamed ? dim.text : `${input}.${axis}` };
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}
