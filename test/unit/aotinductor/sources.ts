/**
 * Sources of real packages: what Inductor of torch 2.13 and 2.15 generated, less the functions that say nothing about data.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ICompiledSources } from '../../../src/aotinductor';

const DATA = join(__dirname, '../../data/aotinductor');

/** Folder of an unpacked package. */
export function packageFolder(name: string): string {
  return join(DATA, name);
}

/** What is in it. */
export function sourcesOf(name: string): ICompiledSources {
  const read = (file: string): string => {
    const path = join(DATA, name, file);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  };
  return {
    name,
    wrapper: read('model.wrapper.cpp'),
    kernels: [read('model.kernel.cpp')],
    metadata: JSON.parse(read('model.wrapper_metadata.json')) as Record<string, string>
  };
}
