// What `?pages` imports, for jest: the other Markdown files of a folder, by name. See scripts/embed.mjs.
const { createHash } = require('node:crypto');
const { readdirSync, readFileSync } = require('node:fs');
const { basename, dirname, join } = require('node:path');

function pages(readme) {
  const folder = dirname(readme);
  const files = readdirSync(folder).filter(file => file.endsWith('.md') && file !== 'README.md');
  return JSON.stringify(
    Object.fromEntries(
      files.sort().map(file => [basename(file, '.md'), readFileSync(join(folder, file), 'utf8')])
    )
  );
}

module.exports = {
  getCacheKey: (_, path) =>
    createHash('sha256').update(__filename).update(pages(path)).digest('hex'),
  process: (_, path) => ({ code: `exports.__esModule = true; exports.default = ${pages(path)};` })
};
