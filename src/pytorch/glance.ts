/**
 * Which Pythons have PyTorch, as far as files say.
 *
 * @packageDocumentation
 */
import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

import type { IPythonEnvironment } from './inspect';
import { findInterpreters } from './interpreters';

/**
 * The Pythons of this machine with the version of PyTorch that lies in their folders. Starts nothing, so that it can be asked when a model
 * is opened: `inspectPython` says the rest.
 */
export function glanceAtPythons(interpreters = findInterpreters()): IPythonEnvironment[] {
  return interpreters.map(interpreter => ({
    ...interpreter,
    python: null,
    torch: installedTorch(interpreter.path),
    cuda: null,
    devices: [],
    compiler: null,
    problems: []
  }));
}

/**
 * Version of the PyTorch beside a Python; null where none is seen. The folders are those of the `site` module,
 * https://docs.python.org/3/library/site.html, and of Debian.
 */
export function installedTorch(python: string): string | null {
  for (const folder of packageFolders(python)) {
    try {
      const version = readFileSync(join(folder, 'torch', 'version.py'), 'utf8');
      return /^__version__\s*=\s*['"]([^'"]+)['"]/m.exec(version)?.[1] ?? 'unknown';
    } catch {
      // Not in this folder.
    }
  }
  return null;
}

function packageFolders(python: string): string[] {
  const prefixes = new Set([dirname(dirname(python))]);
  // An environment does not see the packages of the Python that it was made from, and says so in pyvenv.cfg.
  const venv = readText(join(dirname(dirname(python)), 'pyvenv.cfg'));
  if (venv === null || /^include-system-site-packages\s*=\s*true/im.test(venv)) {
    prefixes.add(dirname(dirname(resolved(python))));
    prefixes.add('/usr/local');
  }
  return [...prefixes].flatMap(prefix => [
    join(prefix, 'Lib', 'site-packages'),
    join(prefix, 'lib', 'python3', 'dist-packages'),
    ...['lib', 'lib64'].flatMap(lib =>
      entriesOf(join(prefix, lib))
        .filter(name => /^python3\.\d+t?$/.test(name))
        .flatMap(name => [
          join(prefix, lib, name, 'site-packages'),
          join(prefix, lib, name, 'dist-packages')
        ])
    )
  ]);
}

function resolved(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
