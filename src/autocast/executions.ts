/**
 * How often one forward runs the nodes of nested graphs.
 *
 * @packageDocumentation
 */
import type { IGraph, INode, IValue, IWeight } from '../model';
import { bodiesOf, forEachNode } from '../model';

/** Least and most runs in one forward; `most` may be infinite. */
export interface IRunRange {
  readonly least: number;
  readonly most: number;
}

/** Runs of the nodes of one graph in one forward. */
export interface IExecutions extends IRunRange {
  /** The graph itself: what stands in one body cannot be used in another. */
  readonly graph: IGraph;
  /**
   * What the censuses count: the runs where the file says how many there are. Bodies whose runs depend on values that are only known
   * in a forward (branches, loops that end when they like) count once per run of the graph around them.
   */
  readonly count: number;
}

/** Whether one of the bodies of a node runs, once; else each runs as often as it does. */
export function isBranch({ op }: INode): boolean {
  return op === 'onnx.If' || op === 'higher_order.cond';
}

/** Whether the number of runs depends on values that are only known in a forward. */
export function dependsOnValues({ least, most }: IRunRange): boolean {
  return least !== most;
}

/**
 * Runs in one forward of every graph nested in `graph`, itself included. Linear in nodes.
 *
 * - `If`, `cond`: each branch never or once.
 * - `Loop`: its trip count, where that is a stored number and the condition is true throughout; less where the condition may end it.
 * - `Scan`, `scan`, `map`: the length of their sequences, where the file says it.
 * - Bodies of other operators: nothing is known.
 */
export class ExecutionCounts {
  constructor(private readonly _graph: IGraph) {
    // Every graph before those nested in it.
    const graphs = [_graph];
    this._outermost = { graph: _graph, count: 1, least: 1, most: 1 };
    this._executions.set(_graph, this._outermost);
    // Grows while it is gone through.
    for (const graph of graphs) {
      const around = this._executions.get(graph)!;
      for (const node of graph.nodes) {
        if (graph !== _graph) {
          this._around.set(node, around);
        }
        for (const body of bodiesOf(node)) {
          graphs.push(body);
          const each = this._runsOf(node, body);
          this._perNode.set(body, each);
          this._executions.set(body, {
            graph: body,
            count: around.count * (dependsOnValues(each) ? 1 : each.least),
            least: around.least * each.least,
            most: times(around.most, each.most)
          });
        }
      }
    }
  }

  /** Runs of a node of the graph, or of a graph nested in it. */
  of(node: INode): IExecutions {
    return this._around.get(node) ?? this._outermost;
  }

  /** Runs of the nodes of the graph, or of a graph nested in it. */
  inGraph(graph: IGraph): IExecutions {
    return this._executions.get(graph)!;
  }

  /** How many runs some nodes can have together in one forward: of branches one runs, whichever. Linear in nodes. */
  rangeOf(nodes: ReadonlySet<INode>): IRunRange {
    const ranges = new Map<IGraph, IRunRange>();
    // Bodies before the graphs that hold them.
    for (const graph of [...this._executions.keys()].reverse()) {
      let least = 0;
      let most = 0;
      for (const node of graph.nodes) {
        const own = nodes.has(node) ? 1 : 0;
        least += own;
        most += own;
        const isBranching = isBranch(node);
        const inside = bodiesOf(node).map(body => {
          const each = isBranching ? ONCE : this._perNode.get(body)!;
          const range = ranges.get(body)!;
          return { least: each.least * range.least, most: times(each.most, range.most) };
        });
        if (isBranching) {
          least += Math.min(...inside.map(range => range.least));
          most += Math.max(...inside.map(range => range.most));
        } else {
          for (const range of inside) {
            least += range.least;
            most += range.most;
          }
        }
      }
      ranges.set(graph, { least, most });
    }
    return ranges.get(this._graph)!;
  }

  /** Runs of a body in one run of the node that holds it. */
  private _runsOf(node: INode, body: IGraph): IRunRange {
    switch (node.op) {
      case 'onnx.If':
      case 'higher_order.cond':
        return { least: 0, most: 1 };
      case 'onnx.Loop':
        return this._tripsOf(node, body);
      case 'onnx.Scan':
        return this._lengthOf(node);
      case 'higher_order.scan':
        return this._lengthOfList(node, 1);
      case 'higher_order.map_impl':
        return this._lengthOfList(node, 0);
      default:
        return UNKNOWN;
    }
  }

  private _tripsOf({ inputs }: INode, body: IGraph): IRunRange {
    const [trips, condition] = [inputs[0] ?? null, inputs[1] ?? null];
    const enters = condition === null ? 1 : this._numberOf(condition);
    const given = trips === null ? Infinity : this._numberOf(trips);
    const most = given === null ? Infinity : Math.max(given, 0);
    if (enters === 0 || most === 0) {
      return { least: 0, most: 0 };
    }
    const first = given !== null && enters === 1 ? 1 : 0;
    const goesOn = enters === 1 && this._staysTrue(body);
    return { least: goesOn && given !== null && most !== Infinity ? most : first, most };
  }

  /** Whether the condition that a loop's body returns is the one it was given, or true. */
  private _staysTrue(body: IGraph): boolean {
    let condition = body.outputs[0];
    for (;;) {
      const source = this._sourceOf(condition);
      const isIdentity = source !== undefined && 'op' in source && source.op === 'onnx.Identity';
      if (!isIdentity || !source.inputs[0]) {
        break;
      }
      [condition] = source.inputs as IValue[];
    }
    return condition === body.inputs[1] || this._numberOf(condition) === 1;
  }

  private _lengthOf(node: INode): IRunRange {
    const { num_scan_inputs: inputs, scan_input_axes: axes } = node.attrs;
    if (inputs?.kind !== 'int' || (this._graph.opsets[''] ?? 0) < SCAN_WITHOUT_BATCH) {
      return UNKNOWN;
    }
    const sequences = node.inputs.slice(-Number(inputs.value));
    for (const [i, value] of sequences.entries()) {
      const item = axes?.kind === 'list' ? axes.items[i] : undefined;
      const axis = item?.kind === 'int' ? Number(item.value) : 0;
      const size = value?.shape?.at(axis);
      if (typeof size === 'number') {
        return { least: size, most: size };
      }
    }
    return UNKNOWN;
  }

  /** The length of the tensors that a higher-order operator goes over along their first dimension: its n-th list of operands. */
  private _lengthOfList({ inputs, attrs }: INode, n: number): IRunRange {
    const lists = Object.values(attrs).flatMap(attr => (attr.kind === 'list' ? [attr.items] : []));
    for (const item of lists[n] ?? []) {
      const size = item.kind === 'input' ? inputs[item.index]?.shape?.[0] : undefined;
      if (typeof size === 'number') {
        return { least: size, most: size };
      }
    }
    return UNKNOWN;
  }

  /** A stored whole number or truth value; null where it is only known in a forward. */
  private _numberOf(value: IValue): number | null {
    const source = this._sourceOf(value);
    if (source === undefined) {
      return null;
    }
    if (!('op' in source)) {
      return numberIn(source);
    }
    if (source.op !== 'onnx.Constant') {
      return null;
    }
    const { value: tensor, value_int: int } = source.attrs;
    if (tensor?.kind === 'tensor') {
      return numberIn(tensor.value);
    }
    return int?.kind === 'int' ? Number(int.value) : null;
  }

  /** The weight that a value stands for, or the node that makes it. Only loops ask: most graphs have none. */
  private _sourceOf(value: IValue): IWeight | INode | undefined {
    this._sources ??= sourcesOf(this._graph);
    return this._sources.get(value);
  }

  private readonly _outermost: IExecutions;
  private readonly _executions = new Map<IGraph, IExecutions>();
  /** By body: its runs in one run of the node that holds it. */
  private readonly _perNode = new Map<IGraph, IRunRange>();
  private readonly _around = new Map<INode, IExecutions>();
  private _sources: ReadonlyMap<IValue, IWeight | INode> | null = null;
}

/** The weight that each value stands for, or the node that makes it. */
function sourcesOf(graph: IGraph): Map<IValue, IWeight | INode> {
  const sources = new Map<IValue, IWeight | INode>();
  const addWeights = (one: IGraph): void => {
    one.weights.forEach(({ value, weight }) => sources.set(value, weight));
  };
  addWeights(graph);
  forEachNode(graph, node => {
    node.outputs.forEach(value => value !== null && sources.set(value, node));
    bodiesOf(node).forEach(addWeights);
  });
  return sources;
}

const ONCE: IRunRange = { least: 1, most: 1 };
const UNKNOWN: IRunRange = { least: 0, most: Infinity };

/** Before this version `Scan` has a batch dimension, and sequences of their own lengths. */
const SCAN_WITHOUT_BATCH = 9;

/** The only element of a tensor of int64 or bool, where its bytes are at hand. */
function numberIn({ dtype, shape, data }: IWeight): number | null {
  if (data.kind !== 'inline' || shape.some(size => size !== 1)) {
    return null;
  }
  const { bytes } = data;
  switch (dtype) {
    case 'bool':
      return bytes[0] === 0 ? 0 : 1;
    case 'int64':
      return Number(
        new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigInt64(0, true)
      );
    default:
      return null;
  }
}

/** Product; what never runs does not run in an endless loop either. */
function times(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : a * b;
}
