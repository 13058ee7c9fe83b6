/**
 * Making ONNX nodes: shared constants, and the provenance of every node.
 *
 * @packageDocumentation
 */
import { contiguousStrides, DTYPES, GraphNames, makeValue, perOperator } from '../model';
import type { Attr, DType, IGraph, INode, IValue, IWeight, Shape } from '../model';
import { encodeNumbers } from './numbers';

/** Where a new node comes from: the operator it stands for. */
export type Provenance = Pick<INode, 'region' | 'module' | 'source'>;

/** What is known of a result. */
export interface IResultType {
  readonly dtype: DType | null;
  readonly shape?: Shape | null;
  /** See `IValue.accumulates`. */
  readonly accumulates?: DType;
}

/** Appends nodes in topological order. */
export class NodeBuilder {
  /**
   * @param names - names that are taken; new ones are added.
   */
  constructor(readonly names: GraphNames = GraphNames.forOnnx()) {}

  /** The nodes made or appended so far. */
  readonly nodes: INode[] = [];

  /** Append a node that exists. */
  append(node: INode): void {
    this.nodes.push(node);
  }

  /** Put the nodes that `rewrite` appends for each node of a graph in place of these. */
  rewrite(graph: IGraph, rewrite: (node: INode) => void): void {
    graph.nodes.forEach(rewrite);
    graph.nodes = this.nodes;
  }

  /** Put the nodes made in front of those of a graph. */
  prependTo(graph: IGraph): void {
    graph.nodes = [...this.nodes, ...graph.nodes];
  }

  /** Put the nodes made behind those of a graph. */
  appendTo(graph: IGraph): void {
    graph.nodes = [...graph.nodes, ...this.nodes];
  }

  /**
   * Append a new node.
   *
   * @param name - wished name of the node; results are named after it.
   * @returns its results, as many as `results`.
   */
  emit(
    op: string,
    name: string,
    inputs: readonly (IValue | null)[],
    attrs: Record<string, Attr>,
    results: readonly IResultType[],
    from: Provenance,
    role?: INode['role']
  ): IValue[] {
    const nodeName = this.names.node(name);
    const outputs = results.map((result, i) => {
      const resultName = this.names.result(nodeName, results.length === 1 ? '' : String(i));
      const value = makeValue(resultName, result.dtype, result.shape ?? null);
      if (result.accumulates) {
        value.accumulates = result.accumulates;
      }
      return value;
    });
    this._append(op, nodeName, inputs, attrs, outputs, from, role);
    return outputs;
  }

  /**
   * Append a new node that makes a value that exists.
   *
   * @param name - wished name of the node.
   */
  emitInto(
    result: IValue,
    op: string,
    name: string,
    inputs: readonly (IValue | null)[],
    attrs: Record<string, Attr>,
    from: Provenance,
    role?: INode['role']
  ): void {
    this._append(op, this.names.node(name), inputs, attrs, [result], from, role);
  }

  /**
   * A constant tensor. Equal constants are one node, which stands before its first use.
   *
   * @param values - elements in row-major order, one per element of `shape`, or one for all.
   */
  constant(dtype: DType, shape: readonly number[], values: readonly (number | bigint)[]): IValue {
    const key = `${dtype}|${shape.join(',')}|${values.map(literalKey).join(',')}`;
    const known = this._constants.get(key);
    if (known) {
      return known;
    }
    const name = `constant_${this._constants.size}`;
    const weight = inlineTensor(name, dtype, shape, encodeNumbers(dtype, values));
    const [value] = this.emit(
      'onnx.Constant',
      name,
      [],
      { value: { kind: 'tensor', value: weight } },
      [{ dtype, shape }],
      NOWHERE
    );
    this._constants.set(key, value);
    this._constantValues.add(value);
    return value;
  }

  /** Whether a value is one of this builder's constants, which stand for every constant equal to them. */
  isConstant(value: IValue): boolean {
    return this._constantValues.has(value);
  }

  private _append(
    op: string,
    name: string,
    inputs: readonly (IValue | null)[],
    attrs: Record<string, Attr>,
    outputs: IValue[],
    { region, module, source }: Provenance,
    role: INode['role']
  ): void {
    const node: INode = { name, op, inputs: [...inputs], attrs, outputs, region, module, source };
    if (role !== undefined) {
      node.role = role;
    }
    this.nodes.push(node);
  }

  private readonly _constants = new Map<string, IValue>();
  private readonly _constantValues = new Set<IValue>();
}

/** A constant tensor held in memory. */
export function inlineTensor(
  name: string,
  dtype: DType,
  shape: readonly number[],
  bytes: Uint8Array
): IWeight {
  return {
    storage: `inline:${name}`,
    names: [name],
    kind: 'constant',
    dtype,
    shape,
    strides: contiguousStrides(shape),
    storageOffset: 0,
    requiresGrad: null,
    data: { kind: 'inline', bytes }
  };
}

/** Name in graphs of an operator of ai.onnx. One text per operator, not one per node. */
export const onnxOperator = perOperator(op => `onnx.${op}`);

/** Attribute of one integer. */
export function intAttr(value: number): Attr {
  return { kind: 'int', value };
}

/** Attribute of a list of integers. */
export function intsAttr(values: readonly number[]): Attr {
  return { kind: 'list', items: values.map(intAttr) };
}

/** Attribute of one float. */
export function floatAttr(value: number): Attr {
  return { kind: 'float', value };
}

/** Attribute of a string. */
export function stringAttr(value: string): Attr {
  return { kind: 'string', value };
}

/** Attribute of an element type. One object per type. */
export function dtypeAttr(value: DType): Attr {
  return DTYPE_ATTRS[value];
}

const DTYPE_ATTRS = Object.fromEntries(
  (Object.keys(DTYPES) as DType[]).map(value => [value, { kind: 'dtype', value }])
) as Readonly<Record<DType, Attr>>;

/** Attributes with some of them changed; the same record where none is. Records may be shared, and stay as they are. */
export function mapAttrs(
  attrs: Record<string, Attr>,
  change: (attr: Attr) => Attr
): Record<string, Attr> {
  let changed = attrs;
  for (const name in attrs) {
    const attr = change(attrs[name]);
    if (attr !== attrs[name]) {
      changed = changed === attrs ? { ...attrs } : changed;
      changed[name] = attr;
    }
  }
  return changed;
}

const NOWHERE: Provenance = { region: null, module: null, source: null };

/** Tells -0 from 0: they are different constants. */
function literalKey(value: number | bigint): string {
  return Object.is(value, -0) ? '-0' : String(value);
}
