import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { privateFolder, removePrivateFolder, removeStaleFolders } from '../../../src/runtime';
import { testFolder } from './helpers';

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
  // castlens-MACHINE-PID-RANDOM
  const own = basename(privateFolder());
  removePrivateFolder();
  const named = (pid: number): string => own.replace(`-${process.pid}-`, `-${pid}-`);

  it('removes the folders of dead processes only', () => {
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    const names = [
      named(dead),
      named(process.pid),
      `castlens-00000000-${dead}-other`,
      `castlens-${dead}-x`
    ];
    for (const name of names) {
      mkdirSync(join(folder.path, name));
      writeFileSync(join(folder.path, name, 'weights.bin'), 'x');
    }
    const victim = join(folder.path, 'victim');
    mkdirSync(victim);
    symlinkSync(victim, join(folder.path, `${named(dead)}link`));
    expect(removeStaleFolders(folder.path)).toEqual([join(folder.path, names[0])]);
    expect(names.map(name => existsSync(join(folder.path, name)))).toEqual([
      false,
      true,
      true,
      true
    ]);
    expect(existsSync(victim)).toBe(true);
  });

  it('does not mind a folder that cannot be listed', () => {
    expect(removeStaleFolders(join(folder.path, 'none'))).toEqual([]);
  });
});
