/**
 * What cells ask the engine for: whatever a call is given arrives, in parameters that the protocol allows.
 */
import { CastlensError } from '../../../src/errors';
import type { EngineClient } from '../../../src/kernel/evaluator/api/engineclient';
import type { Model } from '../../../src/kernel/evaluator/api/castlens';
import { checkOptions, optionHelp } from '../../../src/kernel/evaluator/api/calloptions';
import { makeCastlens } from '../../../src/kernel/evaluator/api/castlens';
import type { RequestName } from '../../../src/protocol';
import { CALL_OPTIONS, checkParameters } from '../../../src/protocol';

const asked: { method: RequestName; params: Record<string, unknown> }[] = [];

/** Notes what is asked; answers an opening alone. */
const engine = {
  ask: (method: RequestName, params: Record<string, unknown>) => {
    asked.push({ method, params });
    return method === 'open'
      ? Promise.resolve({ result: { census: {} }, buffers: [] })
      : Promise.reject(new Error('noted'));
  }
} as unknown as EngineClient;

const VARIANT = {
  passes: ['share-casts'],
  device: 'cuda:1',
  regions: { submod_1: 'off' }
} as const;
const WANTED = { ...VARIANT, regions: { submod_1: { enabled: false } } };

describe('castlens in cells', () => {
  let model: Model;

  beforeAll(async () => {
    model = await makeCastlens(engine).open('m.pt2', { program: 'p' });
  });

  beforeEach(() => asked.splice(0));

  const lastAsked = async (call: () => Promise<unknown>) => {
    await expect(call()).rejects.toThrow('noted');
    const [{ method, params }] = asked;
    expect(checkParameters(method, params)).toBeNull();
    return params;
  };

  it.each<[string, (m: Model) => Promise<unknown>]>([
    ['plan', m => m.plan({ ...VARIANT, cache: 'frozen' })],
    ['run', m => m.run({ ...VARIANT, cache: 'frozen', dims: { n: 2 }, seed: 1, inputs: 'i' })],
    ['stats', m => m.stats({ ...VARIANT, cache: 'frozen', activations: true, values: ['v'] })],
    ['update', m => m.update('w.safetensors', { ...VARIANT, cache: 'frozen' })]
  ])('should ask with the whole variant: %s', async (_name, call) => {
    const { variant } = await lastAsked(() => call(model));
    expect(variant).toEqual({ cache: 'frozen', ...WANTED });
  });

  it('should ask with the whole variant: compare', async () => {
    const call = () => model.compare({ ...VARIANT, cache: ['off', 'float32'], runs: 1, warmup: 0 });
    const { variants } = await lastAsked(call);
    expect(variants).toEqual([
      { cache: 'off', ...WANTED },
      { cache: 'float32', ...WANTED }
    ]);
  });

  it.each<[string, (m: Model) => Promise<unknown>]>([
    ['outputs', m => m.run({ outputs: 7 as never })],
    ['inputs', m => m.run({ inputs: '' })],
    ['passes', m => m.plan({ passes: 'share-casts' as never })],
    ['cache', m => m.compare({ cache: 'off' as never })],
    ['code', m => m.fix('f.pt2', { code: {} as never })],
    ['strategies', m => m.code({ strategies: 'freezing' as never })]
  ])('should refuse a wrong option with its name: %s', async (name, call) => {
    const error: unknown = await call(model).catch((each: unknown) => each);
    expect(error).toBeInstanceOf(CastlensError);
    expect(error).toMatchObject({ code: 'bad-argument' });
    expect((error as Error).message).toMatch(
      new RegExp(`^${name}: wrong option; expected .*; found `)
    );
    expect(asked).toEqual([]);
  });

  it.each<[string, string, (m: Model) => Promise<unknown>]>([
    ['passses', 'passes', m => m.plan({ passses: [] } as never)],
    ['Cache', 'cache', m => m.run({ Cache: 'off' } as never)],
    ['overrwrite', 'overwrite', m => m.fix('f.pt2', { overrwrite: true } as never)],
    ['strategy', 'strategies', m => m.code({ strategy: [] } as never)],
    ['region', 'regions', m => m.update('w', { region: {} } as never)],
    ['runtime', 'runtimes', m => m.compare({ runtime: [] } as never)]
  ])('should refuse the option %s and name the nearest, %s', async (option, nearest, call) => {
    await expect(call(model)).rejects.toMatchObject({
      code: 'bad-argument',
      details: { entry: option, hint: `Did you mean "${nearest}"?` }
    });
    expect(asked).toEqual([]);
  });

  it.each<[string, (m: Model) => Promise<unknown>]>([
    ['inputs of update()', m => m.update('w', { inputs: 'i' } as never)],
    ['a variant of weights', m => m.stats({ cache: 'off' })],
    ['threads of run()', m => m.run({ threads: 2 } as never)],
    ['progress of plan()', m => m.plan({ onProgress: () => undefined } as never)],
    ['no object', m => m.plan(['off'] as never)]
  ])('should refuse what a call does not honor: %s', async (_name, call) => {
    await expect(call(model)).rejects.toMatchObject({ code: 'bad-argument' });
    expect(asked).toEqual([]);
  });

  it.each(['plan', 'run', 'compare', 'update', 'stats', 'fix', 'code'] as const)(
    'should take each option of the contract in %s(), and explain it',
    call => {
      const lines = optionHelp(call);
      for (const { name } of CALL_OPTIONS[call]) {
        expect(() => checkOptions(call, { [name]: undefined })).not.toThrow();
        expect(lines.some(line => line.startsWith(`${name}: `))).toBe(true);
      }
    }
  );
});
