/**
 * Files that are damaged or change while they are used, and disks that refuse: one clear error, and nothing lost.
 *
 * @jest-environment ./test/support/ortenvironment.cjs
 */
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync
} from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { chain } from '../../../bench/models/shapes';
import type { SyntheticFormat } from '../../../bench/models/synthetic';
import { SYNTHETIC_FORMATS, writeSynthetic } from '../../../bench/models/synthetic';
import { shareOf } from '../../../src/protocol';
import { Engine } from '../../../src/engine/service';
import type { CacheMode, IProgress, IVariant } from '../../../src/protocol';
import type { ITestInitializer } from '../../support/onnxmodel';
import { ONNX_TYPES, onnxModel } from '../../support/onnxmodel';
import { testFolder } from '../runtime/helpers';

const WIDTH = 512;
const LAYERS = 4;

function variant(cache: CacheMode): IVariant {
  return { cache, passes: [], device: 'cpu' };
}

describe.each(SYNTHETIC_FORMATS)('a model whose file changes while it is used: %s', format => {
  const folder = testFolder();
  const engine = new Engine();
  afterAll(() => engine.dispose());

  const path = join(folder.path, format.startsWith('onnx') ? 'model.onnx' : 'model.pt2');
  const output = join(folder.path, `out-${basename(path)}`);
  /** The file that holds the weights. */
  const holding = format === 'onnx-external' ? `${path}.data` : path;

  beforeEach(() => writeSynthetic(path, format as SyntheticFormat, chain(2 * LAYERS, WIDTH)));
  afterEach(() => readdirSync(folder.path).forEach(name => rmSync(join(folder.path, name))));

  /** What is done once, when half of the work is. */
  function halfway(change: () => void): { progress: (progress: IProgress) => void } {
    let isDone = false;
    return {
      progress: told => {
        if (!isDone && (shareOf(told) ?? 0) > 0.3) {
          isDone = true;
          change();
        }
      }
    };
  }

  const CHANGES: readonly [string, () => void][] = [
    ['becomes shorter', () => truncateSync(holding, 1000)],
    ['is deleted', () => unlinkSync(holding)],
    [
      'is replaced by another one',
      () => {
        copyFileSync(holding, `${holding}.new`);
        renameSync(`${holding}.new`, holding);
      }
    ]
  ];

  it.each(CHANGES)('should not be repaired where it %s, and leave nothing', async (_, change) => {
    writeFileSync(output, 'what was there');
    const before = readdirSync(folder.path).sort();
    const fixing = engine.handle('fix', { path, output, overwrite: true }, halfway(change));
    await expect(fixing).rejects.toMatchObject({
      code: expect.stringMatching(/^(bad-file|file-changed|file-not-found)$/) as string,
      details: { file: holding }
    });
    const kept = before.filter(name => existsSync(holding) || name !== basename(holding));
    expect(readdirSync(folder.path).sort()).toEqual(kept);
    expect(readFileSync(output, 'utf8')).toBe('what was there');
  });

  it.each(CHANGES)('should have no statistics where it %s', async (_, change) => {
    const stats = engine.handle('weightStats', { path }, halfway(change));
    await expect(stats).rejects.toMatchObject({
      code: expect.stringMatching(/^(bad-file|file-changed|file-not-found)$/) as string,
      details: { file: holding }
    });
  });

  it.each(
    CHANGES.flatMap(([what, change]) =>
      ['Loading float32', 'Reading values'].map(text => [what, text, change] as const)
    )
  )('should have no statistics of values where it %s: %s', async (_, during, change) => {
    let isDone = false;
    const stats = engine.handle(
      'activationStats',
      { path, variant: variant('off') },
      {
        progress: ({ text }) => {
          if (!isDone && text.startsWith(during)) {
            isDone = true;
            change();
          }
        }
      }
    );
    await expect(stats).rejects.toMatchObject({
      code: expect.stringMatching(/^(bad-file|file-changed|file-not-found)$/) as string,
      details: { file: holding }
    });
    expect(isDone).toBe(true);
  });

  it.each(
    CHANGES.flatMap(([what, change]) =>
      ['Loading folded', 'Timing'].map(text => [what, text, change] as const)
    )
  )('should not be compared where it %s: %s', async (_, during, change) => {
    const variants = (['off', 'folded'] as const).map(variant);
    let isDone = false;
    const comparing = engine.handle(
      'compare',
      { path, variants, runs: 2, warmup: 0 },
      {
        progress: ({ text }) => {
          if (!isDone && text.startsWith(during)) {
            isDone = true;
            change();
          }
        }
      }
    );
    await expect(comparing).rejects.toMatchObject({
      code: expect.stringMatching(/^(bad-file|file-changed|file-not-found)$/) as string,
      details: { file: holding }
    });
    expect(isDone).toBe(true);
  });

  it('should be read again where it has changed between requests', async () => {
    await engine.handle('run', { path, variant: variant('off') }, {});
    truncateSync(holding, 1000);
    await expect(engine.handle('run', { path, variant: variant('off') }, {})).rejects.toMatchObject(
      { code: 'bad-file', details: { file: path } }
    );
    await writeSynthetic(path, format as SyntheticFormat, chain(2 * LAYERS, WIDTH));
    const { result } = await engine.handle('run', { path, variant: variant('off') }, {});
    expect(result.executedWeightCasts).toBe(LAYERS);
  });
});

describe('external data whose ranges overlap', () => {
  const folder = testFolder();
  const engine = new Engine();
  afterAll(() => engine.dispose());

  it('should be read as written, and be repaired weight by weight', async () => {
    const size = 8;
    const bytes = 4 * size * size;
    const values = Float32Array.from({ length: 2 * size * size }, (_, i) => Math.sin(i));
    const data = folder.write('weights.bin', new Uint8Array(values.buffer));
    const place = (name: string, offset: number): ITestInitializer => ({
      name,
      dtype: 'float32',
      shape: [size, size],
      data: { location: 'weights.bin', offset, length: bytes }
    });
    const BFLOAT16 = ONNX_TYPES.bfloat16;
    const path = folder.write(
      'model.onnx',
      onnxModel({
        inputs: [{ name: 'x', dtype: 'bfloat16', shape: [1, size] }],
        outputs: [{ name: 'y', dtype: 'bfloat16', shape: [1, size] }],
        // The second begins in the middle of the first, and no element of both is the same number in the same place.
        initializers: [place('w0', 0), place('w1', bytes / 2)],
        nodes: [0, 1].flatMap(i => [
          {
            op: 'Cast',
            name: `c${i}`,
            inputs: [`w${i}`],
            outputs: [`l${i}`],
            ints: { to: BFLOAT16 }
          },
          {
            op: 'MatMul',
            name: `m${i}`,
            inputs: [i === 0 ? 'x' : 'h', `l${i}`],
            outputs: [i === 0 ? 'h' : 'y']
          }
        ])
      })
    );
    const before = readFileSync(data);
    const output = join(folder.path, 'fixed.onnx');
    const { result } = await engine.handle('fix', { path, output }, {});
    expect(result.converted.map(({ weight }) => weight)).toEqual(['w0', 'w1']);
    const results: Buffer[] = [];
    for (const file of [path, output]) {
      const outputsFile = join(folder.path, 'y.safetensors');
      const inputs = { seed: 3 };
      for (const cache of ['off', 'folded'] as const) {
        await engine.handle(
          'run',
          { path: file, variant: variant(cache), inputs, outputsFile },
          {}
        );
        results.push(readFileSync(outputsFile));
      }
    }
    expect(results.every(bytesOfOne => bytesOfOne.equals(results[0]))).toBe(true);
    expect(readFileSync(data).equals(before)).toBe(true);
  });
});

describe('a disk that refuses', () => {
  const folder = testFolder();
  const engine = new Engine();
  afterAll(() => engine.dispose());
  afterEach(() => jest.restoreAllMocks());

  /** Writes fail once `bytes` have been written, as on a full disk. */
  async function fillAfter(bytes: number, code: string): Promise<void> {
    const handle = await open(__filename);
    const prototype = Object.getPrototypeOf(handle) as FileHandle;
    await handle.close();
    const write = prototype.write as (...args: unknown[]) => Promise<{ bytesWritten: number }>;
    let left = bytes;
    jest.spyOn(prototype, 'write').mockImplementation(async function (
      this: FileHandle,
      ...args: unknown[]
    ) {
      if (left <= 0) {
        throw Object.assign(new Error(`${code}: no space left on device, write`), { code });
      }
      const [data, offset, length, position] = args as [Uint8Array, number, number, number | null];
      const written = await write.call(this, data, offset, Math.min(length, left), position);
      left -= written.bytesWritten;
      return { ...written, buffer: data };
    } as FileHandle['write']);
  }

  it.each(SYNTHETIC_FORMATS)('should leave all files as they were: %s', async format => {
    const path = join(folder.path, `${format}.${format.startsWith('onnx') ? 'onnx' : 'pt2'}`);
    await writeSynthetic(path, format, chain(2 * LAYERS, WIDTH));
    const output = join(folder.path, `out-${basename(path)}`);
    await engine.handle('fix', { path, output }, {});
    const before = new Map(
      readdirSync(folder.path).map(name => [name, readFileSync(join(folder.path, name))])
    );
    const written = [...before.keys()].filter(name => name.startsWith('out-'));
    const total = written.reduce((sum, name) => sum + before.get(name)!.length, 0);
    // In the first file, in the last one, and right at the end.
    for (const bytes of [0, 1, total / 2, total - 10]) {
      await fillAfter(Math.floor(bytes), bytes === 0 ? 'EDQUOT' : 'ENOSPC');
      const fixing = engine.handle('fix', { path, output, overwrite: true }, {});
      await expect(fixing).rejects.toMatchObject({
        code: 'runtime',
        summary: 'the file cannot be written: the disk is full',
        details: { file: expect.stringContaining(output) as string }
      });
      jest.restoreAllMocks();
      expect(readdirSync(folder.path).sort()).toEqual([...before.keys()].sort());
      for (const [name, content] of before) {
        expect(readFileSync(join(folder.path, name)).equals(content)).toBe(true);
      }
    }
    readdirSync(folder.path).forEach(name => rmSync(join(folder.path, name)));
  });

  // Nobody may make files in /proc, not even root; macOS has none.
  const itHasProc = existsSync('/proc/self') ? it : it.skip;

  itHasProc('should be told from a folder that may not be written to', async () => {
    const path = join(folder.path, 'model.pt2');
    await writeSynthetic(path, 'training', chain(2, 16));
    const output = '/proc/self/model.pt2';
    await expect(engine.handle('fix', { path, output }, {})).rejects.toMatchObject({
      code: 'bad-argument',
      summary: 'the file cannot be written',
      details: {
        file: expect.stringMatching(/^\/proc\/.*model\.pt2$/) as string,
        found: expect.stringMatching(/^E[A-Z]+$/) as string
      }
    });
    expect(readdirSync(dirname(path))).toEqual([basename(path)]);
  });
});
