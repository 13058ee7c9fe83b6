// What `?wasm` imports, for jest: the bytes of a module. See scripts/embed.mjs.
const { execFileSync } = require('node:child_process');
const { createHash } = require('node:crypto');
const { mkdtempSync, readFileSync, readdirSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { dirname, join } = require('node:path');

const compiler = join(__dirname, '../../scripts/wasm.mjs');

module.exports = {
  // Of all that the module may be made from.
  getCacheKey: (_, path) => {
    const hash = createHash('sha256').update(readFileSync(__filename));
    hash.update(readFileSync(compiler));
    hash.update(require('assemblyscript/package.json').version);
    for (const file of readdirSync(dirname(path)).sort()) {
      hash.update(`${file}\0`).update(readFileSync(join(dirname(path), file)));
    }
    return hash.digest('hex');
  },
  process: (_, path) => {
    const folder = mkdtempSync(join(tmpdir(), 'castlens-wasm-'));
    try {
      const out = join(folder, 'module.wasm');
      execFileSync(process.execPath, [compiler, path, out], { stdio: 'pipe' });
      const text = readFileSync(out).toString('base64');
      return {
        code: `exports.__esModule = true; exports.default = new Uint8Array(Buffer.from('${text}', 'base64'));`
      };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
};
