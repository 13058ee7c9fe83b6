/** Packages for pip, made by hand. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** The path of a Python that has pip, or null. */
export function pythonWithPip(): string | null {
  try {
    const code = 'import pip, sys; print(sys.executable)';
    const program = process.env.PYTHON ?? 'python3';
    return execFileSync(program, ['-c', code], { encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return null;
  }
}

/** The variables with which pip takes packages from a folder alone. */
export function onlyFrom(folder: string): Record<string, string> {
  return { PIP_NO_INDEX: '1', PIP_FIND_LINKS: folder, PIP_CONFIG_FILE: '/dev/null' };
}

/**
 * Write a wheel.
 *
 * @param tag - such as `py3-none-any`.
 * @param files - contents by path.
 *
 * @returns its path.
 */
export function writeWheel(
  python: string,
  folder: string,
  wheel: { readonly name: string; readonly version: string; readonly tag: string },
  files: Readonly<Record<string, Uint8Array>>
): string {
  const { name, version, tag } = wheel;
  const base = `${name.replaceAll('-', '_')}-${version}`;
  const texts = {
    METADATA: `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`,
    WHEEL: `Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: ${tag}\n`,
    RECORD: Object.keys(files)
      .map(path => `${path},,\n`)
      .join('')
  };
  const all: [string, Uint8Array | string][] = [
    ...Object.entries(files),
    ...Object.entries(texts).map(([file, text]): [string, string] => [
      `${base}.dist-info/${file}`,
      text
    ])
  ];
  const content = mkdtempSync(join(tmpdir(), 'castlens-wheel-'));
  try {
    for (const [path, bytes] of all) {
      mkdirSync(dirname(join(content, path)), { recursive: true });
      writeFileSync(join(content, path), bytes);
    }
    const target = join(folder, `${base}-${tag}.whl`);
    execFileSync(python, ['-m', 'zipfile', '-c', target, ...readdirSync(content)], {
      cwd: content
    });
    return target;
  } finally {
    rmSync(content, { recursive: true });
  }
}
