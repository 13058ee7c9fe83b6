import { validateGraph } from '../../../src/passes';
import { makeValue } from '../../../src/model';
import { GraphBuilder } from '../autocast/builder';

function valid(): GraphBuilder {
  const b = new GraphBuilder();
  return b.output(
    b.call('aten.relu.default', { self: b.call('aten.neg.default', { self: b.input('x') }) })
  );
}

describe('validateGraph()', () => {
  it('should accept a valid graph', () => {
    expect(validateGraph(valid().graph)).toEqual([]);
  });

  it.each<[string, (b: GraphBuilder) => void, RegExp]>([
    ['nodes out of order', b => b.graph.nodes.reverse(), /before it is made/],
    [
      'an operand nothing makes',
      b => (b.graph.nodes[0].inputs[0] = makeValue('y', null, null)),
      /uses y/
    ],
    ['an output nothing makes', b => b.graph.outputs.push(makeValue('y', null, null)), /uses y/],
    [
      'a value made twice',
      b => (b.graph.nodes[1].outputs = b.graph.nodes[0].outputs),
      /defined twice/
    ],
    [
      'two values of one name',
      b => (b.graph.nodes[1].outputs[0]!.name = 'x'),
      /two values are named x/
    ],
    ['two nodes of one name', b => (b.graph.nodes[1].name = b.graph.nodes[0].name), /two nodes/],
    [
      'a reference to an operand that is not there',
      b => (b.graph.nodes[0].attrs.self = { kind: 'input', index: 3 }),
      /operand 3 of 1/
    ]
  ])('should refuse %s', (_, damage, message) => {
    const b = valid();
    damage(b);
    expect(validateGraph(b.graph).join('\n')).toMatch(message);
  });

  it('should let bodies use outer values, and not the other way round', () => {
    const b = new GraphBuilder();
    const x = b.input('x');
    const body = new GraphBuilder();
    const inner = body.call('aten.relu.default', { self: x });
    inner.name = 'inner';
    body.graph.nodes[0].name = 'inner';
    body.output(inner);
    const node = b.call('onnx.If', { cond: x, then_branch: { kind: 'graph', value: body.graph } });
    b.output(node);
    expect(validateGraph(b.graph)).toEqual([]);
    b.output(inner);
    expect(validateGraph(b.graph)).toEqual(['output of graph main uses inner before it is made']);
  });
});
