/**
 * Weights never move: the bytes that each request reads and writes are those it must cast, summarise or save.
 *
 * @jest-environment ./test/support/ortenvironment.cjs
 */
import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import type { SyntheticFormat } from '../../../bench/models/synthetic';
import { writeSynthetic } from '../../../bench/models/synthetic';
import type { ISyntheticModel } from '../../../bench/models/syntheticmodel';
import { shareOf } from '../../../src/protocol';
import { Engine } from '../../../src/engine/service';
import { writeSafetensors } from '../../../src/formats';
import type { CacheMode, IVariant, Reference } from '../../../src/protocol';
import { countsTraffic, trafficOf } from '../../support/traffic';
import { testFolder } from '../runtime/helpers';

const MIB = 2 ** 20;
const WIDTH = 1024;
/** Of a weight that is used. */
const WEIGHT_BYTES = 4 * WIDTH * WIDTH;
const LAYERS = 3;
/** Of the weight that no operator uses: over 4 GB. */
const UNUSED_WIDTH = 32_800;
const UNUSED_BYTES = 4 * UNUSED_WIDTH * UNUSED_WIDTH;

/** Graphs, directories, profiles, statistics of the process: less than any weight. */
const SMALL = 1 * MIB;
/** What statistics and casts may take above an idle engine. */
const BOUND = 256 * MIB;

/** Weights of random numbers, nothing that a hole could stand for; and a weight of `unusedWidth` that nothing uses. */
function layers(unusedWidth: number, seed = 0): ISyntheticModel {
  const used = Array.from({ length: LAYERS }, (_, i) => ({
    name: `layer${i}`,
    width: WIDTH,
    data: randomBytes(seed + i)
  }));
  return {
    width: WIDTH,
    weights: [...used, { name: 'unused', width: unusedWidth }],
    steps: used.map((_, i) => ({
      op: 'matmul',
      inputs: [i === 0 ? 'x' : `y${i - 1}`],
      weight: i,
      output: `y${i}`,
      rows: 1,
      depth: 1
    }))
  };
}

/** Numbers between 0.5 and 1 and their negatives, that no two seeds share. */
function randomBytes(seed: number): Uint8Array {
  const bits = new Uint32Array(WIDTH * WIDTH);
  for (let i = 0; i < bits.length; i++) {
    bits[i] = (Math.imul(i + seed * 7919 + 1, 0x9e3779b1) & 0x807fffff) | 0x3f000000;
  }
  return new Uint8Array(bits.buffer);
}

function variant(cache: CacheMode | Reference): IVariant {
  return { cache, passes: [], device: 'cpu' };
}

// Gigabytes are read and written here, which takes seconds on a busy machine.
jest.setTimeout(60_000);

const FORMATS: readonly SyntheticFormat[] = ['training', 'aten', 'onnx', 'onnx-external'];

(countsTraffic ? describe : describe.skip)('bytes of weights', () => {
  const folder = testFolder();
  const engine = new Engine();
  afterAll(() => engine.dispose());

  async function write(name: string, format: SyntheticFormat, model: ISyntheticModel) {
    const path = join(
      folder.path,
      `${name}-${format}${format.startsWith('onnx') ? '.onnx' : '.pt2'}`
    );
    await writeSynthetic(path, format, model);
    return path;
  }

  // Libraries and modules are loaded once, by whoever comes first.
  beforeAll(async () => {
    const path = await write('warm', 'training', layers(16));
    for (const cache of ['off', 'folded', 'frozen'] as const) {
      await engine.handle('run', { path, variant: variant(cache) }, {});
    }
    await engine.handle('compare', { path, variants: [variant('off')], runs: 1, warmup: 0 }, {});
    await engine.handle('activationStats', { path, variant: variant('off') }, {});
    await engine.handle('weightStats', { path }, {});
    await engine.handle('code', { path }, {});
    await engine.handle('fix', { path, output: join(folder.path, 'warm-fixed.pt2') }, {});
  });

  describe.each(FORMATS)('%s of over 4 GB', format => {
    let path: string;
    beforeAll(async () => {
      path = await write('large', format, layers(UNUSED_WIDTH));
    });

    it('should not be read to open, count, plan and explain', async () => {
      const { readBytes, writtenBytes, peakGrowthBytes } = await trafficOf(async () => {
        const { result } = await engine.handle('census', { path }, {});
        expect(result.perForward.off.weightCasts).toBe(LAYERS);
        await engine.handle('open', { path }, {});
        await engine.handle('plan', { path, variant: variant('folded') }, {});
        await engine.handle('code', { path }, {});
      });
      expect(readBytes).toBeLessThan(SMALL);
      expect(writtenBytes).toBeLessThan(SMALL);
      expect(peakGrowthBytes).toBeLessThan(BOUND);
    });

    it.each(['off', 'autocast', 'float32'] as const)(
      'should not be read to run it as %s',
      async cache => {
        const { readBytes, writtenBytes, peakGrowthBytes } = await trafficOf(() =>
          engine.handle('run', { path, variant: variant(cache) }, {})
        );
        expect(readBytes).toBeLessThan(SMALL);
        expect(writtenBytes).toBeLessThan(SMALL);
        expect(peakGrowthBytes).toBeLessThan(BOUND);
      }
    );

    it('should be read once where they are cast ahead of the forward, and nothing else', async () => {
      for (const [cache, weights] of [
        ['folded', LAYERS],
        ['frozen', 0]
      ] as const) {
        const { readBytes, writtenBytes, peakGrowthBytes } = await trafficOf(() =>
          engine.handle('run', { path, variant: variant(cache) }, {})
        );
        expect(readBytes).toBeGreaterThanOrEqual(weights * WEIGHT_BYTES);
        expect(readBytes).toBeLessThan(weights * WEIGHT_BYTES + SMALL);
        // On the CPU converted weights are held in float32.
        expect(writtenBytes).toBeLessThan(weights * WEIGHT_BYTES + SMALL);
        expect(peakGrowthBytes).toBeLessThan(BOUND);
      }
    });

    it('should be read once by a comparison of all modes', async () => {
      const fresh = new Engine();
      try {
        const variants = (['off', 'autocast', 'folded', 'frozen', 'float32'] as const).map(variant);
        const { result, readBytes, writtenBytes } = await trafficOf(() =>
          fresh.handle('compare', { path, variants, runs: 2, warmup: 1 }, {})
        );
        expect(result.result.variants).toHaveLength(variants.length);
        expect(readBytes).toBeLessThan(LAYERS * WEIGHT_BYTES + SMALL);
        expect(writtenBytes).toBeLessThan(LAYERS * WEIGHT_BYTES + SMALL);
      } finally {
        await fresh.dispose();
      }
    });

    it('should not be read for statistics of activations', async () => {
      const { readBytes, writtenBytes } = await trafficOf(() =>
        engine.handle('activationStats', { path, variant: variant('off') }, {})
      );
      expect(readBytes).toBeLessThan(SMALL);
      expect(writtenBytes).toBeLessThan(SMALL);
    });

    it('should be read where an update has them, and be cast where it changes them', async () => {
      const weights = `${path}.safetensors`;
      const { name, data } = layers(16, 50).weights[1];
      const shape = [WIDTH, WIDTH];
      await writeSafetensors(weights, [{ name, dtype: 'float32', shape, data: data! }]);
      const params = { path, weights, variant: variant('folded') };
      const { result, readBytes, writtenBytes, peakGrowthBytes } = await trafficOf(() =>
        engine.handle('updateWeights', params, {})
      );
      expect(result.result).toMatchObject({ changed: [name], castsDone: 1 });
      expect(readBytes).toBeLessThan(WEIGHT_BYTES + SMALL);
      expect(writtenBytes).toBeLessThan(WEIGHT_BYTES + SMALL);
      expect(peakGrowthBytes).toBeLessThan(BOUND);
    });

    it('should leave nothing behind where a repair is interrupted', async () => {
      const output = join(folder.path, `interrupted-${basename(path)}`);
      const controller = new AbortController();
      const before = readdirSync(dirname(output)).sort();
      const { readBytes, writtenBytes, peakGrowthBytes } = await trafficOf(async () => {
        const fixing = engine.handle(
          'fix',
          { path, output },
          {
            signal: controller.signal,
            progress: told => {
              if ((shareOf(told) ?? 0) > 0.02) {
                controller.abort();
              }
            }
          }
        );
        await expect(fixing).rejects.toMatchObject({ code: 'cancelled' });
      });
      expect(readdirSync(dirname(output)).sort()).toEqual(before);
      // It had begun, and stopped soon.
      expect(writtenBytes).toBeGreaterThan(10 * MIB);
      expect(writtenBytes).toBeLessThan(0.1 * UNUSED_BYTES);
      expect(readBytes).toBeLessThan(0.1 * UNUSED_BYTES);
      expect(peakGrowthBytes).toBeLessThan(BOUND);
    });
  });

  it('should be read once for their statistics', async () => {
    const path = join(folder.path, 'large-training.pt2');
    const total = UNUSED_BYTES + LAYERS * WEIGHT_BYTES;
    const { readBytes, writtenBytes, peakGrowthBytes } = await trafficOf(() =>
      engine.handle('weightStats', { path }, {})
    );
    expect(readBytes).toBeGreaterThanOrEqual(total);
    expect(readBytes).toBeLessThan(total + SMALL);
    expect(writtenBytes).toBeLessThan(SMALL);
    expect(peakGrowthBytes).toBeLessThan(BOUND);
  });

  it.each(FORMATS)('should be read once and written once by a repair: %s', async format => {
    // 64 MiB that are copied: threads take part from there on.
    const path = await write('repaired', format, layers(4096));
    const output = join(folder.path, `out-${basename(path)}`);
    const { result, readBytes, writtenBytes, peakGrowthBytes } = await trafficOf(() =>
      engine.handle('fix', { path, output }, {})
    );
    const { sizeBefore, sizeAfter, files, converted } = result.result;
    expect(converted).toHaveLength(LAYERS);
    expect(sizeAfter).toBe(files.reduce((sum, file) => sum + statSync(file).size, 0));
    expect(sizeBefore - sizeAfter).toBeGreaterThan((LAYERS * WEIGHT_BYTES) / 2 - SMALL);
    expect(readBytes).toBeLessThan(sizeBefore + SMALL);
    expect(writtenBytes).toBeGreaterThanOrEqual(sizeAfter);
    expect(writtenBytes).toBeLessThan(sizeAfter + SMALL);
    expect(peakGrowthBytes).toBeLessThan(BOUND);
  });

  it('should be compared to find those that an update changes, no further than to the first difference', async () => {
    const path = await write('updated', 'training', layers(16));
    const other = await write('other', 'training', layers(16, 100));
    const params = { path, weights: other, variant: variant('off') };
    const { result, readBytes } = await trafficOf(() => engine.handle('updateWeights', params, {}));
    expect(result.result.changed).toHaveLength(LAYERS);
    expect(readBytes).toBeLessThan(SMALL);
  });

  it('should be cast once by an update, and only those that changed', async () => {
    const path = await write('folded', 'training', layers(16));
    await engine.handle('run', { path, variant: variant('folded') }, {});
    const model = layers(16);
    const [first, ...rest] = model.weights;
    const other = await write('folded-other', 'training', {
      ...model,
      weights: [{ ...first, data: randomBytes(7) }, ...rest]
    });
    const params = { path, weights: other, variant: variant('folded') };
    const { result, readBytes, writtenBytes } = await trafficOf(() =>
      engine.handle('updateWeights', params, {})
    );
    expect(result.result).toMatchObject({ changed: ['layer0'], castsDone: 1, castsKept: 2 });
    // Two are compared to the end, in both files; one is cast.
    expect(readBytes).toBeLessThan((2 * 2 + 1) * WEIGHT_BYTES + SMALL);
    expect(writtenBytes).toBeLessThan(WEIGHT_BYTES + SMALL);
  });
});
