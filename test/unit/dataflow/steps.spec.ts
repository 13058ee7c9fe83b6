import { Destinations, goForward, nodesOfWeights, Origins, stepOf } from '../../../src/dataflow';
import type { IGraph, INode, IValue } from '../../../src/model';
import { GraphBuilder } from '../autocast/builder';

const cast = { to: { kind: 'dtype', value: 'bfloat16' } } as const;

/** A loop that is given `w`, hands it on, and casts it in its body. */
function loopOver(
  b: GraphBuilder,
  w: IValue
): { readonly loop: INode; readonly given: IValue; readonly body: IGraph } {
  const inner = new GraphBuilder();
  inner.input('i', 'int64', []);
  const condition = inner.input('condition', 'bool', []);
  const given = inner.input('given');
  inner.call('onnx.Cast', { given, ...cast }, { dtype: 'bfloat16' });
  inner.output(condition, given);
  const trips = b.input('trips', 'int64', []);
  const loop = b.node('onnx.Loop', {
    trips,
    start: b.input('start', 'bool', []),
    w,
    body: { kind: 'graph', value: inner.graph }
  });
  return { loop, given, body: inner.graph };
}

describe('stepOf()', () => {
  const b = new GraphBuilder();
  const w = b.weight('w');
  it.each([
    ['an idle cast', 'aten._to_copy.default', { self: w, dtype: 'float32' }, 'same'],
    ['a cast', 'aten._to_copy.default', { self: w, dtype: 'bfloat16' }, 'cast'],
    ['a move to another device', 'aten.to.device', { self: w }, 'same'],
    ['a view', 'aten.t.default', { self: w }, 'arranged'],
    ['a cut', 'aten.select.int', { self: w, dim: 0, index: 0 }, 'arranged'],
    ['parts', 'aten.split.Tensor', { self: w, split_size: 1 }, 'arranged'],
    ['a sum', 'aten.add.Tensor', { self: w, other: w }, null],
    ['no operand', 'aten.zeros.default', { size: [2] }, null]
  ])('should tell %s', (_, op, { dtype, ...args }: Record<string, unknown>, step) => {
    const target = typeof dtype === 'string' ? { dtype: { kind: 'dtype', value: dtype } } : {};
    const node = b.node(op, { ...args, ...target } as Record<string, IValue>);
    expect(stepOf(node)).toBe(step);
  });
});

describe('goForward()', () => {
  it('should come to what a body is given before the nodes of the body', () => {
    const b = new GraphBuilder();
    const { loop, given, body } = loopOver(b, b.weight('w'));
    const seen: (string | IGraph)[] = [];
    goForward(b.graph, {
      begin: graph => seen.push(graph),
      handedOn: (value, operand) => seen.push(`${value.name} = ${operand.name}`),
      node: ({ op }) => seen.push(op)
    });
    expect(seen).toEqual([
      b.graph,
      body,
      `${given.name} = p_w`,
      `${loop.outputs[0]!.name} = p_w`,
      'onnx.Loop',
      'onnx.Cast'
    ]);
  });
});

describe('Origins', () => {
  it('should go up through what only arranges a value, idle casts and borders of bodies', () => {
    const b = new GraphBuilder();
    const w = b.weight('w');
    const turned = b.call('aten.t.default', { self: w });
    const idle = b.cast(turned, 'float32');
    const { loop } = loopOver(b, idle);
    const row = b.call('aten.select.int', { self: loop.outputs[0]!, dim: 0, index: 0 });
    const origins = Origins.of(b.graph);
    expect([...origins.above(row)].map(({ result, operand }) => [result, operand])).toEqual([
      [row, turned],
      [turned, w]
    ]);
    expect(origins.resolve(loop.outputs[0]!)).toBe(turned);
    expect([...origins.above(w)]).toEqual([]);
  });

  it('should end at casts and at what is computed', () => {
    const b = new GraphBuilder();
    const sum = b.call('aten.add.Tensor', { self: b.weight('w'), other: b.weight('v') });
    const low = b.cast(sum, 'bfloat16');
    const view = b.call('aten.t.default', { self: low });
    expect([...Origins.of(b.graph).above(view)].map(({ operand }) => operand)).toEqual([low]);
  });
});

describe('Destinations', () => {
  it('should follow values as far as it is told to, each once', () => {
    const b = new GraphBuilder();
    const w = b.weight('w');
    const view = b.call('aten.t.default', { self: w });
    const { given } = loopOver(b, view);
    const low = b.cast(view, 'bfloat16');
    const sum = b.call('aten.add.Tensor', { self: w, other: view });
    b.output(low, sum);
    const steps: string[] = [];
    const reached = new Destinations(b.graph).follow([w], ({ value, node, step }) => {
      steps.push(`${value.name} ${node.op} ${step}`);
      return step === 'handed on' || step === 'arranged';
    });
    expect(steps.sort()).toEqual([
      'given onnx.Cast cast',
      `p_w aten.add.Tensor null`,
      'p_w aten.t.default arranged',
      `${view.name} aten._to_copy.default cast`,
      `${view.name} aten.add.Tensor null`,
      `${view.name} onnx.Loop handed on`
    ]);
    expect(reached.has(given)).toBe(true);
    expect(reached.has(low)).toBe(false);
  });
});

describe('nodesOfWeights()', () => {
  it('should find what takes stored tensors and constants alone', () => {
    const b = new GraphBuilder();
    const w = b.weight('w');
    const constant = b.node('onnx.Constant', {});
    const product = b.node('onnx.Mul', { w, constant: constant.outputs[0]! });
    const random = b.node('onnx.RandomNormal', {});
    const sum = b.node('onnx.Add', { x: b.input('x'), w });
    expect(nodesOfWeights(b.graph)).toEqual(new Set([constant, product]));
    expect([random, sum]).toHaveLength(2);
  });
});
