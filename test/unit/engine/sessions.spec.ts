/**
 * Variants that stay loaded.
 *
 * @jest-environment ./test/support/ortenvironment.cjs
 */
import { copyFileSync, mkdtempSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Engine } from '../../../src/engine/service';
import { CastlensError } from '../../../src/model';
import type { IRunResult, IVariant } from '../../../src/protocol';
import { CACHE_MODES } from '../../../src/protocol';
import * as runtime from '../../../src/runtime';

const FIXTURE = join(__dirname, '../../fixtures/seed-mlp/model.pt2');

const variant = (cache: IVariant['cache']): IVariant => ({ cache, passes: [], device: 'cpu' });

describe('variants that stay loaded', () => {
  let folder: string;
  let path: string;
  let created: jest.SpyInstance;
  let converted: jest.SpyInstance;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'castlens-sessions-'));
    path = join(folder, 'model.pt2');
    copyFileSync(FIXTURE, path);
    created = jest.spyOn(runtime.RuntimeSession, 'create');
    converted = jest.spyOn(runtime.WeightConverter.prototype, 'materialize');
  });

  afterEach(() => {
    jest.restoreAllMocks();
    rmSync(folder, { recursive: true });
  });

  async function run(engine: Engine, cache: IVariant['cache']): Promise<IRunResult> {
    return (await engine.handle('run', { path, variant: variant(cache) }, {})).result;
  }

  it('should neither load, convert nor profile again', async () => {
    const engine = new Engine();
    const first = await run(engine, 'folded');
    // One to run and one to profile.
    expect([created.mock.calls.length, converted.mock.calls.length]).toEqual([2, 1]);
    await run(engine, 'off');
    const again = await run(engine, 'folded');
    expect([created.mock.calls.length, converted.mock.calls.length]).toEqual([4, 2]);
    expect([first.reused, again.reused]).toEqual([false, true]);
    expect(again).toMatchObject({ loadMs: first.loadMs, executedWeightCasts: 0 });
    expect(again.outputs).toEqual(first.outputs);

    const variants = CACHE_MODES.map(variant);
    const { result } = await engine.handle('compare', { path, variants, runs: 1, warmup: 0 }, {});
    expect(result.variants.map(({ reused }) => reused)).toEqual([true, false, true, false]);
    expect(created.mock.calls).toHaveLength(8);
    await engine.dispose();
  });

  it('should load again once the file has changed', async () => {
    const engine = new Engine();
    await run(engine, 'off');
    utimesSync(path, 1, 1);
    expect((await run(engine, 'off')).reused).toBe(false);
    await engine.dispose();
  });

  it('should keep nothing where nothing may be kept', async () => {
    const engine = new Engine({ sessions: { bytes: -1 } });
    await run(engine, 'off');
    expect((await run(engine, 'off')).reused).toBe(false);
  });

  it('should close what is only kept where the device is full, and try again', async () => {
    const engine = new Engine();
    await run(engine, 'off');
    const full = new CastlensError('out-of-memory', 'the device has not enough free memory');
    created.mockRejectedValueOnce(full);
    expect((await run(engine, 'folded')).reused).toBe(false);
    expect((await run(engine, 'off')).reused).toBe(false);
    created.mockRejectedValueOnce(full).mockRejectedValueOnce(full);
    await expect(run(engine, 'frozen')).rejects.toMatchObject({ code: full.code, cause: full });
    await engine.dispose();
  });

  it('should do so too where the device fills up while a variant runs', async () => {
    const engine = new Engine();
    await run(engine, 'off');
    const full = new CastlensError('out-of-memory', 'the device has not enough free memory');
    const forward = jest.spyOn(runtime.RuntimeSession.prototype, 'run');
    forward.mockRejectedValueOnce(full);
    expect((await run(engine, 'folded')).reused).toBe(false);
    expect((await run(engine, 'off')).reused).toBe(false);
    forward.mockRejectedValueOnce(full).mockRejectedValueOnce(full);
    await expect(run(engine, 'off')).rejects.toMatchObject({ code: full.code, cause: full });
    await engine.dispose();
  });

  it('should not say what a variant holds where others were given up for it', async () => {
    const engine = new Engine();
    await run(engine, 'off');
    const full = new CastlensError('out-of-memory', 'the device has not enough free memory');
    jest.spyOn(runtime.RuntimeSession.prototype, 'run').mockRejectedValueOnce(full);
    const params = { path, variants: [variant('folded')], runs: 1, warmup: 0 };
    const unknown = { fileBackedBytes: null, hostBytes: null, deviceBytes: null };
    for (const reused of [false, true]) {
      const { result } = await engine.handle('compare', params, {});
      expect(result.variants).toMatchObject([{ reused, memory: unknown }]);
    }
    await engine.dispose();
  });

  it.each(['loaded', 'run'])(
    'should be closed where the device is full when a variant with probes is %s',
    async when => {
      const engine = new Engine();
      await run(engine, 'off');
      const params = { path, variant: variant('folded') };
      const { result } = await engine.handle('activationStats', params, {});
      expect((await run(engine, 'off')).reused).toBe(true);
      const full = new CastlensError('out-of-memory', 'the device has not enough free memory');
      if (when === 'loaded') {
        created.mockRejectedValueOnce(full);
      } else {
        jest.spyOn(runtime.RuntimeSession.prototype, 'run').mockRejectedValueOnce(full);
      }
      const { result: again } = await engine.handle('activationStats', params, {});
      expect([again.rows, again.batches]).toEqual([result.rows, result.batches]);
      expect((await run(engine, 'off')).reused).toBe(false);
      await engine.dispose();
    }
  );

  it('should load once what two ask for at the same time', async () => {
    const engine = new Engine();
    const results = await Promise.all([run(engine, 'folded'), run(engine, 'folded')]);
    expect(converted.mock.calls).toHaveLength(1);
    expect(results.map(({ reused }) => reused).sort()).toEqual([false, true]);
    expect(results[1].outputs).toEqual(results[0].outputs);
    await engine.dispose();
  });

  it('should say what the variants hold', async () => {
    const engine = new Engine();
    const variants = [variant('off'), variant('folded')];
    const { result } = await engine.handle('compare', { path, variants, runs: 1, warmup: 0 }, {});
    for (const { memory } of result.variants) {
      expect(memory.deviceBytes).toBeNull();
      for (const bytes of [memory.fileBackedBytes, memory.hostBytes]) {
        expect(bytes === null).toBe(process.platform !== 'linux');
        expect(bytes ?? 0).toBeGreaterThanOrEqual(0);
      }
    }
    await engine.dispose();
  });
});
