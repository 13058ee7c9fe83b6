/**
 * Where the casts that eager PyTorch keeps in its cache are done, in graphs that hold branches and loops.
 *
 * @packageDocumentation
 */
import type { IGraph, INode } from '../model';
import { bodiesOf } from '../model';
import type { ICacheVerdict } from './eagercache';
import { isBranch } from './executions';
import type { RegionStates } from './regions';
import type { ICountedCast } from './weightcasts';

/** Casts of one weight to one dtype that the cache does once while it lives. */
export interface ICachedCasts<T> {
  /** In the order they were given. */
  readonly casts: readonly T[];
  /** The graph that the one cast belongs into. */
  readonly home: IGraph;
  /** Nodes of that graph that are one of the casts, or hold one in a nested graph. */
  readonly anchors: ReadonlySet<INode>;
}

/**
 * The casts that the cache keeps, by weight and dtype.
 *
 * #### Notes
 * A loop in Python finds in its second round what it cast in the first, as long as the region was entered outside of it (seen by
 * counting casts of 2.13). So the home of some casts is the innermost graph around all of them, or the one around the outermost
 * loop that would repeat it, but never a graph outside of the region: one that a body enters anew casts anew. What stands in one branch
 * alone stays there: eager mode does not cast for a branch that it does not take.
 *
 * #### Complexity
 * Linear in nodes, times the depth of nesting for casts in bodies.
 *
 * @param casts - of `graph` and of graphs nested in it; those that are not kept, or never run, are left out.
 */
export function cachedCasts<T extends ICountedCast & { readonly verdict: ICacheVerdict }>(
  graph: IGraph,
  regions: RegionStates,
  casts: readonly T[]
): ICachedCasts<T>[] {
  const nesting = new Nesting(graph);
  const homes = new Map<string, IGraph>();
  for (const one of nesting.graphs) {
    for (const node of one.nodes) {
      const region = node.region === null ? undefined : regions.get(node.region);
      if (region !== undefined) {
        const known = homes.get(region.outermost);
        homes.set(region.outermost, known === undefined ? one : nesting.common(known, one));
      }
    }
  }
  const groups = new Map<string, { casts: T[]; home: IGraph; readonly region: string | null }>();
  for (const cast of casts) {
    const { key, region } = cast.verdict;
    const { graph: own, most } = cast.executions;
    if (key === null || most === 0) {
      continue;
    }
    const group = groups.get(key);
    if (group === undefined) {
      groups.set(key, { casts: [cast], home: own, region });
    } else {
      group.casts.push(cast);
      group.home = nesting.common(group.home, own);
    }
  }
  return [...groups.values()].map(group => {
    const limit = group.region === null ? graph : homes.get(group.region)!;
    const home = nesting.outOfLoops(group.home, limit);
    const anchors = group.casts.map(({ node, executions }) =>
      nesting.holderIn(home, node, executions.graph)
    );
    return { casts: group.casts, home, anchors: new Set(anchors) };
  });
}

/** Which graph is nested in which. */
class Nesting {
  constructor(graph: IGraph) {
    this.graphs = [graph];
    this._places.set(graph, { outer: null, holder: null, depth: 0 });
    for (const outer of this.graphs) {
      const depth = this._places.get(outer)!.depth + 1;
      for (const holder of outer.nodes) {
        for (const body of bodiesOf(holder)) {
          this._places.set(body, { outer, holder, depth });
          this.graphs.push(body);
        }
      }
    }
  }

  /** All graphs, each before those nested in it. */
  readonly graphs: IGraph[];

  /** The innermost graph that holds both. */
  common(a: IGraph, b: IGraph): IGraph {
    let [one, other] = [a, b];
    while (one !== other) {
      if (this._places.get(one)!.depth >= this._places.get(other)!.depth) {
        one = this._places.get(one)!.outer!;
      } else {
        other = this._places.get(other)!.outer!;
      }
    }
    return one;
  }

  /** The node of `home` that holds `node` of the graph `own`; itself where that is `home`. */
  holderIn(home: IGraph, node: INode, own: IGraph): INode {
    let current = node;
    for (let graph = own; graph !== home;) {
      const { outer, holder } = this._places.get(graph)!;
      current = holder!;
      graph = outer!;
    }
    return current;
  }

  /** `graph`, or the one around the outermost loop that it is in and `limit` is not. */
  outOfLoops(graph: IGraph, limit: IGraph): IGraph {
    let home = graph;
    for (let current = graph; current !== limit;) {
      const { outer, holder } = this._places.get(current)!;
      if (!isBranch(holder!)) {
        home = outer!;
      }
      current = outer!;
    }
    return home;
  }

  private readonly _places = new Map<
    IGraph,
    { readonly outer: IGraph | null; readonly holder: INode | null; readonly depth: number }
  >();
}
