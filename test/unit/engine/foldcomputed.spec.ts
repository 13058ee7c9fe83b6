/**
 * Computed weights that repaired files store.
 *
 * @jest-environment ./test/support/ortenvironment.cjs
 */
import * as fs from 'node:fs';
import { join } from 'node:path';

import { Engine } from '../../../src/engine/service';
import { RuntimeSession } from '../../../src/runtime';
import type { IFixResult, IVariant } from '../../../src/protocol';
import { onnxModel } from '../../support/onnxmodel';
import type { Field } from '../formats/proto';
import { attribute, model, node, port, TYPES } from '../formats/proto';
import { temporaryFolder } from '../formats/samples';
import { weight, X } from './nestedmodels';

const folder = temporaryFolder();
const engine = new Engine();
const OFF: IVariant = { cache: 'off', passes: [], device: 'cpu' };
let files = 0;

const cast = (from: string, result: string, type: number): Field[] =>
  node('Cast', [from], [result], attribute('to', 2, [3, type]));

/** `x` times the value `low`, both in bfloat16. */
const PRODUCT = [
  cast('x', 'xl', TYPES.bfloat16),
  node('MatMul', ['xl', 'low'], ['yl']),
  cast('yl', 'y', TYPES.float)
];
const LOW = cast('merged', 'low', TYPES.bfloat16);

async function fold(
  nodes: readonly Field[][],
  outputs = [port('y', TYPES.float, [2, 4])]
): Promise<{ source: string; target: string; result: IFixResult }> {
  const source = join(folder, `model${files++}.onnx`);
  const target = join(folder, `model${files++}.onnx`);
  const initializers = [weight('w'), weight('v')];
  fs.writeFileSync(source, model({ inputs: [X], outputs, initializers, nodes }));
  const params = { path: source, output: target, foldComputed: true };
  return { source, target, result: (await engine.handle('fix', params, {})).result };
}

async function outputs(path: string): Promise<Buffer> {
  const outputsFile = join(folder, 'out.safetensors');
  const params = { path, variant: OFF, inputs: { seed: 1 }, outputsFile };
  await engine.handle('run', params, {});
  return fs.readFileSync(outputsFile);
}

describe('fix with foldComputed', () => {
  afterAll(() => engine.dispose());

  it('should store what is made by single operations, and drop what only led to it', async () => {
    const { source, target, result } = await fold([
      node('Mul', ['w', 'v'], ['product']),
      node('Transpose', ['product'], ['turned']),
      node('Sub', ['turned', 'v'], ['merged']),
      LOW,
      ...PRODUCT
    ]);
    expect(result).toMatchObject({
      folded: {
        weights: [{ weight: 'low', from: expect.arrayContaining(['w', 'v']), to: 'bfloat16' }],
        freed: expect.arrayContaining(['w', 'v'])
      },
      left: [],
      weightCastsBefore: 1,
      weightCastsAfter: 0
    });
    expect(result.sizeAfter).toBeLessThan(result.sizeBefore);
    const { result: opened } = await engine.handle('open', { path: target }, {});
    expect(opened.nodeCount).toBe(3);
    expect(await outputs(target)).toEqual(await outputs(source));
  });

  it('should store equal casts once', async () => {
    const { source, target, result } = await fold([
      node('Mul', ['w', 'v'], ['merged']),
      LOW,
      cast('merged', 'again', TYPES.bfloat16),
      ...PRODUCT.slice(0, 1),
      node('MatMul', ['xl', 'low'], ['z']),
      node('MatMul', ['z', 'again'], ['yl']),
      ...PRODUCT.slice(2)
    ]);
    expect(result.folded?.weights).toHaveLength(1);
    expect(result.weightCastsAfter).toBe(0);
    expect(await outputs(target)).toEqual(await outputs(source));
  });

  it.each([
    ['a product of matrices', [node('MatMul', ['w', 'v'], ['merged']), LOW, ...PRODUCT], /MatMul/],
    ['an approximation', [node('Exp', ['w'], ['merged']), LOW, ...PRODUCT], /Exp/],
    [
      'roundings on the way',
      [
        cast('w', 'rounded', TYPES.float16),
        cast('rounded', 'wide', TYPES.float),
        node('Mul', ['wide', 'v'], ['merged']),
        LOW,
        ...PRODUCT
      ],
      /rounded to float16 on the way/
    ],
    [
      'weights that are still used',
      [
        node('Mul', ['w', 'v'], ['merged']),
        LOW,
        cast('x', 'xl', TYPES.bfloat16),
        node('MatMul', ['xl', 'low'], ['yl']),
        cast('yl', 'z', TYPES.float),
        node('MatMul', ['z', 'w'], ['t']),
        node('MatMul', ['t', 'v'], ['y'])
      ],
      /would take 32 B, where 0 B/
    ]
  ])('should leave %s, and say why', async (_, nodes, reason) => {
    const { source, target, result } = await fold(nodes);
    expect(result.folded).toEqual({ weights: [], freed: [], freedBytes: 0 });
    expect(result.left.map(({ reason: told }) => told).join('\n')).toMatch(reason);
    expect(await outputs(target)).toEqual(await outputs(source));
  });

  it('should leave what the program returns', async () => {
    const { result } = await fold(
      [node('Mul', ['w', 'v'], ['merged']), cast('merged', 'y', TYPES.float16)],
      [port('y', TYPES.float16, [4, 4])]
    );
    expect(result.folded?.weights).toEqual([]);
    expect(result.left).toMatchObject([{ weight: 'merged', reason: 'returned by the program' }]);
  });

  it('should be refused with the code, and with types', async () => {
    const params = { path: 'm.onnx', output: 'f.onnx', foldComputed: true };
    for (const more of [{ codeFile: 'c.py' }, { types: true }]) {
      const path = join(folder, 'refused.onnx');
      const nodes = [node('Mul', ['w', 'v'], ['merged']), LOW, ...PRODUCT];
      const initializers = [weight('w'), weight('v')];
      const outputs = [port('y', TYPES.float, [2, 4])];
      fs.writeFileSync(path, model({ inputs: [X], outputs, initializers, nodes }));
      await expect(
        engine.handle('fix', { ...params, ...more, path, output: join(folder, 'f.onnx') }, {})
      ).rejects.toMatchObject({ code: 'bad-argument' });
    }
  });
});

describe('the runtime', () => {
  it.each([
    ['Add', (a: number, b: number) => a + b],
    ['Sub', (a: number, b: number) => a - b],
    ['Mul', (a: number, b: number) => a * b],
    ['Div', (a: number, b: number) => a / b],
    ['Sqrt', (a: number) => Math.sqrt(Math.abs(a))]
  ])('should round the results of %s once, to nearest even', async (op, exact) => {
    const count = 4099;
    const bits = new Uint32Array(2 * count);
    let state = 12345;
    for (let i = 0; i < bits.length; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      bits[i] = (state % 0x7f800000) | (op === 'Sqrt' ? 0 : (state & 1) << 31);
    }
    const [a, b] = [0, 1].map(i => new Float32Array(bits.buffer, 4 * i * count, count));
    const names = op === 'Sqrt' ? ['a'] : ['a', 'b'];
    const shape = [count];
    const session = await RuntimeSession.create(
      onnxModel({
        nodes: [{ op, name: op, inputs: names, outputs: ['y'] }],
        inputs: names.map(name => ({ name, dtype: 'float32', shape })),
        outputs: [{ name: 'y', dtype: 'float32', shape }]
      }),
      { device: { kind: 'cpu' }, level: 'planned' }
    );
    try {
      const tensors = new Map(
        names.map((name, i) => [name, { dtype: 'float32' as const, shape, data: [a, b][i] }])
      );
      const { data } = (await session.run(tensors)).get('y')!;
      const want = a.map((value, i) => exact(value, b[i]));
      expect(Array.from(data as Float32Array)).toEqual(Array.from(want));
    } finally {
      await session.dispose();
    }
  });
});
