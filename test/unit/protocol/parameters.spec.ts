import type { Params, RequestName } from '../../../src/protocol';
import { checkParameters, CONTRACT, describeValue, PASSES } from '../../../src/protocol';

const variant = { cache: 'off', passes: [], device: 'cpu' };

const RIGHT: { readonly [K in RequestName]: Params<K> } = {
  open: { path: '/m.pt2', program: 'model', weights: '/w.safetensors', version: 'v' },
  census: { path: '/m.pt2', regions: { submod_1: { enabled: true, dtype: 'float16' } } },
  plan: { path: '/m.pt2', variant: { cache: 'float32', passes: ['share-casts'], device: 'cuda' } },
  run: {
    path: '/m.pt2',
    variant: { cache: 'off', passes: [], device: 'cpu', regions: { submod_1: { enabled: false } } },
    inputs: { inputsFile: '/i.safetensors', dims: { batch: 4 }, seed: -1 },
    outputsFile: '/o.safetensors'
  },
  compare: {
    path: '/m.pt2',
    variants: [{ cache: 'off', passes: [], device: 'cpu' }],
    runs: 1,
    warmup: 0,
    inputs: {}
  },
  updateWeights: {
    path: '/m.pt2',
    weights: '/w.pt2',
    variant: { cache: 'folded', passes: [], device: 'cpu' }
  },
  weightStats: { path: '/m.pt2', outputFile: '/t.arrow' },
  activationStats: {
    path: '/m.pt2',
    variant: { cache: 'off', passes: [], device: 'cpu' },
    values: ['relu'],
    modules: [],
    reference: false
  },
  fix: { path: '/m.pt2', output: '/f.pt2', mixed: 'keep-both', overwrite: true, regions: {} },
  code: { path: '/m.pt2', strategies: ['preconvert'], codeFile: '/c.py', mixed: 'leave' },
  explain: { code: 'cast-islands' },
  devices: {},
  pythons: {},
  package: { path: '/p.pt2', against: '/m.pt2' },
  lastCompare: { path: '/m.pt2', version: 'v' }
};

const METHODS = Object.keys(CONTRACT) as RequestName[];

describe('checkParameters', () => {
  it.each(METHODS)('should take what %s takes', method => {
    expect(checkParameters(method, RIGHT[method])).toBeNull();
  });

  it.each(METHODS)('should take undefined in %s for left out, and null for nothing', method => {
    const params = RIGHT[method] as Record<string, unknown>;
    for (const name of Object.keys(params)) {
      const without = Object.fromEntries(Object.entries(params).filter(([key]) => key !== name));
      expect(checkParameters(method, { ...params, [name]: undefined })).toEqual(
        checkParameters(method, without)
      );
      expect(checkParameters(method, { ...params, [name]: null })?.field).toBe(name);
    }
  });

  it.each<[RequestName, unknown, string, string, string]>([
    ['open', null, 'params', 'an object', 'null'],
    ['open', [], 'params', 'an object', 'a list of 0'],
    ['open', {}, 'path', 'the path of a file', 'nothing'],
    ['open', { path: '' }, 'path', 'the path of a file', '""'],
    ['open', { path: 'a\0b' }, 'path', 'the path of a file', '"a\0b"'],
    ['open', { path: 7 }, 'path', 'the path of a file', '7'],
    ['open', Object.create({ path: '/m.pt2' }), 'path', 'the path of a file', 'nothing'],
    ['plan', { path: 'm' }, 'variant', 'an object', 'nothing'],
    ['plan', { path: 7, more: 1 }, 'path', 'the path of a file', '7'],
    ['lastCompare', { path: '' }, 'path', 'the path of a file', '""'],
    [
      'plan',
      { path: 'm', variant: { ...variant, passes: 'share-casts' } },
      'variant.passes',
      'a list',
      '"share-casts"'
    ],
    [
      'run',
      { path: 'm', variant: { ...variant, passes: ['share-casts', 'fuse'] } },
      'variant.passes[1]',
      PASSES.join(', '),
      '"fuse"'
    ],
    [
      'run',
      { path: 'm', variant: { ...variant, regions: { s: { enabled: 'on' } } } },
      'variant.regions.s.enabled',
      'true or false',
      '"on"'
    ],
    [
      'run',
      { path: 'm', variant, inputs: { dims: { batch: 1e30 } } },
      'inputs.dims.batch',
      'a whole number of at least 0',
      '1e+30'
    ],
    ['run', { path: 'm', variant, inputs: { seed: 0.5 } }, 'inputs.seed', 'a whole number', '0.5'],
    ['compare', { path: 'm', variants: [] }, 'variants', 'a list of at least 1', 'a list of 0'],
    [
      'compare',
      { path: 'm', variants: [variant], runs: 1e15 },
      'runs',
      'a whole number from 1 to 1000000',
      '1000000000000000'
    ],
    ['devices', { all: true }, 'all', 'no parameters', 'a name that is none of these'],
    [
      'code',
      { path: 'm', weights: 'w' },
      'weights',
      'path, program, version, mixed, strategies, codeFile, overwrite',
      'a name that is none of these'
    ],
    [
      'open',
      JSON.parse('{ "path": "m", "__proto__": 1 }'),
      '__proto__',
      'path, program, weights, version',
      'a name that is none of these'
    ]
  ])('should say of %s what is wrong with %j', (method, params, field, expected, found) => {
    expect(checkParameters(method, params)).toEqual({ field, expected, found });
  });

  it('should keep what is long short', () => {
    expect(describeValue('x'.repeat(1000)).length).toBeLessThan(70);
    const params = { path: 'm', ['y'.repeat(1000)]: 1 };
    expect(checkParameters('open', params)!.field.length).toBeLessThan(70);
  });
});
