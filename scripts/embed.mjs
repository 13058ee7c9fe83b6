// What the sidecar's sources import by `?`: an esbuild plugin. `./file?wasm` is the bytes of the WebAssembly module that
// `file.ts`, in AssemblyScript, compiles to; `./file?script` is the text of a script for Node with all that `file.ts` imports.
// test/support/embedtransforms does the same for jest.
import { dirname, relative, resolve } from 'node:path';
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
