import {
  Field,
  FixedSizeList,
  Float64,
  Int64,
  List,
  Table,
  tableToIPC,
  Uint32,
  Utf8,
  vectorFromArray
} from 'apache-arrow';
import type { Vector } from 'apache-arrow';
import { ACTIVATION_COLUMNS, EXPONENT_BINS, STATS_COLUMNS } from '../../../src/protocol';
import type { StatsColumn } from '../../../src/protocol';
import {
  barHeights,
  binPosition,
  FLOAT16_BINS,
  usedBins
} from '../../../src/panel/stats/histogram';
import { bodyColumns, readStatistics } from '../../../src/panel/stats/table';

function histogram(bins: Record<number, number>): Uint32Array {
  const counts = new Uint32Array(EXPONENT_BINS);
  for (const [bin, count] of Object.entries(bins)) {
    counts[Number(bin)] = count;
  }
  return counts;
}

/** An Arrow stream of two tensors, written by the reference implementation. */
function makeStream(
  omit?: StatsColumn,
  schema: readonly (typeof ACTIVATION_COLUMNS)[number][] = STATS_COLUMNS
): Uint8Array {
  const columns: Record<string, Vector> = {};
  for (const { name, type } of schema) {
    switch (type) {
      case 'utf8':
        columns[name] = vectorFromArray([`${name} 0`, `${name} 1`], new Utf8());
        break;
      case 'int64':
        columns[name] = vectorFromArray([1n, 2n ** 40n], new Int64());
        break;
      case 'float64':
        columns[name] = vectorFromArray([0.5, null], new Float64());
        break;
      case 'list<int64>':
        columns[name] = vectorFromArray(
          [[256n, 128n], []],
          new List(new Field('item', new Int64()))
        );
        break;
      case 'fixed_size_list<uint32>[256]':
        columns[name] = vectorFromArray(
          [histogram({ 120: 3 }), histogram({ 127: 9 })],
          new FixedSizeList(EXPONENT_BINS, new Field('item', new Uint32()))
        );
        break;
    }
  }
  if (omit) {
    delete columns[omit];
  }
  return tableToIPC(new Table(columns), 'stream');
}

describe('readStatistics()', () => {
  const table = readStatistics(makeStream());

  it('should give text, figures and missing values', () => {
    expect(table.rows).toBe(2);
    expect(table.value('name', 1)).toBe('name 1');
    expect(table.value('count', 1)).toBe(2 ** 40);
    expect(table.value('min', 0)).toBe(0.5);
    expect(table.value('min', 1)).toBeNull();
  });

  it('should give sizes as numbers, also of a 0-d tensor', () => {
    expect(table.value('shape', 0)).toEqual([256, 128]);
    expect(table.value('shape', 1)).toEqual([]);
  });

  it('should give the histogram of its own row', () => {
    const counts = table.value('exponents', 1);
    expect(counts).toBeInstanceOf(Uint32Array);
    expect((counts as Uint32Array)[127]).toBe(9);
    expect((counts as Uint32Array)[120]).toBe(0);
  });

  it('should read a stream that does not begin at an aligned offset', () => {
    const stream = makeStream();
    const shifted = new Uint8Array(stream.length + 3);
    shifted.set(stream, 3);
    expect(readStatistics(shifted.subarray(3)).rows).toBe(2);
  });

  it('should name a column that is missing', () => {
    expect(() => readStatistics(makeStream('std'))).toThrow("'std'");
  });
});

describe('bodyColumns()', () => {
  const names = (stream: Uint8Array) => bodyColumns(readStatistics(stream)).map(({ name }) => name);

  it('should leave out what is only known of values where there are weights', () => {
    const columns = names(makeStream());
    expect(columns).toHaveLength(STATS_COLUMNS.length - 1);
    expect(columns).not.toContain('snr_db');
  });

  it('should have all columns of values, the module last', () => {
    const columns = names(makeStream(undefined, ACTIVATION_COLUMNS));
    expect(columns).toHaveLength(ACTIVATION_COLUMNS.length - 1);
    expect(columns.slice(0, 4)).toEqual(['dtype', 'shape', 'count', 'exponents']);
    expect(columns.at(-1)).toBe('module');
    expect(columns).toContain('snr_db');
  });
});

describe('usedBins()', () => {
  it('should span what any tensor uses', () => {
    expect(usedBins([histogram({ 120: 1 }), histogram({ 110: 1, 118: 2 })])).toEqual({
      first: 110,
      last: 120
    });
  });

  it('should leave out zeros, infinities and NaN', () => {
    expect(usedBins([histogram({ 0: 9, 100: 1, 255: 9 })])).toEqual({ first: 100, last: 100 });
  });

  it('should fall back to float16', () => {
    expect(usedBins([histogram({ 0: 9 })])).toEqual(FLOAT16_BINS);
  });
});

describe('barHeights()', () => {
  const range = { first: 100, last: 103 };

  it('should scale to the highest bar', () => {
    expect(barHeights(histogram({ 100: 1, 102: 4 }), range, 10)).toEqual([0.25, 0, 1, 0]);
  });

  it('should add up neighbours where there is room for fewer bars, and lose none', () => {
    expect(barHeights(histogram({ 100: 1, 101: 1, 103: 1 }), range, 2)).toEqual([1, 0.5]);
  });

  it('should keep outliers visible', () => {
    expect(barHeights(histogram({ 100: 1, 102: 1000 }), range, 10, 0.1)[0]).toBe(0.1);
  });

  it('should draw nothing for a tensor without finite elements', () => {
    expect(barHeights(histogram({ 255: 3 }), range, 10, 0.1)).toEqual([0, 0, 0, 0]);
  });
});

describe('binPosition()', () => {
  it('should give the place inside the range, and none outside', () => {
    expect(binPosition(102, { first: 100, last: 103 })).toBe(0.5);
    expect(binPosition(100, { first: 100, last: 103 })).toBeNull();
    expect(binPosition(99, { first: 100, last: 103 })).toBeNull();
  });
});
