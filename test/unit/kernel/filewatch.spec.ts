import { mkdtempSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileWatch } from '../../../src/kernel/filewatch';
import type { FileChange } from '../../../src/protocol';
import { versionOf } from '../../../src/protocol';

let folder: string;
let watch: FileWatch | null = null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'castlens-filewatch-'));
});

afterEach(() => {
  watch?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

/** A watch on files as they are, and a promise of what it says next. */
function setup(...names: string[]) {
  const paths = names.map(name => join(folder, name));
  const heard: [FileChange, string][] = [];
  let wake: () => void = () => undefined;
  watch = new FileWatch((state, file) => {
    heard.push([state, file]);
    wake();
  }, 1);
  const next = async (): Promise<[FileChange, string]> => {
    while (heard.length === 0) {
      await new Promise<void>(resolve => (wake = resolve));
    }
    return heard.shift()!;
  };
  paths.forEach(path => writeFileSync(path, 'one'));
  watch.watch(paths.map(path => ({ path, version: versionOf(statSync(path)) })));
  return { paths, heard, next, watch };
}

describe('FileWatch', () => {
  it('should tell of a file that is rewritten: at once, and when it is at rest', async () => {
    const { paths, next } = setup('model.pt2');
    writeFileSync(paths[0], 'another');
    expect(await next()).toEqual(['changing', paths[0]]);
    expect(await next()).toEqual(['changed', paths[0]]);
  });

  it('should tell of a file that is replaced by one of the same size and time', async () => {
    const { paths, next } = setup('model.pt2');
    const other = join(folder, 'other');
    writeFileSync(other, 'two');
    const { atime, mtime } = statSync(paths[0]);
    utimesSync(other, atime, mtime);
    renameSync(other, paths[0]);
    expect(await next()).toEqual(['changing', paths[0]]);
  });

  it('should tell of a file that is gone, and of its return', async () => {
    const { paths, next } = setup('model.pt2');
    rmSync(paths[0]);
    expect(await next()).toEqual(['gone', paths[0]]);
    writeFileSync(paths[0], 'one');
    expect(await next()).toEqual(['changing', paths[0]]);
    expect(await next()).toEqual(['changed', paths[0]]);
  });

  it('should watch external data like the file itself', async () => {
    const { paths, next } = setup('model.onnx', 'model.onnx.data');
    writeFileSync(paths[1], 'other weights');
    expect(await next()).toEqual(['changing', paths[1]]);
  });

  it('should tell at once of a file that is no longer what was read', async () => {
    const { paths, next, watch } = setup('model.pt2');
    watch.watch([{ path: paths[0], version: '1:2:3' }]);
    expect(await next()).toEqual(['changing', paths[0]]);
  });

  it('should take the first state it finds for read where none is named', async () => {
    const { paths, heard, next, watch } = setup('model.pt2', 'other.pt2');
    watch.watch([
      { path: paths[0], version: null },
      { path: paths[1], version: '1:2:3' }
    ]);
    expect(await next()).toEqual(['changing', paths[1]]);
    expect(heard).toEqual([]);
  });

  it('should say nothing of files it no longer watches', async () => {
    const { paths, next, watch } = setup('model.pt2', 'other.pt2');
    watch.watch([{ path: paths[1], version: versionOf(statSync(paths[1])) }]);
    writeFileSync(paths[0], 'another');
    writeFileSync(paths[1], 'another');
    expect(await next()).toEqual(['changing', paths[1]]);
  });
});
