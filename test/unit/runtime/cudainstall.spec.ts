import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { installCudaProvider, ortPackageVersion, removeCudaProvider } from '../../../src/runtime';
import { waitUntil } from '../../protocol/support/wait';
import { onlyFrom, pythonWithPip, writeWheel } from '../../support/wheels';
import { elfLibrary } from './elf';

const CUDA = 'libonnxruntime_providers_cuda.so';
const SHARED = 'libonnxruntime_providers_shared.so';
const NEEDED = ['libcublasLt.so.13', 'libcudart.so.13', 'libcuda.so.1'];
const VERSION = ortPackageVersion();

const python = pythonWithPip();

/** `python3 -m pip download ... --dest FOLDER ... onnxruntime-gpu==VERSION`, from a folder of wheels instead of an index. */
const FAKE_PIP = `#!/bin/sh
for argument; do
  [ "$previous" = --dest ] && dest=$argument
  previous=$argument
done
for wheel in "$INDEX/onnxruntime_gpu-\${previous#*==}-"*.whl; do
  [ -e "$wheel" ] && exec /bin/cp "$wheel" "$dest"
done
echo "ERROR: No matching distribution found for $previous" >&2
exit 1
`;

const isLinux = process.platform === 'linux' && process.arch === 'x64';

(isLinux && python !== null ? describe : describe.skip)('installCudaProvider', () => {
  let root: string;
  let folder: string;
  let index: string;
  let bin: string;
  let said: string[];
  const saved = { ...process.env };

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'castlens-install-'));
    [folder, index, bin] = ['package/bin/napi-v6/linux/x64', 'index', 'bin'].map(name =>
      join(root, name)
    );
    [folder, index, bin].forEach(path => mkdirSync(path, { recursive: true }));
    writeFileSync(join(bin, 'python3'), FAKE_PIP, { mode: 0o755 });
    said = [];
    delete process.env.PYTHON;
    Object.assign(process.env, { PATH: bin, INDEX: index });
  });

  afterEach(() => {
    for (const name of new Set([...Object.keys(process.env), ...Object.keys(saved)])) {
      if (saved[name] === undefined) {
        delete process.env[name];
      } else {
        process.env[name] = saved[name];
      }
    }
    rmSync(root, { recursive: true });
  });

  const install = (): Promise<string> => installCudaProvider(line => said.push(line), folder);

  /** A wheel of onnxruntime-gpu as the index would have it. */
  function offer(version: string, library: Uint8Array = elfLibrary(NEEDED, version)): string {
    const wheel = { name: 'onnxruntime-gpu', version, tag: 'cp312-cp312-manylinux_2_28_x86_64' };
    return writeWheel(python!, index, wheel, {
      [`onnxruntime/capi/${CUDA}`]: library,
      [`onnxruntime/capi/${SHARED}`]: elfLibrary([], version)
    });
  }

  /** An installer of onnxruntime-node that runs some JavaScript. */
  function ownInstaller(code: string): void {
    mkdirSync(join(root, 'package/script'));
    writeFileSync(join(root, 'package/script/install.js'), code);
  }

  const writes = (library: Uint8Array): string =>
    `const { writeFileSync } = require('node:fs');
     const library = Buffer.from('${Buffer.from(library).toString('base64')}', 'base64');
     writeFileSync('${join(folder, CUDA)}', library);
     writeFileSync('${join(folder, SHARED)}', library);`;

  const expectInstalled = (): void => {
    expect(readdirSync(folder).sort()).toEqual([CUDA, SHARED]);
    expect(readFileSync(join(folder, CUDA)).equals(elfLibrary(NEEDED, VERSION))).toBe(true);
  };

  it('takes the libraries from the index where there is no installer', async () => {
    offer(VERSION);
    expect(await install()).toBe(join(folder, CUDA));
    expectInstalled();
    expect(said).toEqual([`downloading onnxruntime-gpu ${VERSION} with pip`]);
  });

  it('ends what downloads when it is cancelled, and leaves nothing', async () => {
    const started = join(root, 'pid');
    ownInstaller(
      `require('node:fs').writeFileSync('${started}', String(process.pid)); setInterval(() => {}, 1000);`
    );
    offer(VERSION);
    const controller = new AbortController();
    const installing = installCudaProvider(line => said.push(line), folder, controller);
    const isStarted = (): boolean => existsSync(started) && readFileSync(started, 'utf8') !== '';
    await waitUntil(isStarted);
    controller.abort();
    await expect(installing).rejects.toMatchObject({ code: 'cancelled' });
    const pid = Number(readFileSync(started, 'utf8'));
    await waitUntil(() => !existsSync(`/proc/${pid}`));
    expect(readdirSync(folder)).toEqual([]);
    expect(said).toEqual([`running the installer of onnxruntime-node ${VERSION}`]);
  });

  it('is done with what its own installer brings', async () => {
    ownInstaller(writes(elfLibrary(NEEDED, VERSION)));
    await install();
    expectInstalled();
    expect(said).toEqual([`running the installer of onnxruntime-node ${VERSION}`]);
  });

  it('goes on to the index where its own installer reaches nothing', async () => {
    ownInstaller("throw new Error('getaddrinfo ENOTFOUND api.nuget.org')");
    offer(VERSION);
    await install();
    expectInstalled();
    expect(said).toEqual([
      `running the installer of onnxruntime-node ${VERSION}`,
      'that did not work',
      `downloading onnxruntime-gpu ${VERSION} with pip`
    ]);
  });

  it.each([
    ['of another version', elfLibrary(NEEDED, '1.29.0')],
    ['cut off', elfLibrary(NEEDED, VERSION).subarray(0, -100)]
  ])('does not take a library that is %s', async (_what, library) => {
    ownInstaller(writes(library));
    offer(VERSION);
    await install();
    expectInstalled();
    expect(said).toHaveLength(3);
  });

  it('replaces one that is of another version', async () => {
    writeFileSync(join(folder, CUDA), elfLibrary(NEEDED, '1.29.0'));
    writeFileSync(join(folder, SHARED), elfLibrary([], '1.29.0'));
    offer(VERSION);
    await install();
    expectInstalled();
  });

  it('does nothing where it is there already', async () => {
    offer(VERSION);
    await install();
    rmSync(index, { recursive: true });
    said = [];
    await install();
    expect(said).toEqual([`${join(folder, CUDA)} is there already`]);
    expectInstalled();
  });

  it('says what both sources answered where neither has the version', async () => {
    ownInstaller("throw new Error('getaddrinfo ENOTFOUND api.nuget.org')");
    offer('1.29.0');
    await expect(install()).rejects.toMatchObject({
      code: 'runtime',
      details: {
        expected: expect.stringContaining(`of version ${VERSION}`) as string,
        found: expect.stringMatching(
          new RegExp(
            `^node: .*; python3: ERROR: No matching distribution found for onnxruntime-gpu==${VERSION}`
          )
        ) as string,
        hint: expect.stringContaining(folder) as string
      }
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('leaves nothing behind where the download is damaged', async () => {
    const wheel = offer(VERSION);
    writeFileSync(wheel, readFileSync(wheel).subarray(0, -200));
    await expect(install()).rejects.toMatchObject({ code: 'runtime' });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('leaves nothing behind where the download is interrupted', async () => {
    // Half a wheel where pip would put it, then the signal of a machine that is out of memory.
    writeFileSync(
      join(bin, 'python3'),
      '#!/bin/sh\nwhile [ "$1" != --dest ]; do shift; done\necho half > "$2/half.whl"\nkill -9 $$\n'
    );
    await expect(install()).rejects.toMatchObject({ code: 'runtime' });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('asks the real pip so that it understands', async () => {
    offer(VERSION);
    Object.assign(process.env, { PYTHON: python, ...onlyFrom(index) });
    await install();
    expectInstalled();
  }, 120_000);

  it('is for Linux on x64 with the libraries of onnxruntime-node', async () => {
    await expect(installCudaProvider(() => undefined, null)).rejects.toMatchObject({
      summary: expect.stringContaining('for Linux on x64 only') as string
    });
  });

  it('can be undone', async () => {
    offer(VERSION);
    await install();
    writeFileSync(join(folder, 'libonnxruntime.so.1'), '');
    removeCudaProvider(folder);
    expect(readdirSync(folder)).toEqual(['libonnxruntime.so.1']);
    removeCudaProvider(null);
  });
});
