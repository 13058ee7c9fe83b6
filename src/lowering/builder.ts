/**
 * Making ONNX nodes: unique names that depend on the graph alone, shared constants, and the provenance of every node.
 *
 * @packageDocumentation
 */
import { bodiesOf, contiguousStrides, forEachNode, makeValue } from '../model';
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

/** Names taken in a graph. Nodes and values have names of their own. Shared by builders of nested graphs. */
export class Names {
  /** A name for a value: `base`, or `base_2`, `base_3`, ... where it is taken. Deterministic. */
  value(base: string): string {
    return unique(base, this._values, this._nextValue);
  }

  /** A name for a node, likewise. */
  node(base: string): string {
    return unique(base, this._nodes, this._nextNode);
  }

  /** Take the names of all nodes and values of a graph, nested graphs included. */
  takeAll(graph: IGraph): void {
    this.takeValues(graph);
    forEachNode(graph, node => {
      this._nodes.add(node.name);
    });
  }

  /** Take the names of all values of a graph, nested graphs included. */
  takeValues(graph: IGraph): void {
    const take = (value: IValue | null): void => {
      if (value !== null) {
        this._values.add(value.name);
      }
    };
    const takeEnds = (one: IGraph): void => {
      one.inputs.forEach(take);
      one.weights.forEach(({ value }) => take(value));
    };
    takeEnds(graph);
    forEachNode(graph, node => {
      node.outputs.forEach(take);
      bodiesOf(node).forEach(takeEnds);
    });
  }

  private readonly _nodes = new Set<string>();
  private readonly _values = new Set<string>();
  private readonly _nextNode = new Map<string, number>();
  private readonly _nextValue = new Map<string, number>();
}

function unique(base: string, taken: Set<string>, counters: Map<string, number>): string {
  let name = base;
  let next = counters.get(base) ?? 2;
  while (taken.has(name)) {
    name = `${base}_${next++}`;
  }
  counters.set(base, next);
  taken.add(name);
  return name;
}

/** Appends nodes in topological order. */
export class NodeBuilder {
  /**
   * @param names - names that are taken; new ones are added.
   */
  constructor(readonly names: Names = new Names()) {}

  /** The nodes made or appended so far. */
  readonly nodes: INode[] = [];

  /** Append a node that exists. */
  append(node: INode): void {
    this.nodes.push(node);
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
      const base = results.length === 1 ? `${nodeName}:out` : `${nodeName}:out${i}`;
      const value = makeValue(this.names.value(base), result.dtype, result.shape ?? null);
      if (result.accumulates) {
        value.accumulates = result.accumulates;
      }
      return value;
    });
    const node: INode = {
      name: nodeName,
      op,
      inputs: [...inputs],
      attrs,
      outputs,
      region: from.region,
      module: from.module,
      source: from.source
    };
    if (role) {
      node.role = role;
    }
    this.nodes.push(node);
    return outputs;
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
    return value;
  }

  private readonly _constants = new Map<string, IValue>();
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

/** Attribute of an element type. */
export function dtypeAttr(value: DType): Attr {
  return { kind: 'dtype', value };
}

const NOWHERE: Provenance = { region: null, module: null, source: null };

/** Tells -0 from 0: they are different constants. */
function literalKey(value: number | bigint): string {
  return Object.is(value, -0) ? '-0' : String(value);
}
