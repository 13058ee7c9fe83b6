/** @jest-environment ./test/support/ortenvironment.cjs */
import { unsupportedOperators } from '../../../src/lowering';
import { makeValue } from '../../../src/model';
import type { Attr, IGraph, IValue } from '../../../src/model';
import { makeWeight } from '../autocast/builder';
import { numbersOf, runOnCpu } from './device';

const int = (value: number): Attr => ({ kind: 'int', value });
const float = (value: number): Attr => ({ kind: 'float', value });

/** Makes the graph of a few calls; tensors of `args` become operands. */
class Calls {
  readonly graph: IGraph = {
    name: 'aten',
    inputs: [],
    outputs: [],
    nodes: [],
    weights: [],
    opsets: {}
  };

  input(shape: number[]): IValue {
    const value = makeValue(`x${this.graph.inputs.length}`, 'float32', shape);
    this.graph.inputs.push(value);
    return value;
  }

  call(op: string, args: Record<string, Attr | IValue>, shape: number[]): IValue {
    const inputs: IValue[] = [];
    const attrs: Record<string, Attr> = {};
    for (const [name, arg] of Object.entries(args)) {
      if ('dtype' in arg) {
        attrs[name] = { kind: 'input', index: inputs.length };
        inputs.push(arg);
      } else {
        attrs[name] = arg as Attr;
      }
    }
    const name = `n${this.graph.nodes.length}`;
    const result = makeValue(name, 'float32', shape);
    const at = { region: null, module: null, source: null };
    this.graph.nodes.push({ name, op, inputs, attrs, outputs: [result], ...at });
    return result;
  }

  /** A call with several results. */
  cut(op: string, args: Record<string, Attr | IValue>, shapes: number[][]): IValue[] {
    this.call(op, args, shapes[0]);
    const { name, outputs } = this.graph.nodes[this.graph.nodes.length - 1];
    outputs.push(...shapes.slice(1).map((shape, i) => makeValue(`${name}_${i}`, 'float32', shape)));
    return outputs as IValue[];
  }
}

async function run(graph: IGraph, ...data: number[][]): Promise<number[][]> {
  expect(unsupportedOperators(graph)).toEqual([]);
  const inputs = data.map((values, i) => ({
    dtype: 'float32' as const,
    shape: graph.inputs[i].shape as number[],
    data: Float32Array.from(values)
  }));
  const { outputs } = await runOnCpu(graph, inputs);
  return outputs.map(numbersOf);
}

describe('writes through views', () => {
  it('are seen by what reads the tensor, and views of it, afterwards, and not before', async () => {
    const c = new Calls();
    const x = c.input([2, 3]);
    const y = c.input([2]);
    const base = c.call('aten.neg.default', { self: x }, [2, 3]);
    const last = c.call('aten.select.int', { self: base, dim: int(1), index: int(-1) }, [2]);
    const before = c.call('aten.neg.default', { self: last }, [2]);
    const part = c.call(
      'aten.slice.Tensor',
      { self: base, dim: int(1), start: int(1), end: int(3) },
      [2, 2]
    );
    const column = c.call('aten.select.int', { self: part, dim: int(1), index: int(1) }, [2]);
    c.call('aten.copy_.default', { self: column, src: y }, [2]);
    const row = c.call('aten.select.int', { self: base, dim: int(0), index: int(0) }, [3]);
    c.call('aten.mul_.Scalar', { self: row, other: float(2) }, [3]);
    c.graph.outputs.push(base, before, last, part);
    const results = await run(c.graph, [1, 2, 3, 4, 5, 6], [10, 20]);
    expect(results[0]).toEqual([-2, -4, 20, -4, -5, 20]);
    expect(results[1]).toEqual([3, 6]);
    expect(results[2]).toEqual([20, 20]);
    expect(results[3]).toEqual([-4, 20, -5, 20]);
  });

  it('may leave one tensor under two names', async () => {
    const c = new Calls();
    const a = c.call('aten.neg.default', { self: c.input([2]) }, [2]);
    const b = c.call('aten.abs_.default', { self: a }, [2]);
    const d = c.call('aten.neg_.default', { self: b }, [2]);
    c.graph.outputs.push(d, a);
    expect(await run(c.graph, [1, -2])).toEqual([
      [-1, -2],
      [-1, -2]
    ]);
  });

  it('go through transposed and reshaped views', async () => {
    const c = new Calls();
    const x = c.input([2, 3]);
    const base = c.call('aten.neg.default', { self: x }, [2, 3]);
    const turned = c.call('aten.t.default', { self: base }, [3, 2]);
    const row = c.call('aten.select.int', { self: turned, dim: int(0), index: int(1) }, [2]);
    const wide = c.call('aten.unsqueeze.default', { self: row, dim: int(0) }, [1, 2]);
    c.call('aten.fill_.Scalar', { self: wide, value: float(7) }, [1, 2]);
    c.graph.outputs.push(base);
    expect(await run(c.graph, [1, 2, 3, 4, 5, 6])).toEqual([[-1, 7, -3, -4, 7, -6]]);
  });

  it('reach what reads an input of the graph afterwards', async () => {
    const c = new Calls();
    const x = c.input([2]);
    const before = c.call('aten.neg.default', { self: x }, [2]);
    const one = c.call('aten.select.int', { self: x, dim: int(0), index: int(1) }, []);
    c.call('aten.fill_.Scalar', { self: one, value: float(7) }, []);
    c.graph.outputs.push(before, c.call('aten.neg.default', { self: x }, [2]));
    expect(await run(c.graph, [1, 2])).toEqual([
      [-1, -2],
      [-1, -7]
    ]);
  });

  it('go through every other element, permuted, narrowed and cut views', async () => {
    const c = new Calls();
    const base = c.call('aten.neg.default', { self: c.input([2, 4]) }, [2, 4]);
    const even = c.call(
      'aten.slice.Tensor',
      { self: base, dim: int(1), start: int(0), end: int(4), step: int(2) },
      [2, 2]
    );
    c.call('aten.fill_.Scalar', { self: even, value: float(7) }, [2, 2]);
    const turned = c.call(
      'aten.permute.default',
      { self: base, dims: { kind: 'list', items: [int(1), int(0)] } },
      [4, 2]
    );
    const narrow = c.call(
      'aten.narrow.default',
      { self: turned, dim: int(0), start: int(1), length: int(1) },
      [1, 2]
    );
    c.call('aten.fill_.Scalar', { self: narrow, value: float(8) }, [1, 2]);
    const [, right] = c.cut('aten.chunk.default', { self: base, chunks: int(2), dim: int(-1) }, [
      [2, 2],
      [2, 2]
    ]);
    const [, row] = c.cut('aten.unbind.int', { self: right }, [[2], [2]]);
    c.call('aten.fill_.Scalar', { self: row, value: float(9) }, [2]);
    c.graph.outputs.push(base, even);
    expect(await run(c.graph, [1, 2, 3, 4, 5, 6, 7, 8])).toEqual([
      [7, 8, 7, -4, 7, 8, 9, 9],
      [7, 7, 7, 9]
    ]);
  });

  it('are refused into parts that overlap', () => {
    const c = new Calls();
    const base = c.call('aten.neg.default', { self: c.input([6]) }, [6]);
    const places: Attr = { kind: 'list', items: [int(4), int(2)] };
    const [first] = c.cut('aten.tensor_split.indices', { self: base, indices: places }, [
      [4],
      [0],
      [4]
    ]);
    c.call('aten.fill_.Scalar', { self: first, value: float(7) }, [4]);
    c.graph.outputs.push(base);
    expect(unsupportedOperators(c.graph)).toMatchObject([{ op: 'aten.fill_.Scalar' }]);
  });

  it('go through ranges and indices known only at run time', async () => {
    const c = new Calls();
    const base = c.call('aten.neg.default', { self: c.input([2, 4]) }, [2, 4]);
    const end = c.call('aten.sym_size.int', { self: c.input([3]), dim: int(0) }, []);
    Object.assign(end, { kind: 'int', dtype: null, shape: null });
    const part = c.call(
      'aten.slice.Tensor',
      { self: base, dim: int(1), start: int(1), end },
      [2, 2]
    );
    c.call('aten.fill_.Scalar', { self: part, value: float(7) }, [2, 2]);
    const row = c.call('aten.select.int', { self: base, dim: int(1), index: end }, [2]);
    c.call('aten.fill_.Scalar', { self: row, value: float(8) }, [2]);
    c.graph.outputs.push(base);
    expect(await run(c.graph, [1, 2, 3, 4, 5, 6, 7, 8], [0, 0, 0])).toEqual([
      [-1, 7, 7, 8, -5, 7, 7, 8]
    ]);
  });

  it('go through what may be a copy where no other name of the memory is read afterwards', async () => {
    const c = new Calls();
    const base = c.call('aten.neg.default', { self: c.input([2, 2]) }, [2, 2]);
    const turned = c.call('aten.t.default', { self: base }, [2, 2]);
    const copy = c.call('aten.contiguous.default', { self: turned }, [2, 2]);
    const row = c.call('aten.select.int', { self: copy, dim: int(0), index: int(1) }, [2]);
    c.call('aten.fill_.Scalar', { self: row, value: float(7) }, [2]);
    c.graph.outputs.push(copy);
    expect(await run(c.graph, [1, 2, 3, 4])).toEqual([[-1, -3, 7, 7]]);
  });

  it('are refused where a view may be a copy', () => {
    const unclear = new Calls();
    const y = unclear.input([2, 3]);
    const base = unclear.call('aten.neg.default', { self: y }, [2, 3]);
    const flat = unclear.call(
      'aten.reshape.default',
      { self: base, shape: { kind: 'list', items: [int(6)] } },
      [6]
    );
    unclear.call('aten.fill_.Scalar', { self: flat, value: float(7) }, [6]);
    unclear.graph.outputs.push(base);
    expect(unsupportedOperators(unclear.graph)).toHaveLength(1);
  });

  it('are refused where a view may be a copy of memory that has another name', () => {
    const c = new Calls();
    const [first, second] = ['a', 'b'].map(name => {
      const value = makeValue(name, 'float32', [2, 3]);
      c.graph.weights.push({ value, weight: makeWeight(name, { shape: [2, 3], storage: 'tied' }) });
      return value;
    });
    const shape: Attr = { kind: 'list', items: [int(6)] };
    const flat = c.call('aten.reshape.default', { self: first, shape }, [6]);
    c.call('aten.fill_.Scalar', { self: flat, value: float(7) }, [6]);
    c.graph.outputs.push(c.call('aten.neg.default', { self: second }, [2, 3]));
    expect(unsupportedOperators(c.graph)).toHaveLength(1);
  });
});
