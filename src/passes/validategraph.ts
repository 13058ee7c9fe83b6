/**
 * Whether a graph is well formed.
 *
 * @packageDocumentation
 */
import type { Attr, IGraph, INode, IValue } from '../model';
import { bodiesOf } from '../model';

/**
 * Check what every algorithm relies on: names of values and of nodes are unique, every value has one producer, operands are
 * made before they are used, references to operands exist, outputs exist. Linear in operands.
 *
 * @returns what is wrong, one line each; empty for a valid graph.
 */
export function validateGraph(graph: IGraph): string[] {
  const problems: string[] = [];
  const valueNames = new Set<string>();
  const nodeNames = new Set<string>();
  // Values known so far. A nested graph sees those made before the node that holds it, so each has its own layer.
  const known = new Set<IValue>();
  const define = (value: IValue, where: string): void => {
    if (known.has(value)) {
      problems.push(`${value.name} is defined twice, again by ${where}`);
    } else if (valueNames.has(value.name)) {
      problems.push(`two values are named ${value.name}, one defined by ${where}`);
    }
    known.add(value);
    valueNames.add(value.name);
  };
  const use = (value: IValue | null, where: string): void => {
    if (value !== null && !known.has(value)) {
      problems.push(`${where} uses ${value.name} before it is made`);
    }
  };
  // Work is kept as a stack of frames: nested graphs are checked where they stand.
  interface IFrame {
    readonly graph: IGraph;
    next: number;
    readonly own: IValue[];
  }
  const enter = (one: IGraph): IFrame => {
    const own = [...one.inputs, ...one.weights.map(({ value }) => value)];
    own.forEach(value => define(value, `graph ${one.name}`));
    return { graph: one, next: 0, own };
  };
  const stack: IFrame[] = [enter(graph)];
  const holders = new Set<INode>();
  while (stack.length > 0) {
    const frame = stack[stack.length - 1];
    const node = frame.graph.nodes[frame.next] as INode | undefined;
    if (node === undefined) {
      frame.graph.outputs.forEach(value => use(value, `output of graph ${frame.graph.name}`));
      if (stack.length > 1) {
        // What a nested graph makes is not seen outside.
        frame.own.forEach(value => known.delete(value));
      }
      stack.pop();
      continue;
    }
    if (!holders.has(node)) {
      if (nodeNames.has(node.name)) {
        problems.push(`two nodes are named ${node.name}`);
      }
      nodeNames.add(node.name);
      node.inputs.forEach(value => use(value, node.name));
      for (const key in node.attrs) {
        checkReferences(node.attrs[key], node, key, problems);
      }
      const bodies = bodiesOf(node);
      if (bodies.length > 0) {
        holders.add(node);
        bodies.forEach(body => stack.push(enter(body)));
        continue;
      }
    } else {
      holders.delete(node);
    }
    for (const value of node.outputs) {
      if (value !== null) {
        define(value, node.name);
        frame.own.push(value);
      }
    }
    frame.next++;
  }
  return problems;
}

function checkReferences(attr: Attr, node: INode, key: string, problems: string[]): void {
  if (attr.kind === 'input') {
    if (attr.index < 0 || attr.index >= node.inputs.length) {
      problems.push(
        `${node.name}: argument ${key} refers to operand ${attr.index} of ${node.inputs.length}`
      );
    }
  } else if (attr.kind === 'list') {
    attr.items.forEach(item => checkReferences(item, node, key, problems));
  }
}
