// Removes what the builds made: `node scripts/clean.mjs [--all]`; `--all` also the environments of npm start and npm test.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './sidecar.mjs';

const built = ['lib', 'dist', 'build', 'castlens/labextension', 'test-results'];
if (process.argv.includes('--all')) {
  built.push('node_modules', ...readdirSync(root).filter(name => /^\.venv(-|$)/.test(name)));
}
for (const path of built) {
  rmSync(join(root, path), { recursive: true, force: true });
}
