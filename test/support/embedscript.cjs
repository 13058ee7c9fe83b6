// What `?script` imports, for jest: the text of a bundle. See scripts/embed.mjs.
const { createHash } = require('node:crypto');
const esbuild = require('esbuild');

const bundles = new Map();

function bundle(path) {
  if (!bundles.has(path)) {
    const { outputFiles } = esbuild.buildSync({
      entryPoints: [path],
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'cjs',
      write: false
    });
    bundles.set(path, outputFiles[0].text);
  }
  return bundles.get(path);
}

module.exports = {
  // Of the bundle, as it depends on every file that goes into it.
  getCacheKey: (_, path) =>
    createHash('sha256').update(__filename).update(bundle(path)).digest('hex'),
  process: (_, path) => ({
    code: `exports.__esModule = true; exports.default = ${JSON.stringify(bundle(path))};`
  })
};
