// A folder that runs castlens on a machine without network: bundles, Node, onnxruntime-node, and what it needs for CUDA.
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs';
import { join } from 'node:path';
import { Failure, run, runQuietly } from '../process.mjs';
import { nodeOptions, root } from '../sidecar.mjs';

const { arch, platform } = process;

/** Where a folder made by `assemble` holds the native libraries of onnxruntime-node. */
export function libraryFolder(folder) {
  return join(folder, 'node_modules/onnxruntime-node/bin/napi-v6', platform, arch);
}

const runScript = `#!/bin/sh
# Measures castlens on CUDA: sh run.sh [--device cpu] [--small] [--runs N] [--python PYTHON]. Writes cuda-bench.md and cuda-bench.json.
# sh run.sh doctor says what is there of CUDA and what is missing.
here=$(CDPATH= cd "\${0%/*}" && pwd)
for folder in "$here"/cuda/nvidia/*/lib; do
  [ -d "$folder" ] && LD_LIBRARY_PATH="$folder\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
done
export LD_LIBRARY_PATH
[ "$1" = doctor ] && exec "$here/node" "$here/cli.js" "$@"
exec "$here/node" --expose-gc "$here/bench.js" "$@"
`;

function copyPackage(name, folder, isWanted) {
  const source = join(root, 'node_modules', name);
  cpSync(source, join(folder, 'node_modules', name), {
    recursive: true,
    filter: path => statSync(path).isDirectory() || isWanted(path.slice(source.length + 1))
  });
}

/**
 * Writes bundles of `entryPoints` (as esbuild takes them), Node and onnxruntime-node into `folder`, without a provider that the checkout
 * has. What else is there stays.
 */
export async function assemble(folder, entryPoints) {
  mkdirSync(folder, { recursive: true });
  // Loaded on demand: the test script imports this file before anything is installed.
  const esbuild = await import('esbuild');
  await esbuild.build({ ...nodeOptions, sourcemap: false, entryPoints, outdir: folder });
  copyPackage('onnxruntime-common', folder, path =>
    /^(package\.json|dist\/cjs\/.*\.(js|json))$/.test(path)
  );
  copyPackage(
    'onnxruntime-node',
    folder,
    path =>
      /^(package\.json|README\.md|dist\/.*\.js)$/.test(path) ||
      (path.startsWith(`bin/napi-v6/${platform}/${arch}/`) &&
        !/libonnxruntime_providers_\w+\.so$/.test(path))
  );
  // A copy of a Node that is read-only cannot be written over.
  rmSync(join(folder, 'node'), { force: true });
  copyFileSync(process.execPath, join(folder, 'node'));
  copyFileSync(join(root, 'bench/cuda/torch_bench.py'), join(folder, 'torch_bench.py'));
  writeFileSync(join(folder, 'run.sh'), runScript);
  chmodSync(join(folder, 'run.sh'), 0o755);
}

/** Adds onnxruntime's CUDA provider, which is downloaded (250 MB). Needs the bundle `cli`; `options` are those of `run`. */
export async function addProvider(folder, options = {}) {
  const cli = [join(folder, 'cli.js'), 'doctor', '--install-cuda'];
  const stdio = ['ignore', 'ignore', 'inherit'];
  if ((await run(process.execPath, cli, { ...options, stdio })) !== 0) {
    throw new Failure('the CUDA provider could not be added to the bundle');
  }
}

/** Adds the libraries of CUDA and cuDNN that the provider needs, whether this machine has them or not. */
export async function addCudaLibraries(folder) {
  const cli = [join(folder, 'cli.js'), 'doctor', '--json'];
  const report = JSON.parse(await runQuietly('doctor', process.execPath, cli));
  const packages = report.cuda.libraries.map(library => library.package).filter(Boolean);
  if (packages.length === 0) {
    throw new Failure('the libraries of CUDA are those of a provider, and the bundle has none');
  }
  const pip = ['-m', 'pip', 'install', '--quiet', '--target', join(folder, 'cuda')];
  const python = process.env.PYTHON ?? 'python3';
  await runQuietly('pip install', python, [...pip, ...new Set(packages)]);
}
