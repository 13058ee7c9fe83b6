/**
 * Files out of zip archives.
 *
 * @packageDocumentation
 */
import { createWriteStream, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import * as yauzl from 'yauzl';

/**
 * Write entries of an archive, found by their base names, into a folder. Each file appears whole or not at all, and may be executed.
 */
export async function extractFiles(
  archive: string,
  names: readonly string[],
  folder: string
): Promise<void> {
  const zip = await yauzl.openPromise(archive, { lazyEntries: true });
  try {
    for await (const entry of zip.eachEntry()) {
      const name = basename(entry.fileName);
      if (!names.includes(name)) {
        continue;
      }
      const part = join(folder, `${name}.part`);
      try {
        const content = await zip.openReadStreamPromise(entry);
        await pipeline(content, createWriteStream(part, { mode: 0o755 }));
        renameSync(part, join(folder, name));
      } finally {
        rmSync(part, { force: true });
      }
    }
  } finally {
    zip.close();
  }
}
