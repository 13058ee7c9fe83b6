/**
 * Models of any size: what the generator writes is read, and weights of gigabytes are neither read nor in the way.
 *
 * @jest-environment ./test/support/ortenvironment.cjs
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';

import {
  chain,
  fanOut,
  manyCasts,
  nestedModules,
  nestedRegions
} from '../../../bench/models/shapes';
import type { ISyntheticModel, SyntheticFormat } from '../../../bench/models/synthetic';
import { SYNTHETIC_FORMATS, writeSynthetic } from '../../../bench/models/synthetic';
import { makeCastsExplicit } from '../../../src/autocast';
import { Engine } from '../../../src/engine/service';
import { openSafetensors, readByteRange, readModel } from '../../../src/formats';
import { bytesOf } from '../../../src/numerics';
import { testFolder } from '../runtime/helpers';

const WIDTH = 4;

/** Square root of the number of elements of more than 4 GiB of float32. */
const HUGE_WIDTH = 33_000;

const FOUR_GIB = 4 * 1024 ** 3;

const folder = testFolder();
let files = 0;

async function write(format: SyntheticFormat, model: ISyntheticModel): Promise<string> {
  const extension = format.startsWith('onnx') ? 'onnx' : 'pt2';
  const path = join(folder.path, `${files++}.${extension}`);
  await writeSynthetic(path, format, model);
  return path;
}

describe('writeSynthetic', () => {
  const engine = new Engine();

  it.each(SYNTHETIC_FORMATS)('should write what castlens reads alike: %s', async format => {
    const census = async (model: ISyntheticModel): Promise<number[]> => {
      const { result } = await engine.handle('census', { path: await write(format, model) }, {});
      return [result.perForward.off.weightCasts, result.weightCasts.length, result.activationCasts];
    };
    expect(await census(chain(40, WIDTH))).toEqual([20, 16, 1]);
    expect(await census(fanOut(10, WIDTH))).toEqual([1, 1, 1]);
    expect(await census(manyCasts(10, WIDTH))).toEqual([11, 1, 1]);
  });

  it('should compute the dtypes that it records', async () => {
    for (const model of [chain(40, WIDTH), manyCasts(10, WIDTH), nestedRegions(20, WIDTH)]) {
      const read = await readModel(await write('training', model));
      const { mismatches, checked } = makeCastsExplicit(read);
      expect(mismatches).toEqual([]);
      expect(checked).toBeGreaterThan(10);
    }
  });

  it('should nest regions', async () => {
    const { regions } = await readModel(await write('training', nestedRegions(20, WIDTH)));
    expect(regions).toHaveLength(20);
    expect(regions.filter(({ parent }) => parent === null)).toHaveLength(1);
  });

  it.each(SYNTHETIC_FORMATS)('should leave holes where there are no values: %s', async format => {
    // 16 weights of 4 MB.
    const path = await write(format, chain(20, 1000));
    const paths = format === 'onnx-external' ? [path, `${path}.data`] : [path];
    const stats = paths.map(file => statSync(file));
    expect(stats.reduce((total, { size }) => total + size, 0)).toBeGreaterThan(64_000_000);
    expect(stats.reduce((total, { blocks }) => total + 512 * blocks, 0)).toBeLessThan(2_000_000);
  });
});

describe('modules in modules', () => {
  it('should each count the casts of those inside', async () => {
    const path = await write('training', nestedModules(50, WIDTH));
    const { result } = await new Engine().handle('open', { path }, {});
    const { bytesMoved } = result.census.perForward.off;
    expect(result.modules).toHaveLength(51);
    for (const { path: module, weightCasts } of result.modules) {
      const layersAround = module === '' ? 0 : module.split('.').length - 1;
      expect(weightCasts).toBe(50 - layersAround);
    }
    expect(result.modules[0]).toMatchObject({ path: '', bytesMoved });
  });
});

describe('a weight beyond 4 GiB', () => {
  const data = bytesOf(Float32Array.from({ length: WIDTH * WIDTH }, (_, i) => (i - 5) / 8));

  /** One product with a small weight that lies behind a large one, if any. */
  function product(hasPadding: boolean): ISyntheticModel {
    return {
      weights: [
        { name: 'padding', width: hasPadding ? HUGE_WIDTH : 1 },
        { name: 'weight', width: WIDTH, data }
      ],
      width: WIDTH,
      steps: [{ op: 'matmul', inputs: ['x'], weight: 1, output: 'y', rows: 1, depth: 1 }]
    };
  }

  it.each(SYNTHETIC_FORMATS)('should give its values: %s', async format => {
    const engine = new Engine();
    const results: Uint8Array[] = [];
    for (const hasPadding of [false, true]) {
      const path = await write(format, product(hasPadding));
      const { weights } = await readModel(path);
      const stored = weights.find(({ names }) => names.includes('weight'))!;
      const offset = stored.data.kind === 'range' ? stored.data.range.offset : -1;
      expect(offset > FOUR_GIB).toBe(hasPadding);
      const outputsFile = `${path}.out`;
      for (const cache of ['off', 'folded'] as const) {
        const variant = { cache, passes: [], device: 'cpu' };
        const params = { path, variant, inputs: { seed: 1 }, outputsFile };
        const { result } = await engine.handle('run', params, {});
        expect(result.executedWeightCasts).toBe(cache === 'off' ? 1 : 0);
        const output = (await openSafetensors(outputsFile)).get('output_0')!;
        results.push(await readByteRange(output.range));
      }
    }
    expect(results[0].some(byte => byte !== 0)).toBe(true);
    results.forEach(bytes => expect(bytes).toEqual(results[0]));
  });
});
