/**
 * Weights are cast right before they are used: one at a time is in memory, as when AOTInductor runs the exported program.
 *
 * @jest-environment ./test/support/ortenvironment.cjs
 */
import { join } from 'node:path';

import { chain } from '../../../bench/models/shapes';
import { SYNTHETIC_FORMATS, writeSynthetic } from '../../../bench/models/synthetic';
import { ModelStore } from '../../../src/engine/modelstore';
import type { IPreparedVariant } from '../../../src/engine/variant';
import { prepareVariant } from '../../../src/engine/variant';
import { writeOnnx } from '../../../src/formats';
import type { ITensor } from '../../../src/numerics';
import { executionOrder, peakLiveBytes, valueBytes, withSizes } from '../../../src/probes';
import type { CacheMode } from '../../../src/protocol';
import type { IProfile } from '../../../src/runtime';
import { parseDevice, RuntimeSession } from '../../../src/runtime';
import { testFolder } from '../runtime/helpers';

const LAYERS = 12;
const WIDTH = 64;
const WEIGHT_BYTES = 4 * WIDTH * WIDTH;
const X: ITensor = { dtype: 'float32', shape: [1, WIDTH], data: new Float32Array(WIDTH).fill(1) };

describe.each(SYNTHETIC_FORMATS)('a chain of layers, %s', format => {
  const folder = testFolder();
  const store = new ModelStore();
  const path = join(folder.path, format.startsWith('onnx') ? 'model.onnx' : 'model.pt2');

  beforeAll(() => writeSynthetic(path, format, chain(2 * LAYERS, WIDTH)));

  /** A variant that reads its weights as they are stored, and what onnxruntime says it ran. */
  async function run(cache: CacheMode): Promise<{ variant: IPreparedVariant; profile: IProfile }> {
    const loaded = await store.load({ path });
    const variant = prepareVariant(loaded, { cache, passes: [], device: 'cpu' });
    const session = await RuntimeSession.create(writeOnnx(variant.legal.graph), {
      device: parseDevice('cpu'),
      level: 'planned',
      profile: true
    });
    try {
      await session.run(new Map([['x', X]]));
      return { variant, profile: session.endProfile() };
    } finally {
      await session.dispose();
    }
  }

  it.each(['off', 'autocast'] as const)(
    'should cast no weight before the layer ahead of it has run in mode %s',
    async cache => {
      const { variant, profile } = await run(cache);
      const { graph } = variant.legal;
      const executed = profile.kernels.map(({ node }) => node);
      expect(executed).toEqual(executionOrder(graph).map(({ name }) => name));
      const products = new Set(
        graph.nodes.filter(({ op }) => /Gemm|MatMul/.test(op)).map(({ name }) => name)
      );
      const steps = executed.flatMap(name =>
        variant.weightCastNodes.has(name) ? ['cast'] : products.has(name) ? ['product'] : []
      );
      expect(steps).toEqual(Array.from({ length: LAYERS }, () => ['cast', 'product']).flat());
    }
  );

  it('should hold the result of one cast at a time', async () => {
    const { variant, profile } = await run('off');
    const shapes = new Map(profile.kernels.map(({ node, outputShapes }) => [node, outputShapes]));
    const graph = withSizes(variant.legal.graph, shapes, new Map());
    const live = peakLiveBytes(graph, valueBytes);
    // A weight rounded to bfloat16, held in float32 again, and the values around it.
    expect(live).toBeGreaterThan(1.5 * WEIGHT_BYTES);
    expect(live).toBeLessThan(1.6 * WEIGHT_BYTES);
  });

  it('should run all other operators in the same order in every mode', async () => {
    const orders = new Set<string>();
    for (const cache of ['off', 'autocast', 'folded', 'frozen'] as const) {
      const loaded = await store.load({ path });
      const { legal } = prepareVariant(loaded, { cache, passes: [], device: 'cpu' });
      const computed = executionOrder(legal.graph).filter(({ op }) => op !== 'onnx.Cast');
      orders.add(computed.map(({ name }) => name).join());
    }
    expect(orders.size).toBe(1);
  });
});
