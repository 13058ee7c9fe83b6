import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { glanceAtPythons, installedTorch } from '../../../src/pytorch';

describe('installedTorch()', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'castlens-glance-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function write(path: string, text: string): string {
    const full = join(folder, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, text);
    return full;
  }
  const version = "from typing import Optional\n__version__ = '2.15.0+cpu'\ndebug = False\n";

  it.each(['lib/python3.11/site-packages', 'lib64/python3.13t/site-packages', 'Lib/site-packages'])(
    'should read the version in %s',
    packages => {
      const python = write('env/bin/python', '');
      expect(installedTorch(python)).toBeNull();
      write(`env/${packages}/torch/version.py`, version);
      expect(installedTorch(python)).toBe('2.15.0+cpu');
    }
  );

  it('should not take the packages of the Python that an environment was made from', () => {
    const base = write('base/bin/python', '');
    write('base/lib/python3.11/site-packages/torch/version.py', version);
    const config = write('env/pyvenv.cfg', 'include-system-site-packages = false\n');
    mkdirSync(join(folder, 'env/bin'));
    const python = join(folder, 'env/bin/python');
    symlinkSync(base, python);
    expect(installedTorch(python)).toBeNull();
    writeFileSync(config, 'include-system-site-packages = true\n');
    expect(installedTorch(python)).toBe('2.15.0+cpu');
  });

  it('should start no Python', () => {
    const path = write('env/bin/python', 'this is no program');
    write('env/lib/python3.11/site-packages/torch/version.py', version);
    expect(glanceAtPythons([{ path, origin: 'the path' }])).toEqual([
      {
        path,
        origin: 'the path',
        torch: '2.15.0+cpu',
        python: null,
        cuda: null,
        devices: [],
        compiler: null,
        problems: []
      }
    ]);
  });
});
