/**
 * Files of some hundred bytes that ask for more memory than there is, by numbers that operators are given.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { bindInputs } from '../../../src/engine/inputs';
import { Engine } from '../../../src/engine/service';
import { readModel } from '../../../src/formats';
import type { ITestInitializer, ITestModel, ITestNode } from '../../support/onnxmodel';
import { onnxModel } from '../../support/onnxmodel';

const HUGE = 2 ** 50;

function ints(name: string, numbers: readonly number[], isScalar = false): ITestInitializer {
  const data = new Uint8Array(BigInt64Array.from(numbers, BigInt).buffer);
  return { name, dtype: 'int64', shape: isScalar ? [] : [numbers.length], data };
}

/** A graph of one node whose result has no declared sizes, and a small input beside it. */
function modelOf(
  node: Omit<ITestNode, 'name' | 'outputs'>,
  initializers: readonly ITestInitializer[]
): ITestModel {
  return {
    nodes: [
      { ...node, name: 'big', outputs: ['made'] },
      { op: 'ReduceMax', name: 'small', inputs: ['made'], outputs: ['y'], ints: { keepdims: 0 } }
    ],
    inputs: [{ name: 'x', dtype: 'float32', shape: [2, 3] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: [] }],
    initializers
  };
}

const WITH_SIZES: readonly [string, readonly string[], (n: number) => ITestInitializer[]][] = [
  ['ConstantOfShape', ['n'], n => [ints('n', [1, n])]],
  ['Expand', ['x', 'n'], n => [ints('n', [n, 2, 3])]],
  ['Tile', ['x', 'n'], n => [ints('n', [n, 1])]],
  [
    'Range',
    ['from', 'to', 'step'],
    n => [ints('from', [0], true), ints('to', [n], true), ints('step', [1], true)]
  ],
  [
    'OneHot',
    ['at', 'n', 'values'],
    n => [ints('at', [0]), ints('n', [n], true), ints('values', [0, 1])]
  ],
  ['Pad', ['x', 'n'], n => [ints('n', [0, 0, n, 0])]],
  ['Resize', ['x', '', '', 'n'], n => [ints('n', [n, 3])]]
];

describe('sizes that a graph is given', () => {
  let folder: string;
  beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'castlens-sizes-'))));
  afterAll(() => rmSync(folder, { recursive: true }));

  const write = (model: ITestModel): string => {
    const path = join(folder, 'model.onnx');
    writeFileSync(path, onnxModel(model));
    return path;
  };

  it.each(WITH_SIZES)('should be refused where they are too large: %s', async (op, inputs, of) => {
    const path = write(modelOf({ op, inputs }, of(HUGE)));
    const model = await readModel(path);
    await expect(bindInputs(model, {})).rejects.toMatchObject({
      code: 'bad-input',
      details: { file: path, entry: 'big', found: expect.stringContaining(`onnx.${op}`) as string }
    });
    const engine = new Engine();
    const variant = { cache: 'off', passes: [], device: 'cpu' } as const;
    await expect(engine.handle('run', { path, variant }, {})).rejects.toThrow(
      'larger than the memory of the machine'
    );
    await engine.dispose();
  });

  it.each(WITH_SIZES)('should be taken where they fit: %s', async (op, inputs, of) => {
    const model = await readModel(write(modelOf({ op, inputs }, of(4))));
    expect((await bindInputs(model, {})).tensors.size).toBe(1);
  });

  it('should be left to the runtime where they are computed', async () => {
    const model = modelOf({ op: 'ConstantOfShape', inputs: ['n'] }, []);
    const shape: ITestNode = { op: 'Shape', name: 'sizes', inputs: ['x'], outputs: ['n'] };
    const read = await readModel(write({ ...model, nodes: [shape, ...model.nodes] }));
    expect((await bindInputs(read, {})).tensors.size).toBe(1);
  });
});
