/**
 * Requests with wrong parameters, thousands of them: each is answered with an error for the reader, none with a defect.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import type { EngineRequest } from '../../../src/engine/service';
import { Engine } from '../../../src/engine/service';
import { CastlensError } from '../../../src/model';
import type { Params } from '../../../src/protocol';
import { Random } from '../../fuzz/random';

const path = resolve(__dirname, '../../fixtures/seed-mlp/model.pt2');

/** A full set of parameters for every request. Files to write are in a folder that does not exist. */
const RIGHT: { readonly [K in EngineRequest]: Required<Params<K>> } = (() => {
  const regions = { submod_1: { enabled: true, dtype: 'float16' } } as const;
  const variant = {
    cache: 'folded',
    passes: ['share-casts'],
    device: 'cpu',
    regions,
    runtimeName: 'onnxruntime',
    repaired: false,
    threads: 1
  } as const;
  const inputs = { inputsFile: '/none/i.safetensors', dims: { batch: 2 }, seed: 1 };
  const own = { path, program: 'model', version: 'v' };
  const model = { ...own, weights: '/none/w.safetensors' };
  return {
    open: model,
    census: { ...model, regions },
    plan: { ...model, variant },
    run: { ...model, variant, inputs, outputsFile: '/none/o.safetensors' },
    compare: {
      ...model,
      variants: [variant],
      runs: 1,
      warmup: 0,
      inputs,
      python: '/none/python',
      trust: false
    },
    updateWeights: { ...model, variant },
    weightStats: { ...model, outputFile: '/none/t.arrow' },
    activationStats: {
      ...model,
      variant,
      inputs,
      values: ['relu'],
      modules: ['0'],
      reference: false,
      outputFile: '/none/t.arrow'
    },
    fix: {
      ...own,
      output: '/none/f.pt2',
      mixed: 'leave',
      foldComputed: false,
      regions,
      types: false,
      codeFile: '/none/c.py',
      overwrite: false
    },
    code: {
      ...own,
      mixed: 'leave',
      strategies: ['preconvert'],
      codeFile: '/none/c.py',
      overwrite: false
    },
    explain: { code: 'cast-islands' },
    devices: {},
    pythons: { quick: true },
    package: { path, against: '/none/p.pt2', program: 'model' }
  };
})();

const METHODS = Object.keys(RIGHT) as EngineRequest[];

const LONG = 'x'.repeat(5000);

const VALUES: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  3,
  NaN,
  Infinity,
  1e308,
  2 ** 53,
  9n,
  '',
  'x',
  'no/such/file',
  '/',
  'a\0b',
  LONG,
  '\ud800',
  '__proto__',
  'constructor',
  'toString',
  [],
  [null],
  [[]],
  {},
  { constructor: 1 },
  new Date(0),
  new Map([['path', path]]),
  Object.create(null),
  JSON.parse('{ "__proto__": { "enabled": true } }')
];

/** Names of fields from the top. */
type Place = readonly (string | number)[];

function placesOf(value: unknown, at: Place = []): Place[] {
  if (typeof value !== 'object' || value === null) {
    return [at];
  }
  const keys = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  const inner = keys.flatMap(key =>
    placesOf((value as Record<string | number, unknown>)[key], [...at, key])
  );
  return at.length === 0 ? inner : [at, ...inner];
}

/** Parameters with another value at a place. */
function withValue(params: unknown, [key, ...rest]: Place, value: unknown): unknown {
  const holder = params as Record<string | number, unknown>;
  const made = rest.length === 0 ? value : withValue(holder[key], rest, value);
  return Array.isArray(params)
    ? params.map((item: unknown, index) => (index === key ? made : item))
    : { ...holder, [key]: made };
}

/** Fields that no request does without. */
const NEEDED = ['path', 'variant', 'variants', 'output', 'code', 'cache', 'passes', 'device'];

/** Few of the other fields, so that most requests get as far as the model. */
function some<T>(value: T, random: Random): T {
  return typeof value !== 'object' || value === null || Array.isArray(value)
    ? value
    : (Object.fromEntries(
        Object.entries(value)
          .filter(([name]) => NEEDED.includes(name) || random.chance(0.3))
          .map(([name, each]) => [name, some(each, random)])
      ) as T);
}

function fieldOf(place: Place): string {
  return place
    .map((key, i) => (typeof key === 'number' ? `[${key}]` : i === 0 ? key : `.${key}`))
    .join('');
}

/** How parameters tell values apart. */
function sortOf(value: unknown): string {
  return Array.isArray(value) ? 'list' : value === null ? 'null' : typeof value;
}

describe('Engine#handle with wrong parameters', () => {
  let folder: string;
  let engine: Engine;
  const before = process.cwd();

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'castlens-test-'));
    process.chdir(folder);
    engine = new Engine();
  });

  afterAll(async () => {
    await engine.dispose();
    process.chdir(before);
    rmSync(folder, { recursive: true });
  });

  const ask = (method: string, params: unknown): Promise<unknown> =>
    engine.handle(method as 'open', params as Params<'open'>, {}).then(
      () => null,
      (error: unknown) => error
    );

  const fail = (method: string, params: unknown, error: unknown): never => {
    throw new Error(`${method} ${JSON.stringify(params, stringOf)}`, { cause: error });
  };

  it('should name the field wherever a value is of another sort', async () => {
    let count = 0;
    for (const method of METHODS) {
      for (const place of placesOf(RIGHT[method])) {
        const right = place.reduce<unknown>(
          (value, key) => (value as Record<string | number, unknown>)[key],
          RIGHT[method]
        );
        for (const value of VALUES.filter(each => sortOf(each) !== sortOf(right))) {
          const params = withValue(RIGHT[method], place, value);
          const error = await ask(method, params);
          const isRight =
            error instanceof CastlensError &&
            error.code === 'bad-argument' &&
            error.details.entry === fieldOf(place) &&
            error.details.expected !== undefined &&
            error.details.found !== undefined;
          if (!isRight) {
            fail(method, params, error);
          }
          count += 1;
        }
      }
    }
    expect(count).toBeGreaterThan(2500);
  });

  it('should answer with a typed error, or do what is asked', async () => {
    const random = new Random(20);
    for (let i = 0; i < 4000; i++) {
      const method = random.pick(METHODS);
      const whole = some(RIGHT[method], random);
      const places = placesOf(whole);
      const params = random.chance(0.1)
        ? random.pick(VALUES)
        : withValue(
            whole,
            random.chance(0.1) || places.length === 0
              ? [random.pick(['constructor', '__proto__', 'other'])]
              : random.pick(places),
            random.pick(VALUES)
          );
      const error = await ask(method, params);
      if (error !== null && !(error instanceof CastlensError)) {
        fail(method, params, error);
      }
    }
  });

  it.each(['constructor', 'toString', '__proto__', 'hasOwnProperty', 'lastCompare', ''])(
    'should know no request of the name %p',
    async method => {
      const error = await ask(method, { path });
      expect(error).toMatchObject({ code: 'bad-argument' });
      expect((error as Error).message).toContain('unknown request');
    }
  );

  it('should keep the name of an unknown request short', async () => {
    const error = (await ask(LONG, {})) as Error;
    expect(error.message).toContain('unknown request');
    expect(error.message.length).toBeLessThan(300);
  });

  it.each([null, 7, {}, [], ['open']].map(method => [method]))(
    'should know no request of the name %j',
    async method => {
      expect(await ask(method as unknown as string, {})).toMatchObject({ code: 'bad-argument' });
    }
  );
});

function stringOf(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
