/**
 * Topological order of ONNX nodes, with the errors a reader wants where there is none.
 *
 * @packageDocumentation
 */
import { CastlensError } from '../../model';
import type { IRawGraph, IRawNode } from './rawmodel';

/**
 * The nodes of a graph so that each comes after the producers of what it uses, values used by nested graphs included.
 *
 * #### Notes
 * Order is kept where it is right already, as the format demands. A few converters write other orders, which runtimes accept.
 *
 * #### Complexity
 * Linear in operands.
 *
 * @param isOwn - whether a name is an input or an initializer of this graph.
 * @param isOuter - whether a name is a value of an enclosing graph.
 * @throws CastlensError for a cycle, a value nothing makes and a value made twice; names the node.
 */
export function sortNodes(
  file: string,
  graph: IRawGraph,
  isOwn: (name: string) => boolean,
  isOuter: (name: string) => boolean
): IRawNode[] {
  const { nodes } = graph;
  const producers = new Map<string, number>();
  nodes.forEach((node, i) => {
    for (const name of node.outputs) {
      if (name === '') {
        continue;
      }
      if (producers.has(name) || isOwn(name)) {
        throw new CastlensError('bad-file', 'a value is made twice', {
          file,
          entry: describeNode(node, i),
          expected: 'every value to be made once',
          found: `a second producer of '${name}'`
        });
      }
      producers.set(name, i);
    }
  });
  const captured = new Map<IRawGraph, Set<string>>();
  const sorted: IRawNode[] = [];
  const state = new Uint8Array(nodes.length);
  const stack: { index: number; operands: string[]; next: number }[] = [];
  const enter = (index: number): void => {
    state[index] = ENTERED;
    stack.push({ index, operands: operandsOf(nodes[index], captured), next: 0 });
  };
  for (let root = 0; root < nodes.length; root++) {
    if (state[root] === NEW) {
      enter(root);
    }
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      if (top.next === top.operands.length) {
        state[top.index] = DONE;
        sorted.push(nodes[top.index]);
        stack.pop();
        continue;
      }
      const name = top.operands[top.next++];
      const producer = producers.get(name);
      if (producer === undefined) {
        if (!isOwn(name) && !isOuter(name)) {
          throw new CastlensError('bad-file', 'a node uses a value that nothing makes', {
            file,
            entry: describeNode(nodes[top.index], top.index),
            expected: 'an input, an initializer or the result of a node',
            found: `'${name}'`
          });
        }
      } else if (state[producer] === ENTERED) {
        throw new CastlensError('bad-file', 'the graph is cyclic', {
          file,
          entry: describeNode(nodes[top.index], top.index),
          expected: 'nodes that depend on earlier nodes only',
          found: `'${name}', which depends on this node`
        });
      } else if (state[producer] === NEW) {
        enter(producer);
      }
    }
  }
  return sorted;
}

/** How a node is called in errors. */
export function describeNode(node: IRawNode, index: number): string {
  return node.name === ''
    ? `node ${index} (${node.opType})`
    : `node '${node.name}' (${node.opType})`;
}

const NEW = 0;
const ENTERED = 1;
const DONE = 2;

/** Names a node needs: its inputs, and what its nested graphs take from outside. */
function operandsOf(node: IRawNode, captured: Map<IRawGraph, Set<string>>): string[] {
  const names = node.inputs.filter(name => name !== '');
  for (const attribute of node.attributes) {
    for (const body of attribute.g === null
      ? attribute.graphs
      : [attribute.g, ...attribute.graphs]) {
      for (const name of capturedNames(body, captured)) {
        names.push(name);
      }
    }
  }
  return names;
}

/** Names a nested graph uses and does not define. Recursion is as deep as graphs nest, which the reader bounds. */
function capturedNames(graph: IRawGraph, captured: Map<IRawGraph, Set<string>>): Set<string> {
  const known = captured.get(graph);
  if (known !== undefined) {
    return known;
  }
  const defined = new Set<string>([
    ...graph.inputs.map(info => info.name),
    ...graph.initializers.map(tensor => tensor.name),
    ...graph.nodes.flatMap(node => node.outputs)
  ]);
  const names = new Set<string>();
  const use = (name: string): void => {
    if (name !== '' && !defined.has(name)) {
      names.add(name);
    }
  };
  for (const node of graph.nodes) {
    operandsOf(node, captured).forEach(use);
  }
  graph.outputs.forEach(info => use(info.name));
  captured.set(graph, names);
  return names;
}
