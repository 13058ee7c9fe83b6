import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { tableFromIPC } from 'apache-arrow';

import type { IProgress } from '../../../src/protocol';
import { shareOf } from '../../../src/protocol';
import { encodeStats } from '../../../src/engine/statstable';
import { weightStatsTable } from '../../../src/engine/weightstats';
import { readModel } from '../../../src/formats';
import type { IExportedModel, IWeight } from '../../../src/model';
import { bytesOf } from '../../../src/numerics';
import {
  STATS_COLUMNS,
  STATS_SCHEMA_VERSION,
  STATS_SCHEMA_VERSION_KEY
} from '../../../src/protocol';
import { CHUNK_BYTES, WeightWorkers } from '../../../src/runtime';
import { storedWeight, testFolder } from '../runtime/helpers';

interface IExpected {
  /** `bin:elements`, empty bins left out. */
  readonly exponents: string;
  readonly float16: Readonly<Record<string, number>>;
  readonly bfloat16: Readonly<Record<string, number>>;
  readonly [column: string]: unknown;
}

const FIXTURES = join(__dirname, '../../fixtures');
const expected = JSON.parse(
  readFileSync(join(__dirname, 'data/weightstats.json'), 'utf8')
) as Record<string, Record<string, IExpected>>;

// Large weights go to threads, small ones do not.
const workers = new WeightWorkers({ inlineBytes: CHUNK_BYTES });
afterAll(() => workers.dispose());

/** Rows of a table by name, as plain objects. */
async function rowsOf(model: IExportedModel): Promise<Map<string, Record<string, unknown>>> {
  const { bytes, rows } = await weightStatsTable(model, workers, {});
  const table = tableFromIPC(bytes);
  expect(table.numRows).toBe(rows);
  const result = new Map<string, Record<string, unknown>>();
  for (const row of table) {
    result.set(String(row.name), row.toJSON() as Record<string, unknown>);
  }
  expect(result.size).toBe(rows);
  return result;
}

function modelOf(weights: IWeight[]): IExportedModel {
  return { weights, modules: [] } as unknown as IExportedModel;
}

describe('weightStatsTable', () => {
  it.each(Object.keys(expected))('agrees with NumPy on the weights of %s', async fixture => {
    const model = await readModel(join(FIXTURES, fixture, 'model.pt2'));
    const rows = await rowsOf(model);
    const aliases = new Map(model.weights.flatMap(({ names }) => names.map(n => [n, names[0]])));
    expect(new Set([...aliases.keys()])).toEqual(new Set(Object.keys(expected[fixture])));
    for (const [name, stats] of Object.entries(expected[fixture])) {
      const row = rows.get(aliases.get(name)!)!;
      for (const column of ['count', 'zeros', 'nan', 'inf']) {
        expect([name, column, Number(row[column])]).toEqual([name, column, stats[column]]);
      }
      for (const column of ['min', 'max']) {
        expect([name, column, row[column]]).toEqual([name, column, stats[column]]);
      }
      for (const column of ['mean', 'std']) {
        const scale = Math.max(Math.abs(stats.max as number), Math.abs(stats.min as number), 1e-30);
        const error = Math.abs((row[column] as number) - (stats[column] as number)) / scale;
        expect(error).toBeLessThan(1e-12);
      }
      const exponents = [...(row.exponents as Iterable<number>)];
      expect(exponents.flatMap((n, bin) => (n > 0 ? [`${bin}:${n}`] : [])).join(' ')).toBe(
        stats.exponents
      );
      for (const type of ['float16', 'bfloat16'] as const) {
        for (const [key, share] of Object.entries(stats[type])) {
          expect([name, type, key, row[`${type}_${key}`]]).toEqual([name, type, key, share]);
        }
      }
    }
  });

  it('has the documented columns and version', async () => {
    const model = await readModel(join(FIXTURES, 'seed-mlp', 'model.pt2'));
    const { schema } = tableFromIPC((await weightStatsTable(model, workers, {})).bytes);
    expect(schema.metadata.get(STATS_SCHEMA_VERSION_KEY)).toBe(STATS_SCHEMA_VERSION);
    const types: Readonly<Record<string, string>> = {
      utf8: 'Utf8',
      int64: 'Int64',
      float64: 'Float64',
      'list<int64>': 'List<Int64>',
      'fixed_size_list<uint32>[256]': 'FixedSizeList[256]<Uint32>'
    };
    expect(schema.fields.map(({ name, type }) => [name, String(type)])).toEqual(
      STATS_COLUMNS.map(({ name, type }) => [name, types[type]])
    );
  });

  it('names shape and module', async () => {
    const rows = await rowsOf(await readModel(join(FIXTURES, 'seed-mlp', 'model.pt2')));
    const row = rows.get('sub.linear1.weight')!;
    expect(row).toMatchObject({ dtype: 'float32', module: 'sub.linear1' });
    expect([...(row.shape as Iterable<bigint>)]).toEqual([256n, 128n]);
  });

  it('reads .onnx files too', async () => {
    const rows = await rowsOf(await readModel(join(FIXTURES, 'seed-mlp', 'model.onnx')));
    const weight = expected['seed-mlp']['sub.linear1.weight'];
    expect(rows.get('sub.linear1.weight')).toMatchObject({ min: weight.min, max: weight.max });
  });

  describe('on other weights', () => {
    const folder = testFolder();
    const file = folder.write('w.bin', bytesOf(Float32Array.from({ length: 6 }, (_, i) => i)));

    it('gives views of one storage a row each, tied weights one', async () => {
      const tied = { ...storedWeight(file, 'float32', [6]), names: ['a', 'b'] };
      const view = {
        ...storedWeight(file, 'float32', [2, 2], { strides: [1, 2], length: 24, storageOffset: 1 }),
        storage: tied.storage,
        names: ['c']
      };
      const rows = await rowsOf(modelOf([tied, { ...tied, names: ['b', 'a'] }, view]));
      expect([...rows.keys()]).toEqual(['a', 'c']);
      expect(rows.get('c')).toMatchObject({ min: 1, max: 4, mean: 2.5 });
    });

    it('says nothing of complex weights and empty ones', async () => {
      const complex = { ...storedWeight(file, 'complex64', [3]), names: ['z'] };
      const empty = { ...storedWeight(file, 'float32', [0, 4]), names: ['e'] };
      const rows = await rowsOf(modelOf([complex, empty]));
      expect(rows.get('z')).toMatchObject({ count: 3n, min: null, zeros: null });
      expect(rows.get('e')).toMatchObject({ count: 0n, min: null, zeros: 0n });
      expect(rows.get('e')).toMatchObject({ float16_overflow: null });
    });

    it('makes a table of no rows', async () => {
      const { bytes, rows } = await weightStatsTable(modelOf([]), workers, {});
      expect(rows).toBe(0);
      const table = tableFromIPC(bytes);
      expect([table.numRows, table.numCols]).toEqual([0, STATS_COLUMNS.length]);
      expect(bytes.byteLength).toBe(encodeStats([]).buffer.byteLength);
    });

    it('tells how far it is, and stops when cancelled', async () => {
      const path = join(folder.path, 'large.bin');
      writeFileSync(path, new Uint8Array(40_000_000));
      const model = modelOf([storedWeight(path, 'float32', [10_000_000])]);
      const abort = new AbortController();
      const told: number[] = [];
      const progress = (progressed: IProgress): void => {
        told.push(shareOf(progressed)!);
        if (told.length === 2) {
          abort.abort();
        }
      };
      await expect(
        weightStatsTable(model, workers, { signal: abort.signal, progress })
      ).rejects.toMatchObject({ code: 'cancelled' });
      expect(told).toEqual([8388608 / 4e7, 16777216 / 4e7]);
    });

    it('refuses a weight beyond the end of its file', async () => {
      const model = modelOf([storedWeight(file, 'float32', [7])]);
      await expect(weightStatsTable(model, workers, {})).rejects.toMatchObject({
        code: 'bad-file',
        details: { file, entry: 'w', expected: 'at least 28 bytes', found: '24 bytes' }
      });
    });
  });
});
