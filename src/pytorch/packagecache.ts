/**
 * Compiled packages, kept from one comparison to the next.
 *
 * @packageDocumentation
 */
import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** What decides what a package is made of. */
export interface IPackageKey {
  /** SHA-256 of the exported program, as hexadecimal text. */
  readonly program: string;
  /** Name of the program in its archive; null for the usual one. */
  readonly name: string | null;
  /** Options of Inductor, as JSON. */
  readonly options: string;
  readonly torch: string;
  /** Vector instructions of this machine, as Inductor names them. */
  readonly instructionSet: string;
  readonly device: string;
}

/** How much is kept where nobody says otherwise: 4 GiB. */
const DEFAULT_LIMIT_BYTES = 4 * 2 ** 30;

const ENDING = '.pt2';

/**
 * A folder of packages, the least recently used of which go when it grows too large.
 *
 * #### Notes
 * Packages are shared by all processes of the user. A package is written under another name first; a name that exists is complete.
 */
export class PackageCache {
  /** @param folder - made on first use. */
  constructor(
    readonly folder = defaultFolder(),
    private readonly _limitBytes = limitFromEnvironment()
  ) {}

  /** Path of a package, which may not exist yet. */
  pathOf(key: IPackageKey): string {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    const digest = createHash('sha256').update(JSON.stringify(Object.entries(key).sort()));
    return join(this.folder, digest.digest('hex').slice(0, 40) + ENDING);
  }

  /** Note that a package was used, and remove others until the folder is small enough. */
  use(path: string): void {
    const now = new Date();
    utimesSync(path, now, now);
    const others = this._list().filter(entry => entry.path !== path);
    let total = statSync(path).size + others.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    for (const { path: old, sizeBytes } of others.sort((a, b) => a.usedMs - b.usedMs)) {
      if (total <= this._limitBytes) {
        break;
      }
      rmSync(old, { force: true });
      rmSync(notesOf(old), { force: true });
      total -= sizeBytes;
    }
  }

  private _list(): { path: string; sizeBytes: number; usedMs: number }[] {
    return readdirSync(this.folder).flatMap(name => {
      const path = join(this.folder, name);
      try {
        const { size, mtimeMs } = statSync(path);
        return name.endsWith(ENDING) ? [{ path, sizeBytes: size, usedMs: mtimeMs }] : [];
      } catch {
        // Another process removed it.
        return [];
      }
    });
  }
}

/** Path of what is noted beside a package. */
export function notesOf(path: string): string {
  return `${path}.json`;
}

/** `$XDG_CACHE_HOME/castlens/packages`; `$CASTLENS_CACHE` names another folder than `castlens`. */
function defaultFolder(): string {
  const { CASTLENS_CACHE, XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  const base =
    process.platform === 'win32'
      ? (LOCALAPPDATA ?? homedir())
      : process.platform === 'darwin'
        ? join(homedir(), 'Library', 'Caches')
        : XDG_CACHE_HOME || join(homedir(), '.cache');
  return join(CASTLENS_CACHE || join(base, 'castlens'), 'packages');
}

function limitFromEnvironment(): number {
  const given = Number(process.env.CASTLENS_CACHE_BYTES);
  return Number.isFinite(given) && given > 0 ? given : DEFAULT_LIMIT_BYTES;
}

/** SHA-256 of a file, as hexadecimal text. */
export function digestOf(path: string, signal?: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const hash = createHash('sha256');
    createReadStream(path, { highWaterMark: 1 << 20, signal })
      .on('data', chunk => hash.update(chunk))
      .on('error', reject)
      .on('end', () => resolve(hash.digest('hex')));
  });
}
