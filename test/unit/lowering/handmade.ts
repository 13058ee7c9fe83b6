/** Small ONNX-dialect graphs, made by hand. */
import { contiguousStrides, elementCount, makeValue } from '../../../src/model';
import type { Attr, DType, IGraph, INode, IValue, IWeight, Shape } from '../../../src/model';
import { bytesOf, castBytes } from '../../../src/numerics';
import type { ITensor } from '../../../src/numerics';

/** Makes one graph, node after node. */
export class HandmadeGraph {
  readonly graph: IGraph = {
    name: 'handmade',
    inputs: [],
    outputs: [],
    nodes: [],
    weights: [],
    opsets: { '': 20 }
  };

  input(name: string, dtype: DType, shape: Shape | null): IValue {
    const value = makeValue(name, dtype, shape);
    this.graph.inputs.push(value);
    return value;
  }

  weight(weight: IWeight): IValue {
    const value = makeValue(weight.names[0], weight.dtype, weight.shape);
    this.graph.weights.push({ value, weight });
    return value;
  }

  /** One node with one result, named as the node. */
  node(
    name: string,
    op: string,
    inputs: (IValue | null)[],
    dtype: DType,
    attrs: Record<string, Attr> = {},
    shape: Shape | null = null
  ): IValue {
    const value = makeValue(name, dtype, shape);
    const node: INode = {
      name,
      op: `onnx.${op}`,
      inputs,
      attrs,
      outputs: [value],
      region: null,
      module: null,
      source: null
    };
    this.graph.nodes.push(node);
    return value;
  }

  cast(name: string, input: IValue, dtype: DType): IValue {
    return this.node(
      name,
      'Cast',
      [input],
      dtype,
      { to: { kind: 'dtype', value: dtype } },
      input.shape
    );
  }

  transpose(name: string, input: IValue, perm: readonly number[]): IValue {
    return this.node(
      name,
      'Transpose',
      [input],
      input.dtype!,
      { perm: ints(perm) },
      input.shape === null ? null : perm.map(axis => input.shape![axis])
    );
  }

  /** A small int64 constant. */
  int64s(name: string, values: readonly number[]): IValue {
    const weight: IWeight = {
      ...inlineWeight(name, 'int64', [values.length], values),
      data: { kind: 'inline', bytes: bytesOf(BigInt64Array.from(values, BigInt) as never) }
    };
    return this.node(name, 'Constant', [], 'int64', { value: { kind: 'tensor', value: weight } }, [
      values.length
    ]);
  }

  output(value: IValue): IGraph {
    this.graph.outputs.push(value);
    return this.graph;
  }
}

/** Attribute of a list of integers. */
export function ints(values: readonly number[]): Attr {
  return { kind: 'list', items: values.map(value => ({ kind: 'int', value })) };
}

/** A weight held in memory. */
export function inlineWeight(
  name: string,
  dtype: DType,
  shape: readonly number[],
  values: readonly number[]
): IWeight {
  return {
    storage: `inline:${name}`,
    names: [name],
    kind: 'parameter',
    dtype,
    shape,
    strides: contiguousStrides(shape),
    storageOffset: 0,
    requiresGrad: true,
    data: {
      kind: 'inline',
      bytes: castBytes(bytesOf(Float64Array.from(values)), 'float64', dtype)
    }
  };
}

/** The weight cast ahead of time. */
export function derived(weight: IWeight, dtype: DType): IWeight {
  return {
    ...weight,
    storage: `${weight.storage}->${dtype}`,
    dtype,
    data: { kind: 'derived', source: weight, steps: [dtype] }
  };
}

/** Pseudo-random numbers in [-1, 1), the same ones every time. */
export function noise(count: number, seed = 1): number[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** A float32 tensor of noise. */
export function noiseTensor(shape: readonly number[], seed = 7): ITensor {
  return { dtype: 'float32', shape, data: Float32Array.from(noise(elementCount(shape), seed)) };
}
