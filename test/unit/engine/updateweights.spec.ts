/**
 * Models that run with the weights of another file.
 *
 * @jest-environment ./test/support/ortenvironment.cjs
 */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Engine } from '../../../src/engine/service';
import type { ISafetensorInput } from '../../../src/formats';
import { readModel, readWeights, writeSafetensors } from '../../../src/formats';
import type { IWeight } from '../../../src/model';
import type { CacheMode, IVariant } from '../../../src/protocol';
import { CACHE_MODES } from '../../../src/protocol';
import { readElements } from '../../../src/runtime';

const FIXTURES = join(__dirname, '../../fixtures');
const FILES = ['model.pt2', 'model.core.pt2', 'model.onnx'];

const variant = (cache: CacheMode): IVariant => ({ cache, passes: [], device: 'cpu' });

function bytesOf(weight: IWeight): Buffer {
  return Buffer.concat([...readElements(weight)].map(chunk => Buffer.from(chunk)));
}

function stored(weight: IWeight, data: Uint8Array = bytesOf(weight)): ISafetensorInput {
  return { name: weight.names[0], dtype: weight.dtype, shape: weight.shape, data };
}

/** The bytes of a float32 weight with every number doubled. */
function doubled(weight: IWeight): Buffer {
  const bytes = bytesOf(weight);
  for (let at = 0; at < bytes.length; at += 4) {
    bytes.writeFloatLE(2 * bytes.readFloatLE(at), at);
  }
  return bytes;
}

describe('Engine#updateWeights', () => {
  let folder: string;
  let engine: Engine;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'castlens-update-'));
    engine = new Engine();
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  async function outputs(
    path: string,
    cache: CacheMode,
    inputsFile: string,
    weights?: string
  ): Promise<Buffer> {
    const outputsFile = join(folder, 'out.safetensors');
    const params = { path, weights, variant: variant(cache), inputs: { inputsFile }, outputsFile };
    await engine.handle('run', params, {});
    return readFileSync(outputsFile);
  }

  /** A copy of a model in whose file the bytes of one weight are others. */
  async function patched(path: string, name: string, copy: string): Promise<string> {
    const target = join(folder, copy);
    copyFileSync(path, target);
    const { weights } = await readModel(target);
    const weight = weights.find(({ names }) => names.includes(name))!;
    if (weight.data.kind !== 'range') {
      throw new Error(`${name} is not in the file`);
    }
    const bytes = readFileSync(target);
    doubled(weight).copy(bytes, weight.data.range.offset);
    writeFileSync(target, bytes);
    return target;
  }

  describe.each(FILES)('of seed-mlp %s', file => {
    const path = join(FIXTURES, 'seed-mlp', file);
    const inputsFile = join(FIXTURES, 'seed-mlp', 'inputs.safetensors');
    const changedName = 'sub.linear1.weight';

    it('should cast again what has changed, and nothing else', async () => {
      const { weights: own } = await readModel(path);
      const weights = join(folder, 'all.safetensors');
      await writeSafetensors(
        weights,
        own.map(weight =>
          weight.names.includes(changedName) ? stored(weight, doubled(weight)) : stored(weight)
        )
      );
      await engine.handle('run', { path, variant: variant('folded') }, {});
      const params = { path, weights, variant: variant('folded') };
      const { result } = await engine.handle('updateWeights', params, {});
      expect(result.changed).toEqual([changedName]);
      expect(result.unchangedCount).toBe(own.length - 1);
      expect([result.castsDone, result.castsKept]).toEqual([1, 3]);

      const again = await engine.handle('updateWeights', params, {});
      expect([again.result.castsDone, again.result.castsKept]).toEqual([0, 4]);
    });

    it('should compute what a file with these weights computes, in every mode', async () => {
      const other = await patched(path, changedName, `other-${file}`);
      const { weights: own } = await readModel(path);
      const weight = own.find(({ names }) => names.includes(changedName))!;
      const weights = join(folder, 'one.safetensors');
      await writeSafetensors(weights, [stored(weight, doubled(weight))]);

      const expected = await outputs(other, 'off', inputsFile);
      const before = await outputs(path, 'off', inputsFile);
      expect(expected.equals(before)).toBe(false);
      for (const cache of CACHE_MODES) {
        expect((await outputs(path, cache, inputsFile, weights)).equals(expected)).toBe(true);
        expect((await outputs(path, cache, inputsFile, other)).equals(expected)).toBe(true);
      }
      expect((await outputs(path, 'folded', inputsFile)).equals(before)).toBe(true);
    });
  });

  it('should leave runs in flight on the weights they started with', async () => {
    const path = join(FIXTURES, 'seed-mlp', 'model.pt2');
    const other = await patched(path, 'sub.linear1.weight', 'other.pt2');
    const compare = engine.handle(
      'compare',
      { path, variants: CACHE_MODES.map(variant), runs: 20 },
      {}
    );
    const update = engine.handle(
      'updateWeights',
      { path, weights: other, variant: variant('folded') },
      {}
    );
    expect((await update).result.changed).toEqual(['sub.linear1.weight']);
    for (const { bitIdenticalToOff } of (await compare).result.variants) {
      expect(bitIdenticalToOff).toBe(true);
    }
  });

  it('should read new weights again once their file has changed', async () => {
    const path = join(FIXTURES, 'seed-mlp', 'model.pt2');
    const inputsFile = join(FIXTURES, 'seed-mlp', 'inputs.safetensors');
    const [first] = (await readModel(path)).weights;
    const weights = join(folder, 'weights.safetensors');
    await writeSafetensors(weights, [stored(first)]);
    const same = await outputs(path, 'folded', inputsFile, weights);
    await writeSafetensors(weights, [stored(first, doubled(first))]);
    expect((await outputs(path, 'folded', inputsFile, weights)).equals(same)).toBe(false);
  });

  it('should take a tied weight under any of its names', async () => {
    const path = join(FIXTURES, 'gpt2', 'model.pt2');
    const { weights: own } = await readModel(path);
    const tied = own.find(({ names }) => names.length > 1)!;
    const weights = join(folder, 'tied.safetensors');
    await writeSafetensors(weights, [{ ...stored(tied, doubled(tied)), name: tied.names[1] }]);
    const params = { path, weights, variant: variant('off') };
    const { result } = await engine.handle('updateWeights', params, {});
    expect(result.changed).toEqual([tied.names[0]]);
  });

  describe('of weights that do not fit', () => {
    const path = join(FIXTURES, 'gpt2', 'model.pt2');

    it('should refuse them all at once, and change nothing', async () => {
      const { weights: own } = await readModel(path);
      const tied = own.find(({ names }) => names.length > 1)!;
      const [first, second] = own.filter(weight => weight !== tied && weight.dtype === 'float32');
      const weights = join(folder, 'bad.safetensors');
      const half = Buffer.alloc(bytesOf(second).length / 2);
      await writeSafetensors(weights, [
        { ...stored(first), shape: [...first.shape, 1] },
        { ...stored(second, half), dtype: 'float16' },
        stored(tied),
        { ...stored(tied, doubled(tied)), name: tied.names[1] },
        { name: 'nobody.knows', dtype: 'float32', shape: [1], data: new Uint8Array(4) }
      ]);
      const inputsFile = join(FIXTURES, 'gpt2', 'inputs.safetensors');
      const before = await outputs(path, 'folded', inputsFile);
      const failure = await engine
        .handle('updateWeights', { path, weights, variant: variant('folded') }, {})
        .catch((error: Error) => error.message);
      expect(failure).toContain('nothing was changed');
      expect(failure).toContain(`${first.names[0]} is float32 [${first.shape.join(', ')}, 1]`);
      expect(failure).toContain(`${second.names[0]} is float16`);
      expect(failure).toContain('are one weight in the model and two in the file');
      expect(failure).toContain('the model has no weight nobody.knows');
      expect((await outputs(path, 'folded', inputsFile)).equals(before)).toBe(true);
    });

    it('should refuse the weights of another model', async () => {
      const other = join(FIXTURES, 'convnet', 'model.pt2');
      await expect(
        engine.handle('updateWeights', { path, weights: other, variant: variant('off') }, {})
      ).rejects.toThrow('the model has no weight');
    });
  });

  it('should stop comparing when it is cancelled', async () => {
    const path = join(FIXTURES, 'seed-mlp', 'model.pt2');
    const copy = join(folder, 'copy.pt2');
    copyFileSync(path, copy);
    const abort = new AbortController();
    abort.abort();
    const params = { path, weights: copy, variant: variant('folded') };
    await expect(
      engine.handle('updateWeights', params, { signal: abort.signal })
    ).rejects.toMatchObject({ code: 'cancelled' });
    const { result } = await engine.handle('updateWeights', params, {});
    expect(result.changed).toEqual([]);
  });
});

describe('readWeights', () => {
  it('should tell formats by their content', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'castlens-weights-'));
    try {
      const path = join(folder, 'weights.bin');
      const data = new Uint8Array(8);
      await writeSafetensors(path, [{ name: 'w', dtype: 'float32', shape: [2], data }]);
      const { weights } = await readWeights(path);
      expect(weights.map(({ names }) => names)).toEqual([['w']]);
      writeFileSync(path, 'no weights');
      await expect(readWeights(path)).rejects.toThrow('neither a zip archive');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
