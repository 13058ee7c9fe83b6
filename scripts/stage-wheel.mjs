// Lays out build/kernelspec, the kernelspec folder of the wheel: the spec, the logo, the sidecar's bundles and the
// native packages they need, for this platform only.
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync
} from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { Failure, runMain } from './process.mjs';
import { entryPoints, root } from './sidecar.mjs';

const target = join(root, 'build', 'kernelspec');
const { arch, platform } = process;

/** Which files of a package are used at run time; paths relative to the package. */
const packages = {
  'onnxruntime-node': path =>
    /^(package\.json|README\.md|dist\/.*\.js)$/.test(path) ||
    path.startsWith(`bin/napi-v6/${platform}/${arch}/`),
  'onnxruntime-common': path => /^(package\.json|dist\/cjs\/.*\.(js|json))$/.test(path),
  zeromq: path =>
    /^(package\.json|LICENSE.*|lib\/.*\.js)$/.test(path) ||
    path === 'build/manifest.json' ||
    isZeromqBinary(path),
  'cmake-ts': path => /^(package\.json|LICENSE.*|build\/loader\.js)$/.test(path)
};

/** The prebuilt binaries of this platform that the manifest names; the others are leftovers of older layouts. */
function isZeromqBinary(path) {
  const manifest = JSON.parse(
    readFileSync(join(root, 'node_modules/zeromq/build/manifest.json'), 'utf8')
  );
  return (
    path.startsWith(`build/${platform}/${arch}/`) &&
    Object.values(manifest).some(binary => path === `build/${binary}`)
  );
}

/** Copies the wanted files of an installed package and returns how many there are. */
function copyPackage(name, isWanted) {
  const source = join(root, 'node_modules', name);
  let count = 0;
  for (const file of readdirSync(source, { recursive: true, encoding: 'utf8' })) {
    const from = join(source, file);
    const path = relative(source, from).split(sep).join('/');
    if (statSync(from).isFile() && isWanted(path)) {
      const to = join(target, 'sidecar', 'node_modules', name, path);
      mkdirSync(dirname(to), { recursive: true });
      cpSync(from, to);
      count += 1;
    }
  }
  return count;
}

await runMain(() => {
  rmSync(target, { recursive: true, force: true });
  mkdirSync(join(target, 'sidecar'), { recursive: true });
  for (const file of readdirSync(join(root, 'kernelspec'))) {
    cpSync(join(root, 'kernelspec', file), join(target, file));
  }
  for (const name of Object.keys(entryPoints)) {
    const bundle = join(root, 'dist', 'sidecar', `${name}.js`);
    if (!existsSync(bundle)) {
      throw new Failure(`${relative(root, bundle)} is missing: run npm run build`);
    }
    cpSync(bundle, join(target, 'sidecar', `${name}.js`));
  }
  for (const [name, isWanted] of Object.entries(packages)) {
    if (copyPackage(name, isWanted) === 0) {
      throw new Failure(`node_modules/${name} has no files for ${platform} ${arch}`);
    }
  }
});
