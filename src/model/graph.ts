/**
 * The graph every format is read into and every pass works on.
 *
 * One graph type serves all dialects: the operator names say which (`aten.linear.default`, `onnx.Gemm`,
 * `com.microsoft.FusedMatMul`, `_operator.mul`). A node's tensors and symbolic sizes are its `inputs`, in one flat list, so
 * that generic algorithms need nothing but that list; literal arguments are `attrs`, which refer to inputs by position.
 *
 * #### Notes
 * Autocast regions are not nested graphs here: readers inline them, and each node carries the id of its innermost region.
 * Graphs are in topological order: a node comes after the producers of its inputs.
 *
 * @packageDocumentation
 */
import type { DType } from './dtype';
import type { Shape } from './dim';
import { mayHoldGraphs } from './operatornames';
import type { IWeight } from './weight';

/** A value: the result of a node, an input of the graph, or a weight. Compared by identity. */
export interface IValue {
  /** Unique within its graph. */
  name: string;
  /** Element type; null where the value is no tensor or the file does not say. */
  dtype: DType | null;
  /** Sizes; null where the file does not say. 0-d tensors have `[]`. */
  shape: Shape | null;
  /** What the value is. `int`, `float` and `bool` are Python numbers (symbolic sizes). */
  kind: 'tensor' | 'int' | 'float' | 'bool' | 'other';
  /** As recorded in the file (tensor_values / value_info); kept when `dtype` is recomputed. */
  declaredDtype: DType | null;
  /** As recorded; null where the format does not say. */
  requiresGrad: boolean | null;
  /** Device type of the tensor at export, `cpu`, `cuda`, ...; absent where the format does not say. */
  device?: string;
  /**
   * In lowered graphs: an intermediate result of an operator whose own result has this low-precision dtype. `dtype` is then
   * float32, the type such operators accumulate in: the result is rounded once, at the end of the operator.
   */
  accumulates?: DType;
}

/** A literal argument, or a reference to an input of the same node. */
export type Attr =
  | { readonly kind: 'none' }
  | { readonly kind: 'input'; readonly index: number }
  | { readonly kind: 'bool'; readonly value: boolean }
  /** `bigint` only beyond 2^53, such as the "to the end" of slices. */
  | { readonly kind: 'int'; readonly value: number | bigint }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'dtype'; readonly value: DType }
  | { readonly kind: 'device'; readonly value: string }
  | { readonly kind: 'memory-format'; readonly value: string }
  | { readonly kind: 'layout'; readonly value: string }
  | { readonly kind: 'list'; readonly items: readonly Attr[] }
  /** A constant tensor written into the node (ONNX attribute `value`). */
  | { readonly kind: 'tensor'; readonly value: IWeight }
  /**
   * What castlens does not look into and hands on: types and sparse tensors of ONNX.
   * `type` is their `AttributeProto.AttributeType`.
   */
  | { readonly kind: 'encoded'; readonly type: number; readonly messages: readonly Uint8Array[] }
  /** A nested graph (If, Loop, Scan bodies). It may use values of the outer graph. */
  | { readonly kind: 'graph'; readonly value: IGraph };

/** One place in the user's Python source. */
export interface ISourceLocation {
  readonly file: string;
  readonly line: number;
  /** The source text of the line, where recorded. */
  readonly code?: string;
}

/** Who asked for a cast. */
export type CastOrigin = 'region' | 'explicit' | 'runtime';

/**
 * What a cast that castlens itself put into a lowered graph is for.
 *
 * - `hold`: back from the low-precision dtype to the type the device computes in.
 * - `boundary`: at an input or output of the graph, because the runtime cannot pass that dtype.
 *
 * Neither counts in any census.
 */
export type CastRole = 'hold' | 'boundary';

/**
 * How an operand of a composite operator comes to the cast inside: as it was given, so that one given in the dtype of the cast
 * makes no difference; after sums or products in its own dtype, whose result is what is cast; or after a check that all operands
 * have one dtype.
 */
export type Reach = 'as-given' | 'computed' | 'checked';

/** Where the elements of a tensor lie in its storage, in elements. */
export interface IMemory {
  /** By dimension. */
  readonly strides: Shape;
  /** Of the first element; null where it is not static. */
  readonly offset: number | null;
}

/** One operator call. */
export interface INode {
  /** Unique within its graph and the graphs nested in it. */
  name: string;
  /** `aten.linear.default`, `onnx.Gemm`, ... */
  op: string;
  /** Tensor and symbolic operands; null where an optional one is left out. */
  inputs: (IValue | null)[];
  /**
   * ATen: every argument by its schema name, in the file's order; operands as `input` references.
   * ONNX: attributes by name; operands are `inputs` by position and are not repeated here.
   */
  attrs: Record<string, Attr>;
  /** Unused trailing outputs may be missing; ONNX optional outputs left out are null. */
  outputs: (IValue | null)[];
  /** Innermost autocast region, or null outside all. */
  region: string | null;
  /** Path of the module the call belongs to, `''` for the root, null where unknown. */
  module: string | null;
  source: ISourceLocation | null;
  /** For operators that address memory: where the elements of the first operand lay at export; absent where not recorded. */
  memory?: IMemory;
  /** For casts: who asked for it. Absent means `explicit`. */
  origin?: CastOrigin;
  /** For casts of operands that stand for casts inside of the operator that takes the result. */
  reach?: Reach;
  /** For casts that lowering added. */
  role?: CastRole;
  /**
   * For operators that pick elements of their first operand (`Gather`): they are picked as by a view, `select` for instance, and not looked
   * up. So for their first result a cast commutes with them, and they are layout-only.
   */
  picks?: true;
}

/** A weight and the value that stands for it in the graph. */
export interface IWeightValue {
  readonly value: IValue;
  readonly weight: IWeight;
}

/** Nodes in topological order, and their ends. */
export interface IGraph {
  name: string;
  /** What the caller passes, in order. Weights are not among them. */
  inputs: IValue[];
  outputs: IValue[];
  nodes: INode[];
  weights: IWeightValue[];
  /** ONNX operator sets the nodes are written against, by domain (`''` is ai.onnx). Empty for ATen graphs. */
  opsets: Record<string, number>;
}

/** One use of a value: operand `index` of `node`. */
export interface IUse {
  readonly node: INode;
  readonly index: number;
}

/** Uses of every value by the nodes of `graph`, nested graphs included. Linear in operands. */
export function usesOf(graph: IGraph): Map<IValue, IUse[]> {
  const uses = new Map<IValue, IUse[]>();
  forEachNode(graph, node => {
    node.inputs.forEach((value, index) => {
      if (value !== null) {
        const list = uses.get(value);
        if (list) {
          list.push({ node, index });
        } else {
          uses.set(value, [{ node, index }]);
        }
      }
    });
  });
  return uses;
}

/** The node that makes each value. Linear in results. */
export function producersOf(graph: IGraph): Map<IValue, INode> {
  const producers = new Map<IValue, INode>();
  forEachNode(graph, node => {
    for (const value of node.outputs) {
      if (value !== null) {
        producers.set(value, node);
      }
    }
  });
  return producers;
}

/** Visit every node, those of nested graphs after the node that holds them. */
export function forEachNode(graph: IGraph, visit: (node: INode) => void): void {
  const stack: IGraph[] = [graph];
  while (stack.length > 0) {
    const current = stack.pop()!;
    for (const node of current.nodes) {
      visit(node);
      for (const body of bodiesOf(node)) {
        stack.push(body);
      }
    }
  }
}

/** Nested graphs of a node. Nearly all nodes have none, which their operator tells. */
export function bodiesOf(node: INode): readonly IGraph[] {
  if (!mayHoldGraphs(node.op)) {
    return NO_BODIES;
  }
  const bodies: IGraph[] = [];
  for (const key in node.attrs) {
    const attr = node.attrs[key];
    if (attr.kind === 'graph') {
      bodies.push(attr.value);
    } else if (attr.kind === 'list') {
      for (const item of attr.items) {
        if (item.kind === 'graph') {
          bodies.push(item.value);
        }
      }
    }
  }
  return bodies;
}

const NO_BODIES: readonly IGraph[] = [];

/** A graph and all graphs nested in it, each before those nested in it. */
export function graphsOf(graph: IGraph): IGraph[] {
  const graphs = [graph];
  for (const current of graphs) {
    for (const node of current.nodes) {
      graphs.push(...bodiesOf(node));
    }
  }
  return graphs;
}

/** Weights of a graph and of the graphs nested in it. */
export function weightsOf(graph: IGraph): IWeight[] {
  return graphsOf(graph).flatMap(({ weights }) => weights.map(({ weight }) => weight));
}

/** The graph with other weights. Nodes are copied only where they hold nested graphs. */
export function withWeights(graph: IGraph, change: (weight: IWeight) => IWeight): IGraph {
  const pending: { readonly copy: IGraph; readonly source: IGraph }[] = [];
  const begin = (source: IGraph): IGraph => {
    const copy = { ...source };
    pending.push({ copy, source });
    return copy;
  };
  const changed = begin(graph);
  // Grows while it is gone through.
  for (const { copy, source } of pending) {
    copy.weights = source.weights.map(({ value, weight }) => ({ value, weight: change(weight) }));
    copy.nodes = source.nodes.map(node =>
      bodiesOf(node).length === 0 ? node : { ...node, attrs: attrsWithBodies(node.attrs, begin) }
    );
  }
  return changed;
}

/** A new tensor value. */
export function makeValue(
  name: string,
  dtype: DType | null,
  shape: Shape | null,
  options: Partial<Pick<IValue, 'kind' | 'declaredDtype' | 'requiresGrad'>> = {}
): IValue {
  return {
    name,
    dtype,
    shape,
    kind: options.kind ?? 'tensor',
    declaredDtype: options.declaredDtype ?? null,
    requiresGrad: options.requiresGrad ?? null
  };
}

/**
 * A copy that can be rewritten without touching the original. Values and nodes are new objects; weights (byte ranges) and
 * attributes (but for nested graphs) are shared, since nothing changes them in place.
 *
 * @returns the copy and the map from old values to new.
 */
export function cloneGraph(graph: IGraph): { graph: IGraph; values: Map<IValue, IValue> } {
  const cloner = new Cloner();
  return { graph: cloner.run(graph), values: cloner.values };
}

/** Copies a graph and those nested in it. Nested graphs are copied one after the other: depth costs no call stack. */
class Cloner {
  readonly values = new Map<IValue, IValue>();

  run(graph: IGraph): IGraph {
    const copy = this._begin(graph);
    // Grows while it is gone through.
    for (const next of this._pending) {
      this._fill(next.copy, next.source);
    }
    return copy;
  }

  /** An empty graph, to be filled later. */
  private _begin(source: IGraph): IGraph {
    const copy: IGraph = {
      name: source.name,
      inputs: [],
      outputs: [],
      nodes: [],
      weights: [],
      opsets: { ...source.opsets }
    };
    this._pending.push({ copy, source });
    return copy;
  }

  private _fill(copy: IGraph, source: IGraph): void {
    const value = (one: IValue): IValue => this._value(one);
    copy.inputs = source.inputs.map(value);
    copy.weights = source.weights.map(entry => ({
      value: this._value(entry.value),
      weight: entry.weight
    }));
    copy.nodes = source.nodes.map(node => this._node(node));
    copy.outputs = source.outputs.map(value);
  }

  private _node(node: INode): INode {
    const copy = { ...node };
    copy.inputs = this._values(node.inputs);
    copy.outputs = this._values(node.outputs);
    if (bodiesOf(node).length > 0) {
      copy.attrs = attrsWithBodies(node.attrs, body => this._begin(body));
    }
    return copy;
  }

  private _values(values: readonly (IValue | null)[]): (IValue | null)[] {
    return values.map(value => (value === null ? null : this._value(value)));
  }

  private _value(value: IValue): IValue {
    let made = this.values.get(value);
    if (!made) {
      made = { ...value };
      this.values.set(value, made);
    }
    return made;
  }

  private readonly _pending: { readonly copy: IGraph; readonly source: IGraph }[] = [];
}

/** Attributes with other graphs in place of those among them. */
function attrsWithBodies(
  attrs: Readonly<Record<string, Attr>>,
  change: (body: IGraph) => IGraph
): Record<string, Attr> {
  const changed: Record<string, Attr> = {};
  for (const key in attrs) {
    changed[key] = withBodies(attrs[key], change);
  }
  return changed;
}

/** An attribute with other graphs in place of its own; itself where it holds none. */
function withBodies(attr: Attr, change: (body: IGraph) => IGraph): Attr {
  if (attr.kind === 'graph') {
    return { kind: 'graph', value: change(attr.value) };
  }
  return attr.kind === 'list' && attr.items.some(({ kind }) => kind === 'graph')
    ? { kind: 'list', items: attr.items.map(item => withBodies(item, change)) }
    : attr;
}
