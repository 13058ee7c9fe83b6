/**
 * Files beyond 4 GB, most of them holes: castlens reads, runs, summarises and repairs what lies behind.
 *
 * @jest-environment ./test/support/ortenvironment.cjs
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';

import { tableFromIPC } from 'apache-arrow';

import type { SyntheticFormat } from '../../../bench/models/synthetic';
import type { ISyntheticModel } from '../../../bench/models/syntheticmodel';
import { writeSynthetic } from '../../../bench/models/synthetic';
import { Engine } from '../../../src/engine/service';
import { openSafetensors, readByteRange, writeSafetensors } from '../../../src/formats';
import { bytesOf } from '../../../src/numerics';
import type { CacheMode } from '../../../src/protocol';
import { testFolder } from '../runtime/helpers';

const WIDTH = 16;
const BEYOND = 2 ** 32 + 12_345;
/** Small multiples of 1/8: exact in bfloat16, and so are their sums. */
const VALUES = Float32Array.from({ length: WIDTH * WIDTH }, (_, i) => ((i % 23) - 11) / 8);

/** `x @ w`. */
function product(extra: Partial<ISyntheticModel> = {}): ISyntheticModel {
  return {
    width: WIDTH,
    weights: [{ name: 'w', width: WIDTH, data: bytesOf(VALUES) }],
    steps: [{ op: 'matmul', inputs: ['x'], weight: 0, output: 'y', rows: 1, depth: 1 }],
    ...extra
  };
}

/** A float32 matrix of more than 4 GB, and `w` behind it. */
function behindUnused(): ISyntheticModel {
  const [w] = product().weights;
  return product({
    weights: [{ name: 'unused', width: Math.ceil(Math.sqrt(BEYOND / 4)) }, w],
    steps: [{ op: 'matmul', inputs: ['x'], weight: 1, output: 'y', rows: 1, depth: 1 }]
  });
}

const WITH_GAP: readonly SyntheticFormat[] = ['training', 'aten', 'onnx-external'];

describe('weights beyond 4 GB', () => {
  const folder = testFolder();
  const engine = new Engine();
  afterAll(() => engine.dispose());

  async function write(
    name: string,
    format: SyntheticFormat,
    model: ISyntheticModel
  ): Promise<string> {
    const path = join(folder.path, `${name}.${format.startsWith('onnx') ? 'onnx' : 'pt2'}`);
    await writeSynthetic(path, format, model);
    return path;
  }

  /** The output for an input that picks row 3 of the weight. */
  async function rowOf(path: string, cache: CacheMode): Promise<number[]> {
    const x = new Float32Array(WIDTH);
    x[3] = 1;
    const inputsFile = join(folder.path, 'x.safetensors');
    const input = { name: 'x', dtype: 'float32', shape: [1, WIDTH], data: bytesOf(x) } as const;
    await writeSafetensors(inputsFile, [input]);
    const outputsFile = join(folder.path, 'y.safetensors');
    const variant = { cache, passes: [], device: 'cpu' };
    await engine.handle('run', { path, variant, inputs: { inputsFile }, outputsFile }, {});
    const [{ dtype, range }] = (await openSafetensors(outputsFile)).values();
    expect(dtype).toBe('bfloat16');
    const bytes = Buffer.from(await readByteRange(range));
    // bfloat16 is the upper half of float32.
    return Array.from({ length: WIDTH }, (_, i) => {
      const wide = Buffer.alloc(4);
      wide.writeUInt16LE(bytes.readUInt16LE(2 * i), 2);
      return wide.readFloatLE(0);
    });
  }

  const row = Array.from(VALUES.subarray(3 * WIDTH, 4 * WIDTH));

  describe.each(WITH_GAP)('%s', format => {
    it('should run on them in every mode', async () => {
      const path = await write(`run-${format}`, format, product({ gapBytes: BEYOND }));
      const holding = format === 'onnx-external' ? `${path}.data` : path;
      expect(statSync(holding).size).toBeGreaterThan(BEYOND);
      expect(statSync(holding).blocks * 512).toBeLessThan(1e6);
      for (const cache of ['off', 'folded', 'frozen'] as const) {
        expect(await rowOf(path, cache)).toEqual(row);
      }
    });

    it('should summarise them', async () => {
      const path = await write(`stats-${format}`, format, product({ gapBytes: BEYOND }));
      const { buffers } = await engine.handle('weightStats', { path }, {});
      const table = tableFromIPC(buffers[0] as Uint8Array);
      expect(table.numRows).toBe(1);
      expect(table.get(0)?.toJSON()).toMatchObject({
        name: 'w',
        min: Math.min(...VALUES),
        max: Math.max(...VALUES),
        zeros: BigInt(VALUES.filter(value => value === 0).length)
      });
    });

    it('should repair them, and leave the hole behind', async () => {
      const path = await write(`fix-${format}`, format, product({ gapBytes: BEYOND }));
      const output = join(folder.path, `fixed-${path.split('/').at(-1)}`);
      const { result } = await engine.handle('fix', { path, output }, {});
      expect(result.converted).toEqual([{ weight: 'w', from: 'float32', to: 'bfloat16' }]);
      expect(result.sizeBefore).toBeGreaterThan(BEYOND);
      expect(result.sizeAfter).toBeLessThan(1e6);
      expect(await rowOf(output, 'off')).toEqual(row);
    });
  });

  it('should run on them inside of an .onnx file, which no protobuf library can read', async () => {
    const path = await write('embedded', 'onnx', behindUnused());
    expect(statSync(path).size).toBeGreaterThan(BEYOND);
    const { result } = await engine.handle('census', { path }, {});
    expect(result.perForward.off.weightCasts).toBe(1);
    for (const cache of ['off', 'folded'] as const) {
      expect(await rowOf(path, cache)).toEqual(row);
    }
  });
});
