import { bytesOf, ownedBuffer } from '../../../src/panel/buffers';
import { layoutChart } from '../../../src/panel/chartlayout';
import {
  formatCount,
  formatPort,
  formatQuartiles,
  formatRatioInterval,
  formatShare,
  formatSource,
  formatValue,
  NO_FIGURE
} from '../../../src/panel/format';
import { parseMemory } from '../../../src/panel/memory';
import { kernelFolder, requestPath, siblingPath } from '../../../src/panel/paths';
import { codeName, repairedName, saveNamePattern } from '../../../src/panel/savename';
import { DEFAULT_SETTINGS, readSettings } from '../../../src/panel/settings';
import {
  chooseRegion,
  executedCasts,
  plannedCasts,
  rowVariant,
  togglePass,
  validOverrides,
  variantKey
} from '../../../src/panel/variants';
import type { IVariant } from '../../../src/protocol';
import schema from '../../../schema/plugin.json';
import { makeCompare, makeInfo, makePlan, makeRegion, makeResult } from './samples';

describe('ownedBuffer()', () => {
  it('should copy a view of part of a buffer', () => {
    const owned = ownedBuffer(Uint8Array.from([1, 2, 3, 4]).subarray(1, 3));
    expect([...new Uint8Array(owned)]).toEqual([2, 3]);
  });

  it('should not copy a view that spans its buffer', () => {
    const view = new Float32Array(4);
    expect(ownedBuffer(view)).toBe(view.buffer);
    expect(ownedBuffer(view.buffer)).toBe(view.buffer);
  });
});

describe('bytesOf()', () => {
  it('should honour offset and length of a view', () => {
    const view = new DataView(Uint8Array.from([9, 8, 7, 6]).buffer, 1, 2);
    expect([...bytesOf(view)]).toEqual([8, 7]);
  });
});

describe('names of saved files', () => {
  it('should stand beside the model', () => {
    expect(repairedName('mlp.pt2')).toBe('mlp.fixed.pt2');
    expect(repairedName('a.b.onnx')).toBe('a.b.fixed.onnx');
    expect(codeName('mlp.fixed.pt2')).toBe('mlp.fixed.py');
    expect(siblingPath({ localPath: 'a/m.pt2', driveName: '' }, 'n.pt2')).toBe('a/n.pt2');
    expect(siblingPath({ localPath: 'm.pt2', driveName: '' }, 'n.pt2')).toBe('n.pt2');
    expect(siblingPath({ localPath: 'm.pt2', driveName: 'RTC' }, 'n.pt2')).toBe('RTC:n.pt2');
  });

  it.each([
    ['mlp.fixed.pt2', true],
    ['mlp.pt2.pt2', true],
    ['mlpxpt2.pt2', true],
    ['mlp.pt2', false],
    ['mlp.onnx', false],
    ['.pt2', false],
    ['', false],
    ['../mlp.fixed.pt2', false],
    ['a\\b.pt2', false]
  ])('should take %j as a name: %s', (name, taken) => {
    // As browsers read the attribute.
    const pattern = new RegExp(`^(?:${saveNamePattern('mlp.pt2')})$`, 'v');
    expect(pattern.test(name)).toBe(taken);
  });

  it('should read the name of the model literally', () => {
    const pattern = new RegExp(`^(?:${saveNamePattern('a(1)+[b]-{c}&&d.pt2')})$`, 'v');
    expect(pattern.test('a(1)+[b]-{c}&&d.pt2')).toBe(false);
    expect(pattern.test('a(1)+[b]-{c}&&d.fixed.pt2')).toBe(true);
  });
});

describe('format', () => {
  it.each([
    [0, '0'],
    [999, '999'],
    [1000, '1\u2009000'],
    [1234567n, '1\u2009234\u2009567']
  ])('formatCount(%s)', (count, text) => expect(formatCount(count)).toBe(text));

  it.each([
    [null, NO_FIGURE],
    [0, '0'],
    [0.031251, '0.03125'],
    [-0.00012345, '-1.234e-4'],
    [999999, '1000000'],
    [12345678, '1.235e7'],
    [Infinity, 'Infinity']
  ])('formatValue(%s)', (value, text) => expect(formatValue(value)).toBe(text));

  it.each([
    [null, NO_FIGURE],
    [0, NO_FIGURE],
    [0.125, '12.5 %'],
    [1, '100 %'],
    [0.00001, '1.0e-3 %']
  ])('formatShare(%s)', (share, text) => expect(formatShare(share)).toBe(text));

  it('formatQuartiles() should name the unit once', () => {
    expect(formatQuartiles(1.2, 1.31)).toBe('1.200–1.310 ms');
  });

  it('formatRatioInterval() should give the interval where there is one', () => {
    const result = makeResult({ ratioToOff: 0.263, ratioLow: 0.258, ratioHigh: 0.27 });
    expect(formatRatioInterval(result)).toBe('0.263× (0.258–0.270)');
    expect(formatRatioInterval({ ...result, ratioLow: null })).toBe('0.263×');
    expect(formatRatioInterval({ ...result, ratioToOff: null })).toBe(NO_FIGURE);
  });

  it.each([
    ['/home/user/model.py', 'model.py:12'],
    ['C:\\user\\model.py', 'model.py:12'],
    ['model.py', 'model.py:12']
  ])('formatSource() should leave the folder out of %s', (file, text) => {
    expect(formatSource({ file, line: 12 })).toBe(text);
  });

  it('formatPort() should give dtype and sizes, or the literal', () => {
    expect(formatPort({ name: 'x', dtype: 'float32', shape: ['s0', 8] })).toBe('x float32[s0×8]');
    expect(formatPort({ name: 'x', dtype: null, shape: null })).toBe('x ?');
    expect(formatPort({ name: 'n', dtype: null, shape: null, literal: '3' })).toBe('n = 3');
  });
});

describe('paths', () => {
  it("should name a file by its base name in the kernel's folder", () => {
    const place = { localPath: 'a/b/model.pt2', driveName: '' };
    expect(kernelFolder(place)).toBe('a/b');
    expect(requestPath(place, kernelFolder(place))).toBe('model.pt2');
  });

  it('should name a file in the root', () => {
    const place = { localPath: 'model.pt2', driveName: '' };
    expect(requestPath(place, kernelFolder(place))).toBe('model.pt2');
  });

  it('should name a file of a drive from the root, where such kernels run', () => {
    const place = { localPath: 'a/model.pt2', driveName: 'RTC' };
    expect(requestPath(place, kernelFolder(place))).toBe('a/model.pt2');
  });
});

describe('variants', () => {
  const variant: IVariant = { cache: 'off', passes: [], device: 'cpu' };

  it('togglePass() should keep the order of the passes', () => {
    expect(togglePass(['hoist-casts'], 'share-casts')).toEqual(['share-casts', 'hoist-casts']);
    expect(togglePass(['share-casts', 'hoist-casts'], 'share-casts')).toEqual(['hoist-casts']);
  });

  it('variantKey() should not depend on the order of passes', () => {
    expect(variantKey({ ...variant, passes: ['hoist-casts', 'share-casts'] })).toBe(
      variantKey({ ...variant, passes: ['share-casts', 'hoist-casts'] })
    );
    expect(variantKey({ ...variant, device: 'cuda' })).not.toBe(variantKey(variant));
  });

  it('rowVariant() should run references without passes', () => {
    const chosen: IVariant = { ...variant, passes: ['share-casts'] };
    expect(rowVariant('frozen', chosen).passes).toEqual(['share-casts']);
    expect(rowVariant('float32', chosen).passes).toEqual([]);
  });

  it('plannedCasts() should prefer the plan to the census', () => {
    const info = makeInfo();
    expect(plannedCasts(info, new Map(), variant)?.weightCasts).toBe(2);
    const plans = new Map([[variantKey(variant), makePlan(variant, 1)]]);
    expect(plannedCasts(info, plans, variant)?.weightCasts).toBe(1);
  });

  it('plannedCasts() should not guess what passes do', () => {
    const info = makeInfo();
    expect(plannedCasts(info, new Map(), { ...variant, passes: ['share-casts'] })).toBeNull();
    expect(plannedCasts(info, new Map(), { ...variant, cache: 'onnxruntime' })).toBeNull();
  });

  it('executedCasts() should not show what another variant did', () => {
    const compare = makeCompare([makeResult({ cache: 'frozen', executedWeightCasts: 0 })]);
    expect(executedCasts(variant, null, compare)).toBeNull();
    expect(executedCasts({ ...variant, cache: 'frozen' }, null, compare)?.weightCasts).toBe(0);
    expect(
      executedCasts({ ...variant, cache: 'frozen', device: 'cuda' }, null, compare)
    ).toBeNull();
  });
});

describe('layoutChart()', () => {
  const results = [
    makeResult({ medianMs: 4, lowMs: 3.5, highMs: 4.5 }),
    makeResult({ cache: 'frozen', medianMs: 1, lowMs: 0.9, highMs: 1.1, samplesMs: [1, 40] })
  ];

  it('should begin at zero and hold every quartile', () => {
    const { rows, ticks } = layoutChart(results);
    expect(ticks[0]).toEqual({ position: 0, valueMs: 0 });
    expect(ticks.at(-1)!.position).toBeCloseTo(1);
    for (const row of rows) {
      expect(row.low).toBeLessThanOrEqual(row.median);
      expect(row.median).toBeLessThanOrEqual(row.high);
      expect(row.high).toBeLessThanOrEqual(1);
    }
  });

  it('should keep ratios', () => {
    const [off, frozen] = layoutChart(results).rows;
    expect(frozen.median / off.median).toBeCloseTo(0.25);
  });

  it('should leave out single forwards beyond the scale', () => {
    expect(layoutChart(results).rows[1].samples).toHaveLength(1);
  });

  it('should put round values on the scale', () => {
    expect(layoutChart(results).ticks.map(tick => tick.valueMs)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('should draw no more samples than can be seen', () => {
    const samplesMs = new Array<number>(5000).fill(1);
    expect(layoutChart([makeResult({ samplesMs })]).rows[0].samples.length).toBeLessThanOrEqual(
      100
    );
  });

  it('should survive times of zero', () => {
    const zero = makeResult({ medianMs: 0, lowMs: 0, highMs: 0, samplesMs: [] });
    expect(layoutChart([zero]).rows[0].median).toBe(0);
  });
});

describe('overridden regions', () => {
  const info = makeInfo({
    census: {
      regions: [makeRegion({ id: 'a' }), makeRegion({ id: 'b', parent: 'a', enabled: false })]
    }
  });
  const plain: IVariant = { cache: 'folded', device: 'cpu', passes: [] };
  const overridden: IVariant = { ...plain, regions: { a: { enabled: false } } };

  it('should be chosen in normal form, and taken back', () => {
    const off = chooseRegion(undefined, 'a', 'off', info);
    expect(off).toEqual({ a: { enabled: false } });
    const both = chooseRegion(off, 'b', 'bfloat16', info);
    expect(both).toEqual({ a: { enabled: false }, b: { enabled: true } });
    expect(chooseRegion(both, 'a', 'float16', info)).toEqual({
      a: { dtype: 'float16' },
      b: { enabled: true }
    });
    expect(chooseRegion(both, 'a', 'recorded', info)).toEqual({ b: { enabled: true } });
    expect(chooseRegion(off, 'a', 'recorded', info)).toBeUndefined();
    expect(chooseRegion(undefined, 'a', 'on', info)).toBeUndefined();
  });

  it('should be dropped where the model has no such region', () => {
    expect(validOverrides({ c: { enabled: false } }, info)).toBeUndefined();
    expect(validOverrides({ c: { enabled: false }, a: { enabled: false } }, info)).toEqual({
      a: { enabled: false }
    });
  });

  it('should tell variants apart', () => {
    expect(variantKey(overridden)).not.toBe(variantKey(plain));
    expect(variantKey({ ...plain, regions: { a: { dtype: 'float16' } } })).not.toBe(
      variantKey(overridden)
    );
    expect(variantKey({ ...overridden, regions: { a: { enabled: false } } })).toBe(
      variantKey(overridden)
    );
  });

  it('should hold for every row but the reference that has all regions off', () => {
    expect(rowVariant('onnxruntime', overridden)).toMatchObject({ regions: overridden.regions });
    expect(rowVariant('frozen', overridden)).toMatchObject({ regions: overridden.regions });
    expect(rowVariant('float32', overridden)).not.toHaveProperty('regions');
  });

  it('should not be planned by the figures of the file', () => {
    const off: IVariant = { ...overridden, cache: 'off' };
    expect(plannedCasts(info, new Map(), { ...plain, cache: 'off' })?.weightCasts).toBe(2);
    expect(plannedCasts(info, new Map(), off)).toBeNull();
    const plans = new Map([[variantKey(off), makePlan(off, 7)]]);
    expect(plannedCasts(info, plans, off)?.weightCasts).toBe(7);
  });

  it('should not be taken for what was executed as recorded', () => {
    const compare = makeCompare([makeResult({ cache: 'folded', executedWeightCasts: 3 })]);
    expect(executedCasts(plain, null, compare)?.weightCasts).toBe(3);
    expect(executedCasts(overridden, null, compare)).toBeNull();
  });
});

describe('parseMemory()', () => {
  const memory = {
    weights: 'other/weights.safetensors',
    variant: { cache: 'frozen', device: 'cpu', passes: ['share-casts'] },
    selected: ['off', 'frozen', 'eager off'],
    runtimes: ['eager', 'onnxruntime'],
    python: '/env/bin/python',
    trusted: 'v1',
    deployment: 'eager',
    kernel: { id: 'one', folder: 'a' }
  };

  it('should take back what was remembered', () => {
    expect(parseMemory(JSON.parse(JSON.stringify(memory)))).toEqual(memory);
  });

  it.each([
    ['nothing', undefined],
    ['text', 'frozen'],
    ['another version', { variant: { cache: 'boiled', device: 'cpu', passes: [] } }],
    ['no variant', { selected: [] }]
  ])('should refuse %s', (_, value) => expect(parseMemory(value)).toBeNull());

  it('should take back overridden regions', () => {
    const regions = { a: { enabled: false }, b: { enabled: true, dtype: 'float16' } };
    const variant = { ...memory.variant, regions };
    expect(parseMemory(JSON.parse(JSON.stringify({ ...memory, variant })))?.variant).toEqual(
      variant
    );
  });

  it.each([
    ['off', undefined],
    [{}, undefined],
    [{ a: 'off', b: null }, undefined],
    [{ a: { enabled: 1, dtype: 'int8' } }, { a: {} }]
  ])('should drop overrides that it cannot understand: %j', (regions, kept) => {
    const variant = { ...memory.variant, regions };
    expect(parseMemory({ ...memory, variant })?.variant.regions).toEqual(kept);
  });

  it('should drop names it does not know', () => {
    const odd = {
      selected: ['off', 'boiled', 'eager frozen'],
      kernel: 7,
      runtimes: ['tvm'],
      trusted: 1
    };
    expect(parseMemory({ ...memory, ...odd, python: 3, deployment: 'tvm' })).toMatchObject({
      selected: ['off'],
      kernel: null,
      runtimes: ['onnxruntime'],
      trusted: null,
      python: null,
      deployment: null
    });
  });
});

describe('readSettings()', () => {
  it('should agree with the defaults of the schema', () => {
    const defaults = Object.fromEntries(
      Object.entries(schema.properties)
        .filter(([name]) => name !== 'toolbar')
        .map(([name, property]) => [name, property.default])
    );
    expect(defaults).toEqual(DEFAULT_SETTINGS);
    expect(readSettings({})).toEqual(DEFAULT_SETTINGS);
  });

  it('should replace values of the wrong kind', () => {
    expect(
      readSettings({ runs: -1, warmup: 'x', cacheMode: 'boiled', passes: ['boiled'], device: '' })
    ).toEqual(DEFAULT_SETTINGS);
  });
});
