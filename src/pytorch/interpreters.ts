/**
 * Where the user's Python may be.
 *
 * @packageDocumentation
 */
import { accessSync, constants, readdirSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** A Python, and what it was found by. */
export interface IInterpreter {
  /** Absolute path of the executable, as found: a link is not followed, as environments are told by it. */
  readonly path: string;
  /** `--python`, `$VIRTUAL_ENV`, `$CONDA_PREFIX`, `the kernel 'NAME'`, `the path`. */
  readonly origin: string;
}

/** Where to look. */
export interface ISearch {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly platform: NodeJS.Platform;
}

const HERE: ISearch = { env: process.env, home: homedir(), platform: process.platform };

/**
 * The Pythons of this machine: of the active environments first, then those of Jupyter's kernels, then the path. Each is listed once.
 * Nothing is started.
 */
export function findInterpreters(search: ISearch = HERE): IInterpreter[] {
  const { env, platform } = search;
  const found = new Map<string, IInterpreter>();
  const add = (path: string, origin: string): void => {
    if (!found.has(path) && isExecutable(path)) {
      found.set(path, { path, origin });
    }
  };
  for (const name of ['VIRTUAL_ENV', 'CONDA_PREFIX']) {
    const prefix = env[name];
    if (prefix !== undefined && prefix !== '') {
      add(pythonIn(prefix, platform), `$${name}`);
    }
  }
  for (const { name, command } of pythonKernels(search)) {
    add(command, `the kernel '${name}'`);
  }
  for (const folder of (env.PATH ?? '').split(delimiter).filter(Boolean)) {
    for (const name of platform === 'win32' ? ['python.exe'] : ['python3', 'python']) {
      add(join(folder, name), 'the path');
    }
  }
  return [...found.values()];
}

function pythonIn(prefix: string, platform: NodeJS.Platform): string {
  if (platform !== 'win32') {
    return join(prefix, 'bin', 'python');
  }
  const scripts = join(prefix, 'Scripts', 'python.exe');
  return isExecutable(scripts) ? scripts : join(prefix, 'python.exe');
}

/**
 * Kernels of Jupyter that run Python by its full path. Source of the folders: "Data files" in the documentation of Jupyter,
 * https://docs.jupyter.org/en/latest/use/jupyter-directories.html.
 */
function pythonKernels(search: ISearch): { name: string; command: string }[] {
  return kernelFolders(search).flatMap(folder =>
    entriesOf(folder).flatMap(name => {
      const spec = readSpec(join(folder, name, 'kernel.json'));
      const command = spec?.argv?.[0];
      const isPython = spec?.language === 'python' && typeof command === 'string';
      return isPython && /[\\/]/.test(command) ? [{ name, command }] : [];
    })
  );
}

function kernelFolders({ env, home, platform }: ISearch): string[] {
  const user =
    env.JUPYTER_DATA_DIR ??
    (platform === 'darwin'
      ? join(home, 'Library', 'Jupyter')
      : platform === 'win32'
        ? join(env.APPDATA ?? home, 'jupyter')
        : join(env.XDG_DATA_HOME ?? join(home, '.local', 'share'), 'jupyter'));
  const prefixes = [env.VIRTUAL_ENV, env.CONDA_PREFIX].flatMap(prefix =>
    prefix === undefined || prefix === '' ? [] : [join(prefix, 'share', 'jupyter')]
  );
  const system =
    platform === 'win32'
      ? [join(env.PROGRAMDATA ?? 'C:\\ProgramData', 'jupyter')]
      : ['/usr/local/share/jupyter', '/usr/share/jupyter'];
  const given = (env.JUPYTER_PATH ?? '').split(delimiter).filter(Boolean);
  return [...given, user, ...prefixes, ...system].map(folder => join(folder, 'kernels'));
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    // Most of the folders do not exist.
    return [];
  }
}

function readSpec(path: string): { argv?: unknown[]; language?: unknown } | null {
  try {
    const spec: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return typeof spec === 'object' && spec !== null ? spec : null;
  } catch {
    // A damaged kernel is Jupyter's to complain about.
    return null;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
