/**
 * What is there of CUDA for onnxruntime, what is missing, and the command that installs it.
 *
 * @packageDocumentation
 */
import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { CastlensError } from '../model';
import type { DriverState } from './nvidiasmi';
import { queryDriver } from './nvidiasmi';
import { ortLibraryFolder, ortPackageVersion } from './binding';
import { findLibrary, neededLibraries } from './sharedlibrary';

/** The provider's library, and the one it shares with other providers. */
export const CUDA_LIBRARY = 'libonnxruntime_providers_cuda.so';
export const SHARED_LIBRARY = 'libonnxruntime_providers_shared.so';

/** The command that installs the provider: the command line that stands beside the program that is running. */
export function installCommand(): string {
  const cli = join(dirname(process.argv[1] ?? ''), 'cli.js');
  return `${existsSync(cli) ? `node ${cli}` : 'castlens'} doctor --install-cuda`;
}

/** A library of CUDA that the provider uses. */
export interface ICudaLibrary {
  readonly name: string;
  /** Null where the loader does not find it. */
  readonly path: string | null;
  /** Whether the provider works without it, for models without convolutions and the like. */
  readonly optional: boolean;
}

/** Something in the way, and the command that removes it. */
export interface ICudaProblem {
  readonly message: string;
  /** Null where there is no command for it. */
  readonly command: string | null;
  /** Whether models can be run on CUDA all the same. */
  readonly optional: boolean;
}

/** The state of CUDA on this machine. */
export interface ICudaSetup {
  readonly driver: DriverState;
  readonly provider: {
    /** The provider's library, null where it is not installed. */
    readonly path: string | null;
    /** Whether it is of the version of onnxruntime-node; null where there is none. */
    readonly versionMatches: boolean | null;
    /** Version that is needed. */
    readonly wanted: string;
  };
  /** Major version of CUDA that the provider was built for; null without a provider. */
  readonly cudaMajor: number | null;
  readonly libraries: readonly ICudaLibrary[];
  /** In the order in which to solve them. Empty where CUDA works as far as can be told without using it. */
  readonly problems: readonly ICudaProblem[];
}

/** Where to look; everything may be left out. */
export interface ICudaSetupOptions {
  /** Folder of onnxruntime-node's native libraries. */
  readonly folder?: string | null;
  readonly driver?: DriverState;
  readonly find?: (library: string) => string | null;
  /** Version of onnxruntime-node. */
  readonly version?: string;
}

/**
 * Look at driver, provider and libraries. Loads nothing and makes no session.
 *
 * #### Notes
 * Reads the provider's library once, some hundred megabytes, to find its version.
 */
export async function inspectCuda(options: ICudaSetupOptions = {}): Promise<ICudaSetup> {
  const folder = options.folder === undefined ? ortLibraryFolder() : options.folder;
  const find = options.find ?? findLibrary;
  const wanted = options.version ?? ortPackageVersion();
  const driver = options.driver ?? (await queryDriver());
  const path = providerPath(folder);
  const needed = path === null ? [] : cudaNeeds(path);
  const libraries = needed.map(name => ({ name, path: find(name), optional: false }));
  const major = majorOf(needed, 'libcudart');
  if (path !== null) {
    libraries.push({ name: CUDNN, path: find(CUDNN), optional: !needed.includes(CUDNN) });
  }
  const provider = {
    path,
    versionMatches: path === null ? null : containsText(path, `\0${wanted}\0`),
    wanted
  };
  const unique = libraries.filter(({ name }, i) => libraries.findIndex(l => l.name === name) === i);
  return {
    driver,
    provider,
    cudaMajor: major,
    libraries: unique,
    problems: problemsOf(driver, provider, major, unique, folder)
  };
}

/**
 * Why a session on CUDA cannot be made, cheaply: without reading the provider's library but for its headers. Null where nothing is known
 * to be in the way.
 */
export function cudaObstacle(
  driver: DriverState,
  options: Pick<ICudaSetupOptions, 'folder' | 'find'> = {}
): string | null {
  const folder = options.folder === undefined ? ortLibraryFolder() : options.folder;
  const find = options.find ?? findLibrary;
  const path = providerPath(folder);
  const needed = path === null ? [] : cudaNeeds(path);
  const libraries = needed.map(name => ({ name, path: find(name), optional: false }));
  const provider = { path, versionMatches: null, wanted: '' };
  const major = majorOf(needed, 'libcudart');
  const [problem] = problemsOf(driver, provider, major, libraries, folder).filter(
    ({ optional }) => !optional
  );
  return problem ? problemText(problem) : null;
}

/** A problem as one text. */
export function problemText({ message, command }: ICudaProblem): string {
  return command === null ? message : `${message}; run: ${command}`;
}

/** cuDNN's name: the provider opens it when an operator needs it. */
const CUDNN = 'libcudnn.so.9';

function providerPath(folder: string | null): string | null {
  const path = folder === null ? null : join(folder, CUDA_LIBRARY);
  return path !== null && existsSync(path) ? path : null;
}

/** What the provider needs of CUDA; nothing where the file cannot be read, which loading it will tell. */
function cudaNeeds(path: string): string[] {
  try {
    return neededLibraries(path).filter(name => /^lib(cu|nv)/.test(name));
  } catch (error) {
    if (error instanceof CastlensError) {
      return [];
    }
    throw error;
  }
}

function majorOf(libraries: readonly string[], stem: string): number | null {
  const name = libraries.find(library => library.startsWith(`${stem}.so.`));
  return name === undefined ? null : Number(name.slice(stem.length + 4));
}

function problemsOf(
  driver: DriverState,
  provider: ICudaSetup['provider'],
  major: number | null,
  libraries: readonly ICudaLibrary[],
  folder: string | null
): ICudaProblem[] {
  const problems: ICudaProblem[] = [];
  const add = (message: string, command: string | null, optional = false): void => {
    problems.push({ message, command, optional });
  };
  if (folder === null || process.platform !== 'linux' || process.arch !== 'x64') {
    add('The CUDA provider of onnxruntime-node is for Linux on x64 only', null);
    return problems;
  }
  if (driver.kind !== 'present') {
    const command =
      driver.kind === 'missing'
        ? 'sudo apt-get install nvidia-driver (Ubuntu: sudo ubuntu-drivers install)'
        : null;
    add(driver.message, command);
  }
  if (provider.path === null) {
    add(`The CUDA provider of onnxruntime (${CUDA_LIBRARY}) is not installed`, installCommand());
    return problems;
  }
  if (provider.versionMatches === false) {
    add(`${CUDA_LIBRARY} is not of version ${provider.wanted}`, installCommand());
  }
  const supported = driver.kind === 'present' ? driver.cudaVersion : null;
  if (major !== null && supported !== null && Number.parseInt(supported, 10) < major) {
    add(
      `The driver runs CUDA up to ${supported} and the CUDA provider was built for CUDA ${major}: a newer driver is needed`,
      'sudo apt-get install nvidia-driver (Ubuntu: sudo ubuntu-drivers install)'
    );
  }
  const missing = libraries.filter(({ path, name }) => path === null && name !== 'libcuda.so.1');
  const required = missing.filter(({ optional }) => !optional);
  if (required.length > 0) {
    const names = required.map(({ name }) => name).join(', ');
    add(`The loader does not find ${names}`, installLibraries(required, major));
  }
  const others = missing.filter(({ optional }) => optional);
  if (others.length > 0) {
    const names = others.map(({ name }) => name).join(', ');
    add(
      `The loader does not find ${names}, which reductions, convolutions, pooling and recurrent layers need`,
      installLibraries(others, major),
      true
    );
  }
  if (
    driver.kind === 'present' &&
    libraries.some(l => l.name === 'libcuda.so.1' && l.path === null)
  ) {
    add('The loader does not find libcuda.so.1, which is part of the driver', 'sudo ldconfig');
  }
  return problems;
}

/** Command that installs libraries of CUDA from PyPI and makes the loader find them. */
function installLibraries(libraries: readonly ICudaLibrary[], major: number | null): string {
  const isNew = (major ?? 13) >= 13;
  const packages = new Set<string>();
  const folders = new Set<string>();
  for (const { name } of libraries) {
    const [packageName, version, folder] = packageOf(name, major ?? 13);
    packages.add(`'${packageName}==${version}.*'`);
    folders.add(isNew && folder !== 'cudnn' ? `cu${major ?? 13}` : folder);
  }
  const root = '$HOME/.local/share/castlens/cuda';
  const path = [...folders].map(folder => `${root}/nvidia/${folder}/lib`).join(':');
  return `python3 -m pip install --target "${root}" ${[...packages].join(' ')} && export LD_LIBRARY_PATH="${path}:$LD_LIBRARY_PATH"`;
}

/** Package of PyPI with its version, and the folder below `nvidia/` that CUDA 12 puts it into. */
function packageOf(library: string, major: number): [string, number, string] {
  const suffix = major >= 13 ? '' : `-cu${major}`;
  const own = Number(/\.so\.(\d+)/.exec(library)?.[1] ?? major);
  if (library.startsWith('libcublas')) {
    return [`nvidia-cublas${suffix}`, own, 'cublas'];
  }
  if (library.startsWith('libcudart')) {
    return [`nvidia-cuda-runtime${suffix}`, own, 'cuda_runtime'];
  }
  if (library.startsWith('libcurand')) {
    return [`nvidia-curand${suffix}`, own, 'curand'];
  }
  if (library.startsWith('libcufft')) {
    return [`nvidia-cufft${suffix}`, own, 'cufft'];
  }
  if (library.startsWith('libcudnn')) {
    return [`nvidia-cudnn-cu${major}`, own, 'cudnn'];
  }
  return [`nvidia-cuda-nvrtc${suffix}`, own, 'cuda_nvrtc'];
}

/** Whether a file holds a text, read in pieces. */
function containsText(path: string, text: string): boolean {
  const wanted = Buffer.from(text, 'latin1');
  const piece = Buffer.alloc(1 << 22);
  const file = openSync(path, 'r');
  try {
    let kept = 0;
    for (;;) {
      const read = readSync(file, piece, kept, piece.length - kept, null);
      if (read === 0) {
        return false;
      }
      const length = kept + read;
      if (piece.subarray(0, length).includes(wanted)) {
        return true;
      }
      kept = Math.min(wanted.length - 1, length);
      piece.copyWithin(0, length - kept, length);
    }
  } finally {
    closeSync(file);
  }
}
