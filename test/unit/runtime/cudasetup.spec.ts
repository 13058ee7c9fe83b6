import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { DriverState } from '../../../src/runtime';
import { cudaObstacle, findLibrary, inspectCuda, neededLibraries } from '../../../src/runtime';
import { elfLibrary } from './elf';
import { testFolder } from './helpers';

const DRIVER: DriverState = {
  kind: 'present',
  driverVersion: '580.65.06',
  cudaVersion: '13.0',
  gpus: []
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
  const options = { folder: libraries, driver: DRIVER, find: found, version: '1.30.0' };
  const install = (version: string): void =>
    writeFileSync(join(libraries, 'libonnxruntime_providers_cuda.so'), elfLibrary(NEEDED, version));

  it('names provider and driver where neither is there', async () => {
    const driver: DriverState = { kind: 'missing', message: 'No driver' };
    const { problems, provider } = await inspectCuda({ ...options, driver });
    expect(provider).toEqual({ path: null, versionMatches: null, wanted: '1.30.0' });
    expect(problems.map(({ message }) => message)).toEqual([
      'No driver',
      expect.stringContaining('is not installed')
    ]);
    expect(problems[1].command).toMatch(/doctor --install-cuda$/);
    expect(cudaObstacle(driver, options)).toContain('No driver; run: sudo apt-get install');
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
    const { problems } = await inspectCuda({ ...options, find: () => null });
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
