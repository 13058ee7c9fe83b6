/** @jest-environment ./test/support/ortenvironment.cjs */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { makeCastsExplicit, weightCastsOf } from '../../../src/autocast';
import { openSafetensors, readModel } from '../../../src/formats';
import { unsupportedOperators } from '../../../src/lowering';
import { bytesOf, tensorFromBytes } from '../../../src/numerics';
import type { ITensor } from '../../../src/numerics';
import { planGraph } from '../../../src/passes';
import { CACHE_MODES, PASSES } from '../../../src/protocol';
import type { CacheMode, Reference } from '../../../src/protocol';
import { numbersOf, relativeDifference, runOnCpu, toDtype } from './device';

const FIXTURES = resolve(__dirname, '../../fixtures');
const FAMILIES = [
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
];
const FILES = ['model.pt2', 'model.core.pt2', 'model.onnx'];

/** bfloat16 tolerance: relative to the largest output. */
const TOLERANCE = 2 ** -6;

const CASES = FAMILIES.flatMap(family =>
  FILES.filter(file => existsSync(join(FIXTURES, family, file))).map(
    file => [family, file] as const
  )
);

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

describe('fixtures on the CPU provider', () => {
  it.each(CASES)(
    '%s/%s computes what PyTorch computes in every cache mode',
    async (family, file) => {
      const folder = join(FIXTURES, family);
      const model = await readModel(join(folder, file));
      const { graph } = makeCastsExplicit(model);
      expect(unsupportedOperators(graph)).toEqual([]);
      const inputs = await tensors(join(folder, 'inputs.safetensors'), 'input');
      const expected = await tensors(join(folder, 'outputs.safetensors'), 'output');
      let first: ITensor[] | null = null;
      for (const cache of CACHE_MODES) {
        const planned = planGraph(graph, model, { cache, passes: [] });
        const { outputs, legal, casts } = await runOnCpu(planned.graph, inputs);
        expected.forEach((tensor, i) => {
          expect(legal.outputs[i].dtype).toBe(tensor.dtype);
          expect(outputs[i].shape).toEqual(tensor.shape);
          expect(relativeDifference(numbersOf(outputs[i]), numbersOf(tensor))).toBeLessThan(
            TOLERANCE
          );
          // Held values are values of the logical dtype.
          const rounded = toDtype(toDtype(outputs[i], tensor.dtype), outputs[i].dtype);
          expect(Buffer.compare(bytesOf(rounded.data), bytesOf(outputs[i].data))).toBe(0);
        });
        // One device, one set of passes: the cache mode changes no bit.
        first ??= outputs;
        outputs.forEach((tensor, i) =>
          expect(Buffer.compare(bytesOf(tensor.data), bytesOf(first![i].data))).toBe(0)
        );
        // What runs is what was planned.
        const plannedCasts = weightCastsOf(planned.graph).map(cast => cast.node.name);
        const legalCasts = weightCastsOf(legal.graph).map(cast => cast.node.name);
        expect(legalCasts.sort()).toEqual(plannedCasts.sort());
        const executed = casts.filter(name => legalCasts.includes(name));
        expect(executed.sort()).toEqual(legalCasts);
      }
    }
  );

  it.each(CASES)('%s/%s runs with all passes, and without autocast', async (family, file) => {
    const folder = join(FIXTURES, family);
    const model = await readModel(join(folder, file));
    const { graph } = makeCastsExplicit(model);
    const inputs = await tensors(join(folder, 'inputs.safetensors'), 'input');
    const expected = await tensors(join(folder, 'outputs.safetensors'), 'output');
    const run = async (cache: CacheMode | Reference): Promise<ITensor[]> => {
      const planned = planGraph(graph, model, { cache, passes: [...PASSES] });
      return (await runOnCpu(planned.graph, inputs)).outputs;
    };
    const off = await run('off');
    const frozen = await run('frozen');
    const float32 = await run('float32');
    expected.forEach((tensor, i) => {
      const wanted = numbersOf(tensor);
      expect(relativeDifference(numbersOf(off[i]), wanted)).toBeLessThan(TOLERANCE);
      expect(Buffer.compare(bytesOf(off[i].data), bytesOf(frozen[i].data))).toBe(0);
      expect(relativeDifference(numbersOf(float32[i]), wanted)).toBeLessThan(4 * TOLERANCE);
    });
  });
});
