// Makes build/cuda-bench/: everything `bench/cuda` needs on a machine without network, as one archive or in pieces.
// `npm run bench:cuda:bundle [-- --piece 60M --with-cuda-libraries --without-provider --target FOLDER]`. Needs tar; onnxruntime's CUDA
// provider is downloaded (250 MB), and with --with-cuda-libraries the libraries of CUDA and cuDNN that it needs.
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { runMain, runQuietly, say } from '../process.mjs';
import { entryPoints, root } from '../sidecar.mjs';
import { addCudaLibraries, addProvider, assemble } from './assemble.mjs';
import { bytesOf, checksum, split } from './pieces.mjs';

const name = 'castlens-cuda-bench';

const joinScript = `#!/bin/sh
# Joins the pieces, checks them and unpacks: sh join.sh
set -e
cd "\${0%/*}" 2>/dev/null || true
cat ${name}.tar.gz.[0-9][0-9][0-9] > ${name}.tar.gz
sha256sum -c ${name}.tar.gz.sha256
tar -xzf ${name}.tar.gz
`;

await runMain(async () => {
  const { values: options } = parseArgs({
    options: {
      piece: { type: 'string' },
      target: { type: 'string', default: join(root, 'build', 'cuda-bench') },
      'with-cuda-libraries': { type: 'boolean', default: false },
      'without-provider': { type: 'boolean', default: false }
    }
  });
  const size = options.piece === undefined ? null : bytesOf(options.piece);
  const target = resolve(options.target);
  const folder = join(target, name);
  const archive = join(target, `${name}.tar.gz`);
  mkdirSync(target, { recursive: true });
  // What an earlier run left, and nothing else.
  for (const entry of readdirSync(target)) {
    if (entry === name || entry === 'join.sh' || entry.startsWith(`${name}.tar.gz`)) {
      rmSync(join(target, entry), { recursive: true });
    }
  }
  await assemble(folder, { bench: 'bench/cuda/main.ts', cli: entryPoints.cli });
  if (!options['without-provider']) {
    await addProvider(folder);
  }
  if (options['with-cuda-libraries']) {
    await addCudaLibraries(folder);
  }
  await runQuietly('tar', 'tar', ['-czf', archive, '-C', target, name]);
  writeFileSync(`${archive}.sha256`, `${checksum(archive)}  ${basename(archive)}\n`);
  say(`${archive}: ${(statSync(archive).size / 1e6).toFixed(0)} MB`);
  if (size !== null) {
    const pieces = split(archive, size);
    rmSync(archive);
    writeFileSync(join(target, 'join.sh'), joinScript);
    say(`in ${pieces.length} pieces of at most ${options.piece}; sh join.sh puts them together`);
  }
});
