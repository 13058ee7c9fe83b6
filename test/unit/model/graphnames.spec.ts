import type { IGraph, INode, IValue } from '../../../src/model';
import { GraphNames, makeValue, UniqueNames } from '../../../src/model';

function node(name: string, outputs: IValue[], body?: IGraph): INode {
  return {
    name,
    op: body === undefined ? 'onnx.Relu' : 'onnx.Loop',
    inputs: [],
    attrs: body === undefined ? {} : { body: { kind: 'graph', value: body } },
    outputs,
    region: null,
    module: null,
    source: null
  };
}

function value(name: string): IValue {
  return makeValue(name, 'float32', [2]);
}

function graph(nodes: INode[], inputs: IValue[]): IGraph {
  return { name: 'g', inputs, outputs: [], nodes, weights: [], opsets: { '': 20 } };
}

/** Input `x`, node `relu` with result `y`, and in a body input `given` and node `inner` with result `z`. */
const nested = graph(
  [
    node('relu', [value('y')]),
    node('loop', [], graph([node('inner', [value('z')])], [value('given')]))
  ],
  [value('x')]
);

describe('UniqueNames', () => {
  it('should number names that are taken, also those it gave out', () => {
    const names = new UniqueNames(['a', 'a_2']);
    expect(['a', 'a', 'b', 'b', 'b'].map(name => names.take(name))).toEqual([
      'a_3',
      'a_4',
      'b',
      'b_2',
      'b_3'
    ]);
  });

  it('should begin with the number that is asked for', () => {
    const names = new UniqueNames(['a'], 1);
    expect(names.take('a')).toBe('a_1');
    expect(names.has('a_1')).toBe(true);
    expect(names.has('a_2')).toBe(false);
  });
});

describe('GraphNames', () => {
  it.each(['x', 'y', 'given', 'z'])('should give no value the name %s of a value', name => {
    expect(GraphNames.of(nested).value(name)).toBe(`${name}_1`);
    expect(GraphNames.forOnnx(nested).value(name)).toBe(`${name}_2`);
    expect(GraphNames.forOtherNodes(nested).value(name)).toBe(`${name}_2`);
  });

  it('should have one space of names for passes and two for ONNX operators', () => {
    expect(GraphNames.of(nested).node('y')).toBe('y_1');
    expect(GraphNames.of(nested).value('inner')).toBe('inner_1');
    expect(GraphNames.forOnnx(nested).node('y')).toBe('y');
    expect(GraphNames.forOnnx(nested).value('inner')).toBe('inner');
    expect(GraphNames.forOnnx(nested).node('inner')).toBe('inner_2');
  });

  it('should give the names of nodes out again where others take their place', () => {
    expect(GraphNames.forOtherNodes(nested).node('inner')).toBe('inner');
  });

  it('should name results after their node', () => {
    const names = GraphNames.forOnnx();
    expect(names.result('relu', '')).toBe('relu:out');
    names.value('relu:out1');
    expect(names.result('relu', '1')).toBe('relu:out1_2');
  });
});
