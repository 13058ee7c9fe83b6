/**
 * Changing graphs.
 *
 * @packageDocumentation
 */
import type { IGraph, INode, IValue } from '../model';
import { GraphNames, graphsOf, makeValue } from '../model';
import { dropDeadNodes } from './deadcode';
import { SameValues } from './samevalues';

/**
 * Collects changes of a graph and of those nested in it, and makes them in one go.
 *
 * #### Notes
 * Until then the graph stays as it is, and may be gone through. Replacing a value by one that is itself replaced follows through, so
 * changes may come in any order.
 *
 * #### Complexity
 * Linear in operands for each `apply`, however many changes there are; free where there is none.
 */
export class GraphEditor {
  /** @param names - give out names for what is added; those of ATen, where nothing is said. */
  constructor(
    readonly graph: IGraph,
    readonly names: GraphNames = GraphNames.of(graph)
  ) {}

  /** Number of values replaced since the graph was changed last. */
  get replaced(): number {
    return this._replacements.size;
  }

  /** Replace every use of `value` by `other`. */
  replace(value: IValue, other: IValue): void {
    this._replacements.set(value, other);
  }

  /** Replace every use of `value` by what `maker` makes of it: of that node the operands stay. */
  replaceBehind(value: IValue, maker: INode): void {
    this._makers.add(maker);
    this.replace(value, maker.outputs[0]!);
  }

  /** Have a node take another first operand, at once. */
  takeFirst(node: INode, operand: IValue): void {
    node.inputs[0] = operand;
    this._isChanged = true;
  }

  /** What stands for `value`. Amortised constant. */
  resolve(value: IValue): IValue {
    return this._replacements.resolve(value);
  }

  /** Put a node in front of another one, behind what was put there before. */
  insertBefore(node: INode, made: INode): void {
    pushTo(this._before, node, made);
  }

  /** Put a node right behind another one, behind what was put there before. */
  insertAfter(node: INode, made: INode): void {
    pushTo(this._after, node, made);
  }

  /** Put a node in front of all others of a graph, behind what was put there before. */
  prepend(graph: IGraph, made: INode): void {
    pushTo(this._first, graph, made);
  }

  /** Put a node behind all others of a graph. */
  append(graph: IGraph, made: INode): void {
    pushTo(this._last, graph, made);
  }

  /** Take a node out. What was put beside it stays. */
  remove(node: INode): void {
    this._removed.add(node);
  }

  /**
   * A copy of a layout-only node that arranges `operand` instead. It is not in the graph yet.
   *
   * @param results - values to use as the copy's results, by position; others are new.
   */
  copyOf(
    node: INode,
    operand: IValue,
    suffix: string,
    results: ReadonlyMap<number, IValue> = new Map()
  ): INode {
    return {
      ...node,
      name: this.names.node(`${node.name}_${suffix}`),
      inputs: [operand, ...node.inputs.slice(1)],
      outputs: node.outputs.map((value, index) =>
        value === null
          ? null
          : (results.get(index) ??
            makeValue(this.names.value(`${value.name}_${suffix}`), operand.dtype, value.shape, {
              requiresGrad: value.requiresGrad
            }))
      )
    };
  }

  /**
   * Make the changes.
   *
   * @returns whether there were any.
   */
  apply(): boolean {
    const moves = [this._before, this._after, this._first, this._last, this._removed];
    const isMoved = moves.some(({ size }) => size > 0);
    const isChanged = this._isChanged || isMoved || this._replacements.size > 0;
    this._isChanged = false;
    if (!isChanged) {
      return false;
    }
    for (const one of graphsOf(this.graph)) {
      if (isMoved) {
        this._arrange(one);
      }
      if (this._replacements.size > 0) {
        one.nodes.forEach(node => this._makers.has(node) || this._replaceIn(node));
        one.outputs = one.outputs.map(value => this.resolve(value));
      }
    }
    moves.forEach(move => move.clear());
    this._makers.clear();
    this._replacements = new SameValues();
    return true;
  }

  /**
   * Make the changes, and drop what no output needs any more, where there were any.
   *
   * @returns whether there were any.
   */
  finish(): boolean {
    const isChanged = this.apply();
    if (isChanged) {
      dropDeadNodes(this.graph);
    }
    return isChanged;
  }

  private _arrange(graph: IGraph): void {
    const nodes = [...(this._first.get(graph) ?? [])];
    for (const node of graph.nodes) {
      this._before.get(node)?.forEach(made => nodes.push(made));
      if (!this._removed.has(node)) {
        nodes.push(node);
      }
      this._after.get(node)?.forEach(made => nodes.push(made));
    }
    this._last.get(graph)?.forEach(made => nodes.push(made));
    graph.nodes = nodes;
  }

  private _replaceIn({ inputs }: INode): void {
    for (let index = 0; index < inputs.length; index++) {
      const value = inputs[index];
      if (value !== null) {
        inputs[index] = this.resolve(value);
      }
    }
  }

  private readonly _before = new Map<INode, INode[]>();
  private readonly _after = new Map<INode, INode[]>();
  private readonly _first = new Map<IGraph, INode[]>();
  private readonly _last = new Map<IGraph, INode[]>();
  private readonly _removed = new Set<INode>();
  private readonly _makers = new Set<INode>();
  private _replacements = new SameValues();
  private _isChanged = false;
}

/**
 * Put some nodes in front of the others, in nested graphs too. Order within the two groups stays. Linear in nodes.
 *
 * @param early - must not take results of the others.
 */
export function bringForward(graph: IGraph, early: ReadonlySet<INode>): void {
  for (const one of graphsOf(graph)) {
    one.nodes = [
      ...one.nodes.filter(node => early.has(node)),
      ...one.nodes.filter(node => !early.has(node))
    ];
  }
}

/** Values that are results of a graph or of a nested one. */
export function outputsOf(graph: IGraph): Set<IValue> {
  return new Set(graphsOf(graph).flatMap(({ outputs }) => outputs));
}

function pushTo<K>(lists: Map<K, INode[]>, key: K, made: INode): void {
  const list = lists.get(key);
  if (list === undefined) {
    lists.set(key, [made]);
  } else {
    list.push(made);
  }
}
