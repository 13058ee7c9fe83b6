import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

import type { ISearch } from '../../../src/pytorch';
import { findInterpreters } from '../../../src/pytorch';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'interpreters-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function makePython(...path: string[]): string {
  const file = join(root, ...path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, '#!/bin/sh\n');
  chmodSync(file, 0o755);
  return file;
}

function makeKernel(folder: string, name: string, spec: unknown): void {
  const path = join(root, folder, 'kernels', name);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'kernel.json'), typeof spec === 'string' ? spec : JSON.stringify(spec));
}

function search(env: ISearch['env']): ISearch {
  return { env: { JUPYTER_DATA_DIR: join(root, 'none'), ...env }, home: root, platform: 'linux' };
}

test('active environments come first, then kernels, then the path', () => {
  const venv = makePython('venv', 'bin', 'python');
  const conda = makePython('conda', 'bin', 'python');
  const kernel = makePython('other', 'bin', 'python');
  const onPath = makePython('usr', 'python3');
  makeKernel('jupyter', 'torch', { argv: [kernel, '-m', 'ipykernel'], language: 'python' });
  const found = findInterpreters(
    search({
      VIRTUAL_ENV: join(root, 'venv'),
      CONDA_PREFIX: join(root, 'conda'),
      JUPYTER_PATH: join(root, 'jupyter'),
      PATH: [join(root, 'missing'), join(root, 'usr')].join(delimiter)
    })
  );
  expect(found).toEqual([
    { path: venv, origin: '$VIRTUAL_ENV' },
    { path: conda, origin: '$CONDA_PREFIX' },
    { path: kernel, origin: "the kernel 'torch'" },
    { path: onPath, origin: 'the path' }
  ]);
});

test('a Python that is found twice is listed once', () => {
  const venv = makePython('venv', 'bin', 'python');
  const found = findInterpreters(
    search({ VIRTUAL_ENV: join(root, 'venv'), PATH: join(root, 'venv', 'bin') })
  );
  expect(found).toEqual([{ path: venv, origin: '$VIRTUAL_ENV' }]);
});

test('kernels of other languages, damaged ones, and commands without a folder are passed over', () => {
  const julia = makePython('julia', 'bin', 'julia');
  makeKernel('jupyter', 'julia', { argv: [julia], language: 'julia' });
  makeKernel('jupyter', 'damaged', '{"argv": [');
  makeKernel('jupyter', 'bare', { argv: ['python3', '-m', 'ipykernel'], language: 'python' });
  makeKernel('jupyter', 'gone', { argv: [join(root, 'gone', 'python')], language: 'python' });
  expect(findInterpreters(search({ JUPYTER_PATH: join(root, 'jupyter'), PATH: '' }))).toEqual([]);
});
