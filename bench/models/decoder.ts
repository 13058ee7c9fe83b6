/**
 * A small transformer decoder for measurements: one step of generation, as an exporter of `torch.autocast` writes it. Its weights are
 * float32 and cast where they are used.
 *
 * @packageDocumentation
 */
import { writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { writeOnnx } from '../../src/formats';
import type { Attr, DType, IGraph, IValue } from '../../src/model';
import { contiguousStrides, elementCount, makeValue } from '../../src/model';
import { bytesOf, uniform } from '../../src/numerics';

/** Sizes of the model. */
export interface IDecoderOptions {
  readonly layers: number;
  readonly width: number;
  /** Width of the gated feed-forward part. */
  readonly hidden: number;
  readonly heads: number;
  /** Steps before this one, whose keys and values are inputs. */
  readonly past: number;
  readonly batch: number;
  readonly dtype: 'bfloat16' | 'float16';
}

/** Write `PATH` and its weights beside it. Weights are the same everywhere. */
export async function writeDecoder(path: string, options: IDecoderOptions): Promise<void> {
  const make = new DecoderGraph(options, `${path.slice(path.lastIndexOf('/') + 1)}.data`);
  writeFileSync(path, writeOnnx(make.build()));
  const file = await open(join(dirname(path), make.dataFile), 'w');
  try {
    for (const [i, { shape, scale }] of make.stored.entries()) {
      const random = uniform(i);
      const values = Float32Array.from({ length: elementCount(shape) }, () =>
        scale === null ? 1 : (2 * random() - 1) * scale
      );
      await file.write(bytesOf(values));
    }
  } finally {
    await file.close();
  }
}

class DecoderGraph {
  constructor(
    private readonly _options: IDecoderOptions,
    /** Name of the file of weights, beside the model. */
    readonly dataFile: string
  ) {}

  /** What the file of weights holds, in order; a scale of null stands for ones. */
  readonly stored: { shape: readonly number[]; scale: number | null }[] = [];

  build(): IGraph {
    const { batch, width, layers, heads, past } = this._options;
    let x = this._input('x', [batch, width]);
    for (let i = 0; i < layers; i++) {
      const shape = [batch, heads, past, width / heads];
      const [keys, values] = ['keys', 'values'].map(name => this._input(`${name}_${i}`, shape));
      x = this._layer(`layers.${i}`, x, keys, values);
    }
    this._graph.outputs.push(this._norm('norm', x));
    return this._graph;
  }

  private _layer(name: string, x: IValue, keys: IValue, values: IValue): IValue {
    const { batch, width, hidden, heads } = this._options;
    const size = width / heads;
    const normed = this._low(this._norm(`${name}.attention_norm`, x));
    const [q, k, v] = ['q', 'k', 'v'].map(one =>
      this._node('Reshape', [
        this._linear(`${name}.${one}`, normed, width, width),
        this._ints([batch, heads, 1, size])
      ])
    );
    const allKeys = this._node('Concat', [this._low(keys), k], { axis: int(2) });
    const allValues = this._node('Concat', [this._low(values), v], { axis: int(2) });
    const turned = this._node('Transpose', [allKeys], { perm: ints([0, 1, 3, 2]) });
    const scores = this._cast(this._node('MatMul', [q, turned]), 'float32');
    const scaled = this._node('Mul', [scores, this._float(1 / Math.sqrt(size))]);
    const shares = this._low(this._node('Softmax', [scaled], { axis: int(-1) }));
    const mixed = this._node('MatMul', [shares, allValues]);
    const joined = this._node('Reshape', [mixed, this._ints([batch, width])]);
    const attended = this._linear(`${name}.o`, joined, width, width);
    const between = this._node('Add', [x, this._cast(attended, 'float32')]);
    const second = this._low(this._norm(`${name}.ffn_norm`, between));
    const gate = this._linear(`${name}.gate`, second, width, hidden);
    const silu = this._node('Mul', [gate, this._node('Sigmoid', [gate])]);
    const up = this._linear(`${name}.up`, second, width, hidden);
    const down = this._linear(`${name}.down`, this._node('Mul', [silu, up]), hidden, width);
    return this._node('Add', [between, this._cast(down, 'float32')]);
  }

  /** x / sqrt(mean(x^2) + eps) * weight, in float32. */
  private _norm(name: string, x: IValue): IValue {
    const square = this._node('Mul', [x, x]);
    const mean = this._node('ReduceMean', [square, this._ints([-1])], { keepdims: int(1) });
    const root = this._node('Sqrt', [this._node('Add', [mean, this._float(1e-5)])]);
    const weight = this._weight(`${name}.weight`, [this._options.width], null);
    return this._node('Mul', [this._node('Div', [x, root]), weight]);
  }

  private _linear(name: string, x: IValue, inputs: number, outputs: number): IValue {
    const weight = this._weight(`${name}.weight`, [outputs, inputs], Math.sqrt(3 / inputs));
    const turned = this._node('Transpose', [this._low(weight)], { perm: ints([1, 0]) });
    return this._node('MatMul', [x, turned]);
  }

  private _low(value: IValue): IValue {
    return this._cast(value, this._options.dtype);
  }

  private _cast(value: IValue, dtype: DType): IValue {
    return this._node('Cast', [value], { to: { kind: 'dtype', value: dtype } }, dtype);
  }

  private _input(name: string, shape: readonly number[]): IValue {
    const value = makeValue(name, 'float32', shape);
    this._graph.inputs.push(value);
    return value;
  }

  private _weight(name: string, shape: readonly number[], scale: number | null): IValue {
    const value = makeValue(name, 'float32', shape);
    const length = elementCount(shape) * Float32Array.BYTES_PER_ELEMENT;
    // The writer makes locations relative to the root; a reader looks for them beside the model.
    const range = { file: `/${this.dataFile}`, offset: this._offset, length };
    this._offset += length;
    this.stored.push({ shape, scale });
    this._graph.weights.push({
      value,
      weight: {
        storage: name,
        names: [name],
        kind: 'initializer',
        dtype: 'float32',
        shape,
        strides: contiguousStrides(shape),
        storageOffset: 0,
        requiresGrad: null,
        data: { kind: 'range', range }
      }
    });
    return value;
  }

  private _float(x: number): IValue {
    return this._constant('float32', [], bytesOf(Float32Array.of(x)));
  }

  private _ints(values: readonly number[]): IValue {
    const bytes = bytesOf(BigInt64Array.from(values, BigInt));
    return this._constant('int64', [values.length], bytes);
  }

  private _constant(dtype: DType, shape: readonly number[], bytes: Uint8Array): IValue {
    const weight = {
      storage: `inline:${this._count}`,
      names: [],
      kind: 'constant' as const,
      dtype,
      shape,
      strides: contiguousStrides(shape),
      storageOffset: 0,
      requiresGrad: null,
      data: { kind: 'inline' as const, bytes }
    };
    return this._node('Constant', [], { value: { kind: 'tensor', value: weight } }, dtype);
  }

  private _node(
    op: string,
    inputs: IValue[],
    attrs: Record<string, Attr> = {},
    dtype: DType | null = inputs[0]?.dtype ?? null
  ): IValue {
    const name = `${op.toLowerCase()}_${this._count++}`;
    const value = makeValue(name, dtype, null);
    this._graph.nodes.push({
      name,
      op: `onnx.${op}`,
      inputs,
      attrs,
      outputs: [value],
      region: null,
      module: null,
      source: null
    });
    return value;
  }

  private readonly _graph: IGraph = {
    name: 'decoder',
    inputs: [],
    outputs: [],
    nodes: [],
    weights: [],
    opsets: { '': 20 }
  };
  private _offset = 0;
  private _count = 0;
}

function int(value: number): Attr {
  return { kind: 'int', value };
}

function ints(values: readonly number[]): Attr {
  return { kind: 'list', items: values.map(int) };
}
