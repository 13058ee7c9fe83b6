/**
 * What a shared library of Linux needs, and whether the loader finds it.
 *
 * @packageDocumentation
 */
import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';

import { CastlensError } from '../model';

const SHT_DYNAMIC = 6;
const DT_NEEDED = 1;

/**
 * Names of the libraries that a library needs (DT_NEEDED), in order. Reads headers and two sections only.
 *
 * @throws CastlensError('runtime') where the file is no 64-bit little-endian ELF library.
 */
export function neededLibraries(path: string): string[] {
  const file = openSync(path, 'r');
  try {
    const read = (offset: number, length: number): Buffer => {
      const bytes = Buffer.alloc(length);
      if (length > MAX_SECTION_BYTES || readSync(file, bytes, 0, length, offset) !== length) {
        throw notALibrary(path);
      }
      return bytes;
    };
    const header = read(0, 64);
    if (header.readUInt32BE(0) !== 0x7f454c46 || header[4] !== 2 || header[5] !== 1) {
      throw notALibrary(path);
    }
    const at = (bytes: Buffer, offset: number): number => Number(bytes.readBigUInt64LE(offset));
    const size = header.readUInt16LE(58);
    const count = header.readUInt16LE(60);
    const sections = read(at(header, 40), size * count);
    const section = (index: number): Buffer => sections.subarray(index * size, (index + 1) * size);
    const content = (one: Buffer): Buffer => read(at(one, 24), at(one, 32));
    for (let i = 0; i < count; i++) {
      if (section(i).readUInt32LE(4) !== SHT_DYNAMIC) {
        continue;
      }
      const entries = content(section(i));
      const names = content(section(section(i).readUInt32LE(40)));
      const found: string[] = [];
      for (let offset = 0; offset + 16 <= entries.length; offset += 16) {
        if (at(entries, offset) === DT_NEEDED) {
          const start = at(entries, offset + 8);
          found.push(names.toString('latin1', start, names.indexOf(0, start)));
        }
      }
      return found;
    }
    return [];
  } finally {
    closeSync(file);
  }
}

/** More than any library has of names and dynamic entries. */
const MAX_SECTION_BYTES = 64 * 2 ** 20;

function notALibrary(path: string): CastlensError {
  return new CastlensError('runtime', 'the file is no shared library for this machine', {
    file: path,
    expected: '64-bit ELF'
  });
}

/**
 * Where the loader finds a library, or null: in the folders of LD_LIBRARY_PATH, in its cache, in the system's folders, in this order.
 */
export function findLibrary(name: string): string | null {
  const folders = (process.env.LD_LIBRARY_PATH ?? '').split(':').filter(folder => folder !== '');
  const inFolders = [...folders.map(folder => join(folder, name))].find(existsSync);
  return (
    inFolders ??
    cachedLibraries().get(name) ??
    SYSTEM_FOLDERS.map(folder => join(folder, name)).find(existsSync) ??
    null
  );
}

/** Debian's loader knows the folders of its architecture without the cache. */
const SYSTEM_FOLDERS: readonly string[] = [
  '/lib/x86_64-linux-gnu',
  '/usr/lib/x86_64-linux-gnu',
  '/lib64',
  '/usr/lib64',
  '/lib',
  '/usr/lib'
];

/**
 * The 64-bit libraries of the loader's cache, as `ldconfig -p` prints it, by name:
 * `\tlibz.so.1 (libc6,x86-64) => /lib/x86_64-linux-gnu/libz.so.1`. The first of a name counts.
 */
export function librariesOf(printed: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [, name, path] of printed.matchAll(/^\s*(\S+) \([^)]*x86-64[^)]*\) => (\S+)$/gm)) {
    found.set(name, found.get(name) ?? path);
  }
  return found;
}

function cachedLibraries(): ReadonlyMap<string, string> {
  for (const ldconfig of ['ldconfig', '/sbin/ldconfig']) {
    try {
      const text = execFileSync(ldconfig, ['-p'], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
        timeout: 5000
      });
      return librariesOf(text);
    } catch {
      // Not on the path, or a system without a cache: the folders remain.
    }
  }
  return new Map();
}
