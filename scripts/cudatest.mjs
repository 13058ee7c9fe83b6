// What the suite `cuda` needs: castlens with onnxruntime's CUDA provider, and libraries that stand in for those of CUDA.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { buildCudnnStub, buildStub } from '../test/cuda/stub/build.mjs';
import { addProvider, assemble, libraryFolder } from './cudabundle/assemble.mjs';
import { capture, Failure, runQuietly, say } from './process.mjs';
import { ensureVenv, venvProgram } from './python.mjs';
import { entryPoints, root } from './sidecar.mjs';

const folder = join(root, 'build', 'cuda-test');
const tools = ['cc', 'nm', 'readelf', 'strings'];

/** How long the download of the provider may take: a suite must not wait as long as somebody who wants the provider. */
const downloadTimeLimitMs = 10 * 60_000;

/**
 * Makes build/cuda-test/, where a provider of an earlier run stays (250 MB to download).
 *
 * @returns the environment of the suite, null where it cannot run at all; and why it cannot, or which parts of it.
 */
export async function prepareCuda() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return { env: null, reasons: ["onnxruntime's CUDA provider is for Linux on x64 only"] };
  }
  const { cli, engine } = entryPoints;
  // A system's Python may come without pip.
  const python = venvProgram(await ensureVenv('.venv', ['test.txt']), 'python');
  await assemble(folder, { bench: 'bench/cuda/main.ts', cli, engine });
  const env = { ...process.env, PYTHON: python, CASTLENS_CUDA_FOLDER: folder };
  const reasons = [];
  try {
    env.CASTLENS_CUDA_STUB = await buildStubs(env);
  } catch (error) {
    if (!(error instanceof Failure)) {
      throw error;
    }
    reasons.push(error.message);
  }
  const present = await presentOfCuda();
  if (present.length > 0) {
    reasons.push(`castlens cannot be kept from what this machine has: ${present.join(', ')}`);
  }
  env.CASTLENS_CUDA_PRESENT = present.join(',');
  return { env, reasons };
}

/** Adds the provider and builds a stub of the libraries that it needs. Returns the folder of the stub. */
async function buildStubs(env) {
  for (const tool of tools) {
    if ((await capture(tool, ['--version'])).code !== 0) {
      throw new Failure(`a stub of CUDA cannot be built without ${tool}`);
    }
  }
  say("looking for onnxruntime's CUDA provider");
  await addProvider(folder, { env, timeoutMs: downloadTimeLimitMs });
  const provider = join(libraryFolder(folder), 'libonnxruntime_providers_cuda.so');
  const stub = join(folder, 'stub');
  rmSync(stub, { recursive: true, force: true });
  try {
    buildStub(provider, join(stub, 'cuda'));
    buildCudnnStub(provider, join(stub, 'cudnn'));
  } catch (error) {
    // A compiler without the C library's headers, for one; it has said so itself.
    throw new Failure(`a stub of CUDA cannot be built: ${error.message.split('\n')[0]}`);
  }
  return stub;
}

/** What a test cannot hide of a real CUDA: `nvidia-smi`, and libraries of CUDA outside of LD_LIBRARY_PATH and the home folder. */
async function presentOfCuda() {
  const env = { PATH: process.env.PATH, HOME: join(folder, 'nobody') };
  const args = [join(folder, 'cli.js'), 'doctor', '--json'];
  const { cuda } = JSON.parse(await runQuietly('doctor', process.execPath, args, { env }));
  const isOffered = library => cuda.problems.some(({ command }) => command?.includes(library));
  return [
    ...(cuda.driver.kind === 'missing' ? [] : ['nvidia-smi']),
    ...cuda.libraries
      .filter(library => library.path !== null || (library.package && !isOffered(library.package)))
      .map(({ name }) => name)
  ];
}
