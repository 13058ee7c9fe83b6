/**
 * Tools for changing graphs.
 *
 * @packageDocumentation
 */
import type { GraphNames, IGraph, INode, IValue } from '../model';
import { bodiesOf, forEachNode, graphsOf, makeValue } from '../model';

/**
 * Values to be replaced by others.
 *
 * #### Notes
 * Replacing a value by one that is itself replaced follows through, so rewrites may come in any order.
 */
export class Replacements {
  /** Number of values replaced. */
  get size(): number {
    return this._map.size;
  }

  /** Replace every use of `value` by `other`. */
  set(value: IValue, other: IValue): void {
    this._map.set(value, other);
  }

  /** What stands for `value`. Amortised constant. */
  resolve(value: IValue): IValue {
    let last = value;
    for (let next = this._map.get(last); next !== undefined; next = this._map.get(last)) {
      last = next;
    }
    for (let current = value; current !== last;) {
      const next = this._map.get(current)!;
      this._map.set(current, last);
      current = next;
    }
    return last;
  }

  /** Rewrite all uses in a graph and its bodies, outputs included. Linear in operands. */
  apply(graph: IGraph): void {
    if (this._map.size === 0) {
      return;
    }
    forEachNode(graph, node => {
      node.inputs.forEach((value, index) => {
        if (value !== null) {
          node.inputs[index] = this.resolve(value);
        }
      });
      for (const body of bodiesOf(node)) {
        body.outputs = body.outputs.map(value => this.resolve(value));
      }
    });
    graph.outputs = graph.outputs.map(value => this.resolve(value));
  }

  private readonly _map = new Map<IValue, IValue>();
}

/** Values that are results of a graph or of a nested one. */
export function outputsOf(graph: IGraph): Set<IValue> {
  const outputs = new Set<IValue>();
  for (const one of graphsOf(graph)) {
    one.outputs.forEach(value => outputs.add(value));
  }
  return outputs;
}

/**
 * A copy of a layout-only node that arranges `operand` instead.
 *
 * @param results - values to use as the copy's results, by position; others are new.
 */
export function copyArrangement(
  node: INode,
  operand: IValue,
  names: GraphNames,
  suffix: string,
  results: ReadonlyMap<number, IValue> = new Map()
): INode {
  return {
    ...node,
    name: names.node(`${node.name}_${suffix}`),
    inputs: [operand, ...node.inputs.slice(1)],
    outputs: node.outputs.map((value, index) =>
      value === null
        ? null
        : (results.get(index) ??
          makeValue(names.value(`${value.name}_${suffix}`), operand.dtype, value.shape, {
            requiresGrad: value.requiresGrad
          }))
    )
  };
}

/** `1 cast`, `2 casts`. */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
