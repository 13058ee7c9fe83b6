import type { IStateDB } from '@jupyterlab/statedb';
import { nullTranslator } from '@jupyterlab/translation';
import { KernelLink } from '../../../src/panel/link';
import { PanelMemory } from '../../../src/panel/memory';
import { PanelModel } from '../../../src/panel/model';
import type { IPanelState } from '../../../src/panel/model';
import { PanelService } from '../../../src/panel/service';
import type { ISaveChoice } from '../../../src/panel/service';
import { DEFAULT_SETTINGS } from '../../../src/panel/settings';
import type { IPanelSettings } from '../../../src/panel/settings';
import { variantKey } from '../../../src/panel/variants';
import type { ErrorCode } from '../../../src/errors';
import type { IModelRef, IVariant } from '../../../src/protocol';
import type { FakeComm } from './fakecomm';
import { FakeKernel, FakeSession } from './fakesession';
import {
  makeActivationStats,
  makeCompare,
  makeFix,
  makeInfo,
  makePlan,
  makeResult
} from './samples';

/** A state database that lives in memory. */
class MemoryDatabase {
  readonly entries = new Map<string, unknown>();
  fetch = (key: string) => Promise.resolve(this.entries.get(key));
  save = (key: string, value: unknown) => {
    this.entries.set(key, value);
    return Promise.resolve();
  };
}

interface ISetup {
  readonly settings?: Partial<IPanelSettings>;
  readonly database?: MemoryDatabase;
  readonly prepare?: (comm: FakeComm) => void;
  readonly localPath?: string;
  readonly driveName?: string;
}

/** Panel state, service and link on a fake kernel that answers everything at once. */
async function setup(options: ISetup = {}) {
  const kernel = new FakeKernel('one');
  kernel.prepare = comm => {
    comm.answers = {
      open: () => makeInfo(),
      devices: () => ({ devices: [{ id: 'cpu', label: 'CPU', available: true }] }),
      lastCompare: () => ({ compare: null }),
      plan: params => {
        const { variant } = params as { variant: IVariant };
        return makePlan(variant, variant.cache === 'off' || variant.cache === 'autocast' ? 2 : 0);
      },
      weightStats: () => ({ rows: 2, findings: [] })
    };
    comm.answerBuffers = { weightStats: [Uint8Array.from([1, 2, 3])] };
    options.prepare?.(comm);
  };
  const session = new FakeSession();
  session.kernel = kernel;
  const errors: unknown[] = [];
  const reportError = (error: unknown) => errors.push(error);
  const link = new KernelLink({ sessionContext: session.asContext(), reportError });
  const model = new PanelModel();
  const database = options.database ?? new MemoryDatabase();
  const place = {
    localPath: options.localPath ?? 'folder/model.pt2',
    driveName: options.driveName ?? ''
  };
  const service = new PanelService({
    model,
    link,
    memory: new PanelMemory(database as unknown as IStateDB, () => place.localPath),
    settings: () => ({ ...DEFAULT_SETTINGS, ...options.settings }),
    place: () => place,
    trans: nullTranslator.load('castlens'),
    reportError
  });
  const until = (test: (state: IPanelState) => boolean) =>
    new Promise<void>(resolve => {
      const check = () => {
        if (test(model.state)) {
          model.changed.disconnect(check);
          resolve();
        }
      };
      model.changed.connect(check);
      check();
    });
  const idle = () => until(state => state.task === null);
  await service.start();
  return { kernel, session, link, model, database, place, service, until, idle, errors };
}

const opened = (state: IPanelState) => state.info !== null && state.task === null;

describe('PanelService', () => {
  describe('#start()', () => {
    it('should open the model, then plan every variant and summarise the weights', async () => {
      const { model, until } = await setup();
      await until(state => opened(state) && state.plans.size === 6 && state.statistics !== null);
      expect(model.state.info?.nodeCount).toBe(7);
      expect(model.state.devices).toHaveLength(1);
      expect(model.state.statistics).toMatchObject({ rows: 2, ipc: Uint8Array.from([1, 2, 3]) });
      expect(model.state.errors).toEqual([]);
    });

    it("should ask for the file by its base name, since the kernel runs in the file's folder", async () => {
      const { kernel, until } = await setup();
      await until(opened);
      expect(kernel.comm.requests('open')[0].params).toEqual({ path: 'model.pt2' });
    });

    it("should ask for a drive's file by its whole path", async () => {
      const { kernel, until } = await setup({ driveName: 'RTC' });
      await until(opened);
      expect(kernel.comm.requests('open')[0].params).toEqual({ path: 'folder/model.pt2' });
    });

    it('should ask for a file that was moved relative to where the kernel was started', async () => {
      const { kernel, place, service, until } = await setup();
      await until(opened);
      place.localPath = 'other/moved.pt2';
      await service.open();
      expect(kernel.comm.requests('open')[1].params).toEqual({ path: '../other/moved.pt2' });
    });

    it('should begin with the variant of the settings', async () => {
      const { model } = await setup({
        settings: { cacheMode: 'folded', passes: ['share-casts'], device: 'cuda' }
      });
      expect(model.state.variant).toEqual({
        cache: 'folded',
        passes: ['share-casts'],
        device: 'cuda'
      });
    });

    it('should recall what was set before', async () => {
      const database = new MemoryDatabase();
      const first = await setup({ database });
      await first.until(opened);
      first.service.setCacheMode('frozen');
      first.service.togglePass('hoist-casts');
      first.service.toggleSelected('onnxruntime');
      const second = await setup({ database });
      expect(second.model.state.variant).toMatchObject({
        cache: 'frozen',
        passes: ['hoist-casts']
      });
      expect(second.model.state.selected).not.toContain('onnxruntime');
    });

    it('should recall the last comparison of the kernel', async () => {
      const compare = makeCompare([makeResult({})]);
      const { model, until } = await setup({
        prepare: comm => (comm.answers.lastCompare = () => ({ compare }))
      });
      await until(opened);
      expect(model.state.compare).toEqual(compare);
    });

    it('should leave large weights alone until it is asked', async () => {
      const { kernel, model, service, until } = await setup({
        settings: { statisticsLimitMiB: 0 }
      });
      await until(state => opened(state) && state.plans.size === 6);
      expect(kernel.comm.requests('weightStats')).toHaveLength(0);
      await service.summarise();
      expect(model.state.statistics).not.toBeNull();
    });

    it('should fetch the page about a finding once', async () => {
      const { kernel, model, service, until } = await setup({
        prepare: comm => {
          const { answers } = comm;
          answers.explain = () => ({ markdown: '# some-code' });
        }
      });
      await until(opened);
      await service.explain('some-code');
      await service.explain('some-code');
      expect(model.state.pages.get('some-code')).toBe('# some-code');
      expect(kernel.comm.requests('explain')).toHaveLength(1);
      await service.explain('other-code');
      expect(kernel.comm.requests('explain')).toHaveLength(2);
    });

    it('should show why a model cannot be read, and show nothing else', async () => {
      const { model, until } = await setup({
        prepare: comm => {
          delete comm.answers.open;
          const send = comm.send.bind(comm);
          comm.send = (data, metadata, buffers) => {
            send(data, metadata, buffers);
            const request = comm.requests('open').at(-1);
            if (request) {
              queueMicrotask(() => comm.fail(request.id, 'bad-file', 'broken'));
            }
            return undefined as never;
          };
        }
      });
      await until(state => state.errors.length > 0 && state.task === null);
      expect(model.state.errors[0]).toEqual({
        task: 'open',
        info: { code: 'bad-file', summary: 'broken' }
      });
      expect(model.state.info).toBeNull();
    });
  });

  describe('#setCacheMode()', () => {
    it('should plan at once, and run nothing', async () => {
      const { kernel, model, service, until } = await setup();
      await until(opened);
      service.setCacheMode('folded');
      await until(state => state.plans.has(variantKey(state.variant)));
      expect(model.state.plans.get(variantKey(model.state.variant))?.weightCasts).toBe(0);
      expect(kernel.comm.requests('run')).toHaveLength(0);
      expect(kernel.comm.requests('compare')).toHaveLength(0);
    });

    it('should plan the chosen variant before the others', async () => {
      const { kernel, service, until } = await setup();
      await until(state => opened(state) && state.plans.size === 6);
      const before = kernel.comm.requests('plan').length;
      service.togglePass('share-casts');
      service.setCacheMode('frozen');
      await until(state => state.plans.size === 10);
      const [, first] = kernel.comm.requests('plan').slice(before);
      expect(first.params).toMatchObject({
        variant: { cache: 'frozen', passes: ['share-casts'] }
      });
    });

    it('should show why a variant cannot be planned, and forget it with the next one', async () => {
      const { kernel, model, service, until } = await setup();
      await until(state => opened(state) && state.plans.size === 6);
      delete kernel.comm.answers.plan;
      service.togglePass('share-casts');
      kernel.comm.fail(kernel.comm.requests('plan').at(-1)!.id, 'bad-argument', 'no such pass');
      await until(state => state.errors.length > 0);
      expect(model.state.errors[0]?.task).toBe('plan');
      service.togglePass('share-casts');
      expect(model.state.errors).toEqual([]);
    });
  });

  describe('#overrideRegion()', () => {
    it('should plan at once with the region overridden, and run nothing', async () => {
      const { kernel, model, service, until } = await setup();
      await until(state => opened(state) && state.plans.size === 6);
      const regions = { submod_1: { enabled: false } };
      const before = kernel.comm.requests('plan').length;
      service.overrideRegion('submod_1', 'off');
      expect(model.state.variant).toMatchObject({ cache: 'off', regions });
      await until(state => state.plans.size === 11);
      const asked = kernel.comm.requests('plan').slice(before);
      // All rows but float32, which was planned before and has all regions off.
      expect(asked.map(({ params }) => (params as { variant: IVariant }).variant)).toEqual(
        ['off', 'autocast', 'folded', 'frozen', 'onnxruntime'].map(cache => ({
          cache,
          device: 'cpu',
          passes: [],
          regions
        }))
      );
      expect(kernel.comm.requests('run')).toHaveLength(0);
    });

    it('should be asked for by runs and comparisons', async () => {
      const { kernel, service, until } = await setup();
      await until(opened);
      kernel.comm.answers.run = () => ({ variant: {}, executedWeightCasts: 0 });
      kernel.comm.answers.compare = () => makeCompare([]);
      service.overrideRegion('submod_1', 'float16');
      const regions = { submod_1: { dtype: 'float16' } };
      await service.run();
      expect(kernel.comm.requests('run')[0].params).toMatchObject({ variant: { regions } });
      await service.compare();
      const { variants } = kernel.comm.requests('compare')[0].params as {
        variants: readonly IVariant[];
      };
      expect(variants.map(variant => variant.regions)).toEqual([
        regions,
        regions,
        regions,
        regions,
        undefined,
        regions
      ]);
    });

    it('should survive a reload, and be dropped for a file without that region', async () => {
      const database = new MemoryDatabase();
      const first = await setup({ database });
      await first.until(opened);
      first.service.overrideRegion('submod_1', 'off');
      const second = await setup({ database });
      await second.until(opened);
      expect(second.model.state.variant.regions).toEqual({ submod_1: { enabled: false } });
      const third = await setup({
        database,
        prepare: comm => (comm.answers.open = () => makeInfo({ census: { regions: [] } }))
      });
      await third.until(opened);
      expect(third.model.state.variant).not.toHaveProperty('regions');
    });

    it('should take overrides back, one or all', async () => {
      const { model, service, until } = await setup();
      await until(opened);
      const recorded = model.state.variant;
      for (const reset of [
        () => service.overrideRegion('submod_1', 'recorded'),
        () => service.resetRegions()
      ]) {
        service.overrideRegion('submod_1', 'off');
        expect(model.state.variant).not.toEqual(recorded);
        reset();
        expect(model.state.variant).toEqual(recorded);
      }
    });

    it('should take what is recorded for no override', async () => {
      const { model, service, until } = await setup();
      await until(opened);
      service.overrideRegion('submod_1', 'bfloat16');
      expect(model.state.variant).not.toHaveProperty('regions');
    });
  });

  describe('#run()', () => {
    it('should run the chosen variant and keep the result', async () => {
      const { kernel, model, service, until } = await setup();
      await until(opened);
      const result = { variant: model.state.variant, executedWeightCasts: 2 };
      kernel.comm.answers.run = () => result;
      service.setCacheMode('autocast');
      await service.run();
      expect(kernel.comm.requests('run')[0].params).toMatchObject({
        path: 'model.pt2',
        variant: { cache: 'autocast' }
      });
      expect(model.state.run).toEqual(result);
    });

    it('should show progress while it runs, and an error when it fails', async () => {
      const { kernel, model, service, until } = await setup();
      await until(opened);
      const run = service.run();
      const { id } = kernel.comm.requests('run')[0];
      kernel.comm.receive({
        type: 'progress',
        id,
        progress: { text: 'warming up', fraction: 0.5 }
      });
      expect(model.state.task).toEqual({ kind: 'run', text: 'warming up', fraction: 0.5 });
      kernel.comm.fail(id, 'runtime', 'out of memory');
      await run;
      expect(model.state.errors[0]).toMatchObject({
        task: 'run',
        info: { summary: 'out of memory' }
      });
      expect(model.state.info).not.toBeNull();
      expect(model.state.task).toBeNull();
    });
  });

  describe('#compare()', () => {
    it('should compare the selected rows, references without passes', async () => {
      const { kernel, service, until } = await setup({ settings: { runs: 7, warmup: 2 } });
      await until(opened);
      kernel.comm.answers.compare = () => makeCompare([]);
      service.togglePass('share-casts');
      service.toggleSelected('autocast');
      service.toggleSelected('onnxruntime');
      await service.compare();
      const passes = ['share-casts'];
      expect(kernel.comm.requests('compare')[0].params).toEqual({
        path: 'model.pt2',
        version: 'v1',
        runs: 7,
        warmup: 2,
        variants: [
          { cache: 'off', device: 'cpu', passes },
          { cache: 'folded', device: 'cpu', passes },
          { cache: 'frozen', device: 'cpu', passes },
          { cache: 'float32', device: 'cpu', passes: [] }
        ]
      });
    });

    describe('with a Python that has PyTorch', () => {
      const python = { path: '/env/bin/python', origin: 'the path', torch: '2.15.0', python: null };
      const rest = { cuda: null, devices: [], compiler: null, problems: [] };
      const prepare = (comm: FakeComm) => {
        comm.answers.pythons = () => ({ pythons: [{ ...python, ...rest }] });
      };

      it('should ask once for trust in a version of the file, and compare as recorded', async () => {
        const database = new MemoryDatabase();
        const { kernel, service, until } = await setup({ prepare, database });
        await until(state => opened(state) && state.pythons !== null);
        kernel.comm.answers.compare = () => makeCompare([]);
        const asked: string[] = [];
        const answers = [false, true];
        const mayTrust = (file: string) => Promise.resolve(answers[asked.push(file) - 1]);
        service.togglePass('share-casts');
        service.toggleRuntime('onnxruntime');
        service.toggleRuntime('eager');
        service.toggleSelected('eager autocast');
        await service.compare(mayTrust);
        expect(kernel.comm.requests('compare')).toHaveLength(0);
        await service.compare(mayTrust);
        service.setPython('/other/bin/python');
        await service.compare(mayTrust);
        expect(asked).toEqual(['/models/model.pt2', '/models/model.pt2']);
        const variant = { cache: 'off', passes: [], device: 'cpu', runtimeName: 'eager' };
        const [first, second] = kernel.comm.requests('compare').map(({ params }) => params);
        expect(first).toMatchObject({
          trust: true,
          variants: [variant, { ...variant, repaired: true }]
        });
        expect(first).not.toHaveProperty('python');
        expect(second).toHaveProperty('python', '/other/bin/python');
        const other = await setup({ prepare, database });
        expect(other.model.state).toMatchObject({
          trusted: 'v1',
          runtimes: ['eager'],
          python: '/other/bin/python'
        });
      });

      it('should compare a model that onnxruntime cannot run', async () => {
        const unsupported = [{ op: 'odd', count: 1, node: 'odd', source: null }];
        const { service, until } = await setup({
          prepare: comm => {
            prepare(comm);
            comm.answers.open = () => makeInfo({ unsupported });
          }
        });
        await until(state => opened(state) && state.pythons !== null);
        expect(service.canCompare).toBe(false);
        service.toggleRuntime('aotinductor');
        expect(service.canCompare).toBe(true);
      });
    });
  });

  describe('#takeWeights()', () => {
    const update = { weights: 'new.safetensors', changed: ['a'], unchangedCount: 1 };

    it('should ask with the new weights once they were loaded, and remember them', async () => {
      const database = new MemoryDatabase();
      const { kernel, model, service, until } = await setup({ database });
      await until(opened);
      kernel.comm.answers.run = () => ({ variant: {}, executedWeightCasts: 0 });
      kernel.comm.answers.updateWeights = () => update;
      await service.run();
      await service.takeWeights('other/new.safetensors');
      const weights = '../other/new.safetensors';
      expect(kernel.comm.requests('updateWeights')[0].params).toEqual({
        path: 'model.pt2',
        version: 'v1',
        weights,
        variant: model.state.variant
      });
      expect(model.state).toMatchObject({ weights: 'other/new.safetensors', run: null });
      expect(service.canSave).toBe(false);
      await service.run();
      for (const method of ['open', 'run', 'lastCompare'] as const) {
        expect(kernel.comm.requests(method).at(-1)?.params).toMatchObject({ weights });
      }

      const reloaded = await setup({ database });
      await reloaded.until(opened);
      expect(reloaded.kernel.comm.requests('open')[0].params).toMatchObject({ weights });

      await service.takeWeights(null);
      expect(kernel.comm.requests('open').at(-1)?.params).toEqual({ path: 'model.pt2' });
      expect(service.canSave).toBe(true);
    });

    it('should stay with what it has where the weights do not fit', async () => {
      const { kernel, model, service, until } = await setup();
      await until(opened);
      const taking = service.takeWeights('folder/bad.safetensors');
      await until(state => state.task?.kind === 'weights');
      const { id } = kernel.comm.requests('updateWeights')[0];
      kernel.comm.fail(id, 'bad-input', 'these weights do not fit the model');
      await taking;
      expect(model.state.errors[0]).toMatchObject({ task: 'weights' });
      expect(model.state.weights).toBeNull();
      expect(kernel.comm.requests('open')).toHaveLength(1);
    });
  });

  describe('#saveRepaired()', () => {
    const choice: ISaveChoice = { name: 'model.fixed.pt2', mixed: 'keep-both', writeCode: false };
    const never = () => Promise.reject(new Error('nothing to ask'));

    it('should write beside the model and keep what was written', async () => {
      const { kernel, model, service, until } = await setup();
      await until(opened);
      const result = makeFix();
      kernel.comm.answers.fix = () => result;
      expect(await service.saveRepaired(choice, never)).toBe(true);
      expect(kernel.comm.requests('fix').map(({ params }) => params)).toEqual([
        { path: 'model.pt2', version: 'v1', output: 'model.fixed.pt2', mixed: 'keep-both' }
      ]);
      expect(model.state.repaired).toEqual({
        result,
        path: 'folder/model.fixed.pt2',
        codePath: null
      });
      expect(model.state.code).toBeNull();
    });

    it('should write beside a model that was moved, or that lies on a drive', async () => {
      const moved = await setup();
      await moved.until(opened);
      moved.place.localPath = 'other/model.pt2';
      moved.kernel.comm.answers.fix = () => makeFix();
      await moved.service.saveRepaired(choice, never);
      expect(moved.kernel.comm.requests('fix')[0].params).toMatchObject({
        path: '../other/model.pt2',
        output: '../other/model.fixed.pt2'
      });
      expect(moved.model.state.repaired?.path).toBe('other/model.fixed.pt2');

      const drive = await setup({ driveName: 'RTC' });
      await drive.until(opened);
      drive.kernel.comm.answers.fix = () => makeFix();
      await drive.service.saveRepaired(choice, never);
      expect(drive.kernel.comm.requests('fix')[0].params).toMatchObject({
        output: 'folder/model.fixed.pt2'
      });
      expect(drive.model.state.repaired?.path).toBe('RTC:folder/model.fixed.pt2');
    });

    it('should write the code beside it', async () => {
      const { kernel, model, service, until } = await setup();
      await until(opened);
      kernel.comm.answers.fix = () => makeFix();
      await service.saveRepaired({ ...choice, writeCode: true }, never);
      expect(kernel.comm.requests('fix')[0].params).toMatchObject({ codeFile: 'model.fixed.py' });
      expect(model.state.repaired?.codePath).toBe('folder/model.fixed.py');
    });

    it.each([true, false])('should ask before it replaces a file: %s', async mayReplace => {
      const { kernel, model, service, until } = await setup();
      await until(opened);
      const asked: string[] = [];
      const save = service.saveRepaired(choice, file => {
        asked.push(file);
        kernel.comm.answers.fix = () => makeFix();
        return Promise.resolve(mayReplace);
      });
      kernel.comm.receive({
        type: 'error',
        id: kernel.comm.requests('fix')[0].id,
        error: { code: 'file-exists', summary: 'there', file: '/models/model.fixed.pt2' }
      });
      expect(await save).toBe(mayReplace);
      expect(asked).toEqual(['/models/model.fixed.pt2']);
      const [first, second] = kernel.comm.requests('fix');
      expect(first.params).not.toHaveProperty('overwrite');
      expect(second?.params).toEqual(
        mayReplace ? { ...(first.params as object), overwrite: true } : undefined
      );
      expect(model.state.repaired === null).toBe(!mayReplace);
      expect(model.state.errors).toEqual([]);
      expect(model.state.task).toBeNull();
    });

    it('should show progress, and stop when it is told to', async () => {
      const { kernel, model, service, until } = await setup();
      await until(state => opened(state) && state.statistics !== null);
      const save = service.saveRepaired(choice, never);
      const { id } = kernel.comm.requests('fix')[0];
      kernel.comm.receive({ type: 'progress', id, progress: { text: 'writing', fraction: 0.25 } });
      expect(model.state.task).toEqual({ kind: 'save', text: 'writing', fraction: 0.25 });
      service.stop();
      expect(await save).toBe(false);
      expect(kernel.comm.sent).toContainEqual({ type: 'cancel', id });
      expect(model.state.errors).toEqual([]);
      expect(model.state.repaired).toBeNull();
    });

    it('should show why it failed, and try again with the same choice', async () => {
      const { kernel, model, service, until } = await setup();
      await until(opened);
      const save = service.saveRepaired(choice, never);
      const [{ id, params }] = kernel.comm.requests('fix');
      kernel.comm.fail(id, 'bad-argument', 'the disk is full');
      expect(await save).toBe(false);
      expect(model.state.errors[0]).toMatchObject({
        task: 'save',
        info: { summary: 'the disk is full' }
      });
      kernel.comm.answers.fix = () => makeFix();
      await service.retry();
      expect(kernel.comm.requests('fix')[1].params).toEqual(params);
      expect(model.state.repaired).not.toBeNull();
      expect(model.state.errors).toEqual([]);
    });

    it('should be forgotten when the file has changed', async () => {
      const { kernel, model, service, until } = await setup();
      await until(opened);
      kernel.comm.answers.fix = () => makeFix();
      await service.saveRepaired(choice, never);
      kernel.comm.answers.open = () => makeInfo({ version: 'v2' });
      await service.open();
      expect(model.state.repaired).toBeNull();
    });
  });

  describe('#showCode()', () => {
    it('should ask for the code and keep it; after a save, for that of what was saved', async () => {
      const { kernel, model, service, until } = await setup();
      await until(opened);
      const code = { file: 'model.pt2', strategies: ['preconvert'], code: 'import torch\n' };
      kernel.comm.answers.code = () => code;
      await service.showCode();
      expect(model.state.code).toEqual(code);
      kernel.comm.answers.fix = () => makeFix();
      await service.saveRepaired({ name: 'b.pt2', mixed: 'keep-both', writeCode: false }, () =>
        Promise.resolve(false)
      );
      await service.showCode();
      expect(kernel.comm.requests('code').map(({ params }) => params)).toEqual([
        { path: 'model.pt2', version: 'v1', mixed: 'leave' },
        { path: 'model.pt2', version: 'v1', mixed: 'keep-both' }
      ]);
    });
  });

  describe('#stop()', () => {
    it('should cancel at the kernel without showing an error', async () => {
      const { kernel, model, service, until } = await setup();
      await until(state => opened(state) && state.statistics !== null);
      const run = service.run();
      service.stop();
      await run;
      expect(kernel.comm.sent).toContainEqual({
        type: 'cancel',
        id: kernel.comm.requests('run')[0].id
      });
      expect(model.state.errors).toEqual([]);
      expect(model.state.task).toBeNull();
    });
  });

  describe('#retry()', () => {
    it('should repeat what failed', async () => {
      const { kernel, model, service, until } = await setup();
      await until(opened);
      const run = service.run();
      kernel.comm.fail(kernel.comm.requests('run')[0].id, 'runtime', 'no');
      await run;
      kernel.comm.answers.run = () => ({ variant: model.state.variant });
      await service.retry();
      expect(kernel.comm.requests('run')).toHaveLength(2);
      expect(model.state.errors).toEqual([]);
    });
  });

  describe('a restart of the kernel', () => {
    it('should open the model again and keep what the user had', async () => {
      const { kernel, session, model, service, until } = await setup();
      await until(state => opened(state) && state.plans.size === 6);
      const compare = makeCompare([makeResult({})]);
      kernel.comm.answers.compare = () => compare;
      service.setCacheMode('frozen');
      await service.compare();
      session.setStatus('restarting');
      expect(model.state.info).not.toBeNull();
      session.setStatus('idle');
      await until(state => state.link === 'ready' && opened(state));
      expect(kernel.comms).toHaveLength(2);
      expect(kernel.comm.requests('open')).toHaveLength(1);
      expect(model.state.variant.cache).toBe('frozen');
      expect(model.state.compare).toEqual(compare);
      expect(model.state.errors).toEqual([]);
    });

    it('should say so where it cut off a run', async () => {
      const { session, model, service, until } = await setup();
      await until(opened);
      const run = service.run();
      session.setStatus('restarting');
      await run;
      expect(model.state.errors[0]).toMatchObject({ task: 'run', info: { code: 'engine-lost' } });
    });
  });

  describe('a file that changes while it is open', () => {
    const measured = async () => {
      const all = await setup();
      const { kernel, service, until } = all;
      await until(state => opened(state) && state.statistics !== null && state.plans.size === 6);
      kernel.comm.answers.compare = () => makeCompare([makeResult({})]);
      await service.compare();
      return all;
    };
    const file = '/models/model.pt2';

    it('should be read again without a click, and take what was measured with it', async () => {
      const { kernel, model, until } = await measured();
      kernel.comm.receive({ type: 'files', state: 'changing', file });
      expect(model.state.fileNotice).toEqual({ state: 'changing', file });
      expect(model.state.compare).not.toBeNull();
      kernel.comm.answers.open = () => makeInfo({ version: 'v2', nodeCount: 9 });
      kernel.comm.receive({ type: 'files', state: 'changed', file });
      await until(state => opened(state) && state.info?.nodeCount === 9);
      expect(model.state).toMatchObject({
        compare: null,
        fileNotice: { state: 'reread', file: null }
      });
      await until(state => state.plans.size === 6 && state.task === null);
      const plans = kernel.comm.requests('plan').slice(-6);
      expect(plans.map(({ params }) => (params as IModelRef).version)).toEqual(Array(6).fill('v2'));
    });

    it('should keep what was measured where the file is the same after all', async () => {
      const { kernel, model, until } = await measured();
      kernel.comm.receive({ type: 'files', state: 'gone', file });
      kernel.comm.receive({ type: 'files', state: 'changed', file });
      await until(state => opened(state) && state.fileNotice === null);
      expect(model.state.compare).not.toBeNull();
    });

    it('should be read again where a request was answered with that', async () => {
      const { kernel, model, service, until } = await measured();
      kernel.comm.answers.open = () => makeInfo({ version: 'v2' });
      const run = service.run();
      kernel.comm.fail(kernel.comm.requests('run')[0].id, 'file-changed', 'changed');
      await run;
      await until(state => opened(state) && state.info?.version === 'v2');
      expect(model.state).toMatchObject({ errors: [], compare: null, run: null });
    });

    it('should end what was under way, and never mix its answer in', async () => {
      const { kernel, model, service, until } = await measured();
      const run = service.run();
      const { id } = kernel.comm.requests('run')[0];
      kernel.comm.answers.open = () => makeInfo({ version: 'v2' });
      kernel.comm.receive({ type: 'files', state: 'changed', file });
      await run;
      expect(kernel.comm.sent).toContainEqual({ type: 'cancel', id });
      kernel.comm.receive({ type: 'result', id, result: { variant: model.state.variant } });
      await until(state => opened(state) && state.info?.version === 'v2');
      expect(model.state.run).toBeNull();
    });

    it('should show no figures of a file that can no longer be read', async () => {
      const { kernel, model, until } = await measured();
      delete kernel.comm.answers.open;
      kernel.comm.receive({ type: 'files', state: 'changed', file });
      kernel.comm.fail(kernel.comm.requests('open').at(-1)!.id, 'bad-file', 'truncated');
      await until(state => state.errors.length > 0 && state.task === null);
      expect(model.state).toMatchObject({ info: null, compare: null, statistics: null });
      kernel.comm.answers.open = () => makeInfo({ version: 'v2' });
      kernel.comm.receive({ type: 'files', state: 'changed', file });
      await until(opened);
      expect(model.state.errors).toEqual([]);
    });
  });

  describe('a package compiled by AOTInductor', () => {
    const compiled = { file: 'model.pt2', models: [] };

    /** A panel whose file cannot be opened as a program, for this reason. */
    async function refused(code: ErrorCode, answers: FakeComm['answers'] = {}) {
      const made = await setup({
        prepare: comm => {
          delete comm.answers.open;
          Object.assign(comm.answers, answers);
        }
      });
      const { kernel, until } = made;
      await until(state => state.task?.kind === 'open');
      kernel.comm.fail(kernel.comm.requests('open')[0].id, code, 'no program');
      return made;
    }

    it('should be read as one, and leave no error', async () => {
      const { model, kernel, until } = await refused('unsupported-format', {
        package: () => compiled
      });
      await until(state => state.compiled !== null && state.task === null);
      expect(model.state).toMatchObject({ info: null, compiled, errors: [] });
      expect(kernel.comm.requests('package')[0].params).toEqual({ path: 'model.pt2' });
    });

    it('should go with the file: a program in its place is shown as one', async () => {
      const { model, kernel, until } = await refused('unsupported-format', {
        package: () => compiled
      });
      await until(state => state.compiled !== null && state.task === null);
      kernel.comm.answers.open = () => makeInfo();
      kernel.comm.receive({ type: 'files', state: 'changed', file: '/k/folder/model.pt2' });
      await until(opened);
      expect(model.state.compiled).toBeNull();
    });

    it('should say why the file cannot be opened where it is none', async () => {
      const { model, kernel, until } = await refused('unsupported-format');
      await until(() => kernel.comm.requests('package').length === 1);
      kernel.comm.fail(kernel.comm.requests('package')[0].id, 'bad-file', 'no package');
      await until(state => state.errors.length > 0);
      expect(model.state.errors[0].info).toMatchObject({ summary: 'no program' });
    });

    it('should not be asked for where the file is broken', async () => {
      const { kernel, until } = await refused('bad-file');
      await until(state => state.errors.length > 0);
      expect(kernel.comm.requests('package')).toEqual([]);
    });
  });

  describe('a failure', () => {
    it('should stay until it is dismissed, whatever else is done', async () => {
      const { kernel, session, model, service, until } = await setup();
      await until(state => opened(state) && state.statistics !== null);
      const compare = service.compare();
      session.setStatus('autorestarting');
      await compare;
      session.setStatus('idle');
      await until(state => state.link === 'ready' && opened(state));
      expect(model.state.errors).toMatchObject([
        { task: 'compare', info: { code: 'engine-lost' } }
      ]);
      kernel.comm.answers.run = () => ({ variant: model.state.variant });
      await service.run();
      await service.open();
      expect(model.state.errors.map(({ task }) => task)).toEqual(['compare']);
      service.dismissError('compare');
      expect(model.state.errors).toEqual([]);
    });

    it('should stand beside others, the last one to be retried first', async () => {
      const { kernel, model, service, until } = await setup();
      await until(state => opened(state) && state.statistics !== null);
      for (const task of ['run', 'compare'] as const) {
        const work = task === 'run' ? service.run() : service.compare();
        kernel.comm.fail(kernel.comm.requests(task)[0].id, 'runtime', task);
        await work;
      }
      expect(model.state.errors.map(({ task }) => task)).toEqual(['run', 'compare']);
      kernel.comm.answers.run = () => ({ variant: model.state.variant });
      await service.retry('run');
      expect(model.state.errors.map(({ task }) => task)).toEqual(['compare']);
    });
  });

  it('should say that the engine was lost while nothing was under way', async () => {
    const { kernel, model, until } = await setup();
    await until(state => opened(state) && state.statistics !== null);
    kernel.comm.receive({
      type: 'engine',
      state: 'lost',
      error: { code: 'engine-lost', summary: 'killed by SIGKILL' }
    });
    expect(model.state.errors[0]).toMatchObject({
      task: 'engine',
      info: { summary: 'killed by SIGKILL' }
    });
  });

  describe('#dispose()', () => {
    it('should give up what is under way', async () => {
      const { kernel, model, service, until } = await setup();
      await until(state => opened(state) && state.statistics !== null);
      const run = service.run();
      service.dispose();
      await run;
      expect(kernel.comm.sent).toContainEqual({
        type: 'cancel',
        id: kernel.comm.requests('run')[0].id
      });
      expect(model.state.errors).toEqual([]);
    });
  });

  describe('#summariseActivations()', () => {
    const answering = (comm: FakeComm) => {
      comm.answers.activationStats = params =>
        makeActivationStats((params as { variant: IVariant }).variant.cache);
      comm.answerBuffers.activationStats = [Uint8Array.from([4, 5])];
    };

    it('should summarise the chosen variant and show it', async () => {
      const { kernel, model, service, until, idle } = await setup({ prepare: answering });
      await until(opened);
      service.setCacheMode('frozen');
      await service.summariseActivations();
      await idle();
      const variant = { cache: 'frozen', passes: [], device: 'cpu' };
      expect(kernel.comm.requests('activationStats').map(({ params }) => params)).toEqual([
        { path: 'model.pt2', version: 'v1', variant }
      ]);
      expect(model.state).toMatchObject({ statisticsKind: 'activations', errors: [] });
      expect(model.state.activations).toMatchObject({ rows: 3, about: { variant } });
      expect(model.state.activations?.ipc).toEqual(Uint8Array.from([4, 5]));
    });

    it('should forget the figures of a file that is read anew', async () => {
      const { kernel, model, service, until, idle } = await setup({ prepare: answering });
      await until(opened);
      await service.summariseActivations();
      kernel.comm.answers.open = () => makeInfo({ version: 'v2' });
      await service.open();
      await idle();
      expect(model.state.activations).toBeNull();
    });

    it('should show what went wrong, and try again on demand', async () => {
      const { kernel, model, service, until, idle } = await setup({
        prepare: comm => {
          comm.answers.activationStats = () => makeActivationStats('off');
        }
      });
      await until(opened);
      await service.summariseActivations();
      await until(state => state.errors.length > 0);
      expect(model.state.errors[0]).toMatchObject({
        task: 'activations',
        info: { summary: 'The kernel sent no statistics.' }
      });
      answering(kernel.comm);
      await service.retry();
      await idle();
      expect(model.state.errors).toEqual([]);
      expect(model.state.activations).toMatchObject({ rows: 3 });
    });
  });
});
