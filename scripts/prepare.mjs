// Brings node_modules and the build up to date, and does nothing when they are: `node scripts/prepare.mjs`.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Failure, npm, runMain, runQuietly, say } from './process.mjs';
import { entryPoints, root } from './sidecar.mjs';

/** What the build reads. */
const inputs = [
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.panel.json',
  'docs/findings',
  'schema',
  'scripts/build-sidecar.mjs',
  'scripts/embed.mjs',
  'scripts/sidecar.mjs',
  'scripts/wasm.mjs',
  'src',
  'style'
];
const stamp = join(root, 'dist', 'build-inputs.sha256');

/** The hash of some files and folders, relative to the root: names and contents. */
export function hashFiles(paths) {
  const hash = createHash('sha256');
  const add = path => {
    const full = join(root, path);
    if (!existsSync(full)) {
      return;
    }
    if (statSync(full).isDirectory()) {
      for (const name of readdirSync(full).sort()) {
        add(`${path}/${name}`);
      }
    } else {
      const content = readFileSync(full);
      hash.update(`${path}\0${content.length}\0`).update(content);
    }
  };
  paths.forEach(add);
  return hash.digest('hex');
}

export function hashBuildInputs() {
  return hashFiles(inputs);
}

/** Remembers that the outputs belong to these inputs. */
export function recordBuild(hash) {
  mkdirSync(join(root, 'dist'), { recursive: true });
  writeFileSync(stamp, hash);
}

function isBuilt() {
  const outputs = [
    'castlens/labextension/package.json',
    ...Object.keys(entryPoints).map(name => `dist/sidecar/${name}.js`)
  ];
  return (
    outputs.every(path => existsSync(join(root, path))) &&
    existsSync(stamp) &&
    readFileSync(stamp, 'utf8') === hashBuildInputs()
  );
}

/** Whether node_modules holds what package-lock.json asks for, by npm's own record of what it installed. */
function isInstalled() {
  const record = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) {
    return false;
  }
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  const installed = JSON.parse(readFileSync(record, 'utf8')).packages;
  return Object.entries(wanted).every(
    ([path, { version, optional }]) =>
      path === '' || installed[path]?.version === version || (optional && !installed[path])
  );
}

export function requireNode() {
  if (Number(process.versions.node.split('.')[0]) < 20) {
    throw new Failure(`Node 20 or later is needed, this is ${process.version}`);
  }
}

export async function ensureNodeModules() {
  if (!isInstalled()) {
    say('installing the npm packages (npm ci)');
    await runQuietly('npm ci', ...npm(['ci', '--no-audit', '--no-fund']), {
      env: { ...process.env, PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD: '1' }
    });
  }
}

export async function ensureBuilt() {
  if (!isBuilt()) {
    say('building (npm run build)');
    await runQuietly('npm run build', ...npm(['run', 'build']));
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await runMain(async () => {
    requireNode();
    await ensureNodeModules();
    await ensureBuilt();
  });
}
