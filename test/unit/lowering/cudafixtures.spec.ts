/** @jest-environment ./test/support/ortenvironment.cjs */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { makeCastsExplicit, weightCastsOf } from '../../../src/autocast';
import { openSafetensors, readModel } from '../../../src/formats';
import { CPU_CAPABILITIES, CUDA_CAPABILITIES, legalize, lowerToOnnx } from '../../../src/lowering';
import { bytesOf, tensorFromBytes } from '../../../src/numerics';
import type { ITensor } from '../../../src/numerics';
import { planGraph } from '../../../src/passes';
import { CACHE_MODES } from '../../../src/protocol';
import type { IGraph } from '../../../src/model';
import { numbersOf, relativeDifference, runLegal, toDtype } from './device';
import { inFloat16, typeErrors } from './lowtypes';

const FIXTURES = resolve(__dirname, '../../fixtures');
const CASES = [
  'seed-mlp',
  'seed-mlp-cuda-disabled',
  'reused-weights',
  'nested-regions',
  'dynamic-batch',
  'convnet',
  'vit',
  'bert',
  'gpt2',
  'llama'
].flatMap(family =>
  ['model.pt2', 'model.core.pt2', 'model.onnx']
    .filter(file => existsSync(join(FIXTURES, family, file)))
    .map(file => [family, file] as const)
);

/** Relative to the largest output. The expected outputs are those of bfloat16, whose unit in the last place is 2^-8. */
const TOLERANCE = 2 ** -6;

async function tensors(path: string, prefix: string): Promise<ITensor[]> {
  const table = await openSafetensors(path);
  const found: ITensor[] = [];
  for (let i = 0; table.has(`${prefix}_${i}`); i++) {
    const { dtype, shape, range } = table.get(`${prefix}_${i}`)!;
    const bytes = readFileSync(range.file).subarray(range.offset, range.offset + range.length);
    found.push(tensorFromBytes(dtype, shape, Uint8Array.from(bytes)));
  }
  return found;
}

/** Every planned graph of a fixture, lowered. */
async function loweredOf(family: string, file: string): Promise<IGraph[]> {
  const model = await readModel(join(FIXTURES, family, file));
  const { graph } = makeCastsExplicit(model);
  return CACHE_MODES.map(cache =>
    lowerToOnnx(planGraph(graph, model, { cache, passes: [] }).graph)
  );
}

describe.each(['bfloat16', 'float16'] as const)('fixtures for the CUDA provider in %s', type => {
  it.each(CASES)(
    '%s/%s computes what PyTorch computes in every cache mode',
    async (family, file) => {
      const inputs = await tensors(join(FIXTURES, family, 'inputs.safetensors'), 'input');
      const expected = await tensors(join(FIXTURES, family, 'outputs.safetensors'), 'output');
      let first: ITensor[] | null = null;
      for (const source of await loweredOf(family, file)) {
        const graph = type === 'float16' ? inFloat16(source) : source;
        const legal = legalize(graph, CUDA_CAPABILITIES);
        expect(typeErrors(legal.graph, CUDA_CAPABILITIES)).toEqual([]);
        const names = (one: IGraph): string[] =>
          weightCastsOf(one)
            .map(cast => cast.node.name)
            .sort();
        expect(names(legal.graph)).toEqual(names(graph));
        // The CPU provider rounds after every operator where the CUDA provider's kernels do, once it holds low precision in float32.
        const outputs = await runLegal(legalize(legal.graph, CPU_CAPABILITIES), inputs);
        // It runs a float16 graph as it is too, with casts of its own around operators it has no kernels for.
        const direct = type === 'float16' ? [await runLegal(legal, inputs)] : [];
        for (const results of [outputs, ...direct]) {
          expected.forEach((tensor, i) => {
            expect(results[i].shape).toEqual(tensor.shape);
            const difference = relativeDifference(numbersOf(results[i]), numbersOf(tensor));
            expect(difference).toBeLessThan(TOLERANCE);
            // Boundary casts lose nothing.
            const own = toDtype(results[i], legal.outputs[i].dtype!);
            const again = toDtype(own, results[i].dtype);
            expect(Buffer.compare(bytesOf(again.data), bytesOf(results[i].data))).toBe(0);
          });
        }
        first ??= outputs;
        outputs.forEach((tensor, i) =>
          expect(Buffer.compare(bytesOf(tensor.data), bytesOf(first![i].data))).toBe(0)
        );
      }
    }
  );
});
