/**
 * The cache modes `folded` and `frozen`.
 *
 * @packageDocumentation
 */
import type { DType, IGraph, INode, IValue, IWeight, IWeightValue } from '../model';
import {
  castTarget,
  contiguousStrides,
  graphsOf,
  handedOn,
  isArrangement,
  isTransparent,
  makeValue
} from '../model';
import { asWeightCast, dropDeadNodes, findAliases, weightKey, weightLineage } from '../autocast';
import { copyArrangement, NameSource, Replacements } from './rewriting';

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
 * Linear in nodes and distinct target dtypes.
 */
export function foldWeightCasts(graph: IGraph): IFoldResult {
  return new Folding(graph).run();
}

class Folding {
  constructor(graph: IGraph) {
    this._graph = graph;
    this._names = new NameSource(graph);
    this._weights = new Map(
      graphsOf(graph).flatMap(one => one.weights.map(entry => [entry.value, entry] as const))
    );
  }

  run(): IFoldResult {
    const lineage = weightLineage(this._graph);
    const aliases = findAliases(this._graph);
    for (const graph of graphsOf(this._graph)) {
      const nodes: INode[] = [];
      this._copies = new Map();
      for (const node of graph.nodes) {
        for (const value of node.outputs) {
          if (value !== null) {
            this._producerOf.set(value, node);
          }
        }
        handedOn(node).forEach(({ value, operand }) => this._handedOn.set(value, operand));
        const cast = asWeightCast(node, lineage);
        if (
          cast === null ||
          aliases.mutatorOf(node.inputs[0]!) !== null ||
          aliases.mutatorOf(node.outputs[0]!) !== null
        ) {
          nodes.push(node);
          continue;
        }
        const result = this._castBeforehand(
          this._replacements.resolve(node.inputs[0]!),
          castTarget(node)!,
          nodes
        );
        if (result === null) {
          nodes.push(node);
          continue;
        }
        this._replacements.set(node.outputs[0]!, result);
        this._folded++;
      }
      graph.nodes = nodes;
    }
    this._replacements.apply(this._graph);
    dropDeadNodes(this._graph);
    return {
      folded: this._folded,
      converted: this._graph.weights.filter(({ weight }) => weight.data.kind === 'derived').length
    };
  }

  /**
   * `value`, which depends on one weight alone, in dtype `to`.
   *
   * @returns null where the chain is broken by a cast that had to stay.
   */
  private _castBeforehand(value: IValue, to: DType, nodes: INode[]): IValue | null {
    // Up to the weight, or to a value that has been made before.
    const path: { node: INode; position: number }[] = [];
    let top = value;
    let current: IValue | null = null;
    while (current === null) {
      const known = this._copies.get(top)?.get(to);
      if (known !== undefined) {
        current = known;
        break;
      }
      const outer = this._handedOn.get(top);
      if (outer !== undefined) {
        top = this._replacements.resolve(outer);
        continue;
      }
      const entry = this._weights.get(top);
      if (entry !== undefined) {
        current = this._derive(entry, to);
        break;
      }
      const node = this._producerOf.get(top);
      if (node === undefined || !(isArrangement(node) || isTransparent(node))) {
        return null;
      }
      if (!isTransparent(node)) {
        path.push({ node, position: node.outputs.indexOf(top) });
      }
      top = this._replacements.resolve(node.inputs[0]!);
    }
    // And down again, arranging as the graph does.
    for (const { node, position } of path.reverse()) {
      const copy = copyArrangement(node, current, this._names, to);
      nodes.push(copy);
      node.outputs.forEach((original, index) => {
        const made = copy.outputs[index];
        if (original !== null && made !== null) {
          this._producerOf.set(made, copy);
          this._remember(original, to, made);
        }
      });
      current = copy.outputs[position]!;
    }
    return current;
  }

  private _remember(value: IValue, to: DType, copy: IValue): void {
    const byDtype = this._copies.get(value) ?? new Map<DType, IValue>();
    byDtype.set(to, copy);
    this._copies.set(value, byDtype);
  }

  /** The weight of `entry` with one more step; the same one for the same stored tensor and steps. */
  private _derive(entry: IWeightValue, to: DType): IValue {
    const { weight } = entry;
    const source = weight.data.kind === 'derived' ? weight.data.source : weight;
    const steps = weight.data.kind === 'derived' ? [...weight.data.steps, to] : [to];
    const key = `${weightKey(source)}|${steps.join('>')}`;
    const known = this._derived.get(key);
    if (known !== undefined) {
      return known;
    }
    const label = steps.join('_');
    const derived: IWeight = {
      storage: `${weightKey(source)}${steps.map(step => `->${step}`).join('')}`,
      names: source.names.map(name => `${name}->${steps.join('->')}`),
      kind: source.kind,
      dtype: to,
      shape: source.shape,
      strides: contiguousStrides(source.shape),
      storageOffset: 0,
      requiresGrad: false,
      data: { kind: 'derived', source, steps }
    };
    const value = makeValue(this._names.make(`${entry.value.name}_${label}`), to, source.shape, {
      requiresGrad: false
    });
    const made = { value, weight: derived };
    this._graph.weights.push(made);
    this._weights.set(value, made);
    this._derived.set(key, value);
    return value;
  }

  private readonly _graph: IGraph;
  private readonly _names: NameSource;
  private readonly _weights: Map<IValue, IWeightValue>;
  private readonly _derived = new Map<string, IValue>();
  private readonly _producerOf = new Map<IValue, INode>();
  /** What nested graphs are given, and loops return, under another name. */
  private readonly _handedOn = new Map<IValue, IValue>();
  /** Copies of layout results by dtype; only those of the graph at hand, which its later nodes can use. */
  private _copies = new Map<IValue, Map<DType, IValue>>();
  private readonly _replacements = new Replacements();
  private _folded = 0;
}
