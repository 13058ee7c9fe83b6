import {
  legalize,
  CPU_CAPABILITIES,
  lowerToOnnx,
  unsupportedOperators
} from '../../../src/lowering';
import { CastlensError, makeValue } from '../../../src/model';
import type { Attr, IGraph, INode, ISourceLocation, IValue } from '../../../src/model';
import { inlineWeight, noise } from './handmade';

/** ATen graphs, node after node. */
class AtenGraph {
  readonly graph: IGraph = {
    name: 'aten',
    inputs: [],
    outputs: [],
    nodes: [],
    weights: [],
    opsets: {}
  };

  input(name: string, shape: IValue['shape'], dtype: IValue['dtype'] = 'float32'): IValue {
    const value = makeValue(name, dtype, shape);
    this.graph.inputs.push(value);
    return value;
  }

  call(
    name: string,
    op: string,
    args: Record<string, IValue | Attr>,
    result: Partial<IValue> | null = {},
    source: ISourceLocation | null = null
  ): IValue {
    const inputs: IValue[] = [];
    const attrs: Record<string, Attr> = {};
    for (const key in args) {
      const arg = args[key];
      if ('name' in arg) {
        attrs[key] = { kind: 'input', index: inputs.length };
        inputs.push(arg);
      } else {
        attrs[key] = arg;
      }
    }
    const value: IValue = { ...makeValue(name, 'float32', [2]), ...result };
    const node: INode = {
      name,
      op,
      inputs,
      attrs,
      outputs: result === null ? [] : [value],
      region: 'r',
      module: 'block.0',
      source
    };
    this.graph.nodes.push(node);
    return value;
  }

  output(...values: IValue[]): IGraph {
    this.graph.outputs.push(...values);
    return this.graph;
  }
}

const TRUE: Attr = { kind: 'bool', value: true };
const int = (value: number): Attr => ({ kind: 'int', value });

function ops(graph: IGraph): string[] {
  return graph.nodes.map(node => node.op).filter(op => op !== 'onnx.Constant');
}

describe('lowerToOnnx', () => {
  it('keeps names, provenance and the origin of casts', () => {
    const make = new AtenGraph();
    const w = makeValue('w', 'float32', [3, 2]);
    make.graph.weights.push({ value: w, weight: inlineWeight('w', 'float32', [3, 2], noise(6)) });
    const x = make.input('x', [4, 2], 'bfloat16');
    const source = { file: 'model.py', line: 3 };
    const cast = make.call(
      'cast',
      'aten._to_copy.default',
      { self: w, dtype: { kind: 'dtype', value: 'bfloat16' } },
      { dtype: 'bfloat16', shape: [3, 2] },
      source
    );
    make.graph.nodes[0].origin = 'region';
    const y = make.call(
      'y',
      'aten.linear.default',
      { input: x, weight: cast },
      { dtype: 'bfloat16', shape: [4, 3] }
    );
    const graph = lowerToOnnx(make.output(y));
    expect(graph.nodes[0]).toMatchObject({
      name: 'cast',
      op: 'onnx.Cast',
      origin: 'region',
      region: 'r',
      module: 'block.0',
      source
    });
    expect(graph.outputs[0]).toMatchObject({ name: 'y', dtype: 'bfloat16', shape: [4, 3] });
    expect(graph.opsets).toEqual({ '': 20 });
    expect(graph.nodes.every(node => node.module === 'block.0')).toBe(true);
  });

  it('declares intermediate results of narrow operators as accumulators', () => {
    const make = new AtenGraph();
    const x = make.input('x', [2], 'bfloat16');
    const y = make.call('y', 'aten.rsqrt.default', { self: x }, { dtype: 'bfloat16' });
    const graph = lowerToOnnx(make.output(y));
    expect(
      graph.nodes.map(node => [node.op, node.outputs[0]!.dtype, node.outputs[0]!.accumulates])
    ).toEqual([
      ['onnx.Sqrt', 'float32', 'bfloat16'],
      ['onnx.Reciprocal', 'bfloat16', undefined]
    ]);
  });

  it('is deterministic', () => {
    const build = (): string => {
      const make = new AtenGraph();
      const x = make.input('x', [2]);
      const y = make.call('y', 'aten.mish.default', { self: x });
      return JSON.stringify(
        lowerToOnnx(make.output(make.call('z', 'aten.mish.default', { self: y })))
      );
    };
    expect(build()).toBe(build());
  });

  it('drops checks and passes ONNX graphs through', () => {
    const make = new AtenGraph();
    const x = make.input('x', [2]);
    make.call('check', 'aten._assert_tensor_metadata.default', { a: x }, null);
    const graph = lowerToOnnx(make.output(make.call('y', 'aten.neg.default', { self: x })));
    expect(ops(graph)).toEqual(['onnx.Neg']);
    expect(lowerToOnnx(graph)).toBe(graph);
  });

  it('computes sizes that are known only at run time', () => {
    const make = new AtenGraph();
    const x = make.input('x', [{ kind: 'symbol', name: 'b' }, { kind: 'symbol', name: 's' }, 4]);
    const sym = { dtype: null, shape: null, kind: 'int' } as const;
    const b = make.call('b', 'aten.sym_size.int', { self: x, dim: int(0) }, sym);
    const s = make.call('s', 'aten.sym_size.int', { self: x, dim: int(1) }, sym);
    const rows = make.call('rows', '_operator.mul', { a: b, b: s }, sym);
    const flat: INode = {
      ...make.graph.nodes[0],
      name: 'flat',
      op: 'aten.view.default',
      inputs: [x, rows],
      attrs: {
        self: { kind: 'input', index: 0 },
        size: { kind: 'list', items: [{ kind: 'input', index: 1 }, int(4)] }
      },
      outputs: [makeValue('flat', 'float32', null)]
    };
    make.graph.nodes.push(flat);
    const graph = lowerToOnnx(make.output(flat.outputs[0]!, rows));
    expect(graph.outputs[1]).toMatchObject({
      name: 'rows',
      dtype: 'int64',
      shape: [],
      kind: 'tensor'
    });
    // One size that is not known follows from the others: no Concat.
    expect(ops(graph)).toEqual([
      'onnx.Shape',
      'onnx.Squeeze',
      'onnx.Shape',
      'onnx.Squeeze',
      'onnx.Mul',
      'onnx.Reshape'
    ]);
  });

  it('refuses a graph with one message that lists every operator', () => {
    const make = new AtenGraph();
    const x = make.input('x', [2]);
    const source = { file: 'model.py', line: 7 };
    make.call('a', 'aten.fft_rfft.default', { self: x }, {}, source);
    make.call('b', 'aten.fft_rfft.default', { self: x });
    make.call('c', 'aten.dropout.default', {
      input: x,
      p: { kind: 'float', value: 0.5 },
      train: TRUE
    });
    const y = make.call('y', 'aten.neg.default', { self: x });
    const graph = make.output(y);
    expect(unsupportedOperators(graph)).toEqual([
      { op: 'aten.fft_rfft.default', count: 2, node: 'a', source },
      {
        op: 'aten.dropout.default',
        count: 1,
        node: 'c',
        source: null,
        reason: 'dropout in training mode is random'
      }
    ]);
    expect(() => lowerToOnnx(graph)).toThrow(CastlensError);
    expect(() => lowerToOnnx(graph)).toThrow(
      "2 x aten.fft_rfft.default (model.py:7); 1 x aten.dropout.default: dropout in training mode is random (node 'c')"
    );
  });

  it('refuses results that a rule does not make, where they are used', () => {
    const make = new AtenGraph();
    const x = make.input('x', [1, 2, 4, 4]);
    const y = make.call('y', 'aten.adaptive_max_pool2d.default', {
      self: x,
      output_size: int(2)
    });
    const indices = makeValue('indices', 'int64', null);
    make.graph.nodes[0].outputs.push(indices);
    expect(unsupportedOperators(make.output(y))).toEqual([]);
    expect(unsupportedOperators(make.output(indices))).toMatchObject([{ reason: 'its result 1' }]);
  });

  it('names operators of unknown domains in ONNX graphs', () => {
    const make = new AtenGraph();
    const x = make.input('x', [2]);
    const graph = make.output(make.call('y', 'my.domain.Op', { self: x }));
    graph.opsets = { '': 20, 'my.domain': 1 };
    expect(unsupportedOperators(graph)).toMatchObject([{ op: 'my.domain.Op', count: 1 }]);
  });
});

describe('operators that write in place', () => {
  const reasons = (graph: IGraph): (string | undefined)[] =>
    unsupportedOperators(graph).map(({ reason }) => reason);

  it('are computed out of place where nobody sees the difference', () => {
    const make = new AtenGraph();
    const a = make.call('a', 'aten.neg.default', { self: make.input('x', [2]) });
    const b = make.call('b', 'aten.relu_.default', { self: a });
    const c = make.call('c', 'aten.add_.Tensor', { self: b, other: b });
    expect(reasons(make.output(c))).toEqual([]);
    expect(ops(legalize(lowerToOnnx(make.graph), CPU_CAPABILITIES).graph)).toEqual([
      'onnx.Neg',
      'onnx.Relu',
      'onnx.Add'
    ]);
  });

  it('change what their operand stands for', () => {
    const make = new AtenGraph();
    const a = make.call('a', 'aten.neg.default', { self: make.input('x', [2]) });
    make.call('b', 'aten.relu_.default', { self: a });
    const c = make.call('c', 'aten.exp.default', { self: a });
    expect(reasons(make.output(c))).toEqual([]);
    const { nodes } = lowerToOnnx(make.graph);
    expect(nodes.map(node => node.op)).toEqual(['onnx.Neg', 'onnx.Relu', 'onnx.Exp']);
    expect(nodes[2].inputs[0]).toBe(nodes[1].outputs[0]);
  });

  it('change what every older name stands for', () => {
    const make = new AtenGraph();
    const a = make.call('a', 'aten.neg.default', { self: make.input('x', [2]) });
    const b = make.call('b', 'aten.relu_.default', { self: a });
    const c = make.call('c', 'aten.exp_.default', { self: b });
    expect(reasons(make.output(c, a))).toEqual([]);
    const { nodes, outputs } = lowerToOnnx(make.graph);
    expect(nodes.map(node => node.op)).toEqual(['onnx.Neg', 'onnx.Relu', 'onnx.Exp']);
    expect(outputs).toEqual([nodes[2].outputs[0], nodes[2].outputs[0]]);
  });

  it('may change a view whose base is dead', () => {
    const make = new AtenGraph();
    const a = make.call('a', 'aten.neg.default', { self: make.input('x', [2]) });
    const v = make.call('v', 'aten.view.default', {
      self: a,
      size: { kind: 'list', items: [int(1), int(2)] }
    });
    expect(reasons(make.output(make.call('b', 'aten.relu_.default', { self: v })))).toEqual([]);
  });

  it('through a view change its base', () => {
    const make = new AtenGraph();
    const a = make.call('a', 'aten.neg.default', { self: make.input('x', [2]) });
    const v = make.call('v', 'aten.view.default', {
      self: a,
      size: { kind: 'list', items: [int(1), int(2)] }
    });
    const b = make.call('b', 'aten.relu_.default', { self: v });
    const c = make.call('c', 'aten.neg.default', { self: a });
    expect(reasons(make.output(b, c))).toEqual([]);
    const [relu, base, neg] = lowerToOnnx(make.graph)
      .nodes.filter(node => node.op !== 'onnx.Constant')
      .slice(-3);
    expect([relu.op, base.op, neg.op]).toEqual(['onnx.Relu', 'onnx.Reshape', 'onnx.Neg']);
    expect(neg.inputs[0]).toBe(base.outputs[0]);
    expect(base.inputs[0]).toBe(relu.outputs[0]);
  });

  it('are refused where what may be a view of their operand is read again', () => {
    const make = new AtenGraph();
    const a = make.call('a', 'aten.neg.default', { self: make.input('x', [2]) });
    const v = make.call('v', 'aten.expand_as.default', { self: a, other: a });
    const b = make.call('b', 'aten.relu_.default', { self: a });
    expect(reasons(make.output(b, v))).toEqual([expect.stringContaining('read again')]);
  });

  it('are refused on weights whose memory has another name', () => {
    const make = new AtenGraph();
    const weight = inlineWeight('w', 'float32', [2], noise(2));
    const [a, b] = ['a', 'b'].map(name => makeValue(name, 'float32', [2]));
    make.graph.weights.push({ value: a, weight }, { value: b, weight });
    const y = make.call('y', 'aten.relu_.default', { self: a });
    expect(reasons(make.output(y, make.call('z', 'aten.neg.default', { self: b })))).toEqual([
      'it changes a, an input or weight, in place'
    ]);
  });

  it('may change a copy', () => {
    const make = new AtenGraph();
    const x = make.input('x', [2]);
    const c = make.call('c', 'aten.clone.default', { self: x });
    const b = make.call('b', 'aten.relu_.default', { self: c });
    expect(reasons(make.output(b, make.call('d', 'aten.neg.default', { self: x })))).toEqual([]);
  });
});
