/**
 * A tiny reference interpreter for graphs of casts, layout operators and a few element-wise operators.
 *
 * Slow and plain on purpose: what it computes is the meaning that passes must keep.
 */
import type { Attr, DType, IGraph, INode, IValue, IWeight } from '../../../src/model';
import { castTarget } from '../../../src/model';

/** A tensor in row-major order. */
export interface ITensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

/** Round a number to the nearest of a dtype, ties to even. */
export function roundTo(dtype: DType, x: number): number {
  switch (dtype) {
    case 'float64':
      return x;
    case 'float32':
      return Math.fround(x);
    case 'bfloat16':
      return roundBinary(x, 8, -126, 127);
    case 'float16':
      return roundBinary(x, 11, -14, 15);
    case 'int64':
    case 'int32':
      return Number.isFinite(x) ? Math.trunc(x) + 0 : 0;
    case 'bool':
      return x !== 0 ? 1 : 0;
    default:
      throw new Error(`no rounding to ${dtype}`);
  }
}

/** Round to `precision` significant bits and exponents from `minExponent` (of normal numbers) to `maxExponent`. */
function roundBinary(
  x: number,
  precision: number,
  minExponent: number,
  maxExponent: number
): number {
  if (x === 0 || !Number.isFinite(x)) {
    return x;
  }
  let exponent = Math.floor(Math.log2(Math.abs(x)));
  // log2 may be off by one next to powers of two.
  while (Math.abs(x) < 2 ** exponent) {
    exponent--;
  }
  while (Math.abs(x) >= 2 ** (exponent + 1)) {
    exponent++;
  }
  const unit = 2 ** (Math.max(exponent, minExponent) - precision + 1);
  const scaled = x / unit;
  const floor = Math.floor(scaled);
  const rest = scaled - floor;
  const up = rest > 0.5 || (rest === 0.5 && floor % 2 !== 0);
  const rounded = (up ? floor + 1 : floor) * unit;
  const limit = (2 - 2 ** (1 - precision)) * 2 ** maxExponent;
  if (Math.abs(rounded) > limit) {
    return Math.sign(x) * Infinity;
  }
  return rounded === 0 ? Math.sign(x) * 0 : rounded;
}

/** Values of a weight: a fixed pattern of its storage, seen through offset and strides. */
export function weightTensor(weight: IWeight): ITensor {
  if (weight.data.kind === 'derived') {
    let tensor = weightTensor(weight.data.source);
    for (const step of weight.data.steps) {
      tensor = cast(tensor, step);
    }
    return tensor;
  }
  const seed = [...weight.storage].reduce((h, c) => (h * 31 + c.charCodeAt(0)) % 65521, 7);
  const data: number[] = [];
  forEachIndex(weight.shape, index => {
    const at = index.reduce((sum, i, d) => sum + i * weight.strides[d], weight.storageOffset);
    data.push(roundTo(weight.dtype, Math.sin(seed + at * 12.9898) * 10 ** ((at % 9) - 4)));
  });
  return { dtype: weight.dtype, shape: weight.shape, data };
}

/** Run a graph. */
export function evaluate(graph: IGraph, inputs: ReadonlyMap<string, ITensor>): ITensor[] {
  const values = new Map<IValue, ITensor>();
  for (const value of graph.inputs) {
    values.set(value, inputs.get(value.name)!);
  }
  for (const { value, weight } of graph.weights) {
    values.set(value, weightTensor(weight));
  }
  for (const node of graph.nodes) {
    const operands = node.inputs.map(value => values.get(value!)!);
    const results = run(node, operands);
    node.outputs.forEach((value, i) => {
      if (value !== null) {
        if (results[i].dtype !== value.dtype) {
          throw new Error(
            `${node.name}: computed ${results[i].dtype}, the graph says ${value.dtype}`
          );
        }
        values.set(value, results[i]);
      }
    });
  }
  return graph.outputs.map(value => values.get(value)!);
}

function run(node: INode, operands: readonly ITensor[]): ITensor[] {
  const target = castTarget(node);
  const x = operands[0];
  if (target !== null) {
    return [cast(x, target)];
  }
  switch (node.op) {
    case 'aten.t.default':
      return [permute(x, [1, 0])];
    case 'aten.alias.default':
      return [x];
    case 'aten.view.default':
      return [{ ...x, shape: ints(node, 'size') }];
    case 'aten.expand.default': {
      const shape = ints(node, 'size');
      const data: number[] = [];
      forEachIndex(shape, index =>
        data.push(
          x.data[
            offset(
              x.shape,
              index.map((i, d) => (x.shape[d] === 1 ? 0 : i))
            )
          ]
        )
      );
      return [{ dtype: x.dtype, shape, data }];
    }
    case 'aten.slice.Tensor': {
      const [start, end] = [int(node, 'start'), int(node, 'end')];
      return [rows(x, start, end)];
    }
    case 'aten.split.Tensor': {
      const size = int(node, 'split_size');
      return node.outputs.map((_, i) => rows(x, i * size, Math.min((i + 1) * size, x.shape[0])));
    }
    case 'test.scale':
      return [{ ...x, data: x.data.map(v => roundTo(x.dtype, v * 1.5)) }];
    case 'test.sum': {
      const total = operands.reduce((sum, one) => sum + one.data.reduce((a, b) => a + b, 0), 0);
      return [{ dtype: 'float64', shape: [], data: [total] }];
    }
    default:
      throw new Error(`no rule for ${node.op}`);
  }
}

function cast(x: ITensor, dtype: DType): ITensor {
  return { dtype, shape: x.shape, data: x.data.map(v => roundTo(dtype, v)) };
}

function permute(x: ITensor, dims: readonly number[]): ITensor {
  const shape = dims.map(d => x.shape[d]);
  const data: number[] = [];
  forEachIndex(shape, index => {
    const source = new Array<number>(dims.length);
    dims.forEach((d, i) => (source[d] = index[i]));
    data.push(x.data[offset(x.shape, source)]);
  });
  return { dtype: x.dtype, shape, data };
}

function rows(x: ITensor, start: number, end: number): ITensor {
  const size = x.shape.slice(1).reduce((a, b) => a * b, 1);
  return {
    dtype: x.dtype,
    shape: [end - start, ...x.shape.slice(1)],
    data: x.data.slice(start * size, end * size)
  };
}

function offset(shape: readonly number[], index: readonly number[]): number {
  return index.reduce((sum, i, d) => sum * shape[d] + i, 0);
}

function forEachIndex(shape: readonly number[], visit: (index: number[]) => void): void {
  const total = shape.reduce((a, b) => a * b, 1);
  for (let n = 0; n < total; n++) {
    const index = new Array<number>(shape.length);
    let rest = n;
    for (let d = shape.length - 1; d >= 0; d--) {
      index[d] = rest % shape[d];
      rest = Math.floor(rest / shape[d]);
    }
    visit(index);
  }
}

function int(node: INode, name: string): number {
  const attr = node.attrs[name];
  return attr.kind === 'int' ? Number(attr.value) : NaN;
}

function ints(node: INode, name: string): number[] {
  const attr = node.attrs[name];
  return attr.kind === 'list'
    ? attr.items.map((item: Attr) => (item.kind === 'int' ? Number(item.value) : NaN))
    : [];
}
