// Runs a TypeScript program: `node scripts/run-ts.mjs FILE [ARGS...]`. Bundles it to dist/run/ and starts it in this
// Node with the flags that Node was given.
import { spawn } from 'node:child_process';
import { basename, join } from 'node:path';
import * as esbuild from 'esbuild';
import { nodeOptions, root } from './sidecar.mjs';

const [file, ...args] = process.argv.slice(2);
if (!file) {
  console.error('usage: node scripts/run-ts.mjs FILE [ARGS...]');
  process.exit(2);
}

const outfile = join(root, 'dist', 'run', `${basename(file).replace(/\.[cm]?ts$/, '')}.js`);
await esbuild.build({ ...nodeOptions, entryPoints: [file], outfile });

const child = spawn(
  process.execPath,
  [...process.execArgv, '--enable-source-maps', outfile, ...args],
  { stdio: 'inherit' }
);
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => child.kill(signal));
}
child.on('exit', (code, signal) => {
  process.exitCode = signal ? 1 : code;
});
