// Bundles the sidecar: `node scripts/build-sidecar.mjs [--watch]`. Every process gets one self-contained file.
import * as esbuild from 'esbuild';
import { entryPoints, nodeOptions } from './sidecar.mjs';

const watch = process.argv.includes('--watch');

let failed = false;
for (const [name, file] of Object.entries(entryPoints)) {
  const options = {
    ...nodeOptions,
    entryPoints: { [name]: file },
    outdir: 'dist/sidecar',
    // package.json offers the command line as a program.
    banner: name === 'cli' ? { js: '#!/usr/bin/env node' } : {}
  };
  if (watch) {
    const context = await esbuild.context({ ...options, logLevel: 'info' });
    await context.watch();
    continue;
  }
  try {
    await esbuild.build(options);
    console.log(`build:sidecar: ${name}`);
  } catch {
    // esbuild has printed what is wrong.
    failed = true;
  }
}
process.exitCode = failed ? 1 : 0;
