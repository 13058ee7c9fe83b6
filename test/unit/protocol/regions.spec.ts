import type { IAutocastDevice, RegionOverrides } from '../../../src/protocol';
import {
  choiceOf,
  choicesFor,
  formatOverrides,
  normalizeOverrides,
  overrideOf,
  REGION_CHOICES
} from '../../../src/protocol';

const devices: readonly IAutocastDevice[] = [
  { device: 'cpu', dtypes: ['bfloat16', 'float16'] },
  { device: 'cuda', dtypes: ['float16', 'bfloat16', 'float32'] }
];
const on = { id: 'on', device: 'cpu', dtype: 'bfloat16', enabled: true };
const off = { id: 'off', device: 'cuda', dtype: 'float16', enabled: false };
const open = { id: 'open', device: 'cuda', dtype: null, enabled: true };
const foreign = { id: 'foreign', device: 'npu', dtype: null, enabled: true };

describe('normalizeOverrides()', () => {
  const cases: [string, RegionOverrides | undefined, RegionOverrides | undefined][] = [
    ['nothing', undefined, undefined],
    ['no override', {}, undefined],
    ['an override of nothing', { on: {} }, undefined],
    ['what is recorded', { on: { enabled: true, dtype: 'bfloat16' } }, undefined],
    ['the dtype of a region that is off', { off: { dtype: 'bfloat16' } }, undefined],
    ['the default of a region that records no dtype', { open: { dtype: 'float16' } }, undefined],
    ['a region that does not exist', { other: { enabled: false } }, undefined],
    ['a name that every object has', { constructor: { enabled: false } }, undefined],
    ['switching off', { on: { enabled: false, dtype: 'float16' } }, { on: { enabled: false } }],
    ['switching on', { off: { enabled: true, dtype: 'float16' } }, { off: { enabled: true } }],
    ['another dtype', { on: { enabled: true, dtype: 'float16' } }, { on: { dtype: 'float16' } }],
    [
      'switching on in another dtype',
      { off: { dtype: 'bfloat16', enabled: true } },
      { off: { enabled: true, dtype: 'bfloat16' } }
    ],
    [
      'a region of an unknown device',
      { foreign: { enabled: false } },
      { foreign: { enabled: false } }
    ]
  ];

  it.each(cases)('should bring %s into normal form', (_, overrides, normal) => {
    expect(normalizeOverrides(overrides, [on, off, open, foreign], devices)).toEqual(normal);
  });

  it('should give equal overrides equal text, however they are written down', () => {
    const first = { off: { dtype: 'bfloat16', enabled: true }, on: { enabled: false } } as const;
    const second = { on: { enabled: false }, off: { enabled: true, dtype: 'bfloat16' } } as const;
    const texts = [first, second].map(overrides =>
      JSON.stringify(normalizeOverrides(overrides, [on, off], devices))
    );
    expect(texts[0]).toBe(texts[1]);
  });
});

describe('overrideOf()', () => {
  it.each(REGION_CHOICES)('should be what choiceOf() names %s', choice => {
    expect(choiceOf(overrideOf(choice))).toBe(choice);
  });

  it('should know no word for no override', () => {
    expect(choiceOf(undefined)).toBeNull();
    expect(choiceOf({})).toBeNull();
  });
});

describe('choicesFor()', () => {
  it.each([
    [on, ['off', 'float16']],
    [off, ['on', 'bfloat16', 'float32']],
    [open, ['off', 'bfloat16', 'float32']],
    [foreign, ['off']],
    [{ ...foreign, enabled: false }, []]
  ])('should offer what changes something: %j', (region, choices) => {
    expect(choicesFor(region, devices)).toEqual(choices);
    for (const choice of choicesFor(region, devices)) {
      const overrides = { [region.id]: overrideOf(choice) };
      expect(normalizeOverrides(overrides, [region], devices)).toBeDefined();
    }
  });
});

describe('formatOverrides()', () => {
  it('should name region and choice', () => {
    expect(formatOverrides({ a: { enabled: false }, b: { dtype: 'float16' } })).toBe(
      'a=off, b=float16'
    );
    expect(formatOverrides(undefined)).toBe('');
  });
});
