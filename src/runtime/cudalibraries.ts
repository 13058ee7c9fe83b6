/**
 * How the loader can be given the libraries of CUDA that it does not find.
 *
 * @packageDocumentation
 */
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where castlens has libraries installed, as the shell writes it. */
const OWN_ROOT = '$HOME/.local/share/castlens/cuda';

/**
 * Command that makes the loader find libraries: those that lie outside of its folders are taken from where they are, the others are
 * installed from PyPI.
 *
 * @param major - version of CUDA; the newest known where nobody knows.
 * @param findOutside - see `findOutsideLoader`.
 */
export function provideLibraries(
  libraries: readonly string[],
  major: number | null,
  findOutside: (library: string) => string | null
): string {
  const cuda = major ?? NEWEST_MAJOR;
  const packages = new Set<string>();
  const folders = new Set<string>();
  for (const name of libraries) {
    const path = findOutside(name);
    if (path !== null) {
      folders.add(path.slice(0, path.lastIndexOf('/')));
      continue;
    }
    packages.add(`'${packageFor(name, cuda)}'`);
    folders.add(`${OWN_ROOT}/nvidia/${packageOf(name, cuda).folder}/lib`);
  }
  const path = `export LD_LIBRARY_PATH="${[...folders].join(':')}:$LD_LIBRARY_PATH"`;
  return packages.size === 0
    ? path
    : `python3 -m pip install --target "${OWN_ROOT}" ${[...packages].join(' ')} && ${path}`;
}

const NEWEST_MAJOR = 13;

/** Packages of PyPI by the beginning of the library's name, with the folder below `nvidia/` that those for CUDA 12 use. */
const PACKAGES: readonly (readonly [string, string, string])[] = [
  ['libcublas', 'nvidia-cublas', 'cublas'],
  ['libcudart', 'nvidia-cuda-runtime', 'cuda_runtime'],
  ['libcurand', 'nvidia-curand', 'curand'],
  ['libcufft', 'nvidia-cufft', 'cufft'],
  ['libcudnn', 'nvidia-cudnn', 'cudnn'],
  ['libnvrtc', 'nvidia-cuda-nvrtc', 'cuda_nvrtc']
];

/** What pip is asked for to get a library, such as `nvidia-cublas==13.*`. */
export function packageFor(library: string, major: number | null): string {
  const { packageName, version } = packageOf(library, major ?? NEWEST_MAJOR);
  return `${packageName}==${version}.*`;
}

/** Package, its major version, and its folder. From CUDA 13 on all but cuDNN share one folder, and names have no suffix. */
function packageOf(
  library: string,
  cuda: number
): { packageName: string; version: number; folder: string } {
  const [, name, folder] = PACKAGES.find(([start]) => library.startsWith(start)) ?? [
    '',
    `nvidia-${/^lib(\w+)/.exec(library)?.[1] ?? library}`,
    'cuda_runtime'
  ];
  const version = Number(/\.so\.(\d+)/.exec(library)?.[1] ?? cuda);
  const isCudnn = folder === 'cudnn';
  const isNew = cuda >= 13;
  return {
    packageName: isNew && !isCudnn ? name : `${name}-cu${cuda}`,
    version,
    folder: isNew && !isCudnn ? `cu${cuda}` : folder
  };
}

/**
 * Where a library lies that the loader does not find, or null: where castlens' own command, CUDA's toolkit and PyTorch's packages put
 * it.
 */
export function findOutsideLoader(
  library: string,
  patterns: readonly string[] = libraryPatterns()
): string | null {
  for (const pattern of patterns) {
    const found = expand(pattern).find(folder => existsSync(join(folder, library)));
    if (found !== undefined) {
      return join(found, library);
    }
  }
  return null;
}

/** Folders with `*` for any part of a name. */
function libraryPatterns(): string[] {
  const { VIRTUAL_ENV, CONDA_PREFIX } = process.env;
  const home = homedir();
  const prefixes = [VIRTUAL_ENV, CONDA_PREFIX, '/opt/conda', '/usr/local', '/usr'].filter(
    prefix => prefix !== undefined && prefix !== ''
  );
  return [
    join(home, '.local/share/castlens/cuda/nvidia/*/lib'),
    '/usr/local/cuda/lib64',
    '/usr/local/cuda-*/lib64',
    ...[...prefixes, join(home, '.local')].flatMap(prefix => [
      `${prefix}/lib/python3*/site-packages/nvidia/*/lib`,
      `${prefix}/lib/python3*/dist-packages/nvidia/*/lib`
    ]),
    ...(CONDA_PREFIX ? [`${CONDA_PREFIX}/lib`] : []),
    '/opt/conda/lib'
  ];
}

/** The folders that a pattern names, newest versions first as far as names tell. */
function expand(pattern: string): string[] {
  let folders = ['/'];
  for (const part of pattern.split('/').filter(text => text !== '')) {
    if (!part.includes('*')) {
      folders = folders.map(folder => join(folder, part));
      continue;
    }
    const [start, end] = part.split('*');
    folders = folders.flatMap(folder =>
      entriesOf(folder)
        .filter(name => name.startsWith(start) && name.endsWith(end))
        .sort()
        .reverse()
        .map(name => join(folder, name))
    );
  }
  return folders;
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // Not there, or not for us.
    return [];
  }
}
