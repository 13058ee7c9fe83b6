import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '..', '..');

interface IPackage {
  dependencies: Record<string, string>;
  jupyterlab: { sharedPackages: Record<string, unknown> };
}

function readJson<T>(name: string): T {
  return JSON.parse(readFileSync(join(root, name), 'utf8')) as T;
}

describe('package.json', () => {
  const { dependencies, jupyterlab } = readJson<IPackage>('package.json');
  const excluded = Object.keys(jupyterlab.sharedPackages).filter(
    name => jupyterlab.sharedPackages[name] === false
  );

  it('should keep every package that JupyterLab does not have out of the shared ones', () => {
    // The JupyterLab build offers every dependency to other extensions, and bundles it for that, unless told otherwise.
    const own = Object.keys(dependencies).filter(
      name => !/^(@jupyterlab|@lumino)\/|^react(-dom)?$/.test(name)
    );
    expect(excluded.sort()).toEqual(own.sort());
  });
});

describe('package-lock.json', () => {
  it('should name no registry', () => {
    const { packages } = readJson<{ packages: Record<string, { resolved?: string }> }>(
      'package-lock.json'
    );
    expect(Object.keys(packages).filter(path => packages[path].resolved !== undefined)).toEqual([]);
  });
});
