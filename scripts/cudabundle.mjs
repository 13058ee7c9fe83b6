// Makes build/cuda-bench/: everything `bench/cuda` needs on a machine without network, as one archive or in pieces.
// `npm run bench:cuda:bundle [-- --piece 60M --with-cuda-libraries --without-provider]`. Needs tar; onnxruntime's CUDA provider is
// downloaded (250 MB), and with --with-cuda-libraries the libraries of CUDA and cuDNN that it needs and this machine lacks.
import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import * as esbuild from 'esbuild';
import { Failure, run, runMain, runQuietly, say } from './process.mjs';
import { entryPoints, nodeOptions, root } from './sidecar.mjs';

const target = join(root, 'build', 'cuda-bench');
const folder = join(target, 'castlens-cuda-bench');
const archive = join(target, 'castlens-cuda-bench.tar.gz');
const { arch, platform } = process;

const { values: options } = parseArgs({
  options: {
    piece: { type: 'string' },
    'with-cuda-libraries': { type: 'boolean', default: false },
    'without-provider': { type: 'boolean', default: false }
  }
});

/** `60M` in bytes. */
function bytesOf(text) {
  const match = /^(\d+)([KMG]?)$/.exec(text);
  if (!match || Number(match[1]) === 0) {
    throw new Failure(`--piece takes a size such as 60M, not "${text}"`);
  }
  return Number(match[1]) * 1024 ** ['', 'K', 'M', 'G'].indexOf(match[2]);
}

function copyPackage(name, isWanted) {
  const source = join(root, 'node_modules', name);
  cpSync(source, join(folder, 'node_modules', name), {
    recursive: true,
    filter: path => statSync(path).isDirectory() || isWanted(path.slice(source.length + 1))
  });
}

const runScript = `#!/bin/sh
# Measures castlens on CUDA: sh run.sh [--device cpu] [--small] [--runs N] [--python PYTHON]. Writes cuda-bench.md and cuda-bench.json.
here=$(CDPATH= cd "\${0%/*}" && pwd)
for folder in "$here"/cuda/nvidia/*/lib; do
  [ -d "$folder" ] && LD_LIBRARY_PATH="$folder:$LD_LIBRARY_PATH"
done
export LD_LIBRARY_PATH
exec "$here/node" --expose-gc "$here/bench.js" "$@"
`;

const joinScript = `#!/bin/sh
# Joins the pieces, checks them and unpacks: sh join.sh
set -e
cd "\${0%/*}" 2>/dev/null || true
cat castlens-cuda-bench.tar.gz.[0-9][0-9][0-9] > castlens-cuda-bench.tar.gz
sha256sum -c castlens-cuda-bench.tar.gz.sha256
tar -xzf castlens-cuda-bench.tar.gz
`;

/** Cuts the archive into pieces of at most `size` bytes, without holding more than one buffer; returns how many there are. */
function split(size) {
  const buffer = Buffer.alloc(1 << 20);
  const input = openSync(archive, 'r');
  let count = 0;
  try {
    for (let left = statSync(archive).size; left > 0; count += 1) {
      const output = openSync(`${archive}.${String(count).padStart(3, '0')}`, 'w');
      for (let room = Math.min(size, left); room > 0;) {
        const read = readSync(input, buffer, 0, Math.min(buffer.length, room), null);
        writeFileSync(output, buffer.subarray(0, read));
        room -= read;
        left -= read;
      }
      closeSync(output);
    }
  } finally {
    closeSync(input);
  }
  return count;
}

await runMain(async () => {
  const size = options.piece === undefined ? null : bytesOf(options.piece);
  rmSync(target, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await esbuild.build({
    ...nodeOptions,
    sourcemap: false,
    entryPoints: { bench: 'bench/cuda/main.ts', cli: entryPoints.cli },
    outdir: folder
  });
  copyPackage('onnxruntime-common', path =>
    /^(package\.json|dist\/cjs\/.*\.(js|json))$/.test(path)
  );
  copyPackage(
    'onnxruntime-node',
    path =>
      /^(package\.json|README\.md|dist\/.*\.js)$/.test(path) ||
      path.startsWith(`bin/napi-v6/${platform}/${arch}/`)
  );
  copyFileSync(process.execPath, join(folder, 'node'));
  copyFileSync(join(root, 'bench/cuda/torch_bench.py'), join(folder, 'torch_bench.py'));
  writeFileSync(join(folder, 'run.sh'), runScript);
  chmodSync(join(folder, 'run.sh'), 0o755);
  if (!options['without-provider']) {
    const cli = [join(folder, 'cli.js'), 'doctor', '--install-cuda'];
    if ((await run(process.execPath, cli)) !== 0) {
      throw new Failure('the CUDA provider could not be added to the bundle');
    }
  }
  if (options['with-cuda-libraries']) {
    // What doctor says is missing here, a machine without CUDA.
    const report = await runQuietly('doctor', process.execPath, [
      join(folder, 'cli.js'),
      'doctor',
      '--json'
    ]);
    const packages = [...report.matchAll(/'(nvidia-[^']+)'/g)].map(match => match[1]);
    const cuda = join(folder, 'cuda');
    const pip = ['-m', 'pip', 'install', '--quiet', '--target', cuda, ...new Set(packages)];
    await runQuietly('pip install', process.env.PYTHON ?? 'python3', pip);
  }
  await runQuietly('tar', 'tar', ['-czf', archive, '-C', target, 'castlens-cuda-bench']);
  const sum = createHash('sha256').update(readFileSync(archive)).digest('hex');
  writeFileSync(`${archive}.sha256`, `${sum}  castlens-cuda-bench.tar.gz\n`);
  say(`${archive}: ${(statSync(archive).size / 1e6).toFixed(0)} MB`);
  if (size !== null) {
    const count = split(size);
    rmSync(archive);
    writeFileSync(join(target, 'join.sh'), joinScript);
    say(`in ${count} pieces of at most ${options.piece}; sh join.sh puts them together`);
  }
});
