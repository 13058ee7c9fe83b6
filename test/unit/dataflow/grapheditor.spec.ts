import { bringForward, GraphEditor, Makers } from '../../../src/dataflow';
import type { INode } from '../../../src/model';
import { UniqueNames } from '../../../src/model';
import { validateGraph } from '../../../src/passes';
import { GraphBuilder } from '../autocast/builder';

const ops = ({ graph }: GraphBuilder): string[] => graph.nodes.map(({ name }) => name);

/** Two views of a weight in a row, and their sum with it. */
function views(): { readonly b: GraphBuilder; readonly nodes: readonly INode[] } {
  const b = new GraphBuilder();
  const w = b.weight('w');
  const first = b.call('aten.t.default', { self: w });
  const second = b.call('aten.t.default', { self: first });
  b.output(b.call('aten.add.Tensor', { self: second, other: w }));
  return { b, nodes: [...b.graph.nodes] };
}

describe('GraphEditor', () => {
  it('should follow replacements through, in whatever order they come, and drop what is dead then', () => {
    const { b, nodes } = views();
    const [first, second] = nodes.map(({ outputs }) => outputs[0]!);
    const editor = new GraphEditor(b.graph);
    editor.replace(second, first);
    editor.replace(first, b.graph.weights[0].value);
    expect(editor.finish()).toBe(true);
    expect(ops(b)).toEqual(['add_2']);
    expect(b.graph.nodes[0].inputs).toEqual([b.graph.weights[0].value, b.graph.weights[0].value]);
    expect(validateGraph(b.graph)).toEqual([]);
  });

  it('should put nodes where they are wanted, under names that are free', () => {
    const { b, nodes } = views();
    const [first, second, sum] = nodes;
    const editor = new GraphEditor(b.graph);
    const copy = editor.copyOf(first, b.graph.weights[0].value, 'copy');
    const again = editor.copyOf(first, copy.outputs[0]!, 'copy');
    editor.insertBefore(second, copy);
    editor.insertBefore(second, again);
    editor.remove(second);
    editor.replace(second.outputs[0]!, again.outputs[0]!);
    expect(ops(b)).toEqual(['t_0', 't_1', 'add_2']);
    editor.apply();
    expect(b.graph.nodes).toEqual([first, copy, again, sum]);
    expect(new Set(ops(b)).size).toBe(4);
    expect(validateGraph(b.graph)).toEqual([]);
  });

  it('should replace a value everywhere but in what is made of it', () => {
    const { b, nodes } = views();
    const [w] = b.graph.weights;
    const editor = new GraphEditor(b.graph);
    const copy = editor.copyOf(nodes[0], w.value, 'copy');
    editor.replaceBehind(w.value, copy);
    editor.prepend(b.graph, copy);
    editor.apply();
    expect(copy.inputs).toEqual([w.value]);
    expect(nodes[0].inputs).toEqual(copy.outputs);
    expect(b.graph.nodes[0]).toBe(copy);
  });

  it('should leave a graph alone where nothing is changed, dead nodes too', () => {
    const { b } = views();
    b.call('aten.relu.default', { self: b.graph.weights[0].value });
    const before = b.graph.nodes;
    expect(new GraphEditor(b.graph).finish()).toBe(false);
    expect(b.graph.nodes).toBe(before);
    expect(before).toHaveLength(4);
  });
});

describe('bringForward()', () => {
  it('should keep the order within both groups', () => {
    const { b, nodes } = views();
    bringForward(b.graph, new Set([nodes[2], nodes[1]]));
    expect(ops(b)).toEqual(['t_1', 'add_2', 't_0']);
  });
});

describe('Makers', () => {
  it('should find what computes a node, in order, as far as it is told to', () => {
    const { b, nodes } = views();
    const makers = new Makers(b.graph);
    expect(makers.coneOf([nodes[2]], operand => makers.of(operand))).toEqual(nodes);
    const [first] = nodes[0].outputs;
    expect(
      makers.coneOf([nodes[2]], operand => (operand === first ? null : makers.of(operand)))
    ).toEqual(nodes.slice(1));
  });
});

describe('UniqueNames', () => {
  it('should number names from 0', () => {
    const names = new UniqueNames(['w_1']);
    expect([names.takeNumbered('w'), names.takeNumbered('w')]).toEqual(['w_0', 'w_2']);
  });
});
