// What the sidecar consists of: one bundle for every process, and the packages that stay outside of them because they
// carry native binaries.
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { embedPlugin } from './embed.mjs';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

export const entryPoints = {
  kernel: 'src/kernel/main.ts',
  engine: 'src/engine/main.ts',
  evaluator: 'src/kernel/evaluator/main.ts',
  guard: 'src/kernel/guard/main.ts',
  cli: 'src/cli/main.ts'
};

export const externals = ['onnxruntime-node', 'zeromq'];

/** The esbuild options that every bundle for Node shares. */
export const nodeOptions = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  sourcemap: true,
  // The pages of docs/findings, and the worker that the user's Python runs.
  loader: { '.py': 'text' },
  external: externals,
  plugins: [embedPlugin],
  logLevel: 'warning'
};
