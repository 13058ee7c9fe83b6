/**
 * Types of ai.onnx: the same files are refused that `onnx.checker` refuses, and each for its reason.
 *
 * @jest-environment ./test/support/ortenvironment.cjs
 */
import * as ort from 'onnxruntime-node';

import { invalidTypesFinding } from '../../../src/autocast';
import { Engine } from '../../../src/engine/service';
import { readModel } from '../../../src/formats';
import type { IGraph, INode } from '../../../src/model';
import { makeValue } from '../../../src/model';
import { onnxTypeErrors } from '../../../src/operators';
import { temporaryFolder } from '../formats/samples';
import { TYPE_CASES, TYPE_FORMS, writeTypeCase } from './typecases';

const folder = temporaryFolder();

function fileOf(name: string): string {
  return writeTypeCase(
    folder,
    TYPE_CASES.find(one => one.name === name)!
  );
}

async function findInvalidTypes(path: string) {
  return invalidTypesFinding(onnxTypeErrors((await readModel(path)).graph));
}

describe('onnxTypeErrors', () => {
  it('should refuse the models that onnx.checker refuses, and no others', async () => {
    const differing: string[] = [];
    for (const { name, isValid } of TYPE_CASES) {
      const { graph } = await readModel(fileOf(name));
      if ((onnxTypeErrors(graph).length === 0) !== isValid) {
        differing.push(name);
      }
    }
    expect(differing).toEqual([]);
    expect(TYPE_CASES.filter(({ isValid }) => !isValid).length).toBeGreaterThan(300);
  });

  it.each([
    ['a Cast that was not patched', 'cast (Cast): b is float32, the file declares float16.'],
    [
      'operands of two types',
      'add (Add): A (x) is float32, B (k) is float16; operator set 18 takes them in one type.'
    ],
    [
      'scales of Resize in float16',
      'resize (Resize): scales (s) is float16; operator set 18 has float32.'
    ],
    [
      'LayerNormalization with parameters in another type',
      'ln (LayerNormalization): X (x) is float32, Scale (g) is float16; operator set 18 takes them in one type.'
    ],
    [
      'operands of two types in a branch',
      'gemm (Gemm): A (x) is float32, B (w) is float16; operator set 18 takes them in one type.'
    ],
    [
      'Conv in bfloat16 of operator set 20',
      'conv (Conv): X (x) is bfloat16; operator set 20 has float16, float32 or float64, operator set 22 takes it.'
    ],
    ['an output declared in another type', 'relu (Relu): y is float16, the file declares float32.'],
    [
      'BatchNormalization with statistics in float32, operator set 14',
      'bn (BatchNormalization): X (x) is float16, scale (s) is float32; operator set 14 takes them in one type, operator set 15 takes it.'
    ],
    [
      'branches of two types',
      'if (If): then (o1) is float16, else (o2) is float32; all must be of one type.'
    ],
    [
      'a loop that changes the type of its state',
      'loop (Loop): given (x) is float32, returned (next) is float16; all must be of one type.'
    ]
  ])('should tell of %s, once', async (name, text) => {
    const [finding, ...others] = await findInvalidTypes(fileOf(name));
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ code: 'invalid-types', severity: 'error' });
    expect(finding.message).toContain(`types are wrong in 1 place`);
    expect(finding.message).toContain(text);
    expect(finding.nodes).toHaveLength(1);
  });

  it('should be right that onnxruntime refuses them, and takes the others', async () => {
    for (const { name, isValid } of TYPE_FORMS) {
      const load = ort.InferenceSession.create(fileOf(name));
      if (isValid && !name.startsWith('Conv')) {
        await (await load).release();
      } else if (!isValid) {
        await expect(load).rejects.toThrow(/type/iu);
      } else {
        // The CPU provider has no bfloat16 kernel: that is no matter of types.
        await expect(load).rejects.toThrow(/NOT_IMPLEMENTED|Could not find an implementation/u);
      }
    }
  });
});

describe('a node of very many operands', () => {
  // The time of a list that is copied for every operand showed first on such nodes.
  it('should be checked with a few looks at each', () => {
    const many = 50_000;
    let looks = 0;
    const inputs = Array.from({ length: many }, (_, i) => {
      const value = makeValue(`x${i}`, 'float32', [1]);
      return Object.defineProperty(value, 'dtype', { get: () => (looks++, 'float32') });
    });
    const output = makeValue('y', 'float32', [1]);
    const node: INode = {
      name: 'sum',
      op: 'onnx.Sum',
      inputs,
      outputs: [output],
      attrs: {},
      region: null,
      module: null,
      source: null
    };
    const graph: IGraph = {
      name: 'g',
      inputs,
      outputs: [output],
      nodes: [node],
      weights: [],
      opsets: { '': 18 }
    };
    expect(onnxTypeErrors(graph)).toEqual([]);
    expect(looks).toBeGreaterThanOrEqual(many);
    expect(looks).toBeLessThanOrEqual(4 * many);
  });
});

describe('mode onnxruntime', () => {
  const engine = new Engine();
  afterAll(() => engine.dispose());

  it('should say that the file cannot be run as it is', async () => {
    const path = fileOf('scales of Resize in float16');
    const variant = { cache: 'onnxruntime', passes: [], device: 'cpu' } as const;
    const { result } = await engine.handle('run', { path, variant }, {});
    expect(result.findings.map(({ code }) => code)).toEqual([
      'invalid-types',
      'exported-graph-refused'
    ]);
    expect(result.findings[1].message).toContain('resize (Resize): scales (s) is float16');
  });
});
