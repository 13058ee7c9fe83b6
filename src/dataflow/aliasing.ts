/**
 * Which values may share memory, and which of them are written to in place.
 *
 * Training-IR programs are not functional: `relu_` writes to its operand, and views of that operand see it. Rewrites that
 * merge, move or drop casts ask here first.
 *
 * @packageDocumentation
 */
import type { IGraph, INode, IValue } from '../model';
import { forEachNode } from '../model';
import { mayShareMemory, writesInPlace } from '../operators';
import { goForward } from './steps';

/** Answers about shared memory in one graph, as it was when asked for. */
export interface IAliases {
  /** Whether nothing is written in place. Then every value has memory of its own, as far as can be told apart. */
  readonly isFunctional: boolean;
  /** A representative of all values that may share memory with `value`. */
  groupOf(value: IValue): IValue;
  /** The first in-place operator that writes to memory `value` may share; null where there is none. */
  mutatorOf(value: IValue): INode | null;
}

/** Find shared memory in a graph and its bodies. Almost linear in nodes (union-find); free where nothing is in place. */
export function findAliases(graph: IGraph): IAliases {
  const mutators: INode[] = [];
  forEachNode(graph, node => {
    if (writesInPlace(node)) {
      mutators.push(node);
    }
  });
  if (mutators.length === 0) {
    return { isFunctional: true, groupOf: value => value, mutatorOf: () => null };
  }
  const parents = new Map<IValue, IValue>();
  const find = (value: IValue): IValue => {
    let root = value;
    for (let next = parents.get(root); next !== undefined; next = parents.get(root)) {
      root = next;
    }
    // Point the path at the root, so that later walks are short.
    let current = value;
    while (current !== root) {
      const next = parents.get(current)!;
      parents.set(current, root);
      current = next;
    }
    return root;
  };
  const join = (value: IValue, other: IValue): void => {
    if (find(value) !== find(other)) {
      parents.set(find(value), find(other));
    }
  };
  goForward(graph, {
    handedOn: join,
    node: node => {
      const source = node.inputs[0] ?? null;
      if (source !== null && mayShareMemory(node)) {
        node.outputs.forEach(result => result !== null && join(result, source));
      }
    }
  });
  const written = new Map<IValue, INode>();
  for (const node of mutators) {
    const target = node.inputs[0] ?? null;
    if (target !== null && !written.has(find(target))) {
      written.set(find(target), node);
    }
  }
  return {
    isFunctional: false,
    groupOf: find,
    mutatorOf: value => written.get(find(value)) ?? null
  };
}
