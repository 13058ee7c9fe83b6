import type { IGraph, INode, IValue } from '../../../src/model';
import { makeValue, sweepDeadNodes } from '../../../src/model';
import { makeWeight } from '../autocast/builder';

function value(name: string): IValue {
  return makeValue(name, 'float32', [2]);
}

function node(name: string, inputs: IValue[], outputs: IValue[], body?: IGraph): INode {
  return {
    name,
    op: body === undefined ? 'onnx.Relu' : 'onnx.If',
    inputs,
    attrs: body === undefined ? {} : { then_branch: { kind: 'graph', value: body } },
    outputs,
    region: null,
    module: null,
    source: null
  };
}

function graph(parts: Partial<IGraph>): IGraph {
  return { name: 'g', inputs: [], outputs: [], nodes: [], weights: [], opsets: {}, ...parts };
}

/** A branch with a weight, a node and an outer operand that only dead code in it uses. */
function nested(): { graph: IGraph; body: IGraph } {
  const [x, y, r, dead, w, used] = ['x', 'y', 'r', 'dead', 'w', 'used'].map(value);
  const body = graph({
    outputs: [used],
    weights: [{ value: w, weight: makeWeight('w') }],
    nodes: [node('unused', [w, y], [dead]), node('kept', [x], [used])]
  });
  return {
    graph: graph({
      inputs: [x],
      outputs: [r],
      nodes: [node('before', [x], [y]), node('if', [x], [r], body), node('after', [r], [])]
    }),
    body
  };
}

const names = (nodes: readonly INode[]): string[] => nodes.map(({ name }) => name);

describe('sweepDeadNodes()', () => {
  it('should drop what only dead code of a nested graph uses', () => {
    const { graph: outer, body } = nested();
    expect(names(sweepDeadNodes(outer))).toEqual(['before', 'unused', 'after']);
    expect(names(outer.nodes)).toEqual(['if']);
    expect(names(body.nodes)).toEqual(['kept']);
    expect(body.weights).toEqual([]);
  });

  it('should leave nested graphs as they are where another graph shares them', () => {
    const { graph: outer, body } = nested();
    expect(names(sweepDeadNodes(outer, { keepsBodies: true }))).toEqual(['after']);
    expect(names(outer.nodes)).toEqual(['before', 'if']);
    expect(names(body.nodes)).toEqual(['unused', 'kept']);
    expect(body.weights).toHaveLength(1);
  });

  it('should keep what writes to memory that is read later, and nothing else', () => {
    const [x, view, other, r] = ['x', 'view', 'other', 'r'].map(value);
    const write = node('write', [view], [value('a')]);
    const idle = node('idle', [other], [value('b')]);
    const late = node('late', [view], [value('c')]);
    const read = node('read', [x], [r]);
    const made = (): IGraph =>
      graph({ inputs: [x, view, other], outputs: [r], nodes: [write, idle, read, late] });
    const groupOf = (one: IValue): IValue => (one === view ? x : one);
    const targetOf = (one: INode): IValue | null => (one === read ? null : one.inputs[0]);
    const functional = made();
    sweepDeadNodes(functional);
    expect(names(functional.nodes)).toEqual(['read']);
    const writing = made();
    sweepDeadNodes(writing, { writes: { groupOf, targetOf } });
    expect(names(writing.nodes)).toEqual(['write', 'read']);
  });
});
