/** @jest-environment ./test/support/ortenvironment.cjs */
import { lowerToOnnx, unsupportedOperators } from '../../../src/lowering';
import { makeValue } from '../../../src/model';
import type { Attr, Dim, IGraph, IMemory, Shape } from '../../../src/model';
import { numbersOf, runOnCpu } from './device';

const ints = (values: readonly number[]): Attr => ({
  kind: 'list',
  items: values.map(value => ({ kind: 'int', value }))
});

const batch: Dim = { kind: 'symbol', name: 's0' };

interface ICall {
  readonly shape: Shape;
  readonly memory?: IMemory;
  readonly result: Shape;
  readonly stride: readonly number[];
  readonly offset?: Attr;
}

/** A graph of one `as_strided`. Sizes that are not static are taken from the operand's first dimension. */
function strided({ shape, memory, result, stride, offset }: ICall): IGraph {
  const x = makeValue('x', 'float32', shape);
  const y = makeValue('y', 'float32', result);
  const size = makeValue('n', null, null, { kind: 'int' });
  const at = { region: null, module: null, source: null };
  const self: Attr = { kind: 'input', index: 0 };
  const sizes = result.map((dim): Attr =>
    typeof dim === 'number' ? { kind: 'int', value: dim } : { kind: 'input', index: 1 }
  );
  return {
    name: 'aten',
    inputs: [x],
    outputs: [y],
    nodes: [
      {
        name: 'size',
        op: 'aten.sym_size.int',
        inputs: [x],
        attrs: { self, dim: { kind: 'int', value: 0 } },
        outputs: [size],
        ...at
      },
      {
        name: 'call',
        op: 'aten.as_strided.default',
        inputs: [x, size],
        attrs: {
          self,
          size: { kind: 'list', items: sizes },
          stride: ints(stride),
          ...(offset ? { storage_offset: offset } : {})
        },
        outputs: [y],
        ...at,
        ...(memory ? { memory } : {})
      }
    ],
    weights: [],
    opsets: {}
  };
}

const ROWS: IMemory = { strides: [3, 1], offset: 0 };

describe('as_strided', () => {
  it('should turn a tensor whose outermost size is known only at run time', async () => {
    const graph = strided({
      shape: [batch, 2, 3],
      // The last dimension changes slowest within a row: channels last.
      memory: { strides: [6, 1, 2], offset: 0 },
      result: [batch, 6],
      stride: [6, 1]
    });
    const data = Float32Array.from({ length: 12 }, (_, i) => i);
    const { outputs } = await runOnCpu(graph, [{ dtype: 'float32', shape: [2, 2, 3], data }]);
    expect(outputs[0].shape).toEqual([2, 6]);
    expect([...numbersOf(outputs[0])]).toEqual([0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11]);
  });

  it('should do nothing where it reads all elements as they are', () => {
    const graph = strided({
      shape: [batch, 8, 1, 1],
      memory: { strides: [8, 1, 1, 1], offset: 0 },
      result: [batch, 8, 1, 1],
      stride: [8, 1, 8, 8]
    });
    const lowered = lowerToOnnx(graph);
    expect(lowered.outputs[0]).toBe(lowered.inputs[0]);
  });

  it.each<[string, ICall]>([
    ['an operand whose strides are not recorded', { shape: [2, 3], result: [6], stride: [1] }],
    [
      'strides that are not static',
      { shape: [2, batch], memory: { strides: [batch, 1], offset: 0 }, result: [6], stride: [1] }
    ],
    [
      'a place in memory that is not static',
      {
        shape: [2, 3],
        memory: { strides: [3, 1], offset: null },
        result: [6],
        stride: [1],
        offset: { kind: 'int', value: 0 }
      }
    ],
    ['sizes that are not static', { shape: [batch, 3], memory: ROWS, result: [6], stride: [1] }],
    [
      'elements of its memory outside of the operand',
      { shape: [2, 3], memory: ROWS, result: [7], stride: [1] }
    ],
    [
      'elements of its memory outside of the operand',
      {
        shape: [2, 3],
        memory: { strides: [3, 1], offset: 3 },
        result: [2],
        stride: [1],
        offset: { kind: 'int', value: 2 }
      }
    ],
    [
      'elements of its memory outside of the operand',
      { shape: [2, 2], memory: ROWS, result: [6], stride: [1] }
    ],
    [
      'an operand with gaps of more than 1048576 elements',
      { shape: [2 ** 20, 2], memory: ROWS, result: [2], stride: [1] }
    ]
  ])('should refuse %s', (reason, call) => {
    expect(unsupportedOperators(strided(call))).toMatchObject([{ reason }]);
  });
});
