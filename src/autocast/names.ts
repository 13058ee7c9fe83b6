/**
 * Names for what is added to a graph.
 *
 * @packageDocumentation
 */
import type { IGraph, IValue } from '../model';
import { bodiesOf, forEachNode } from '../model';

/** Gives out names that no node or value of a graph has, its bodies included. The graph is looked at when the first one is asked for. */
export class NameSource {
  constructor(private readonly _graph: IGraph) {}

  /** `wanted`, or `wanted` with a number where that is taken. Amortised constant. */
  make(wanted: string): string {
    this._taken ??= namesOf(this._graph);
    if (!this._taken.has(wanted)) {
      this._taken.add(wanted);
      return wanted;
    }
    let n = this._last.get(wanted) ?? 0;
    let name: string;
    do {
      n++;
      name = `${wanted}_${n}`;
    } while (this._taken.has(name));
    this._last.set(wanted, n);
    this._taken.add(name);
    return name;
  }

  private _taken: Set<string> | null = null;
  /** The number that was last given out behind a name. */
  private readonly _last = new Map<string, number>();
}

/** Every name of a node or value in a graph and its bodies. */
function namesOf(graph: IGraph): Set<string> {
  const names = new Set<string>();
  const add = (value: IValue | null): void => {
    if (value !== null) {
      names.add(value.name);
    }
  };
  const addEnds = (one: IGraph): void => {
    one.inputs.forEach(add);
    one.weights.forEach(({ value }) => add(value));
  };
  addEnds(graph);
  forEachNode(graph, node => {
    names.add(node.name);
    for (const value of node.outputs) {
      // Most nodes have the name of their result.
      if (value !== null && value.name !== node.name) {
        names.add(value.name);
      }
    }
    bodiesOf(node).forEach(addEnds);
  });
  return names;
}
