/**
 * A small transformer decoder for measurements: one forward over a short prompt, as an exporter of `torch.autocast` writes it. Its weights
 * are float32 and cast where they are used.
 *
 * There are no keys and values of earlier steps: onnxruntime-node passes inputs from the memory of the host, so that copying them would be
 * measured, not weights.
 *
 * @packageDocumentation
 */
import { writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { writeOnnx } from '../../src/formats';
import type { Attr, DType, IGraph, IValue } from '../../src/model';
import { contiguousStrides, elementCount, makeValue } from '../../src/model';
import { bytesOf, uniform } from '../../src/numerics';

/** Sizes of the weights. */
export interface IDecoderSizes {
  readonly layers: number;
  readonly width: number;
  /** Width of the gated feed-forward part. */
  readonly hidden: number;
  readonly heads: number;
  /** Length of the prompt. */
  readonly tokens: number;
}

/** The model. */
export interface IDecoderOptions extends IDecoderSizes {
  readonly batch: number;
  readonly dtype: 'bfloat16' | 'float16';
}

/** Write `PATH` and, where `PATH.data` is not there, its weights beside it, which depend on the sizes alone. */
export async function writeDecoder(path: string, options: IDecoderOptions): Promise<void> {
  const make = new DecoderGraph(options, `${basename(path)}.data`);
  writeFileSync(path, writeOnnx(make.build()));
  await writeWeights(join(dirname(path), make.dataFile), make.stored);
}

/** Weights in rows, as they are stored. */
async function writeWeights(path: string, stored: DecoderGraph['stored']): Promise<void> {
  const file = await open(path, 'wx').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') {
      return null;
    }
    throw error;
  });
  if (file === null) {
    return;
  }
  try {
    for (const [i, { shape, scale }] of stored.entries()) {
      await file.writeFile(bytesOf(weightValues(i, elementCount(shape), scale)));
    }
  } finally {
    await file.close();
  }
}

/** The elements of the weight with a number; ones where there is no scale. */
function weightValues(number: number, length: number, scale: number | null): Float32Array {
  const values = new Float32Array(length).fill(1);
  if (scale !== null) {
    const random = uniform(number);
    for (let i = 0; i < length; i++) {
      values[i] = (2 * random() - 1) * scale;
    }
  }
  return values;
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
    const { batch, tokens, width, layers } = this._options;
    const input = makeValue('x', 'float32', [batch, tokens, width]);
    this._graph.inputs.push(input);
    let x = this._reshape(input, [batch * tokens, width]);
    for (let i = 0; i < layers; i++) {
      x = this._layer(`layers.${i}`, x);
    }
    const normed = this._norm('norm', x);
    this._graph.outputs.push(this._reshape(normed, [batch, tokens, width]));
    return this._graph;
  }

  /** Rows of `batch * tokens` to rows of the same. */
  private _layer(name: string, x: IValue): IValue {
    const { batch, tokens, width, hidden, heads } = this._options;
    const size = width / heads;
    const normed = this._low(this._norm(`${name}.attention_norm`, x));
    const [q, k, v] = (
      [
        ['q', [0, 2, 1, 3]],
        ['k', [0, 2, 3, 1]],
        ['v', [0, 2, 1, 3]]
      ] as const
    ).map(([one, perm]) => {
      const rows = this._linear(`${name}.${one}`, normed, width, width);
      const byHead = this._reshape(rows, [batch, tokens, heads, size]);
      return this._node('Transpose', [byHead], { perm: ints(perm) });
    });
    const scores = this._cast(this._node('MatMul', [q, k]), 'float32');
    const scaled = this._node('Mul', [scores, this._float(1 / Math.sqrt(size))]);
    const masked = this._node('Add', [scaled, this._causalMask()]);
    const shares = this._low(this._node('Softmax', [masked], { axis: int(-1) }));
    const mixed = this._node('Transpose', [this._node('MatMul', [shares, v])], {
      perm: ints([0, 2, 1, 3])
    });
    const joined = this._reshape(mixed, [batch * tokens, width]);
    const attended = this._linear(`${name}.o`, joined, width, width);
    const between = this._node('Add', [x, this._cast(attended, 'float32')]);
    const second = this._low(this._norm(`${name}.ffn_norm`, between));
    const gate = this._linear(`${name}.gate`, second, width, hidden);
    const silu = this._node('Mul', [gate, this._node('Sigmoid', [gate])]);
    const up = this._linear(`${name}.up`, second, width, hidden);
    const down = this._linear(`${name}.down`, this._node('Mul', [silu, up]), hidden, width);
    return this._node('Add', [between, this._cast(down, 'float32')]);
  }

  /** What is added to the scores: nothing, and minus infinity where a token would see a later one. */
  private _causalMask(): IValue {
    const { tokens } = this._options;
    const mask = Float32Array.from({ length: tokens * tokens }, (_, i) =>
      i % tokens > Math.floor(i / tokens) ? -Infinity : 0
    );
    return this._constant('float32', [tokens, tokens], bytesOf(mask));
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
    // As exporters write a Linear of rows.
    return this._node('Gemm', [x, this._low(weight)], { transB: int(1) });
  }

  private _reshape(value: IValue, shape: readonly number[]): IValue {
    return this._node('Reshape', [value, this._ints(shape)]);
  }

  private _low(value: IValue): IValue {
    return this._cast(value, this._options.dtype);
  }

  private _cast(value: IValue, dtype: DType): IValue {
    return this._node('Cast', [value], { to: { kind: 'dtype', value: dtype } }, dtype);
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
