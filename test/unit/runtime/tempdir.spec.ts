import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { processTag } from '../../../src/formats';
import { privateFolder, removePrivateFolder, removeStaleFolders } from '../../../src/runtime';
import { holdLock } from '../../../src/runtime/folderlock';
import { testFolder } from './helpers';

const HOUR_MS = 60 * 60 * 1000;

describe('privateFolder', () => {
  it('is one folder that nobody else can read, until it is removed', () => {
    const path = privateFolder();
    expect(privateFolder()).toBe(path);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    writeFileSync(join(path, 'a'), '');
    removePrivateFolder();
    expect(existsSync(path)).toBe(false);
    expect(privateFolder()).not.toBe(path);
    removePrivateFolder();
  });
});

describe('removeStaleFolders', () => {
  const folder = testFolder();
  const [machine, namespace, pid, start] = processTag().split('-');
  const dead = spawnSync(process.execPath, ['-e', '']).pid.toString(36);

  const make = (tag: string, ageMs = 0): string => {
    const path = join(folder.path, `castlens-${tag}-Abc012`);
    mkdirSync(path);
    writeFileSync(join(path, 'weights.bin'), 'x');
    const then = new Date(Date.now() - ageMs);
    utimesSync(path, then, then);
    return path;
  };
  const tagOf = (parts: {
    machine?: string;
    namespace?: string;
    pid?: string;
    start?: string;
  }): string =>
    Object.values({ machine, namespace, pid, start, ...parts } as Record<string, string>).join('-');

  /** Hold the lock of a folder in a process that is killed. */
  const lockAndDie = (path: string): void => {
    const script =
      "require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))";
    const { signal } = spawnSync(process.execPath, ['-e', script, join(path, 'lock')]);
    expect(signal).toBe('SIGKILL');
    expect(existsSync(join(path, 'lock'))).toBe(true);
  };

  it.each<[string, () => string]>([
    ['of a process that has ended', () => make(tagOf({ pid: dead }))],
    ['of one whose process id was given out again', () => make(tagOf({ start: '1' }))],
    [
      'of another container, its lock free',
      () => {
        const path = make(tagOf({ namespace: 'zz' }));
        lockAndDie(path);
        return path;
      }
    ],
    [
      'of another container, without lock and a day old',
      () => make(tagOf({ namespace: 'zz' }), 25 * HOUR_MS)
    ],
    ['of another machine, a day old', () => make(tagOf({ machine: '00000000' }), 25 * HOUR_MS)]
  ])('removes a folder %s', async (_whose, makeOne) => {
    const path = makeOne();
    expect(await removeStaleFolders(folder.path)).toEqual([path]);
    expect(existsSync(path)).toBe(false);
  });

  it('keeps folders of processes that run, or may, and what is no such folder', async () => {
    const held = make(tagOf({ namespace: 'yy', pid: dead }), 25 * HOUR_MS);
    const release = holdLock(held);
    const kept = [
      make(processTag(), 100 * HOUR_MS),
      held,
      make(tagOf({ namespace: 'zz', pid: dead }), 23 * HOUR_MS),
      make(tagOf({ machine: '00000000', pid: dead }), 23 * HOUR_MS),
      make(`${dead}`, 100 * HOUR_MS),
      make('test', 100 * HOUR_MS)
    ];
    const victim = join(folder.path, 'victim');
    mkdirSync(victim);
    symlinkSync(victim, join(folder.path, `castlens-${tagOf({ pid: dead })}-link`));
    try {
      expect(await removeStaleFolders(folder.path)).toEqual([]);
      expect(kept.filter(existsSync)).toEqual(kept);
      expect(existsSync(victim)).toBe(true);
    } finally {
      release();
    }
  });

  it('knows locks in folders whose paths are too long for one', async () => {
    const parent = join(folder.path, 'x'.repeat(120));
    mkdirSync(parent);
    const path = join(parent, `castlens-${tagOf({ namespace: 'zz' })}-Abc012`);
    mkdirSync(path);
    const release = holdLock(path);
    const then = new Date(Date.now() - 25 * HOUR_MS);
    utimesSync(path, then, then);
    expect(await removeStaleFolders(parent)).toEqual([]);
    release();
    utimesSync(path, then, then);
    expect(await removeStaleFolders(parent)).toEqual([path]);
  });

  it('does not mind a folder that cannot be listed', async () => {
    expect(await removeStaleFolders(join(folder.path, 'none'))).toEqual([]);
  });
});
