/**
 * Installing the CUDA provider for the onnxruntime-node that is there.
 *
 * @packageDocumentation
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import { extractFiles } from '../formats';
import { CastlensError } from '../model';
import { ortLibraryFolder, ortPackageVersion } from './binding';
import { CUDA_LIBRARY, inspectCuda, SHARED_LIBRARY } from './cudasetup';
import type { IJob } from './job';
import { throwIfCancelled } from './job';

/** How long a download may take. */
const TIMEOUT_MS = 30 * 60_000;

/** Any Python that the package supports: its native libraries do not depend on it. */
const WHEEL = [
  '--only-binary=:all:',
  '--platform',
  'manylinux_2_28_x86_64',
  '--python-version',
  '3.12'
];

/**
 * Put the provider's libraries beside onnxruntime-node's: with its own installer, else from the package onnxruntime-gpu of the same
 * version, with pip. Does nothing where they are there already.
 *
 * @param say - told what is being done, a line at a time.
 * @param folder - folder of onnxruntime-node's native libraries.
 * @param job - whose signal also ends the programs that download.
 *
 * @returns the path of the provider's library.
 *
 * @throws CastlensError('runtime') where neither source can be reached, or gives another version; CastlensError('cancelled').
 */
export async function installCudaProvider(
  say: (line: string) => void,
  folder: string | null = ortLibraryFolder(),
  job: IJob = {}
): Promise<string> {
  if (folder === null || process.platform !== 'linux' || process.arch !== 'x64') {
    throw new CastlensError(
      'runtime',
      'the CUDA provider of onnxruntime-node is for Linux on x64 only'
    );
  }
  const path = join(folder, CUDA_LIBRARY);
  if (await isInstalled(folder)) {
    say(`${path} is there already`);
    return path;
  }
  const version = ortPackageVersion();
  const installer = join(folder, '../../../../script/install.js');
  const reasons: string[] = [];
  if (existsSync(installer)) {
    say(`running the installer of onnxruntime-node ${version}`);
    reasons.push(await run(process.execPath, [installer, '--onnxruntime-node-install'], job));
    throwIfCancelled(job);
    if (await isInstalled(folder)) {
      return path;
    }
    say('that did not work');
  }
  say(`downloading onnxruntime-gpu ${version} with pip`);
  reasons.push(await fromPyPI(version, folder, job));
  throwIfCancelled(job);
  if (!(await isInstalled(folder))) {
    throw new CastlensError('runtime', 'the CUDA provider cannot be installed', {
      expected: `${CUDA_LIBRARY} of version ${version} from onnxruntime-node's installer or from PyPI`,
      found: reasons.filter(reason => reason !== '').join('; ') || 'another version',
      hint: `Copy ${CUDA_LIBRARY} and ${SHARED_LIBRARY} of that version to ${folder}`
    });
  }
  return path;
}

/** Remove the provider's libraries, and the one that onnxruntime-node's own installer adds. Nothing else uses them. */
export function removeCudaProvider(folder: string | null = ortLibraryFolder()): void {
  for (const name of folder === null ? [] : [CUDA_LIBRARY, SHARED_LIBRARY, TENSORRT_LIBRARY]) {
    rmSync(join(folder!, name), { force: true });
  }
}

const TENSORRT_LIBRARY = 'libonnxruntime_providers_tensorrt.so';

/** Whether both libraries are there, whole and of the version that is needed. */
async function isInstalled(folder: string): Promise<boolean> {
  const nowhere = { kind: 'missing', message: '' } as const;
  const nothing = (): null => null;
  const { provider, cudaMajor } = await inspectCuda({
    folder,
    driver: nowhere,
    find: nothing,
    findOutside: nothing
  });
  // What the library needs is told by its end, which a copy that was cut off has not.
  const isWhole = cudaMajor !== null;
  return provider.versionMatches === true && isWhole && existsSync(join(folder, SHARED_LIBRARY));
}

/** Take the libraries out of the wheel. Says why it did not work, or nothing. */
async function fromPyPI(version: string, folder: string, job: IJob): Promise<string> {
  const scratch = mkdtempSync(join(tmpdir(), 'castlens-cuda-'));
  try {
    const options = ['--disable-pip-version-check', '--no-deps', '--dest', scratch, ...WHEEL];
    const args = ['-m', 'pip', 'download', ...options, `onnxruntime-gpu==${version}`];
    const reasons: string[] = [];
    for (const python of [process.env.PYTHON, 'python3', 'python']) {
      const reason = python === undefined ? undefined : await run(python, args, job);
      if (reason === '') {
        break;
      }
      if (reason !== undefined && !reasons.includes(reason)) {
        reasons.push(reason);
      }
    }
    const [wheel] = readdirSync(scratch);
    if (wheel === undefined) {
      return reasons.join('; ');
    }
    await extractFiles(join(scratch, wheel), [CUDA_LIBRARY, SHARED_LIBRARY], folder);
    return '';
  } catch (error) {
    // A damaged archive, a full disk.
    return (error as Error).message;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Run a program silently. Says why it failed, or nothing. */
function run(command: string, args: readonly string[], { signal }: IJob): Promise<string> {
  return new Promise<string>(resolve => {
    const options = { env: process.env, timeout: TIMEOUT_MS, maxBuffer: Infinity, signal };
    // Not `spawn`: its timeout keeps the process alive where the program cannot be started.
    execFile(command, [...args], options, (error, stdout, stderr) => {
      if (error === null || typeof error.code === 'string') {
        return resolve(error?.message ?? '');
      }
      const last = (stdout + stderr).trim().split('\n').slice(-1)[0];
      const reason =
        last || (error.signal ? `ended by ${error.signal}` : `exit code ${error.code}`);
      resolve(`${basename(command)}: ${reason}`);
    });
    // Some systems say so at once that a program cannot be started.
  }).catch((error: unknown) => (error as Error).message);
}
