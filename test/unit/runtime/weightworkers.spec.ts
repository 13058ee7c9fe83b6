/**
 * @jest-environment ./test/support/ortenvironment.cjs
 */
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { DType, IWeight } from '../../../src/model';
import type { IStatsPart } from '../../../src/numerics';
import { bytesOf, castThrough, TensorStats, uniform } from '../../../src/numerics';
import type { ICastTask, IStatsTask, IWriteTask } from '../../../src/runtime';
import { CHUNK_BYTES, readElements, WeightChunks, WeightWorkers } from '../../../src/runtime';
import { storedWeight, testFolder } from './helpers';

const folder = testFolder();
const random = uniform(5);
/** Three chunks and a bit. */
const floats = Float32Array.from(
  { length: (3 * CHUNK_BYTES) / 4 + 1001 },
  (_, i) => (random() - 0.5) * 2 ** (i % 12)
);
const file = folder.write('floats.bin', bytesOf(floats));
const large = storedWeight(file, 'float32', [floats.length]);

const pools: WeightWorkers[] = [];
function poolOf(options?: WeightWorkers.IOptions): WeightWorkers {
  const pool = new WeightWorkers(options);
  pools.push(pool);
  return pool;
}
afterEach(() => Promise.all(pools.splice(0).map(pool => pool.dispose())));

function tasksOf(weight: IWeight): IStatsTask[] {
  const { count } = new WeightChunks(weight);
  return Array.from({ length: count }, (_, chunk) => ({ kind: 'stats', weight, chunk }));
}

async function all<T>(results: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const result of results) {
    list.push(result);
  }
  return list;
}

function statsOf(pool: WeightWorkers, weight: IWeight): Promise<IStatsPart[]> {
  return all(pool.run(tasksOf(weight), Infinity, {}));
}

/** A thread that knows what to do by the name of the weight. */
const OBEDIENT = `
  const { parentPort } = require('node:worker_threads');
  parentPort.on('message', ({ task }) => {
    switch (task.weight.names[0]) {
      case 'exit': process.exit(3);
      case 'throw': setImmediate(() => { throw new Error('out of luck'); }); return;
      case 'defect': parentPort.postMessage({ defect: 'Error: a defect' }); return;
      default: parentPort.postMessage({ result: task.chunk });
    }
  });`;

function orders(name: string, count: number): IStatsTask[] {
  const weight = { ...large, names: [name] };
  return Array.from({ length: count }, (_, chunk) => ({ kind: 'stats', weight, chunk }));
}

describe('WeightWorkers', () => {
  describe('#run()', () => {
    it('gives the same, bit by bit, on any number of threads and on none', async () => {
      const expected = await all(poolOf().run(tasksOf(large), 0, {}));
      expect(expected).toHaveLength(4);
      for (const threads of [1, 2, 3]) {
        const pool = poolOf({ threads });
        expect(await statsOf(pool, large)).toEqual(expected);
        expect(pool.threads).toBe(threads);
      }
    });

    it('agrees with the plain statistics, and with chunks of any layout', async () => {
      const pool = poolOf();
      const views: IWeight[] = [
        large,
        { ...large, shape: [1000, 3000], strides: [1, 1000] },
        { ...large, shape: [5_000_000], storageOffset: 77, strides: [1] },
        { ...large, shape: [2000, 1000], strides: [3000, 3] }
      ];
      for (const weight of views) {
        const plain = new TensorStats('float32');
        for (const chunk of readElements(weight)) {
          plain.add(chunk);
        }
        const merged = new TensorStats('float32');
        (await statsOf(pool, weight)).forEach(part => merged.merge(part));
        const [ours, expected] = [merged.result(), plain.result()];
        expect({ ...ours, mean: 0, std: 0 }).toEqual({ ...expected, mean: 0, std: 0 });
        expect(ours.mean).toBeCloseTo(expected.mean!, 10);
        expect(ours.std! / expected.std!).toBeCloseTo(1, 12);
      }
    });

    it.each<[DType, Uint8Array, number]>([
      ['int64', bytesOf(BigInt64Array.from([1n, -7n, 2n ** 40n])), 3],
      ['bool', new Uint8Array([1, 0, 1]), 3],
      ['float8_e4m3fn', new Uint8Array([0x38, 0x7f, 0]), 3],
      ['int4', new Uint8Array([0x21, 0x0f]), 3],
      ['float16', bytesOf(Uint16Array.from([0x3c00, 0x7c00, 1])), 3]
    ])('reads %s, on a thread and from memory', async (dtype, bytes, count) => {
      const plain = new TensorStats(dtype);
      plain.add(bytes, count);
      const stored = storedWeight(folder.write(`${dtype}.bin`, bytes), dtype, [count]);
      const held: IWeight = { ...stored, data: { kind: 'inline', bytes } };
      for (const weight of [stored, held]) {
        expect(await statsOf(poolOf({ threads: 1 }), weight)).toEqual([plain.part()]);
      }
    });

    it('casts, in order', async () => {
      const { count } = new WeightChunks(large);
      const tasks = Array.from({ length: count }, (_, chunk): ICastTask => ({
        kind: 'cast',
        weight: large,
        chunk,
        steps: ['bfloat16']
      }));
      for (const totalBytes of [0, Infinity]) {
        const bytes = Buffer.concat(await all(poolOf().run(tasks, totalBytes, {})));
        expect(Buffer.compare(bytes, castThrough(bytesOf(floats), 'float32', ['bfloat16']))).toBe(
          0
        );
      }
    });

    it('casts and writes, each chunk to its place', async () => {
      for (const steps of [['float16', 'float32'], ['int32']] as DType[][]) {
        const path = folder.write('target.bin', new Uint8Array(128));
        const target = { file: path, position: 64 };
        const { count } = new WeightChunks(large);
        const tasks = Array.from({ length: count }, (_, chunk): IWriteTask => ({
          kind: 'write',
          weight: large,
          chunk,
          steps,
          target
        }));
        // Backwards: no chunk relies on another.
        const written = await all(poolOf().run(tasks.reverse(), Infinity, {}));
        expect(written.reduce((sum, bytes) => sum + bytes)).toBe(floats.byteLength);
        const expected = castThrough(bytesOf(floats), 'float32', steps);
        expect(Buffer.compare(readFileSync(path).subarray(64), expected)).toBe(0);
      }
    });

    it('starts no thread for little', async () => {
      const pool = poolOf();
      const small = storedWeight(file, 'float32', [100]);
      await all(pool.run(tasksOf(small), 400, {}));
      expect(pool.threads).toBe(0);
    });

    it('tells of errors as they are, and goes on', async () => {
      const pool = poolOf({ threads: 2 });
      const path = folder.write('short.bin', bytesOf(floats));
      const weight = { ...storedWeight(path, 'float32', [floats.length]), names: ['layer.weight'] };
      truncateSync(path, 5000);
      await expect(statsOf(pool, weight)).rejects.toMatchObject({
        name: 'CastlensError',
        code: 'bad-file',
        message: expect.stringContaining('the file ends before the weight does') as string,
        details: { file: path, entry: 'layer.weight', found: '5000 bytes' }
      });
      const missing = join(folder.path, 'missing', 'target.bin');
      const task: IWriteTask = {
        kind: 'write',
        weight: large,
        chunk: 0,
        steps: ['bfloat16'],
        target: { file: missing, position: 0 }
      };
      await expect(all(pool.run([task], Infinity, {}))).rejects.toMatchObject({
        code: 'runtime',
        details: { file: missing }
      });
      expect(await statsOf(pool, large)).toHaveLength(4);
      expect(pool.threads).toBe(2);
    });

    it.each([
      ['exit', 'exit code 3'],
      ['throw', 'out of luck']
    ])('reports a thread that ends by %s, and starts another', async (name, found) => {
      const pool = poolOf({ threads: 1, script: OBEDIENT });
      for (let attempt = 0; attempt < 2; attempt++) {
        await expect(all(pool.run(orders(name, 3), Infinity, {}))).rejects.toMatchObject({
          code: 'runtime',
          details: { entry: name, found }
        });
        expect(await all(pool.run(orders('do', 3), Infinity, {}))).toEqual([0, 1, 2]);
        expect(pool.threads).toBe(1);
      }
    });

    it('takes an error of another kind for a defect', async () => {
      const pool = poolOf({ threads: 1, script: OBEDIENT });
      await expect(all(pool.run(orders('defect', 1), Infinity, {}))).rejects.toThrow('a defect');
    });

    it.each([0, Infinity])('begins nothing more once cancelled (%d bytes)', async totalBytes => {
      const pool = poolOf({ threads: 2 });
      const controller = new AbortController();
      let asked = 0;
      function* endless(): Generator<IStatsTask> {
        for (;;) {
          asked++;
          yield tasksOf(large)[0];
        }
      }
      let results = 0;
      const running = (async () => {
        for await (const part of pool.run(endless(), totalBytes, { signal: controller.signal })) {
          expect(part.count).toBe(CHUNK_BYTES / 4);
          if (++results === 3) {
            controller.abort();
          }
        }
      })();
      await expect(running).rejects.toMatchObject({ code: 'cancelled' });
      expect(results).toBe(3);
      // Those whose results were seen, and no more than were under way.
      expect(asked).toBeLessThanOrEqual(3 + 2 * 2 + 1);
    });

    it('begins nothing when cancelled before', async () => {
      const job = { signal: AbortSignal.abort() };
      const pool = poolOf();
      await expect(all(pool.run(tasksOf(large), Infinity, job))).rejects.toMatchObject({
        code: 'cancelled'
      });
      expect(pool.threads).toBe(0);
    });

    it('ends what it has begun when nobody wants more', async () => {
      const pool = poolOf({ threads: 1 });
      const path = join(folder.path, 'abandoned.bin');
      writeFileSync(path, '');
      const target = { file: path, position: 0 };
      const tasks = [0, 1, 2, 3].map((chunk): IWriteTask => ({
        kind: 'write',
        weight: large,
        chunk,
        steps: [],
        target
      }));
      for await (const written of pool.run(tasks, Infinity, {})) {
        expect(written).toBe(CHUNK_BYTES);
        break;
      }
      const { length } = readFileSync(path);
      await expect(all(pool.run(tasksOf(large), Infinity, {}))).resolves.toHaveLength(4);
      expect(readFileSync(path)).toHaveLength(length);
    });

    it('serves several at once', async () => {
      const pool = poolOf({ threads: 2, script: OBEDIENT });
      const runs = [5, 1, 9].map(count => all(pool.run(orders('do', count), Infinity, {})));
      expect((await Promise.all(runs)).map(({ length }) => length)).toEqual([5, 1, 9]);
      expect(pool.threads).toBe(2);
    });
  });

  describe('#dispose()', () => {
    it('ends the threads, and leaves the pool usable', async () => {
      const pool = poolOf({ threads: 2, script: OBEDIENT });
      await all(pool.run(orders('do', 4), Infinity, {}));
      await pool.dispose();
      expect(pool.threads).toBe(0);
      expect(await all(pool.run(orders('do', 2), Infinity, {}))).toEqual([0, 1]);
    });

    it('fails what is under way', async () => {
      const pool = poolOf({ threads: 1, script: 'setInterval(() => {}, 1000)' });
      const running = all(pool.run(orders('never answered', 4), Infinity, {}));
      const failed = expect(running).rejects.toMatchObject({ name: 'CastlensError' });
      await new Promise(resolve => setImmediate(resolve));
      await pool.dispose();
      await failed;
    });
  });
});
