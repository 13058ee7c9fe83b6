/**
 * Notices when files become others.
 *
 * @packageDocumentation
 */
import { stat } from 'node:fs/promises';
import type { FileChange, IFileVersion } from '../protocol';
import { versionOf } from '../protocol';

/** Milliseconds between two looks at the files. */
const INTERVAL_MS = 500;

/** Stands for the version of a file that is not there. */
const GONE = 'gone';

/**
 * Watches the files of one model.
 *
 * #### Notes
 * Looks at the status of the files, since notifications of the operating system do not reach network drives and containers.
 * A change is told twice: as `changing` at once, and as `changed` when two looks in a row have found the same. So whoever reads
 * the file anew finds it whole, and one that is written for a long time is known to be outdated meanwhile.
 *
 * #### Complexity
 * One `stat` per file and look. Looks do not overlap.
 */
export class FileWatch {
  constructor(
    private readonly _onChange: (state: FileChange, file: string) => void,
    private readonly _intervalMs = INTERVAL_MS
  ) {}

  /**
   * Watch these files instead of those before.
   *
   * @param files - in the state that was read; a file that is in another one by now has changed. Where the version is null, the state
   * that is found first counts as read.
   */
  watch(
    files: readonly (IFileVersion | { readonly path: string; readonly version: null })[]
  ): void {
    clearTimeout(this._timer);
    this._watched = files.map(({ path, version }) => ({ path, version, isMoving: false }));
    this._generation++;
    if (files.some(({ version }) => version === null)) {
      void this._look(this._generation);
    } else {
      this._schedule();
    }
  }

  dispose(): void {
    this.watch([]);
  }

  private _schedule(): void {
    if (this._watched.length > 0) {
      this._timer = setTimeout(() => void this._look(this._generation), this._intervalMs);
      this._timer.unref();
    }
  }

  private async _look(generation: number): Promise<void> {
    const changes: [FileChange, string][] = [];
    for (const file of this._watched) {
      const version = await versionNow(file.path);
      if (this._generation !== generation) {
        return;
      }
      if (file.version === null) {
        file.version = version;
      } else if (version !== file.version) {
        file.version = version;
        file.isMoving = true;
        changes.push([version === GONE ? 'gone' : 'changing', file.path]);
      } else if (file.isMoving) {
        file.isMoving = false;
        if (version !== GONE) {
          changes.push(['changed', file.path]);
        }
      }
    }
    this._schedule();
    // All files are at rest before anything is read again.
    const isMoving = this._watched.some(file => file.isMoving);
    for (const [state, file] of changes) {
      this._onChange(state === 'changed' && isMoving ? 'changing' : state, file);
    }
  }

  private _watched: { readonly path: string; version: string | null; isMoving: boolean }[] = [];
  private _generation = 0;
  private _timer: ReturnType<typeof setTimeout> | undefined;
}

async function versionNow(path: string): Promise<string> {
  try {
    return versionOf(await stat(path));
  } catch {
    return GONE;
  }
}
