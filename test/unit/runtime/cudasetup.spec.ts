import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { DriverState } from '../../../src/runtime';
import {
  cudaObstacle,
  findLibrary,
  findOutsideLoader,
  inspectCuda,
  librariesOf,
  neededLibraries,
  provideLibraries
} from '../../../src/runtime';
import { elfLibrary } from './elf';
import { testFolder } from './helpers';

const DRIVER: DriverState = {
  kind: 'present',
  driverVersion: '580.65.06',
  cudaVersion: '13.0',
  gpus: [
    {
      index: 0,
      name: 'H100',
      uuid: 'GPU-1',
      computeCapability: '9.0',
      totalBytes: null,
      freeBytes: null,
      mig: false
    }
  ]
};
const NEEDED = ['libcublasLt.so.13', 'libcudart.so.13', 'libcuda.so.1', 'libc.so.6'];
const isLinux = process.platform === 'linux' && process.arch === 'x64';

describe('neededLibraries', () => {
  const folder = testFolder();

  it('reads the names', () => {
    const path = folder.write('some.so', elfLibrary(NEEDED, ''));
    expect(neededLibraries(path)).toEqual(NEEDED);
  });

  it.each([
    ['nothing', new Uint8Array(0)],
    ['text', Buffer.from('#!/bin/sh\n'.repeat(20))],
    ['a cut one', elfLibrary(NEEDED, '').subarray(0, 100)]
  ])('refuses %s', (_name, bytes) => {
    const path = folder.write('bad.so', bytes);
    expect(() => neededLibraries(path)).toThrow(
      expect.objectContaining({ code: 'runtime' }) as Error
    );
  });

  (isLinux ? it : it.skip)('reads real libraries, which the loader finds', () => {
    const path = findLibrary('libc.so.6');
    expect(path).not.toBeNull();
    expect(neededLibraries(path!)).toContain('ld-linux-x86-64.so.2');
    expect(findLibrary('libnothing.so.7')).toBeNull();
  });
});

(isLinux ? describe : describe.skip)('inspectCuda', () => {
  const folder = testFolder();
  const libraries = join(folder.path, 'bin');
  mkdirSync(libraries);
  const found = (name: string): string => `/usr/lib/${name}`;
  const nowhere = (): null => null;
  const options = {
    folder: libraries,
    driver: DRIVER,
    find: found,
    findOutside: nowhere,
    version: '1.30.0',
    visible: undefined
  };
  const install = (version: string): void =>
    writeFileSync(join(libraries, 'libonnxruntime_providers_cuda.so'), elfLibrary(NEEDED, version));

  it('names provider and driver where neither is there', async () => {
    const driver: DriverState = { kind: 'missing', message: 'No driver' };
    const { problems, provider } = await inspectCuda({ ...options, driver, find: nowhere });
    expect(provider).toEqual({ path: null, versionMatches: null, wanted: '1.30.0' });
    expect(problems.map(({ message }) => message)).toEqual([
      'No driver',
      expect.stringContaining('is not installed')
    ]);
    expect(problems[1].command).toMatch(/doctor --install-cuda$/);
    expect(cudaObstacle(driver, { ...options, find: nowhere })).toContain(
      'No driver; run: sudo apt-get install'
    );
  });

  it('has nothing to say where everything fits', async () => {
    install('1.30.0');
    const setup = await inspectCuda(options);
    expect(setup).toMatchObject({
      cudaMajor: 13,
      problems: [],
      provider: { versionMatches: true }
    });
    expect(setup.libraries.map(({ name, optional }) => [name, optional])).toEqual([
      ['libcublasLt.so.13', false],
      ['libcudart.so.13', false],
      ['libcuda.so.1', false],
      ['libcudnn.so.9', true]
    ]);
    expect(cudaObstacle(DRIVER, options)).toBeNull();
  });

  it('does without nvidia-smi where the library of the driver is there', async () => {
    install('1.30.0');
    const driver: DriverState = { kind: 'missing', message: 'No driver' };
    const { problems } = await inspectCuda({ ...options, driver });
    expect(problems).toEqual([
      {
        message: expect.stringContaining('nvidia-smi is not installed') as string,
        command: null,
        optional: true
      }
    ]);
    expect(cudaObstacle(driver, options)).toBeNull();
    const hung: DriverState = { kind: 'hung', message: 'No answer' };
    expect(cudaObstacle(hung, options)).toBe('No answer');
  });

  it('says that the environment hides all GPUs', async () => {
    install('1.30.0');
    const { problems } = await inspectCuda({ ...options, visible: '' });
    expect(problems).toEqual([
      {
        message: 'CUDA_VISIBLE_DEVICES is "", which hides every GPU',
        command: 'unset CUDA_VISIBLE_DEVICES',
        optional: false
      }
    ]);
    expect(cudaObstacle(DRIVER, { ...options, visible: 'GPU-1' })).toBeNull();
  });

  it('takes libraries from where they lie outside of the folders of the loader', async () => {
    install('1.30.0');
    const findOutside = (name: string): string => `/opt/cuda/${name.slice(3, 7)}/${name}`;
    const { problems } = await inspectCuda({ ...options, find: nowhere, findOutside });
    expect(problems.map(({ command }) => command)).toEqual([
      'export LD_LIBRARY_PATH="/opt/cuda/cubl:/opt/cuda/cuda:$LD_LIBRARY_PATH"',
      'export LD_LIBRARY_PATH="/opt/cuda/cudn:$LD_LIBRARY_PATH"',
      'sudo ldconfig'
    ]);
  });

  it('tells another version from the one that is needed', async () => {
    install('1.29.0');
    const { problems } = await inspectCuda(options);
    expect(problems).toEqual([
      {
        message: expect.stringContaining('is not of version 1.30.0') as string,
        command: expect.stringContaining('--install-cuda') as string,
        optional: false
      }
    ]);
  });

  it('says that the driver is too old', async () => {
    install('1.30.0');
    const old = { ...DRIVER, cudaVersion: '12.4' };
    expect(cudaObstacle(old, options)).toContain(
      'The driver runs CUDA up to 12.4 and the CUDA provider was built for CUDA 13'
    );
  });

  it('installs what the loader does not find, and knows what can be done without', async () => {
    install('1.30.0');
    const { problems } = await inspectCuda({ ...options, find: nowhere });
    expect(problems[0]).toMatchObject({
      message: 'The loader does not find libcublasLt.so.13, libcudart.so.13',
      optional: false
    });
    expect(problems[0].command).toContain("'nvidia-cublas==13.*' 'nvidia-cuda-runtime==13.*'");
    expect(problems[0].command).toContain('/nvidia/cu13/lib:$LD_LIBRARY_PATH');
    expect(problems[1]).toMatchObject({
      command: expect.stringContaining("'nvidia-cudnn-cu13==9.*'") as string,
      optional: true
    });
    expect(problems[2].message).toContain('libcuda.so.1');
  });
});

it('knows no CUDA where onnxruntime-node has no libraries', async () => {
  const { problems } = await inspectCuda({ folder: null, driver: DRIVER });
  expect(problems.map(({ message }) => message)).toEqual([
    'The CUDA provider of onnxruntime-node is for Linux on x64 only'
  ]);
});

describe('provideLibraries', () => {
  const outside = (name: string): string | null =>
    name.startsWith('libcublas') ? `/usr/local/cuda/lib64/${name}` : null;

  it('installs what is nowhere, and adds both folders', () => {
    expect(provideLibraries(['libcublas.so.13', 'libcudart.so.13'], 13, outside)).toBe(
      `python3 -m pip install --target "$HOME/.local/share/castlens/cuda" 'nvidia-cuda-runtime==13.*' && export LD_LIBRARY_PATH="/usr/local/cuda/lib64:$HOME/.local/share/castlens/cuda/nvidia/cu13/lib:$LD_LIBRARY_PATH"`
    );
  });

  it('knows the names of CUDA 12', () => {
    const libraries = ['libcublasLt.so.12', 'libcurand.so.10', 'libcudnn.so.9'];
    expect(provideLibraries(libraries, 12, () => null)).toBe(
      `python3 -m pip install --target "$HOME/.local/share/castlens/cuda" 'nvidia-cublas-cu12==12.*' 'nvidia-curand-cu12==10.*' 'nvidia-cudnn-cu12==9.*' && export LD_LIBRARY_PATH="${['cublas', 'curand', 'cudnn'].map(name => `$HOME/.local/share/castlens/cuda/nvidia/${name}/lib`).join(':')}:$LD_LIBRARY_PATH"`
    );
  });
});

describe('findOutsideLoader', () => {
  const folder = testFolder();
  const lib = (path: string, name: string): string => {
    mkdirSync(join(folder.path, path), { recursive: true });
    return folder.write(join(path, name), new Uint8Array(0));
  };
  const find = (name: string, ...patterns: string[]): string | null =>
    findOutsideLoader(
      name,
      patterns.map(pattern => join(folder.path, pattern))
    );

  it('looks into folders with any name, the first pattern first, newer folders first', () => {
    const old = lib('cuda-13.0/lib64', 'libcudart.so.13');
    const newer = lib('cuda-13.1/lib64', 'libcudart.so.13');
    const wheel = lib('venv/lib/python3.12/site-packages/nvidia/cu13/lib', 'libcudart.so.13');
    const pattern = 'venv/lib/python3*/site-packages/nvidia/*/lib';
    expect(find('libcudart.so.13', 'cuda-*/lib64', pattern)).toBe(newer);
    expect(find('libcudart.so.13', pattern, 'cuda-*/lib64')).toBe(wheel);
    expect(find('libcudart.so.13', 'nothing/*/lib64', 'cuda-13.0/lib64')).toBe(old);
    expect(find('libcudart.so.12', 'cuda-*/lib64', pattern)).toBeNull();
  });

  it('has places of its own', () => {
    expect(findOutsideLoader('libnothing.so.7')).toBeNull();
  });
});

describe('librariesOf', () => {
  it('takes those for this machine, the first of each name', () => {
    const printed = [
      "3 libs found in cache `/etc/ld.so.cache'",
      '\tlibcuda.so.1 (libc6) => /usr/lib/i386-linux-gnu/libcuda.so.1',
      '\tlibcuda.so.1 (libc6,x86-64) => /usr/lib/x86_64-linux-gnu/libcuda.so.1',
      '\tlibcuda.so.1 (libc6,x86-64, OS ABI: Linux 2.3.99) => /opt/libcuda.so.1'
    ].join('\n');
    expect([...librariesOf(printed)]).toEqual([
      ['libcuda.so.1', '/usr/lib/x86_64-linux-gnu/libcuda.so.1']
    ]);
  });
});
