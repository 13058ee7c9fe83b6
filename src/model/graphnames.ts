/**
 * Names for what is added to a graph.
 *
 * @packageDocumentation
 */
import type { IGraph, IValue } from './graph';
import { bodiesOf, forEachNode } from './graph';
import { UniqueNames } from './uniquenames';

/**
 * Gives out names that no node or value of a graph has, graphs nested in it included.
 *
 * #### Notes
 * Deterministic: the same requests give the same names.
 *
 * #### Complexity
 * Linear in nodes and values when the first name is asked for; then amortised constant for each name.
 */
export class GraphNames {
  /** Names for passes over a graph. A node may not have the name of a value: ATen calls a node as its result. */
  static of(graph: IGraph): GraphNames {
    const values = new UniqueNames([], 1);
    return new GraphNames(values, values, graph);
  }

  /**
   * Names for ONNX operators: those of nodes and of values are apart.
   *
   * @param graph - whose names are taken, those it has now.
   */
  static forOnnx(graph?: IGraph): GraphNames {
    const names = new GraphNames(new UniqueNames(), new UniqueNames(), graph ?? null);
    names._collect();
    return names;
  }

  /** The same, where other nodes take the place of those of `graph`: only the names of its values are taken. */
  static forOtherNodes(graph: IGraph): GraphNames {
    const names = GraphNames.forOnnx();
    names._takeValues(graph);
    return names;
  }

  private constructor(
    private readonly _values: UniqueNames,
    private readonly _nodes: UniqueNames,
    /** The graph whose names are not collected yet. */
    private _pending: IGraph | null
  ) {}

  /** A name for a value: `wanted`, or `wanted` with a number where that is taken. */
  value(wanted: string): string {
    this._collect();
    return this._values.take(wanted);
  }

  /** A name for a node, likewise. */
  node(wanted: string): string {
    this._collect();
    return this._nodes.take(wanted);
  }

  /**
   * A name for a result of a node whose name was given out here. It need not be noted: no other node asks for it, and nothing
   * else asks for names of this form.
   */
  result(node: string, index: string): string {
    this._collect();
    const wanted = `${node}:out${index}`;
    return this._values.has(wanted) ? this.value(wanted) : wanted;
  }

  private _collect(): void {
    if (this._pending !== null) {
      const graph = this._pending;
      this._pending = null;
      this._takeValues(graph);
      forEachNode(graph, ({ name }) => this._nodes.add(name));
    }
  }

  private _takeValues(graph: IGraph): void {
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
}
