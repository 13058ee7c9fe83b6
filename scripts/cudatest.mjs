// What the suite `cuda` needs: castlens with onnxruntime's CUDA provider, and libraries that stand in for those of CUDA.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { buildCudnnStub, buildStub } from '../test/cuda/stub/build.mjs';
import { addProvider, assemble, libraryFolder } from './cudabundle/assemble.mjs';
import { capture, Failure, say } from './process.mjs';
import { entryPoints, root } from './sidecar.mjs';

const folder = join(root, 'build', 'cuda-test');
const tools = ['cc', 'nm', 'readelf', 'strings'];

/**
 * Makes build/cuda-test/, where a provider of an earlier run stays (250 MB to download).
 *
 * @returns the environment of the suite, null where it cannot run at all; and why it cannot, or which part of it.
 */
export async function prepareCuda() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return { env: null, reason: "onnxruntime's CUDA provider is for Linux on x64 only" };
  }
  const { cli, engine } = entryPoints;
  await assemble(folder, { bench: 'bench/cuda/main.ts', cli, engine });
  const env = { ...process.env, CASTLENS_CUDA_FOLDER: folder };
  for (const tool of tools) {
    if ((await capture(tool, ['--version'])).code !== 0) {
      return { env, reason: `a stub of CUDA cannot be built without ${tool}` };
    }
  }
  try {
    say("looking for onnxruntime's CUDA provider");
    await addProvider(folder);
  } catch (error) {
    if (!(error instanceof Failure)) {
      throw error;
    }
    return { env, reason: error.message };
  }
  const provider = join(libraryFolder(folder), 'libonnxruntime_providers_cuda.so');
  const stub = join(folder, 'stub');
  rmSync(stub, { recursive: true, force: true });
  buildStub(provider, join(stub, 'cuda'));
  buildCudnnStub(provider, join(stub, 'cudnn'));
  return { env: { ...env, CASTLENS_CUDA_STUB: stub } };
}
