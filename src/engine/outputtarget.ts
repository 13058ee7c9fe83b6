/**
 * Where results may be written.
 *
 * @packageDocumentation
 */
import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

import type { IExportedModel } from '../model';
import { CastlensError } from '../model';

/**
 * Absolute path of a file to write. Called before any work is done, so that a slip of the keyboard costs nothing.
 *
 * @param sources - further files that are read and must not be replaced.
 *
 * @throws CastlensError where it is a file of the model or of `sources`, under whatever name or link, or a folder, or where its
 * own folder is missing.
 */
export async function outputTarget(
  model: IExportedModel,
  output: string,
  sources: readonly string[] = []
): Promise<string> {
  const absolute = resolve(output);
  let folder: string;
  try {
    folder = await realpath(dirname(absolute));
  } catch (cause) {
    throw new CastlensError('file-not-found', 'the folder of the new file does not exist', {
      file: output,
      hint: 'Create it first',
      cause
    });
  }
  const target = join(folder, basename(absolute));
  const existing = await stat(target).catch(() => null);
  if (existing?.isDirectory()) {
    throw new CastlensError('bad-argument', 'there is a folder of this name', {
      file: output,
      hint: 'Choose another name'
    });
  }
  for (const path of [...model.files.map(file => file.path), ...sources]) {
    const source = await stat(path).catch(() => null);
    const isSame =
      resolve(path) === target ||
      (existing !== null &&
        source !== null &&
        existing.ino === source.ino &&
        existing.dev === source.dev);
    if (isSame) {
      const what = sources.includes(path) ? 'the inputs' : 'a file of the model';
      throw new CastlensError('bad-argument', `the new file cannot replace ${what}`, {
        file: output,
        hint: 'Choose another name'
      });
    }
  }
  return target;
}

/**
 * Make sure that a file is none, or a regular one: what is written is read again.
 *
 * @throws CastlensError where it is a device, a pipe or a socket.
 */
export async function refuseSpecial(target: string): Promise<void> {
  const existing = await stat(target).catch(() => null);
  if (existing !== null && !existing.isFile()) {
    throw new CastlensError('bad-argument', 'a model cannot be written to this', {
      file: target,
      expected: 'a new name or a regular file',
      found: existing.isFIFO() ? 'a pipe' : existing.isSocket() ? 'a socket' : 'a device',
      hint: 'Choose another name'
    });
  }
}

/**
 * Make sure that files can be written without replacing others. Called before any work is done.
 *
 * @throws CastlensError with code `file-exists`, which names all that are there.
 */
export async function refuseExisting(targets: readonly string[]): Promise<void> {
  const found = await Promise.all(targets.map(target => stat(target).catch(() => null)));
  const existing = targets.filter((_, i) => found[i] !== null);
  if (existing.length > 0) {
    throw new CastlensError('file-exists', 'would be replaced', {
      file: existing.join(', '),
      hint: 'Choose another name'
    });
  }
}
