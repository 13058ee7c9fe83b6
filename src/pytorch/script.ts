/**
 * The worker as a file that Python can run.
 *
 * @packageDocumentation
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { privateFolder } from '../runtime';
import SOURCE from './worker.py';

/** Absolute path of the script, in the private folder of this process. Python finds no other module beside it. */
export function workerScript(): string {
  const path = join(privateFolder(), 'castlens_worker.py');
  if (!existsSync(path)) {
    writeFileSync(path, SOURCE, { mode: 0o600 });
  }
  return path;
}
