// What the sidecar's sources import by `?`: an esbuild plugin. `./file?wasm` is the bytes of the WebAssembly module that
// `file.ts`, in AssemblyScript, compiles to; `./file?script` is the text of a script for Node with all that `file.ts` imports.
// `./README.md?pages` is the texts of the other Markdown files of its folder, by name. test/support/embed*.cjs do the same for jest.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { compileWasm } from './wasm.mjs';

/** How a script is bundled for a thread. */
export const scriptOptions = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  legalComments: 'none',
  write: false,
  logLevel: 'warning'
};

export const embedPlugin = {
  name: 'embed',
  setup(build) {
    build.onResolve({ filter: /\?(wasm|script)$/ }, ({ path, importer }) => {
      const [file, kind] = path.split('?');
      const absolute = `${resolve(dirname(importer), file)}.ts`;
      // The path is written into the bundle, which must not name the machine it was built on.
      return { path: relative('', absolute), namespace: kind, pluginData: absolute };
    });
    build.onResolve({ filter: /\?pages$/ }, ({ path, importer }) => {
      const folder = dirname(resolve(dirname(importer), path));
      return { path: relative('', folder), namespace: 'pages', pluginData: folder };
    });
    build.onLoad({ filter: /./, namespace: 'pages' }, ({ pluginData: folder }) => {
      const files = readdirSync(folder)
        .filter(file => file.endsWith('.md') && file !== 'README.md')
        .sort();
      const pages = files.map(file => [
        basename(file, '.md'),
        readFileSync(join(folder, file), 'utf8')
      ]);
      return {
        contents: JSON.stringify(Object.fromEntries(pages)),
        loader: 'json',
        watchFiles: files.map(file => join(folder, file)),
        watchDirs: [folder]
      };
    });
    build.onLoad({ filter: /./, namespace: 'wasm' }, async ({ pluginData: file }) => {
      const { bytes, sources } = await compileWasm(file);
      return { contents: bytes, loader: 'binary', watchFiles: sources };
    });
    build.onLoad({ filter: /./, namespace: 'script' }, async ({ pluginData: file }) => {
      const { outputFiles, metafile } = await build.esbuild.build({
        ...scriptOptions,
        entryPoints: [file],
        metafile: true
      });
      const watchFiles = Object.keys(metafile.inputs).map(input => resolve(input));
      return { contents: outputFiles[0].text, loader: 'text', watchFiles };
    });
  }
};
