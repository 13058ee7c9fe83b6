/**
 * The decoder of the benchmark for CUDA.
 *
 * @jest-environment ./test/support/ortenvironment.cjs
 */
import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

import type { IDecoderOptions } from '../../../bench/models/decoder';
import { writeDecoder } from '../../../bench/models/decoder';
import { ModelStore } from '../../../src/engine/modelstore';
import { Engine } from '../../../src/engine/service';
import { prepareVariant } from '../../../src/engine/variant';
import { readModel, writeSafetensors } from '../../../src/formats';
import { forEachNode } from '../../../src/model';
import { bytesOf, uniform } from '../../../src/numerics';
import { testFolder } from '../runtime/helpers';

const OPTIONS: IDecoderOptions = {
  layers: 2,
  width: 16,
  hidden: 24,
  heads: 2,
  tokens: 3,
  batch: 2,
  dtype: 'bfloat16'
};

/** Rows of numbers. */
type Matrix = readonly (readonly number[])[];

/** What the model computes, from its definition, in float64. */
function forward(
  x: Matrix,
  weights: ReadonlyMap<string, Matrix>,
  options: IDecoderOptions
): Matrix {
  const { tokens, heads, width } = options;
  const size = width / heads;
  const linear = (rows: Matrix, name: string): Matrix =>
    rows.map(row => weights.get(name)!.map(w => dot(row, w)));
  const norm = (rows: Matrix, name: string): Matrix =>
    rows.map(row => {
      const root = Math.sqrt(dot(row, row) / row.length + 1e-5);
      return row.map((value, i) => (value / root) * weights.get(name)![0][i]);
    });
  const add = (a: Matrix, b: Matrix): Matrix => a.map((row, i) => row.map((v, j) => v + b[i][j]));
  let rows = x;
  for (let layer = 0; layer < options.layers; layer++) {
    const name = (part: string): string => `layers.${layer}.${part}.weight`;
    const normed = norm(rows, name('attention_norm'));
    const [q, k, v] = ['q', 'k', 'v'].map(part => linear(normed, name(part)));
    const mixed = rows.map((_, i) => {
      const first = i - (i % tokens);
      const seen = Array.from({ length: (i % tokens) + 1 }, (_unused, j) => first + j);
      return Array.from({ length: heads }, (_unused, head) => {
        const part = (row: readonly number[]): readonly number[] =>
          row.slice(head * size, (head + 1) * size);
        const scores = seen.map(j => Math.exp(dot(part(q[i]), part(k[j])) / Math.sqrt(size)));
        const total = scores.reduce((a, b) => a + b, 0);
        return part(q[i]).map((_value, c) =>
          seen.reduce((sum, j, s) => sum + (scores[s] / total) * part(v[j])[c], 0)
        );
      }).flat();
    });
    rows = add(rows, linear(mixed, name('o')));
    const second = norm(rows, name('ffn_norm'));
    const [gate, up] = ['gate', 'up'].map(part => linear(second, name(part)));
    const product = gate.map((row, i) => row.map((g, j) => (g / (1 + Math.exp(-g))) * up[i][j]));
    rows = add(rows, linear(product, name('down')));
  }
  return norm(rows, 'norm.weight');
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i], 0);
}

function matrixOf(values: ArrayLike<number>, columns: number): Matrix {
  return Array.from({ length: values.length / columns }, (_, i) =>
    Array.from({ length: columns }, (_unused, j) => values[i * columns + j])
  );
}

describe('writeDecoder', () => {
  const folder = testFolder();
  const path = join(folder.path, 'decoder.onnx');
  const data = `${path}.data`;
  let engine: Engine;

  beforeAll(async () => {
    await writeDecoder(path, OPTIONS);
    engine = new Engine();
  });

  afterAll(() => engine.dispose());

  it('casts every matrix once, and nothing else that is stored', async () => {
    const { result: census } = await engine.handle('census', { path }, {});
    const matrices = ['q', 'k', 'v', 'o', 'gate', 'up', 'down'];
    const names = [0, 1].flatMap(i => matrices.map(part => `layers.${i}.${part}.weight`));
    expect(census.weightCasts.map(({ weight }) => weight).sort()).toEqual(names.sort());
    expect(census.weightCasts.every(({ uses, to }) => uses === 1 && to === 'bfloat16')).toBe(true);
    const elements = 2 * (4 * 16 * 16 + 3 * 16 * 24);
    expect(census.perForward.off).toEqual({ weightCasts: 14, bytesMoved: 6 * elements });
    expect(statSync(data).size).toBe(4 * (elements + 5 * 16));
  });

  it('computes what a decoder computes', async () => {
    const model = await readModel(path);
    const bytes = readFileSync(data);
    const weights = new Map(
      model.weights.map(({ names, shape, data: place }): [string, Matrix] => {
        if (place.kind !== 'range') {
          throw new Error(`${names[0]} is not in the file`);
        }
        const { offset, length } = place.range;
        const values = new Float32Array(
          new Uint8Array(bytes.subarray(offset, offset + length)).buffer
        );
        return [names[0], matrixOf(values, shape.at(-1)!)];
      })
    );
    const random = uniform(7);
    const x = Float32Array.from({ length: 2 * 3 * 16 }, () => 2 * random() - 1);
    const inputsFile = join(folder.path, 'inputs.safetensors');
    await writeSafetensors(inputsFile, [
      { name: 'x', dtype: 'float32', shape: [2, 3, 16], data: bytesOf(x) }
    ]);
    const expected = forward(matrixOf(x, 16), weights, OPTIONS).flat();
    const outputsOf = async (cache: 'float32' | 'off' | 'frozen'): Promise<Float32Array> => {
      const outputsFile = join(folder.path, `${cache}.safetensors`);
      const variant = { cache, passes: [], device: 'cpu' };
      await engine.handle('run', { path, variant, inputs: { inputsFile }, outputsFile }, {});
      const written = readFileSync(outputsFile);
      const length = expected.length * 4;
      return new Float32Array(new Uint8Array(written.subarray(written.length - length)).buffer);
    };
    const largest = Math.max(...expected.map(Math.abs));
    const differenceTo = (values: Float32Array): number =>
      Math.max(...expected.map((value, i) => Math.abs(value - values[i]))) / largest;
    expect(differenceTo(await outputsOf('float32'))).toBeLessThan(1e-5);
    const off = await outputsOf('off');
    const difference = differenceTo(off);
    expect(difference).toBeLessThan(0.05);
    // It really rounds.
    expect(difference).toBeGreaterThan(1e-4);
    expect(await outputsOf('frozen')).toEqual(off);
  });

  it('writes the same weights for every batch and dtype, and only once', async () => {
    const before = readFileSync(data);
    const { mtimeMs } = statSync(data);
    await writeDecoder(path, { ...OPTIONS, batch: 1, dtype: 'float16' });
    expect(statSync(data).mtimeMs).toBe(mtimeMs);
    rmSync(data);
    await writeDecoder(path, { ...OPTIONS, batch: 1, dtype: 'float16' });
    expect(readFileSync(data).equals(before)).toBe(true);
    const { inputs } = await readModel(path);
    expect(inputs).toHaveLength(1);
    await writeDecoder(path, OPTIONS);
  });

  it.each(['off', 'frozen'] as const)(
    'has nothing but matrix products read weights on CUDA in %s',
    async cache => {
      const loaded = await new ModelStore().load({ path });
      const { legal, forward: casts } = prepareVariant(loaded, {
        cache,
        passes: [],
        device: 'cuda:0'
      });
      const operators = new Set<string>();
      const large = new Set(legal.graph.weights.map(({ value }) => value.name));
      const users: string[] = [];
      forEachNode(legal.graph, node => {
        operators.add(node.op);
        if (
          node.inputs.some(input => input && large.has(input.name) && input.shape?.length === 2)
        ) {
          users.push(node.op);
        }
      });
      expect(new Set(users)).toEqual(new Set([cache === 'off' ? 'onnx.Cast' : 'onnx.Gemm']));
      expect(users).toHaveLength(14);
      // No sizes are computed while the model runs.
      expect([...operators].filter(op => /Shape$|Slice|Concat/.test(op))).toEqual([]);
      expect(casts.weightCasts).toBe(cache === 'off' ? 14 : 0);
    }
  );
});
