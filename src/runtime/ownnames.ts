/**
 * Names of castlens' own for a graph that is profiled.
 *
 * The runtime writes names into its profile without escaping them, and names what it inserts after values of the graph. With names that
 * no file can choose, a profile can always be read, and says for certain which nodes are the graph's and which the runtime's.
 *
 * @packageDocumentation
 */
import type { IGraph } from '../model';
import { cloneGraph, forEachNode } from '../model';
import type { IExecutedCasts, IProfile } from './profile';
import { executedCasts } from './profile';

/** A graph under names of castlens' own, and the way back. */
export class RenamedGraph {
  /**
   * Give every node and value, those of nested graphs included, a name of castlens' own.
   *
   * @param original - not changed. Weights are shared with it.
   *
   * #### Complexity
   * Linear in the graph.
   */
  constructor(original: IGraph) {
    const { graph, values } = cloneGraph(original);
    this.graph = graph;
    for (const [before, after] of values) {
      after.name = `v${this._values.size}`;
      this._values.set(after.name, before.name);
    }
    this._inputs = original.inputs.map(value => [value.name, values.get(value)!.name]);
    forEachNode(graph, node => {
      const own = `n${this._nodes.size}`;
      this._nodes.set(own, node.name);
      node.name = own;
    });
  }

  readonly graph: IGraph;

  /** Inputs of the original by the names of this graph's. */
  feeds<T>(byName: ReadonlyMap<string, T>): Map<string, T> {
    return new Map(
      this._inputs.flatMap(([name, own]) => {
        const item = byName.get(name);
        return item === undefined ? [] : [[own, item] as const];
      })
    );
  }

  /** The kernels of a profile of this graph under the names of the original; those of nodes that the runtime made keep theirs. */
  restore({ kernels, runs }: IProfile): IProfile {
    return {
      runs,
      kernels: kernels.map(event => ({ ...event, node: this._nodes.get(event.node) ?? event.node }))
    };
  }

  /**
   * The weight casts that ran, see `executedCasts`, under the names of the original.
   *
   * @param profile - of this graph.
   * @param plannedNodes - the nodes of the original that are weight casts.
   */
  executedCasts(profile: IProfile, plannedNodes: Iterable<string>): IExecutedCasts {
    const wanted = new Set(plannedNodes);
    const planned = [...this._nodes].filter(([, name]) => wanted.has(name)).map(([own]) => own);
    const weights = this.graph.weights.map(({ value }) => value.name);
    const found = executedCasts(profile, planned, weights, this._nodes.keys());
    return {
      ...found,
      insertedCasts: found.insertedCasts.map(cast => ({
        ...cast,
        value: this._values.get(cast.value) ?? cast.value
      })),
      runs: new Map([...found.runs].map(([own, times]) => [this._nodes.get(own)!, times]))
    };
  }

  /** Names of the original by the name here. */
  private readonly _nodes = new Map<string, string>();
  private readonly _values = new Map<string, string>();
  /** Of the inputs: the original's, and the one here. */
  private readonly _inputs: readonly (readonly [string, string])[];
}
