import {
  existsSync,
  readdirSync,
  readFileSync,
  truncateSync,
  utimesSync,
  writeFileSync
} from 'node:fs';

import { shareOf } from '../../../src/protocol';
import type { IGraph, IWeight } from '../../../src/model';
import { makeValue } from '../../../src/model';
import { bytesOf, castThrough, viewAs } from '../../../src/numerics';
import {
  CHUNK_BYTES,
  privateFolder,
  removePrivateFolder,
  WeightConverter,
  WeightWorkers
} from '../../../src/runtime';
import { derivedWeight, graphOf, storedWeight, testFolder } from './helpers';

const folder = testFolder();
const values = Float32Array.from({ length: 4096 }, (_, i) => Math.sin(i) * 2 ** (i % 20));
const file = folder.write('weights.bin', bytesOf(values));

// Large weights go to threads, small ones do not.
const workers = new WeightWorkers({ inlineBytes: CHUNK_BYTES });

afterAll(() => workers.dispose());
afterAll(removePrivateFolder);

function bytesAt(weight: IWeight): Uint8Array {
  if (weight.data.kind === 'inline') {
    return weight.data.bytes;
  }
  if (weight.data.kind !== 'range') {
    throw new Error('not materialised');
  }
  const { file: path, offset, length } = weight.data.range;
  return new Uint8Array(readFileSync(path).subarray(offset, offset + length));
}

const floatsAt = (weight: IWeight): number[] => [...viewAs(Float32Array, bytesAt(weight))];

describe('WeightConverter', () => {
  describe('#materialize()', () => {
    it('leaves contiguous weights where they are', async () => {
      const weight = storedWeight(file, 'float32', [4, 8]);
      const result = await new WeightConverter(workers).materialize(graphOf(weight), {
        reuse: false
      });
      expect(result.graph.weights[0].weight).toEqual(weight);
      expect(result).toMatchObject({ convertedWeights: 0, bytesRead: 0, bytesWritten: 0 });
    });

    it('narrows a view to its bytes', async () => {
      const weight = storedWeight(file, 'float32', [2, 8], { length: 160, storageOffset: 16 });
      const { graph } = await new WeightConverter(workers).materialize(graphOf(weight), {
        reuse: false
      });
      expect(graph.weights[0].weight).toMatchObject({
        storageOffset: 0,
        data: { kind: 'range', range: { file, offset: 64, length: 64 } }
      });
    });

    it('casts through every step and aligns the results', async () => {
      const source = storedWeight(file, 'float32', [3, 5]);
      const weights = [
        derivedWeight(source, ['bfloat16']),
        derivedWeight(source, ['bfloat16', 'float32']),
        derivedWeight(derivedWeight(source, ['float16']), ['float32'])
      ];
      const result = await new WeightConverter(workers).materialize(graphOf(...weights), {
        reuse: false
      });
      const bytes = bytesOf(values.subarray(0, 15));
      const [a, b, c] = result.graph.weights.map(({ weight }) => weight);
      expect(bytesAt(a)).toEqual(castThrough(bytes, 'float32', ['bfloat16']));
      expect(bytesAt(b)).toEqual(castThrough(bytes, 'float32', ['bfloat16', 'float32']));
      expect(bytesAt(c)).toEqual(castThrough(bytes, 'float32', ['float16', 'float32']));
      for (const { data } of [a, b, c]) {
        expect(data.kind === 'range' && data.range.offset % 64).toBe(0);
      }
      expect(result).toMatchObject({ convertedWeights: 3, bytesRead: 180, bytesWritten: 150 });
      result.dispose();
    });

    it('makes strided weights contiguous', async () => {
      const transposed = storedWeight(file, 'float32', [3, 2], { strides: [1, 3] });
      const column = storedWeight(file, 'float32', [4], {
        length: 256,
        strides: [8],
        storageOffset: 3
      });
      const inline: IWeight = {
        ...transposed,
        data: { kind: 'inline', bytes: bytesOf(values.slice(0, 6)) }
      };
      const graph = graphOf(transposed, derivedWeight(column, []), inline);
      const result = await new WeightConverter(workers).materialize(graph, { reuse: false });
      const [a, b, c] = result.graph.weights.map(({ weight }) => weight);
      expect(floatsAt(a)).toEqual([0, 3, 1, 4, 2, 5].map(i => values[i]));
      expect(a.strides).toEqual([2, 1]);
      expect(floatsAt(b)).toEqual([3, 11, 19, 27].map(i => values[i]));
      expect(floatsAt(c)).toEqual(floatsAt(a));
      result.dispose();
    });

    it('converts weights larger than a chunk', async () => {
      const large = Float32Array.from({ length: 5_000_001 }, (_, i) => i / 7);
      const path = folder.write('large.bin', bytesOf(large));
      const progress: number[] = [];
      const weight = derivedWeight(storedWeight(path, 'float32', [large.length]), ['bfloat16']);
      const result = await new WeightConverter(workers).materialize(graphOf(weight), {
        reuse: false,
        progress: told => progress.push(shareOf(told)!)
      });
      const expected = castThrough(bytesOf(large), 'float32', ['bfloat16']);
      expect(Buffer.compare(bytesAt(result.graph.weights[0].weight), expected)).toBe(0);
      expect(progress).toHaveLength(3);
      expect(progress.at(-1)).toBe(1);
      result.dispose();
    });

    it('does a conversion asked for twice once', async () => {
      const weight = () => derivedWeight(storedWeight(file, 'float32', [8]), ['bfloat16']);
      const result = await new WeightConverter(workers).materialize(graphOf(weight(), weight()), {
        reuse: false
      });
      const [a, b] = result.graph.weights.map(({ weight: { data } }) => data);
      expect(result.convertedWeights).toBe(1);
      expect(a).toEqual(b);
      result.dispose();
    });

    it('reuses conversions where asked to, until the file changes', async () => {
      const path = folder.write('changing.bin', bytesOf(values.slice(0, 8)));
      const converter = new WeightConverter(workers);
      const convert = (reuse: boolean): ReturnType<WeightConverter['materialize']> =>
        converter.materialize(
          graphOf(derivedWeight(storedWeight(path, 'float32', [8]), ['bfloat16', 'float32'])),
          { reuse }
        );
      const first = await convert(true);
      first.dispose();
      const second = await convert(true);
      expect(second.convertedWeights).toBe(0);
      expect(second.graph.weights).toEqual(first.graph.weights);
      const again = await convert(false);
      expect(again.convertedWeights).toBe(1);
      writeFileSync(path, bytesOf(new Float32Array(8).fill(3)));
      utimesSync(path, 1, 1);
      const changed = await convert(true);
      expect(changed.convertedWeights).toBe(1);
      expect(floatsAt(changed.graph.weights[0].weight)).toEqual(new Array(8).fill(3));
    });

    it('deletes what nobody holds any more', async () => {
      const weight = derivedWeight(storedWeight(file, 'float32', [8]), ['bfloat16']);
      const before = readdirSync(privateFolder());
      const forgetful = new WeightConverter(workers, { keepBytes: 0 });
      const dropped = await forgetful.materialize(graphOf(weight), { reuse: false });
      dropped.dispose();
      dropped.dispose();
      expect(readdirSync(privateFolder())).toEqual(before);
      const converter = new WeightConverter(workers);
      const kept = await converter.materialize(graphOf(weight), { reuse: false });
      kept.dispose();
      expect(readdirSync(privateFolder())).toHaveLength(before.length + 1);
      converter.clear();
      expect(readdirSync(privateFolder())).toEqual(before);
    });

    it('keeps no more than its limit, and never deletes what is held', async () => {
      const converter = new WeightConverter(workers, { keepBytes: 40 });
      const convert = (count: number): ReturnType<WeightConverter['materialize']> =>
        converter.materialize(
          graphOf(derivedWeight(storedWeight(file, 'float32', [count]), ['bfloat16'])),
          { reuse: true }
        );
      const a = await convert(16);
      const b = await convert(17);
      const paths = [a, b].map(({ graph }) => {
        const { data } = graph.weights[0].weight;
        return data.kind === 'range' ? data.range.file : '';
      });
      expect(paths.map(path => existsSync(path))).toEqual([true, true]);
      a.dispose();
      expect(paths.map(path => existsSync(path))).toEqual([false, true]);
      b.dispose();
      expect(existsSync(paths[1])).toBe(true);
      converter.clear();
    });

    it('stops when cancelled and leaves nothing behind', async () => {
      const before = readdirSync(privateFolder());
      const abort = new AbortController();
      const path = folder.write('long.bin', new Uint8Array(40_000_000));
      const weight = derivedWeight(storedWeight(path, 'float32', [10_000_000]), ['bfloat16']);
      let steps = 0;
      const converting = new WeightConverter(workers).materialize(graphOf(weight), {
        reuse: true,
        signal: abort.signal,
        progress: () => {
          if (++steps === 2) {
            abort.abort();
          }
        }
      });
      await expect(converting).rejects.toMatchObject({ code: 'cancelled' });
      expect(steps).toBe(2);
      expect(readdirSync(privateFolder())).toEqual(before);
    });

    it('handles weights of nested graphs and of no size', async () => {
      const inner = graphOf(derivedWeight(storedWeight(file, 'float32', [4]), ['bfloat16']));
      const graph: IGraph = {
        ...graphOf(storedWeight(file, 'float32', [0, 3])),
        nodes: [
          {
            name: 'if',
            op: 'onnx.If',
            inputs: [makeValue('c', 'bool', [])],
            outputs: [],
            attrs: { then_branch: { kind: 'graph', value: inner } },
            region: null,
            module: null,
            source: null
          }
        ]
      };
      const result = await new WeightConverter(workers).materialize(graph, { reuse: false });
      const body = result.graph.nodes[0].attrs.then_branch;
      expect(body.kind === 'graph' && body.value.weights[0].weight.data.kind).toBe('range');
      expect(inner.weights[0].weight.data.kind).toBe('derived');
      expect(result.graph.weights[0].weight.data).toEqual({
        kind: 'inline',
        bytes: new Uint8Array(0)
      });
      result.dispose();
    });

    it('refuses weights beyond the end of their file, naming both', async () => {
      const path = folder.write('short.bin', new Uint8Array(100));
      const weight = storedWeight(path, 'float32', [32]);
      for (const bad of [weight, derivedWeight(weight, ['bfloat16'])]) {
        await expect(
          new WeightConverter(workers).materialize(graphOf(bad), { reuse: false })
        ).rejects.toMatchObject({
          code: 'bad-file',
          details: { file: path, entry: 'w', expected: 'at least 128 bytes', found: '100 bytes' }
        });
      }
    });

    it('refuses views beyond their storage, missing files and casts that do not fit', async () => {
      const convert = (weight: IWeight): Promise<unknown> =>
        new WeightConverter(workers).materialize(graphOf(weight), { reuse: false });
      await expect(
        convert(storedWeight(file, 'float32', [2, 2], { strides: [1, 100] }))
      ).rejects.toMatchObject({ code: 'bad-file', details: { found: '16 bytes' } });
      await expect(convert(storedWeight(`${file}.no`, 'float32', [2]))).rejects.toMatchObject({
        code: 'file-not-found'
      });
      await expect(
        convert({
          ...derivedWeight(storedWeight(file, 'float32', [2]), ['bfloat16']),
          dtype: 'float16'
        })
      ).rejects.toMatchObject({ code: 'bad-argument', details: { found: 'float32 to bfloat16' } });
      await expect(
        convert(derivedWeight(storedWeight(file, 'complex64', [2]), ['float32']))
      ).rejects.toMatchObject({ code: 'bad-argument' });
    });

    it('notices a file that shrinks while it is read', async () => {
      const path = folder.write('shrinking.bin', new Uint8Array(40_000_000));
      const weight = derivedWeight(storedWeight(path, 'float32', [10_000_000]), ['bfloat16']);
      await expect(
        new WeightConverter(workers).materialize(graphOf(weight), {
          reuse: false,
          progress: () => truncateSync(path, 1000)
        })
      ).rejects.toMatchObject({
        code: 'bad-file',
        details: { file: path, found: '1000 bytes' }
      });
    });
  });
});
