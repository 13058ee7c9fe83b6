/**
 * The cache modes `folded` and `frozen`.
 *
 * @packageDocumentation
 */
import type { DType, IGraph, INode, IValue } from '../model';
import { castTarget, graphsOf } from '../model';
import { asWeightCast } from '../autocast';
import { findAliases, GraphEditor, Origins, weightLineage } from '../dataflow';
import { DerivedWeights } from './derivedweights';

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
    this._editor = new GraphEditor(_graph);
    this._weights = new DerivedWeights(_graph);
  }

  run(): IFoldResult {
    const lineage = weightLineage(this._graph);
    const aliases = findAliases(this._graph);
    for (const graph of graphsOf(this._graph)) {
      this._copies = new Map();
      for (const node of graph.nodes) {
        this._origins.note(node);
        const cast = asWeightCast(node, lineage);
        if (
          cast === null ||
          aliases.mutatorOf(node.inputs[0]!) !== null ||
          aliases.mutatorOf(node.outputs[0]!) !== null
        ) {
          continue;
        }
        const result = this._castBeforehand(node, castTarget(node)!);
        if (result !== null) {
          this._editor.remove(node);
          this._editor.replace(node.outputs[0]!, result);
          this._origins.same(node.outputs[0]!, result);
          this._folded++;
        }
      }
    }
    this._editor.finish();
    this._weights.finish(this._editor.names);
    return {
      folded: this._folded,
      converted: this._graph.weights.filter(({ weight }) => weight.data.kind === 'derived').length
    };
  }

  /**
   * The operand of a cast, which depends on one weight alone, in dtype `to`. What arranges it goes in front of the cast.
   *
   * @returns null where the chain is broken by a cast that had to stay.
   */
  private _castBeforehand(cast: INode, to: DType): IValue | null {
    // Up to the weight, or to a value that has been made before.
    const way = this._origins.wayTo(cast.inputs[0]!, value => this._known(value, to));
    if (way === null) {
      return null;
    }
    let current = way.found;
    // And down again, arranging as the graph does.
    for (const { node, result } of way.steps.toReversed()) {
      const copy = this._editor.copyOf(node, current, to);
      this._editor.insertBefore(cast, copy);
      this._origins.note(copy);
      node.outputs.forEach((original, index) => {
        const made = copy.outputs[index];
        if (original !== null && made !== null) {
          this._noteCopy(original, to, made);
        }
      });
      current = copy.outputs[node.outputs.indexOf(result)]!;
    }
    return current;
  }

  /** A value in dtype `to`, where it has been made or is a weight. */
  private _known(value: IValue, to: DType): IValue | null {
    const copy = this._copies.get(value)?.get(to) ?? null;
    return copy ?? (this._weights.has(value) ? this._weights.derive(value, to) : null);
  }

  private _noteCopy(value: IValue, to: DType, copy: IValue): void {
    const byDtype = this._copies.get(value) ?? new Map<DType, IValue>();
    byDtype.set(to, copy);
    this._copies.set(value, byDtype);
  }

  private readonly _editor: GraphEditor;
  private readonly _weights: DerivedWeights;
  /** Leads through folded casts as well. */
  private readonly _origins = new Origins();
  /** Copies of layout results by dtype; only those of the graph at hand, which its later nodes can use. */
  private _copies = new Map<IValue, Map<DType, IValue>>();
  private _folded = 0;
}
