import { statSync } from 'node:fs';
import { join } from 'node:path';

import type { GraphShape } from '../../../bench/models/shapes';
import {
  chain,
  fanOut,
  manyCasts,
  manyWeights,
  nestedModules,
  nestedRegions
} from '../../../bench/models/shapes';
import { SYNTHETIC_FORMATS, writeSynthetic } from '../../../bench/models/synthetic';
import { makeCastsExplicit, takeCensus } from '../../../src/autocast';
import { readModel } from '../../../src/formats';
import { validateGraph } from '../../../src/passes';
import type { ICensus } from '../../../src/protocol';
import { testFolder } from '../runtime/helpers';

const SIZE = 20;

/** Weight casts of one forward, and weights that are cast. */
const SHAPES: readonly (readonly [string, GraphShape, number, number])[] = [
  ['chain', chain, SIZE / 2, SIZE / 2],
  ['fanOut', fanOut, 1, 1],
  ['manyWeights', manyWeights, SIZE + 1, SIZE],
  ['manyCasts', manyCasts, SIZE + 1, 1],
  ['nestedRegions', nestedRegions, SIZE, 1],
  ['nestedModules', nestedModules, SIZE, 1]
];

describe('writeSynthetic()', () => {
  const folder = testFolder();

  async function censusOf(path: string): Promise<ICensus> {
    const model = await readModel(path);
    const explicit = makeCastsExplicit(model);
    expect(explicit.mismatches).toEqual([]);
    expect(validateGraph(explicit.graph)).toEqual([]);
    return takeCensus(explicit, model, path);
  }

  it.each(SHAPES)(
    'should write %s with the same casts in all formats',
    async (name, shape, ...n) => {
      for (const format of SYNTHETIC_FORMATS) {
        const path = join(
          folder.path,
          `${name}-${format}.${format.startsWith('onnx') ? 'onnx' : 'pt2'}`
        );
        await writeSynthetic(path, format, shape(SIZE, 8));
        const { perForward, weightCasts, activationCasts } = await censusOf(path);
        expect([format, perForward.off.weightCasts, weightCasts.length]).toEqual([format, ...n]);
        expect(activationCasts).toBe(1);
        expect(weightCasts[0]).toMatchObject({ from: 'float32', to: 'bfloat16', shape: [8, 8] });
      }
    }
  );

  it('should nest regions and modules', async () => {
    const path = join(folder.path, 'nested.pt2');
    await writeSynthetic(path, 'training', nestedRegions(SIZE, 8));
    const { regions } = await censusOf(path);
    expect(regions).toHaveLength(SIZE);
    expect(regions.filter(({ parent }) => parent === null)).toHaveLength(1);
    await writeSynthetic(path, 'training', nestedModules(SIZE, 8));
    expect((await readModel(path)).modules.at(-1)?.path.split('.')).toHaveLength(SIZE);
  });

  it('should leave weights without data holes', async () => {
    for (const format of SYNTHETIC_FORMATS) {
      const path = join(folder.path, `hole-${format}.bin`);
      await writeSynthetic(path, format, chain(40, 1024));
      const files = format === 'onnx-external' ? [path, `${path}.data`] : [path];
      const stats = files.map(file => statSync(file));
      expect(stats.reduce((sum, { size }) => sum + size, 0)).toBeGreaterThan(16 * 4 * 1024 ** 2);
      expect(stats.reduce((sum, { blocks }) => sum + 512 * blocks, 0)).toBeLessThan(1e6);
    }
  });
});
