// Builds the CUDA runtime and cuDNN without a device: `node test/cuda/stub/build.mjs PROVIDER_LIBRARY OUT_FOLDER`. Needs cc, nm,
// readelf and strings.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

/** Functions that stub.c defines, all of them in libcudart. */
function written() {
  const source = readFileSync(join(here, 'stub.c'), 'utf8');
  const names = [...source.matchAll(/^(?:int|unsigned|const char \*|void \*\*)\s*(\w+)\(/gm)];
  const handles = [...source.matchAll(/^HANDLE\((\w+)/gm)];
  return new Set([...names, ...handles].map(match => match[1]));
}

/** What the provider imports from CUDA, by library. */
function imports(provider) {
  const needed = execFileSync('readelf', ['-d', provider], { encoding: 'utf8' });
  const libraries = [...needed.matchAll(/\[(libcu\w+\.so\.\d+)\]/g)].map(match => match[1]);
  const byLibrary = new Map(libraries.map(library => [library, []]));
  const symbols = execFileSync('nm', ['-D', '--undefined-only', provider], { encoding: 'utf8' });
  for (const [, name, library] of symbols.matchAll(/ U (\w+)(?:@(\S+))?$/gm)) {
    if (byLibrary.has(library)) {
      byLibrary.get(library).push(name);
    } else if (/^cu[A-Z]/.test(name)) {
      const isRandom = name.startsWith('curand');
      byLibrary
        .get(libraries.find(l => l.startsWith(isRandom ? 'libcurand' : 'libcuda.')))
        ?.push(name);
    }
  }
  return byLibrary;
}

/** Builds one shared library per CUDA library that the provider needs. */
export function buildStub(provider, folder) {
  mkdirSync(folder, { recursive: true });
  const own = written();
  for (const [library, symbols] of imports(resolve(provider))) {
    const isRuntime = library.startsWith('libcudart');
    const lines = ['int stub_result(const char *name, int *calls);'];
    if (!isRuntime) {
      // Each library reads the environment for itself.
      lines.push('#include <stdlib.h>', '#include <string.h>', '#include <stdio.h>');
      const runtime = readFileSync(join(here, 'stub.c'), 'utf8');
      lines.push(
        /^int stub_result[^]*?^}/m
          .exec(runtime)[0]
          .replace('int stub_result', 'static int stub_result')
      );
      lines[0] = '';
    }
    for (const name of symbols.filter(symbol => !isRuntime || !own.has(symbol))) {
      // Creators hand out a handle through their first argument.
      const creates = /Create/.test(name) && !isRuntime;
      lines.push(
        creates
          ? `int ${name}(void **out) { static int calls; static char handle[4096]; *out = handle; return stub_result(__func__, &calls); }`
          : `int ${name}(void) { static int calls; return stub_result(__func__, &calls); }`
      );
    }
    const source = lines.join('\n');
    compile(library, source, folder, isRuntime ? [join(here, 'stub.c')] : [], [library]);
  }
}

/** Compiles a shared library; `versions` are the versions of its symbols, of which there is at most one. */
function compile(library, source, folder, others = [], versions = []) {
  const generated = join(folder, `${library}.c`);
  writeFileSync(generated, source);
  const script = join(folder, `${library}.map`);
  writeFileSync(script, versions.map(version => `${version} { global: *; };`).join(''));
  const options = [
    '-shared',
    '-fPIC',
    '-O1',
    '-w',
    '-o',
    join(folder, library),
    `-Wl,-soname,${library}`,
    ...versions.map(() => `-Wl,--version-script=${script}`)
  ];
  execFileSync('cc', [...options, ...others, generated], { stdio: 'inherit' });
  rmSync(generated);
  rmSync(script);
}

/** Builds cuDNN: functions that do nothing, of all the names by which the provider looks for them. */
export function buildCudnnStub(provider, folder) {
  mkdirSync(folder, { recursive: true });
  const command = `strings -n 8 "$1" | grep -E '^cudnn[A-Z][A-Za-z0-9_]*$' | sort -u`;
  const names = execFileSync('sh', ['-c', command, 'sh', resolve(provider)], { encoding: 'utf8' });
  const lines = names
    .trim()
    .split('\n')
    .map(name => {
      if (name === 'cudnnGetErrorString') {
        return `const char *${name}(int code) { return "CUDNN_STATUS_OF_A_STUB"; }`;
      }
      if (name === 'cudnnGetVersion') {
        return `unsigned long ${name}(void) { return 91000; }`;
      }
      return /Create/.test(name) && !/Backend/.test(name)
        ? `int ${name}(void **out) { *out = handle; return 0; }`
        : `int ${name}(void) { return 0; }`;
    });
  compile('libcudnn.so.9', ['static char handle[4096];', ...lines].join('\n'), folder);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  buildStub(process.argv[2], process.argv[3]);
  buildCudnnStub(process.argv[2], process.argv[3]);
}
