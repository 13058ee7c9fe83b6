/**
 * Operators that exist, and that onnxruntime still cannot run: one message that lists them all.
 *
 * @jest-environment ./test/support/ortenvironment.cjs
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { LoadedModel } from '../../../src/engine/modelstore';
import { Engine } from '../../../src/engine/service';
import { VariantSessions } from '../../../src/engine/sessions';
import type { CacheMode, Reference } from '../../../src/protocol';
import { WeightWorkers } from '../../../src/runtime';
import { GraphBuilder } from '../autocast/builder';
import type { Field } from '../formats/proto';
import { attribute, encode, graph, node, port, TYPES } from '../formats/proto';
import { testFolder } from '../runtime/helpers';

type Nodes = readonly Field[][];

const DOMAIN = 7;

function cast(from: string, to: string, type: number): Field[] {
  return node('Cast', [from], [to], attribute('to', 2, [3, type]));
}

describe('Engine on a model with calls that onnxruntime has no kernel for', () => {
  const folder = testFolder();
  const engine = new Engine();
  afterAll(() => engine.dispose());

  function write(name: string, nodes: Nodes, opset = 21, type: number = TYPES.double): string {
    const path = join(folder.path, name);
    const imports = [['', opset] as const, ['com.microsoft', 1] as const];
    writeFileSync(
      path,
      encode([
        [1, 10],
        [
          7,
          graph({ inputs: [port('x', type, [2, 2])], nodes, outputs: [port('y', type, [2, 2])] })
        ],
        ...imports.map(
          ([domain, version]) => [8, [[1, domain] as const, [2, version] as const]] as const
        )
      ])
    );
    return path;
  }

  function run(path: string, cache: CacheMode | Reference = 'off'): Promise<unknown> {
    return engine.handle('run', { path, variant: { cache, passes: [], device: 'cpu' } }, {});
  }

  const several: Nodes = [
    node('Acos', ['x'], ['a']),
    node('Neg', ['a'], ['b']),
    node('Erf', ['b'], ['c']),
    node('Acos', ['c'], ['d']),
    // A function, whose body the runtime cannot run either. Its message has no name for that node.
    node('Gelu', ['d'], ['e'], [DOMAIN, 'com.microsoft']),
    node('Nonsense', ['e'], ['f'], [DOMAIN, 'com.microsoft']),
    node('Nonsense', ['f'], ['g'], [DOMAIN, 'com.microsoft']),
    node('Neg', ['g'], ['y'])
  ];

  it.each(['off', 'frozen', 'onnxruntime'] as const)(
    'should list every one of them with its types, as %s',
    async cache => {
      const path = write('several.onnx', several);
      await expect(run(path, cache)).rejects.toMatchObject({
        code: 'unsupported-operator',
        details: { file: path, hint: expect.stringContaining('float32') as string },
        summary:
          'the model has operators that cannot be run: ' +
          [
            "2 x onnx.Acos: onnxruntime has no kernel for (float64) -> float64 on cpu (node 'Acos_of_a')",
            "1 x onnx.Erf: onnxruntime has no kernel for (float64) -> float64 on cpu (node 'Erf_of_c')",
            "1 x com.microsoft.Gelu: onnxruntime has no kernel for (float64) -> float64 on cpu (node 'Gelu_of_e')",
            "2 x com.microsoft.Nonsense: onnxruntime has no such operator in operator set 1 of com.microsoft (node 'Nonsense_of_f')"
          ].join('; ')
      });
    }
  );

  it('should list them for comparisons and for statistics of activations', async () => {
    const path = write('two.onnx', [node('Acos', ['x'], ['a']), node('Erf', ['a'], ['y'])]);
    const variant = { cache: 'off', passes: [], device: 'cpu' } as const;
    const error = {
      code: 'unsupported-operator',
      message: expect.stringMatching(/two\.onnx: .*1 x onnx\.Acos.*1 x onnx\.Erf/) as string
    };
    const compare = engine.handle('compare', { path, variants: [variant] }, {});
    await expect(compare).rejects.toMatchObject(error);
    const stats = engine.handle('activationStats', { path, variant }, {});
    await expect(stats).rejects.toMatchObject(error);
  });

  it('should tell types an operator is not defined for from missing kernels', async () => {
    const nodes = [
      cast('x', 'a', TYPES.int64),
      node('Relu', ['a'], ['b']),
      cast('b', 'y', TYPES.double)
    ];
    await expect(run(write('relu13.onnx', nodes, 13))).rejects.toMatchObject({
      code: 'unsupported-operator',
      message: expect.stringMatching(
        /Relu: the operator is not defined for \(int64\) -> int64 in operator set 13 of ai\.onnx/
      ) as string
    });
    await expect(run(write('relu21.onnx', nodes, 21))).rejects.toMatchObject({
      code: 'unsupported-operator',
      message: expect.stringMatching(
        /Relu: onnxruntime has no kernel for \(int64\) -> int64 on cpu/
      ) as string
    });
  });

  it('should name operands of several types', async () => {
    const nodes = [cast('x', 'a', TYPES.float), node('Add', ['x', 'a'], ['y'])];
    await expect(run(write('mixed.onnx', nodes))).rejects.toMatchObject({
      code: 'unsupported-operator',
      message: expect.stringMatching(
        /Add: the operator is not defined for \(float64, float32\)/
      ) as string
    });
  });

  it('should name operators that an operator set has no more', async () => {
    const nodes = [node('Upsample', ['x', 'x'], ['y'])];
    await expect(run(write('upsample.onnx', nodes, 10, TYPES.float))).rejects.toMatchObject({
      code: 'unsupported-operator',
      message: expect.stringMatching(
        /Upsample: onnxruntime has no such operator in operator set 10/
      ) as string
    });
  });

  it('should say which operator set the runtime knows', async () => {
    const path = write('future.onnx', [node('Neg', ['x'], ['y'])], 28);
    await expect(run(path)).rejects.toMatchObject({
      code: 'unsupported-operator',
      details: {
        file: path,
        found: 'ai.onnx 28',
        expected: expect.stringMatching(/^ai\.onnx up to \d+$/) as string
      }
    });
  });

  it('should find them in nested graphs', async () => {
    const branch = (op: string, inner: string): Field =>
      attribute(`${op}_branch`, 5, [
        6,
        graph({
          nodes: [node(inner, ['x'], [`${op}_r`])],
          outputs: [port(`${op}_r`, TYPES.double, [2, 2])]
        })
      ]);
    const nodes = [
      node('ReduceMax', ['x'], ['max'], attribute('keepdims', 2, [3, 0])),
      cast('max', 'flag', TYPES.bool),
      node('If', ['flag'], ['y'], branch('then', 'Neg'), branch('else', 'Acos'))
    ];
    await expect(run(write('nested.onnx', nodes))).rejects.toMatchObject({
      code: 'unsupported-operator',
      summary: expect.stringMatching(/run: 1 x onnx\.Acos: [^;]*'Acos_of_else_r'\)$/) as string
    });
  });

  it('should leave other failures as they are', async () => {
    const nodes = [node('Concat', ['x', 'x'], ['y'], attribute('axis', 2, [3, 7]))];
    await expect(run(write('axis.onnx', nodes))).rejects.toMatchObject({
      code: 'runtime',
      message: expect.stringMatching(/Concat node 'Concat_of_y': onnxruntime cannot load/) as string
    });
  });
});

describe('VariantSessions on a program with calls that onnxruntime has no kernel for', () => {
  const workers = new WeightWorkers();
  const sessions = new VariantSessions(workers);
  afterAll(() => Promise.all([sessions.clear(), workers.dispose()]));

  it('should name the operators and lines of the program', async () => {
    const builder = new GraphBuilder();
    const x = builder.input('x', 'float64');
    const source = { file: 'model.py', line: 7 };
    const erf = builder.call('aten.erf.default', { self: x }, {}, { source });
    const loaded = new LoadedModel(
      builder.output(erf).model({ dialect: 'ATEN', inputs: [], outputs: [] })
    );
    const variant = { cache: 'off', passes: [], device: 'cpu' } as const;
    await expect(sessions.load(loaded, variant, {})).rejects.toMatchObject({
      code: 'unsupported-operator',
      message: expect.stringMatching(
        /^model\.pt2: .*1 x aten\.erf\.default: onnx\.Erf: onnxruntime has no kernel for \(float64\) -> float64 on cpu \(model\.py:7\)/
      ) as string
    });
  });
});
