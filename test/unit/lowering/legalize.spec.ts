import { CPU_CAPABILITIES, legalize } from '../../../src/lowering';
import type { IGraph, INode, IWeight } from '../../../src/model';
import { HandmadeGraph, derived, inlineWeight, ints, noise } from './handmade';

const WEIGHT = inlineWeight('w', 'float32', [4, 6], noise(24));
const LOW_WEIGHT = inlineWeight('w', 'bfloat16', [4, 6], noise(24));

/** A stored tensor, as readers make it. */
function stored(weight: IWeight): IWeight {
  return {
    ...weight,
    storage: 'model:64:96',
    data: { kind: 'range', range: { file: '/model', offset: 64, length: 96 } }
  };
}

/** The nodes as text: `name: op(operands) -> results`. */
function textOf(graph: IGraph): string[] {
  const of = (node: INode): string => {
    const to = node.attrs.to?.kind === 'dtype' ? `<${node.attrs.to.value}>` : '';
    const inputs = node.inputs.map(value => value?.name ?? '-').join(', ');
    const outputs = node.outputs.map(value => `${value?.name}:${value?.dtype}`).join(', ');
    return `${node.name}${node.role ? ` [${node.role}]` : ''}: ${node.op}${to}(${inputs}) -> ${outputs}`;
  };
  return graph.nodes.map(of);
}

describe('legalize', () => {
  describe('low precision', () => {
    it('executes casts to bfloat16 and holds their results in float32', () => {
      const make = new HandmadeGraph();
      const x = make.input('x', 'float32', [2]);
      const { graph, outputs } = legalize(
        make.output(make.cast('c', x, 'bfloat16')),
        CPU_CAPABILITIES
      );
      expect(textOf(graph)).toEqual([
        'c: onnx.Cast<bfloat16>(x) -> c:low:bfloat16',
        'c/hold [hold]: onnx.Cast<float32>(c:low) -> c:float32'
      ]);
      expect(outputs).toEqual([{ value: graph.outputs[0], index: 0, dtype: 'bfloat16' }]);
    });

    it('removes casts of held values to float32', () => {
      const make = new HandmadeGraph();
      const x = make.input('x', 'bfloat16', [2]);
      const y = make.node('y', 'Neg', [make.cast('c', x, 'float32')], 'float32');
      const { graph, inputs } = legalize(make.output(y), CPU_CAPABILITIES);
      expect(textOf(graph)).toEqual(['y: onnx.Neg(x) -> y:float32']);
      expect(inputs).toEqual([{ value: graph.inputs[0], index: 0, dtype: 'bfloat16' }]);
      expect(graph.inputs[0].dtype).toBe('float32');
    });

    it('rounds the results of operators that compute', () => {
      const make = new HandmadeGraph();
      const x = make.input('x', 'float16', [2]);
      const { graph } = legalize(
        make.output(make.node('y', 'Exp', [x], 'float16')),
        CPU_CAPABILITIES
      );
      expect(textOf(graph)).toEqual([
        'y: onnx.Exp(x) -> y:wide:float32',
        'y/round [hold]: onnx.Cast<float16>(y:wide) -> y/round:out:float16',
        'y/hold [hold]: onnx.Cast<float32>(y/round:out) -> y:float32'
      ]);
    });

    it('does not round what is exact', () => {
      const make = new HandmadeGraph();
      const x = make.input('x', 'bfloat16', [2, 2]);
      const y = make.transpose('y', make.node('r', 'Relu', [x], 'bfloat16'), [1, 0]);
      const { graph } = legalize(make.output(y), CPU_CAPABILITIES);
      expect(graph.nodes.map(node => node.op)).toEqual(['onnx.Relu', 'onnx.Transpose']);
    });

    it('rounds an exact operator whose operand is wider', () => {
      const make = new HandmadeGraph();
      const x = make.input('x', 'float32', [2, 2]);
      const { graph } = legalize(
        make.output(make.node('y', 'Relu', [x], 'bfloat16')),
        CPU_CAPABILITIES
      );
      expect(graph.nodes.map(node => node.op)).toEqual(['onnx.Relu', 'onnx.Cast', 'onnx.Cast']);
    });

    it('rounds once at the end of an operator that accumulates', () => {
      const make = new HandmadeGraph();
      const x = make.input('x', 'bfloat16', [2]);
      const sum = make.node('sum', 'Mul', [x, x], 'float32');
      sum.accumulates = 'bfloat16';
      const { graph } = legalize(
        make.output(make.node('y', 'Add', [sum, x], 'bfloat16')),
        CPU_CAPABILITIES
      );
      expect(graph.nodes.map(node => node.name)).toEqual(['sum', 'y', 'y/round', 'y/hold']);
    });

    it('widens inline constants at once and stored weights when they are loaded', () => {
      const make = new HandmadeGraph();
      const w = make.weight(stored(LOW_WEIGHT));
      const c = make.node('c', 'Constant', [], 'bfloat16', {
        value: { kind: 'tensor', value: inlineWeight('c', 'bfloat16', [2], [1.5, -2]) }
      });
      const y = make.node('y', 'Concat', [w, c], 'bfloat16', { axis: { kind: 'int', value: 0 } });
      const { graph } = legalize(make.output(y), CPU_CAPABILITIES);
      expect(graph.weights[0].weight).toMatchObject({
        dtype: 'float32',
        storage: 'model:64:96->float32',
        data: { kind: 'derived', steps: ['float32'], source: { dtype: 'bfloat16' } }
      });
      const attr = graph.nodes[0].attrs.value;
      expect(attr).toMatchObject({ kind: 'tensor', value: { dtype: 'float32' } });
      const data = attr.kind === 'tensor' ? attr.value.data : null;
      const bytes = data?.kind === 'inline' ? data.bytes : new Uint8Array();
      expect(Array.from(new Float32Array(bytes.slice().buffer))).toEqual([1.5, -2]);
    });

    it('adds one step to weights that were cast ahead of time', () => {
      const make = new HandmadeGraph();
      const w = make.weight(derived(stored(WEIGHT), 'bfloat16'));
      const { graph } = legalize(
        make.output(make.node('y', 'Neg', [w], 'bfloat16')),
        CPU_CAPABILITIES
      );
      expect(graph.weights[0].weight.data).toMatchObject({
        kind: 'derived',
        steps: ['bfloat16', 'float32'],
        source: { dtype: 'float32' }
      });
    });

    it('executes casts of stored bfloat16 weights to float32, through layout', () => {
      const make = new HandmadeGraph();
      const w = make.weight(stored(LOW_WEIGHT));
      const t = make.transpose('t', w, [1, 0]);
      const c = make.cast('c', t, 'float32');
      const both = make.node('y', 'Add', [c, make.node('n', 'Neg', [t], 'bfloat16')], 'float32');
      const { graph } = legalize(make.output(both), CPU_CAPABILITIES);
      expect(textOf(graph)).toEqual([
        't: onnx.Transpose(w) -> t:float32',
        't/stored: onnx.Transpose(w:stored) -> t/stored:out:bfloat16',
        'c: onnx.Cast<float32>(t/stored:out) -> c:float32',
        'n: onnx.Neg(t) -> n:float32',
        'y: onnx.Add(c, n) -> y:float32'
      ]);
      expect(graph.weights.map(({ weight }) => weight.data.kind)).toEqual(['derived', 'range']);
    });

    it('holds values in nested graphs too', () => {
      const body = new HandmadeGraph();
      const outer = new HandmadeGraph();
      const x = outer.input('x', 'bfloat16', [2]);
      body.output(body.node('inner', 'Exp', [x], 'bfloat16'));
      const other = new HandmadeGraph();
      other.output(other.node('other', 'Identity', [x], 'bfloat16'));
      const flag = outer.input('flag', 'bool', []);
      const y = outer.node('y', 'If', [flag], 'bfloat16', {
        then_branch: { kind: 'graph', value: body.graph },
        else_branch: { kind: 'graph', value: other.graph }
      });
      const { graph } = legalize(outer.output(y), CPU_CAPABILITIES);
      expect(graph.nodes.map(node => node.op)).toEqual(['onnx.If']);
      const branch = graph.nodes[0].attrs.then_branch;
      expect(branch.kind === 'graph' && textOf(branch.value)).toEqual([
        'inner: onnx.Exp(x) -> inner:wide:float32',
        'inner/round [hold]: onnx.Cast<bfloat16>(inner:wide) -> inner/round:out:bfloat16',
        'inner/hold [hold]: onnx.Cast<float32>(inner/round:out) -> inner:float32'
      ]);
    });

    it('writes the types of CastLike out', () => {
      const make = new HandmadeGraph();
      const x = make.input('x', 'float32', [2]);
      const like = make.input('like', 'bfloat16', [2]);
      const y = make.node('y', 'CastLike', [x, like], 'bfloat16');
      const { graph } = legalize(make.output(y), CPU_CAPABILITIES);
      expect(textOf(graph)[0]).toBe('y: onnx.Cast<bfloat16>(x) -> y:low:bfloat16');
    });
  });

  describe('weights on the left', () => {
    it('takes the weight of a torch Linear as it is stored', () => {
      const make = new HandmadeGraph();
      const x = make.input('x', 'float32', [2, 6]);
      const w = make.transpose('t', make.weight(WEIGHT), [1, 0]);
      const { graph } = legalize(
        make.output(make.node('y', 'MatMul', [x, w], 'float32')),
        CPU_CAPABILITIES
      );
      expect(textOf(graph)).toEqual([
        'y/Gemm: onnx.Gemm(w, x) -> y/Gemm:out:float32',
        'y/Transpose: onnx.Transpose(y/Gemm:out) -> y:float32'
      ]);
      expect(graph.nodes[0].attrs).toEqual({
        transA: { kind: 'int', value: 0 },
        transB: { kind: 'int', value: 1 }
      });
    });

    it('flattens and restores operands of other ranks', () => {
      const make = new HandmadeGraph();
      const x = make.input('x', 'float32', [{ kind: 'symbol', name: 'b' }, 3, 4]);
      const w = make.weight(WEIGHT);
      const { graph } = legalize(
        make.output(make.node('y', 'MatMul', [x, w], 'float32')),
        CPU_CAPABILITIES
      );
      expect(graph.nodes.filter(node => node.op !== 'onnx.Constant').map(node => node.op)).toEqual([
        'onnx.Reshape',
        'onnx.Gemm',
        'onnx.Transpose',
        'onnx.Reshape'
      ]);
    });

    it('computes the shape where two sizes or the rank are not known', () => {
      const make = new HandmadeGraph();
      const x = make.input('x', 'float32', null);
      const w = make.weight(WEIGHT);
      const { graph } = legalize(
        make.output(make.node('y', 'MatMul', [x, w], 'float32')),
        CPU_CAPABILITIES
      );
      expect(graph.nodes.map(node => node.op)).toEqual(
        expect.arrayContaining(['onnx.Shape', 'onnx.Slice', 'onnx.Concat'])
      );
    });

    it('keeps to old operator sets', () => {
      const make = new HandmadeGraph();
      make.graph.opsets = { '': 9 };
      const x = make.input('x', 'float32', [2, 4]);
      const w = make.weight(WEIGHT);
      const { graph } = legalize(
        make.output(make.node('y', 'MatMul', [x, w], 'float32')),
        CPU_CAPABILITIES
      );
      expect(graph.nodes.find(node => node.op === 'onnx.Gemm')!.inputs).toHaveLength(3);
    });

    it('keeps activations, integers and weights of higher rank where they are', () => {
      const make = new HandmadeGraph();
      const x = make.input('x', 'float32', [2, 2, 4]);
      const i = make.input('i', 'int32', [2, 4]);
      const high = make.weight(inlineWeight('h', 'float32', [2, 4, 6], noise(48)));
      const whole = make.weight(inlineWeight('z', 'int32', [4, 6], noise(24)));
      make.output(make.node('a', 'MatMul', [x, high], 'float32'));
      make.output(make.node('b', 'MatMul', [i, whole], 'int32'));
      make.output(make.node('c', 'MatMul', [high, x], 'float32'));
      const { graph } = legalize(make.graph, CPU_CAPABILITIES);
      expect(graph.nodes.map(node => node.op)).toEqual([
        'onnx.MatMul',
        'onnx.MatMul',
        'onnx.MatMul'
      ]);
    });

    it('leaves the source graph as it was', () => {
      const make = new HandmadeGraph();
      const x = make.input('x', 'bfloat16', [2, 4]);
      const y = make.node(
        'y',
        'MatMul',
        [x, make.cast('c', make.weight(WEIGHT), 'bfloat16')],
        'bfloat16'
      );
      const source = make.output(y);
      const before = textOf(source);
      legalize(source, CPU_CAPABILITIES);
      expect(textOf(source)).toEqual(before);
      expect(source.inputs[0].dtype).toBe('bfloat16');
    });
  });

  describe('ends', () => {
    it('gives every output a name and a node of its own', () => {
      const make = new HandmadeGraph();
      const x = make.input('x', 'float32', [2]);
      const w = make.weight(inlineWeight('w', 'float32', [2], [1, 2]));
      const y = make.node('y', 'Neg', [x], 'float32');
      for (const value of [x, w, y, y]) {
        make.output(value);
      }
      const { graph } = legalize(make.graph, CPU_CAPABILITIES);
      expect(new Set(graph.outputs.map(value => value.name)).size).toBe(4);
      expect(graph.nodes.filter(node => node.op === 'onnx.Identity')).toHaveLength(3);
      expect(graph.outputs[2].name).toBe('y');
    });

    it('keeps the name of an output whose cast disappeared', () => {
      const make = new HandmadeGraph();
      const x = make.input('x', 'float32', [2]);
      const low = make.node('low', 'Exp', [x], 'bfloat16');
      const { graph, outputs } = legalize(
        make.output(make.cast('result', low, 'float32')),
        CPU_CAPABILITIES
      );
      expect(graph.outputs[0].name).toBe('result');
      expect(outputs[0].dtype).toBe('float32');
    });

    it('stores weights with other strides anew', () => {
      const make = new HandmadeGraph();
      const w = make.weight({ ...stored(WEIGHT), shape: [6, 4], strides: [1, 6] });
      const { graph } = legalize(
        make.output(make.node('y', 'Neg', [w], 'float32')),
        CPU_CAPABILITIES
      );
      expect(graph.weights[0].weight).toMatchObject({
        strides: [4, 1],
        data: { kind: 'derived', steps: [], source: { strides: [1, 6] } }
      });
    });

    it('makes initializers of constants that lie in files', () => {
      const make = new HandmadeGraph();
      const c = make.node('c', 'Constant', [], 'float32', {
        value: { kind: 'tensor', value: stored(WEIGHT) }
      });
      const { graph } = legalize(
        make.output(
          make.node('y', 'Slice', [c, make.int64s('s', [0]), make.int64s('e', [1])], 'float32', {
            axes: ints([0])
          })
        ),
        CPU_CAPABILITIES
      );
      expect(graph.weights.map(({ value }) => value.name)).toEqual(['c']);
    });
  });
});
