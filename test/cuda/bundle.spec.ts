import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { IDoctorReport } from '../../src/cli/text';
import { ortPackageVersion } from '../../src/runtime';
import { onlyFrom, pythonWithPip, writeWheel } from '../support/wheels';
import { elfLibrary } from '../unit/runtime/elf';
import { itWithout } from './support/castlens';

const root = join(__dirname, '..', '..');
const python = pythonWithPip();
const NAME = 'castlens-cuda-bench';
const PIECE_BYTES = 20 * 2 ** 20;
const LIBRARIES = ['libcublasLt.so.13', 'libcublas.so.13', 'libcurand.so.10', 'libcudart.so.13'];

jest.setTimeout(300_000);

/** The bundle as `npm run bench:cuda:bundle` makes it, with packages that are made up; carried to another folder in pieces. */
(python === null ? describe.skip : describe)('the bundle of the benchmark', () => {
  let folder: string;
  let made: string;
  let carried: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'castlens-bundle-'));
    [made, carried] = ['made', 'carried'].map(name => join(folder, name));
    const index = join(folder, 'index');
    [made, carried, index].forEach(path => mkdirSync(path));
    writePackages(index);
    writeFileSync(join(made, 'mine.txt'), 'left alone');
    execFileSync(
      process.execPath,
      [
        join(root, 'scripts/cudabundle/main.mjs'),
        ...['--target', made, '--piece', '20M', '--with-cuda-libraries']
      ],
      { env: { ...process.env, PYTHON: python!, ...onlyFrom(index) }, stdio: 'pipe' }
    );
    for (const name of readdirSync(made).filter(entry => statSync(join(made, entry)).isFile())) {
      copyFileSync(join(made, name), join(carried, name));
    }
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** What the index has: the provider, and the packages whose libraries it needs. */
  function writePackages(index: string): void {
    const version = ortPackageVersion();
    const capi = 'onnxruntime/capi/libonnxruntime_providers';
    const wheel = { name: 'onnxruntime-gpu', version, tag: 'cp312-cp312-manylinux_2_28_x86_64' };
    writeWheel(python!, index, wheel, {
      [`${capi}_cuda.so`]: elfLibrary([...LIBRARIES, 'libcuda.so.1'], version),
      [`${capi}_shared.so`]: elfLibrary([], version)
    });
    const cu13 = (...names: string[]): Record<string, Uint8Array> =>
      Object.fromEntries(names.map(name => [`nvidia/cu13/lib/${name}`, elfLibrary([], name)]));
    const packages: [string, string, Record<string, Uint8Array>][] = [
      ['nvidia-cublas', '13.1.0', cu13('libcublas.so.13', 'libcublasLt.so.13')],
      ['nvidia-curand', '10.4.0', cu13('libcurand.so.10')],
      ['nvidia-cuda-runtime', '13.1.0', cu13('libcudart.so.13')],
      ['nvidia-cudnn-cu13', '9.1.0', { 'nvidia/cudnn/lib/libcudnn.so.9': elfLibrary([], '9') }],
      // Not of the version that is asked for.
      ['nvidia-cublas', '14.0.0', cu13('libcublas.so.14')]
    ];
    for (const [name, packageVersion, files] of packages) {
      const of = { name, version: packageVersion, tag: 'py3-none-any' };
      writeWheel(python!, index, of, files);
    }
  }

  const pieces = (): string[] =>
    readdirSync(carried)
      .filter(name => /\.tar\.gz\.\d{3}$/.test(name))
      .sort();

  const joinPieces = (): ReturnType<typeof spawnSync> =>
    spawnSync('sh', [join(carried, 'join.sh')], { encoding: 'utf8', cwd: tmpdir() });

  /** On a machine that has nothing but a shell. */
  const runScript = (...args: string[]): ReturnType<typeof spawnSync> =>
    spawnSync('sh', [join(carried, NAME, 'run.sh'), ...args], {
      encoding: 'utf8',
      cwd: folder,
      env: { PATH: '/usr/bin:/bin', HOME: folder }
    });

  it.each(['0', '12x', '60 M'])('is not made in pieces of %p', size => {
    const script = join(root, 'scripts/cudabundle/main.mjs');
    const target = join(folder, 'other');
    const args = [script, '--target', target, '--piece', size, '--without-provider'];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect([status, stderr]).toEqual([1, expect.stringMatching(/^castlens: .*--piece/) as string]);
  });

  it('is cut into pieces of the size that was asked for', () => {
    const sizes = pieces().map(name => statSync(join(carried, name)).size);
    expect(sizes.length).toBeGreaterThan(1);
    expect(sizes.slice(0, -1).every(size => size === PIECE_BYTES)).toBe(true);
    expect(sizes.at(-1)).toBeLessThanOrEqual(PIECE_BYTES);
    expect(sizes.at(-1)).toBeGreaterThan(0);
    expect(existsSync(join(carried, `${NAME}.tar.gz`))).toBe(false);
  });

  it('leaves other files of its folder alone', () => {
    expect(readFileSync(join(made, 'mine.txt'), 'utf8')).toBe('left alone');
  });

  it('is not unpacked where a piece was damaged', () => {
    const piece = join(carried, pieces()[0]);
    const bytes = readFileSync(piece);
    bytes[1000] ^= 1;
    writeFileSync(piece, bytes);
    const { status, stdout } = joinPieces();
    expect([status === 0, String(stdout)]).toEqual([
      false,
      expect.stringContaining(`${NAME}.tar.gz: FAILED`) as string
    ]);
    expect(existsSync(join(carried, NAME))).toBe(false);
    copyFileSync(join(made, pieces()[0]), piece);
  });

  it('is joined to the bytes that were packed', () => {
    const { status, stdout } = joinPieces();
    expect([status, stdout]).toEqual([0, `${NAME}.tar.gz: OK\n`]);
    const names = (path: string): string[] =>
      (readdirSync(path, { recursive: true }) as string[]).sort();
    expect(names(join(carried, NAME))).toEqual(names(join(made, NAME)));
    for (const name of ['bench.js', 'cli.js', 'run.sh', 'torch_bench.py']) {
      const [packed, joined] = [made, carried].map(path => readFileSync(join(path, NAME, name)));
      expect(joined.equals(packed)).toBe(true);
    }
  });

  it('finds the provider and the libraries that it brings', () => {
    const { cuda } = JSON.parse(String(runScript('doctor', '--json').stdout)) as IDoctorReport;
    const within = join(carried, NAME);
    expect(cuda.provider).toEqual({
      path: expect.stringContaining(join(within, 'node_modules/onnxruntime-node')) as string,
      versionMatches: true,
      wanted: ortPackageVersion()
    });
    const found = cuda.libraries.filter(({ name }) => name !== 'libcuda.so.1');
    expect(found.map(({ name, path }) => [name, path])).toEqual([
      ...LIBRARIES.map(name => [name, join(within, 'cuda/nvidia/cu13/lib', name)]),
      ['libcudnn.so.9', join(within, 'cuda/nvidia/cudnn/lib/libcudnn.so.9')]
    ]);
  });

  it('measures on the CPU', () => {
    const args = ['--device', 'cpu', '--small', '--runs', '2', '--warmup', '0', '--out', 'try'];
    const { status, stdout } = runScript(...args);
    expect(status).toBe(0);
    const text = readFileSync(join(folder, 'try.md'), 'utf8');
    expect(stdout).toBe(text);
    const cells = text
      .split('\n')
      .filter(line => /^\| (?:mlp|decoder) /.test(line))
      .map(line => line.slice(2, -2).split(' | '));
    const keys = ['mlp', 'decoder'].flatMap(model =>
      ['float16', 'bfloat16'].flatMap(dtype => ['1', '8'].map(batch => [model, dtype, batch]))
    );
    const rows = (of: readonly string[]): string[][] =>
      cells.filter(row => of.every((key, i) => row[i] === key)).map(row => row.slice(3));
    for (const key of keys) {
      const times = rows(key).filter(row => row.length > 5);
      const modes = ['off', 'autocast', 'folded', 'frozen', 'float32', 'onnxruntime'];
      // The small models may copy too fast for a floor.
      expect(times.map(([mode]) => mode).filter(mode => mode !== 'floor')).toEqual(modes);
      const casts = key[0] === 'mlp' ? '2 / 2' : '14 / 14';
      expect(times.slice(0, 4).map(row => row[4])).toEqual([casts, casts, '0 / 0', '0 / 0']);
      expect(times.slice(0, 4).map(row => row[6])).toEqual(['same', 'same', 'same', 'same']);
      const [meaning] = rows(key).filter(row => row.length === 5);
      expect(meaning.slice(3)).toEqual(['yes', 'yes']);
    }
    const saved = JSON.parse(readFileSync(join(folder, 'try.json'), 'utf8')) as {
      measured: unknown[];
    };
    expect(saved.measured).toHaveLength(keys.length);
  });

  itWithout('nvidia-smi')('says what is missing, and fails, where there is no GPU', () => {
    const { status, stderr, stdout } = runScript('--small', '--runs', '2', '--out', 'none');
    expect(status).toBe(1);
    expect(String(stderr)).toContain('No NVIDIA driver answers on this machine');
    expect(String(stderr)).toContain('nothing can be measured on cuda before this is solved');
    expect([stdout, existsSync(join(folder, 'none.md'))]).toEqual(['', false]);
  });
});
