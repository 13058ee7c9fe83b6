/**
 * What is there of CUDA for onnxruntime, what is missing, and the command that installs it.
 *
 * @packageDocumentation
 */
import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { CastlensError } from '../model';
import type { DriverState } from './nvidiasmi';
import { queryDriver, visibleGpus } from './nvidiasmi';
import { ortLibraryFolder, ortPackageVersion } from './binding';
import { findOutsideLoader, packageFor, provideLibraries } from './cudalibraries';
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
  /** The package of PyPI that has it, as pip is asked for it; null for the driver's own. */
  readonly package: string | null;
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
  /** Where the loader finds a library. */
  readonly find?: (library: string) => string | null;
  /** Where a library lies that the loader does not find. */
  readonly findOutside?: (library: string) => string | null;
  /** Version of onnxruntime-node. */
  readonly version?: string;
  /** CUDA_VISIBLE_DEVICES. */
  readonly visible?: string;
}

/**
 * Look at driver, provider and libraries. Loads nothing and makes no session.
 *
 * #### Notes
 * Reads the provider's library once, some hundred megabytes, to find its version.
 */
export async function inspectCuda(options: ICudaSetupOptions = {}): Promise<ICudaSetup> {
  const driver = options.driver ?? (await queryDriver());
  const found = lookAround(driver, options);
  const wanted = options.version ?? ortPackageVersion();
  const { path } = found;
  const versionMatches = path === null ? null : containsText(path, `\0${wanted}\0`);
  const provider = { path, versionMatches, wanted };
  return {
    driver,
    provider,
    cudaMajor: found.major,
    libraries: found.libraries,
    problems: problemsOf(found, provider)
  };
}

/**
 * Why a session on CUDA cannot be made, cheaply: without reading the provider's library but for its headers. Null where nothing is known
 * to be in the way.
 */
export function cudaObstacle(
  driver: DriverState,
  options: Omit<ICudaSetupOptions, 'driver' | 'version'> = {}
): string | null {
  const found = lookAround(driver, options);
  const provider = { path: found.path, versionMatches: null, wanted: '' };
  const problem = problemsOf(found, provider).find(({ optional }) => !optional);
  return problem ? problemText(problem) : null;
}

/** What there is, without a judgement. */
interface ISurroundings {
  readonly driver: DriverState;
  readonly folder: string | null;
  /** The provider's library. */
  readonly path: string | null;
  readonly major: number | null;
  readonly libraries: readonly ICudaLibrary[];
  /** Whether the loader finds the driver's library, with or without a provider. */
  readonly hasDriverLibrary: boolean;
  readonly findOutside: (library: string) => string | null;
  readonly visible: string | undefined;
}

function lookAround(driver: DriverState, options: ICudaSetupOptions): ISurroundings {
  const folder = options.folder === undefined ? ortLibraryFolder() : options.folder;
  const find = options.find ?? findLibrary;
  const path = providerPath(folder);
  const needed = path === null ? [] : cudaNeeds(path);
  const major = majorOf(needed, 'libcudart');
  const library = (name: string, optional: boolean): ICudaLibrary => ({
    name,
    path: find(name),
    optional,
    package: name === DRIVER_LIBRARY ? null : packageFor(name, major)
  });
  const libraries = needed.map(name => library(name, false));
  if (path !== null && !needed.includes(CUDNN)) {
    libraries.push(library(CUDNN, true));
  }
  return {
    driver,
    folder,
    path,
    major,
    libraries,
    hasDriverLibrary: find(DRIVER_LIBRARY) !== null,
    findOutside: options.findOutside ?? findOutsideLoader,
    visible: 'visible' in options ? options.visible : process.env.CUDA_VISIBLE_DEVICES
  };
}

/** A problem as one text. */
export function problemText({ message, command }: ICudaProblem): string {
  return command === null ? message : `${message}; run: ${command}`;
}

/** cuDNN's name: the provider opens it when an operator needs it. */
const CUDNN = 'libcudnn.so.9';

/** Part of the driver, not of CUDA. */
const DRIVER_LIBRARY = 'libcuda.so.1';

const INSTALL_DRIVER = 'sudo apt-get install nvidia-driver (Ubuntu: sudo ubuntu-drivers install)';

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
  { driver, folder, major, libraries, hasDriverLibrary, findOutside, visible }: ISurroundings,
  provider: ICudaSetup['provider']
): ICudaProblem[] {
  const problems: ICudaProblem[] = [];
  const add = (message: string, command: string | null, optional = false): void => {
    problems.push({ message, command, optional });
  };
  if (folder === null || process.platform !== 'linux' || process.arch !== 'x64') {
    add('The CUDA provider of onnxruntime-node is for Linux on x64 only', null);
    return problems;
  }
  if (driver.kind === 'missing' && hasDriverLibrary) {
    // Containers may be given the driver's libraries without its programs.
    add(
      `nvidia-smi is not installed, so that GPUs have no names and memory is not told; ${DRIVER_LIBRARY} is there`,
      null,
      true
    );
  } else if (driver.kind !== 'present') {
    add(driver.message, driver.kind === 'missing' ? INSTALL_DRIVER : null);
  } else if (visible !== undefined && visibleGpus(driver.gpus, visible).length === 0) {
    add(
      `CUDA_VISIBLE_DEVICES is "${visible}", which hides every GPU`,
      'unset CUDA_VISIBLE_DEVICES'
    );
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
      `The driver runs CUDA up to ${supported} and the CUDA provider was built for CUDA ${major}: a newer driver is needed (on GPUs of data centres NVIDIA's package cuda-compat-${major}-0 in LD_LIBRARY_PATH will do)`,
      INSTALL_DRIVER
    );
  }
  const missing = libraries.filter(({ path, name }) => path === null && name !== DRIVER_LIBRARY);
  const required = missing.filter(({ optional }) => !optional);
  if (required.length > 0) {
    add(
      `The loader does not find ${namesOf(required)}`,
      provideLibraries(required.map(nameOf), major, findOutside)
    );
  }
  const others = missing.filter(({ optional }) => optional);
  if (others.length > 0) {
    add(
      `The loader does not find ${namesOf(others)}, which reductions, convolutions, pooling and recurrent layers need`,
      provideLibraries(others.map(nameOf), major, findOutside),
      true
    );
  }
  if (driver.kind === 'present' && !hasDriverLibrary) {
    add(`The loader does not find ${DRIVER_LIBRARY}, which is part of the driver`, 'sudo ldconfig');
  }
  return problems;
}

function nameOf({ name }: ICudaLibrary): string {
  return name;
}

function namesOf(libraries: readonly ICudaLibrary[]): string {
  return libraries.map(nameOf).join(', ');
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
