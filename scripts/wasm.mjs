// Compiles AssemblyScript to WebAssembly: `node scripts/wasm.mjs ENTRY.ts OUT.wasm`. The same source gives the same bytes.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const options = ['--optimizeLevel', '3', '--noAssert', '--runtime', 'stub', '--enable', 'simd'];

/**
 * Compiles a file and what it imports.
 *
 * @returns the module, and the absolute paths of the sources.
 * @throws where the source has errors, with the compiler's report.
 */
export async function compileWasm(entry) {
  // Loaded on demand: the scripts that import this one also run before anything is installed.
  const { default: asc } = await import('assemblyscript/asc');
  const folder = dirname(resolve(entry));
  const sources = new Set();
  let bytes;
  const { error, stderr } = await asc.main(
    [resolve(entry), '--baseDir', folder, '--outFile', 'module.wasm', ...options],
    {
      readFile: (name, base) => {
        try {
          const path = resolve(base, name);
          const text = readFileSync(path, 'utf8');
          sources.add(path);
          return text;
        } catch {
          return null;
        }
      },
      writeFile: (_, contents) => {
        bytes = contents;
      }
    }
  );
  if (error) {
    throw new Error(`${entry} does not compile\n${stderr.toString()}`);
  }
  return { bytes, sources: [...sources] };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [entry, out] = process.argv.slice(2);
  writeFileSync(out, (await compileWasm(entry)).bytes);
}
