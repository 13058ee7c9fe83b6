/**
 * Models with operators castlens cannot lower: everything but running them works.
 *
 * @jest-environment ./test/support/ortenvironment.cjs
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { Engine } from '../../../src/engine/service';
import { encode, graph, node, port, TYPES } from '../formats/proto';
import type { Records } from '../formats/samples';
import { changedCopy, fixture, temporaryFolder } from '../formats/samples';

/** `seed-mlp` with its relu and its cast replaced by operators castlens does not have. */
function makeForeign(records: Records): void {
  const name = 'models/model.json';
  const text = Buffer.from(records.get(name)!).toString('utf8');
  const changed = text
    .replace('torch.ops.aten.relu.default', 'torch.ops.mylib.gate.default')
    .replace('"torch.ops.aten.to.dtype"', '"torch.ops.mylib.widen.default"');
  records.set(name, Buffer.from(changed, 'utf8'));
}

describe('Engine on a model with foreign operators', () => {
  const engine = new Engine();
  const path = join(temporaryFolder(), 'model.pt2');

  beforeAll(async () => {
    await changedCopy(fixture('seed-mlp/model.pt2'), path, makeForeign);
  });

  it('should say what it cannot lower when the model is opened', async () => {
    const { result } = await engine.handle('open', { path }, {});
    expect(result.unsupported).toEqual([
      expect.objectContaining({
        op: 'mylib.gate.default',
        count: 1,
        source: expect.objectContaining({ file: 'make_public.py', line: 12 })
      }),
      expect.objectContaining({
        op: 'mylib.widen.default',
        count: 1,
        source: expect.objectContaining({ file: 'make_public.py', line: 17 })
      })
    ]);
  });

  it('should take the census all the same', async () => {
    const { result } = await engine.handle('census', { path }, {});
    expect(result.perForward.off).toEqual({ weightCasts: 4, bytesMoved: 395520 });
  });

  it('should plan and summarise the weights all the same', async () => {
    const variant = { cache: 'folded', passes: [], device: 'cpu' } as const;
    const { result: plan } = await engine.handle('plan', { path, variant }, {});
    expect(plan).toMatchObject({ weightCasts: 0, convertedWeights: 4 });
    const { result: stats } = await engine.handle('weightStats', { path }, {});
    expect(stats.rows).toBe(6);
  });

  it('should refuse to run it with one message that lists every operator', async () => {
    const variant = { cache: 'off', passes: [], device: 'cpu' } as const;
    const message = expect.stringMatching(
      /mylib\.gate\.default.*make_public\.py:12.*mylib\.widen\.default.*make_public\.py:17/s
    ) as string;
    await expect(engine.handle('run', { path, variant }, {})).rejects.toMatchObject({
      code: 'unsupported-operator',
      message
    });
    await expect(engine.handle('compare', { path, variants: [variant] }, {})).rejects.toMatchObject(
      {
        code: 'unsupported-operator',
        message
      }
    );
  });
});

describe('Engine on an ONNX model with operators that onnxruntime has not', () => {
  const engine = new Engine();
  const path = join(temporaryFolder(), 'model.onnx');
  const opset = (domain: string, version: number) =>
    [8, [[1, domain] as const, [2, version] as const]] as const;

  beforeAll(() => {
    const x = port('x', TYPES.float, [2]);
    const nodes = [
      node('Foo', ['x'], ['a'], [7, 'my.ops']),
      node('Foo', ['a'], ['b'], [7, 'my.ops']),
      node('Bar', ['b'], ['c'], [7, 'other.ops']),
      node('Frobnicate', ['c'], ['d']),
      node('Gelu', ['d'], ['e']),
      node('Gelu', ['e'], ['f'], [7, 'com.microsoft']),
      node('Twice', ['f'], ['g'], [7, 'functions']),
      node('Relu', ['g'], ['y'])
    ];
    // FunctionProto: name, input, output, node, opset_import, domain.
    const twice = [
      [1, 'Twice'],
      [4, 'v'],
      [5, 'r'],
      [7, node('Add', ['v', 'v'], ['r'])],
      [9, [[1, ''] as const, [2, 18] as const]],
      [10, 'functions']
    ] as const;
    writeFileSync(
      path,
      encode([
        [1, 10],
        [7, graph({ inputs: [x], nodes, outputs: [port('y', TYPES.float, [2])] })],
        opset('', 18),
        opset('my.ops', 1),
        opset('other.ops', 1),
        opset('com.microsoft', 1),
        opset('functions', 1),
        [25, twice]
      ])
    );
  });

  const expected = [
    { op: 'my.ops.Foo', count: 2, node: 'Foo_of_a', reason: 'onnxruntime knows no such domain' },
    { op: 'other.ops.Bar', count: 1, node: 'Bar_of_c' },
    {
      op: 'onnx.Frobnicate',
      count: 1,
      node: 'Frobnicate_of_d',
      reason: 'ai.onnx has no such operator'
    },
    {
      op: 'onnx.Gelu',
      count: 1,
      node: 'Gelu_of_e',
      reason: expect.stringContaining('set 20') as string
    }
  ];

  it('should list them all when the model is opened, and no others', async () => {
    const { result } = await engine.handle('open', { path }, {});
    expect(result.unsupported).toHaveLength(expected.length);
    expect(result.unsupported).toMatchObject(expected);
  });

  it.each(['off', 'onnxruntime'] as const)(
    'should refuse to run it as %s with one message',
    async cache => {
      const variant = { cache, passes: [], device: 'cpu' };
      await expect(engine.handle('run', { path, variant }, {})).rejects.toMatchObject({
        code: 'unsupported-operator',
        message: expect.stringMatching(
          /2 x my\.ops\.Foo.*Foo_of_a.*1 x other\.ops\.Bar.*Bar_of_c.*1 x onnx\.Frobnicate.*1 x onnx\.Gelu: in ai\.onnx since/s
        ) as string
      });
    }
  );
});
