/**
 * Models that are kept until their files change, and files that change while they are read.
 */
import { copyFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';

import { chain } from '../../../bench/models/shapes';
import { SYNTHETIC_FORMATS, writeSynthetic } from '../../../bench/models/synthetic';
import { ModelStore } from '../../../src/engine/modelstore';
import { testFolder } from '../runtime/helpers';

const WIDTH = 64;

describe.each(SYNTHETIC_FORMATS)('ModelStore: %s', format => {
  const folder = testFolder();
  const name = (stem: string): string =>
    join(folder.path, `${stem}.${format.startsWith('onnx') ? 'onnx' : 'pt2'}`);
  const path = name('model');
  const other = name('other');

  beforeEach(async () => {
    await writeSynthetic(path, format, chain(4, WIDTH));
    await writeSynthetic(other, format, chain(4, 2 * WIDTH));
  });

  /** Another file of the same bytes takes the name. */
  function replace(file: string): void {
    copyFileSync(file, `${file}.new`);
    renameSync(`${file}.new`, file);
  }

  it('should read a model once, however many ask, and again once it has changed', async () => {
    const store = new ModelStore();
    const [first, second] = await Promise.all([store.load({ path }), store.load({ path })]);
    expect(second).toBe(first);
    replace(path);
    const both = await Promise.all([store.load({ path }), store.load({ path })]);
    expect(both[0]).not.toBe(first);
    expect(both[1]).toBe(both[0]);
  });

  it('should refuse a request about another version than the files are in', async () => {
    const store = new ModelStore();
    const { version } = await store.load({ path });
    await store.load({ path, version });
    replace(path);
    await expect(store.load({ path, version })).rejects.toMatchObject({
      code: 'file-changed',
      details: { file: path }
    });
    expect((await store.load({ path })).version).not.toBe(version);
  });

  it('should know a version again in a file that was renamed', async () => {
    const store = new ModelStore();
    const { version } = await store.load({ path });
    const renamed = name('renamed');
    renameSync(path, renamed);
    await store.load({ path: renamed, version });
  });

  it('should notice a file that is replaced while it is read', async () => {
    const store = new ModelStore();
    // It has been opened by the time this returns.
    const loading = store.load({ path });
    renameSync(other, path);
    const before = await loading;
    await expect(before.checkFiles()).rejects.toMatchObject({
      code: 'file-changed',
      details: { file: path }
    });
    const after = await store.load({ path });
    const widths = [before, after].map(({ model }) => model.weights[0].shape[0]);
    expect(widths).toEqual([WIDTH, 2 * WIDTH]);
    await after.checkFiles();
  });

  it('should take no weights of a file that is replaced while they are compared', async () => {
    const weights = name('weights');
    await writeSynthetic(weights, format, chain(4, WIDTH));
    let isDone = false;
    const taking = new ModelStore().load(
      { path, weights },
      {
        progress: () => {
          if (!isDone) {
            isDone = true;
            replace(weights);
          }
        }
      }
    );
    await expect(taking).rejects.toMatchObject({
      code: 'file-changed',
      details: { file: weights }
    });
    expect(isDone).toBe(true);
  });

  it('should take weights for who waits though who asked first cancels', async () => {
    const store = new ModelStore();
    const weights = name('weights');
    await writeSynthetic(weights, format, chain(4, WIDTH));
    const controller = new AbortController();
    const progress = (): void => controller.abort();
    const first = store.load({ path, weights }, { signal: controller.signal, progress });
    const others = [1, 2].map(() => store.load({ path, weights }));
    await expect(first).rejects.toMatchObject({ code: 'cancelled' });
    const [second, third] = await Promise.all(others);
    expect(second.update!.source).toBe(weights);
    expect(third).toBe(second);
  });
});
