import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { IPackageKey } from '../../../src/pytorch';
import { digestOf, PackageCache } from '../../../src/pytorch';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'packages-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const KEY: IPackageKey = {
  program: 'a'.repeat(64),
  name: null,
  options: '{}',
  torch: '2.15.0',
  instructionSet: 'avx2',
  device: 'cpu'
};

test('every part of the key makes another package', () => {
  const cache = new PackageCache(folder);
  const keys: IPackageKey[] = [
    KEY,
    { ...KEY, program: 'b'.repeat(64) },
    { ...KEY, name: 'decode' },
    { ...KEY, options: '{"freezing":true}' },
    { ...KEY, torch: '2.14.1' },
    { ...KEY, instructionSet: 'avx512' },
    { ...KEY, device: 'cuda' }
  ];
  expect(new Set(keys.map(key => cache.pathOf(key))).size).toBe(keys.length);
  expect(cache.pathOf({ ...KEY })).toBe(cache.pathOf(KEY));
});

test('the least recently used packages go, with what is noted beside them; the one in use stays', () => {
  const cache = new PackageCache(folder, 250);
  const [first, second, third] = ['1', '2', '3'].map(program => {
    const path = cache.pathOf({ ...KEY, program });
    writeFileSync(path, Buffer.alloc(100));
    writeFileSync(`${path}.json`, '{}');
    return path;
  });
  utimesSync(first, 3000, 3000);
  utimesSync(second, 1000, 1000);
  utimesSync(third, 2000, 2000);
  cache.use(third);
  expect([first, second, third].map(path => existsSync(path))).toEqual([true, false, true]);
  expect(existsSync(`${second}.json`)).toBe(false);
  const large = cache.pathOf({ ...KEY, program: 'large' });
  writeFileSync(large, Buffer.alloc(1000));
  cache.use(large);
  expect([first, third, large].map(path => existsSync(path))).toEqual([false, false, true]);
});

test('the digest of a file is that of its bytes', async () => {
  const path = join(folder, 'file');
  writeFileSync(path, 'abc');
  // From FIPS 180-2, appendix B.1.
  expect(await digestOf(path)).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
  );
});
