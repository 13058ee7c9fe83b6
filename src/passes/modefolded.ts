/**
 * The cache modes `folded` and `frozen`.
 *
 * @packageDocumentation
 */
import type { DType, IGraph, INode, IValue } from '../model';
import { castTarget, GraphNames, graphsOf, handedOn, isTransparent } from '../model';
import { isArrangement } from '../operators';
import { asWeightCast } from '../autocast';
import { dropDeadNodes, findAliases, weightLineage } from '../dataflow';
import { DerivedWeights } from './derivedweights';
import { copyArrangement, Replacements } from './rewriting';

/** What folding did. */
export interface IFoldResult {
  /** Weight casts that no longer run. */
  readonly folded: number;
  /** Weights that are converted instead, each once. */
  readonly converted: number;
}

/**
 * Replace every weight cast by a weight that is cast beforehand. Changes `graph` in place.
 *
 * The consumer of a cast uses a new weight whose data is derived from the stored one. A cast behind layout-only operators
 * becomes these operators applied to the derived weight; a cast of a cast becomes a derived weight with both steps. There
 * is one derived weight per (stored tensor, steps), however many names, views and uses it has. It stands in the outermost graph,
 * whatever nested graph the casts and the stored weight stand in: it is made once, however often a body runs.
 *
 * #### Notes
 * Exact: casting element by element and arranging commute, and both steps of a chain are done in order.
 * Casts of weights that are written to in place, and casts whose result is, stay where they are.
 *
 * #### Complexity
 * Linear in nodes and distinct target dtypes, and in the steps of the weights that come out.
 */
export function foldWeightCasts(graph: IGraph): IFoldResult {
  return new Folding(graph).run();
}

class Folding {
  constructor(private readonly _graph: IGraph) {
    this._names = GraphNames.of(_graph);
    this._weights = new DerivedWeights(_graph);
  }

  run(): IFoldResult {
    const lineage = weightLineage(this._graph);
    const aliases = findAliases(this._graph);
    for (const graph of graphsOf(this._graph)) {
      const nodes: INode[] = [];
      this._copies = new Map();
      for (const node of graph.nodes) {
        this._remember(node);
        const cast = asWeightCast(node, lineage);
        if (
          cast === null ||
          aliases.mutatorOf(node.inputs[0]!) !== null ||
          aliases.mutatorOf(node.outputs[0]!) !== null
        ) {
          nodes.push(node);
          continue;
        }
        const result = this._castBeforehand(node.inputs[0]!, castTarget(node)!, nodes);
        if (result === null) {
          nodes.push(node);
          continue;
        }
        this._replacements.set(node.outputs[0]!, result);
        this._origins.set(node.outputs[0]!, result);
        this._folded++;
      }
      graph.nodes = nodes;
    }
    this._replacements.apply(this._graph);
    dropDeadNodes(this._graph);
    this._weights.finish(this._names);
    return {
      folded: this._folded,
      converted: this._graph.weights.filter(({ weight }) => weight.data.kind === 'derived').length
    };
  }

  /** Remember what leads from the results of a node towards a weight, if anything does. */
  private _remember(node: INode): void {
    handedOn(node).forEach(({ value, operand }) => this._origins.set(value, operand));
    const [operand] = node.inputs;
    if (!operand) {
      return;
    }
    if (isTransparent(node)) {
      node.outputs.forEach(value => value !== null && this._origins.set(value, operand));
    } else if (isArrangement(node)) {
      node.outputs.forEach(value => value !== null && this._arrangements.set(value, node));
    }
  }

  /**
   * `value`, which depends on one weight alone, in dtype `to`.
   *
   * @returns null where the chain is broken by a cast that had to stay.
   */
  private _castBeforehand(value: IValue, to: DType, nodes: INode[]): IValue | null {
    // Up to the weight, or to a value that has been made before.
    const path: { node: INode; result: IValue }[] = [];
    let current: IValue | null = null;
    for (let top = this._origins.resolve(value); current === null;) {
      current = this._copies.get(top)?.get(to) ?? null;
      if (current === null && this._weights.has(top)) {
        current = this._weights.derive(top, to);
      }
      if (current === null) {
        const node = this._arrangements.get(top);
        if (node === undefined) {
          // What leads here leads to no weight, and need not be followed again.
          path.forEach(({ result }) => this._arrangements.delete(result));
          return null;
        }
        path.push({ node, result: top });
        top = this._origins.resolve(node.inputs[0]!);
      }
    }
    // And down again, arranging as the graph does.
    for (const { node, result } of path.reverse()) {
      const copy = copyArrangement(node, current, this._names, to);
      nodes.push(copy);
      node.outputs.forEach((original, index) => {
        const made = copy.outputs[index];
        if (original !== null && made !== null) {
          this._arrangements.set(made, copy);
          this._noteCopy(original, to, made);
        }
      });
      current = copy.outputs[node.outputs.indexOf(result)]!;
    }
    return current;
  }

  private _noteCopy(value: IValue, to: DType, copy: IValue): void {
    const byDtype = this._copies.get(value) ?? new Map<DType, IValue>();
    byDtype.set(to, copy);
    this._copies.set(value, byDtype);
  }

  private readonly _names: GraphNames;
  private readonly _weights: DerivedWeights;
  /** Layout operators by result. */
  private readonly _arrangements = new Map<IValue, INode>();
  /** The values that folded casts, casts to the dtype there is already and the borders of nested graphs hand on. */
  private readonly _origins = new Replacements();
  /** Copies of layout results by dtype; only those of the graph at hand, which its later nodes can use. */
  private _copies = new Map<IValue, Map<DType, IValue>>();
  private readonly _replacements = new Replacements();
  private _folded = 0;
}
