import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/**
 * How many files a process may have open, for as long as a test wants. Linux alone, with the Python that every environment of the
 * tests has.
 */
export class FileLimit {
  constructor(private readonly _pid: number) {
    const limits = readFileSync(`/proc/${_pid}/limits`, 'utf8');
    this._before = Number(/^Max open files\s+(\d+)/m.exec(limits)![1]);
  }

  /** Let the process open no further file, or only some. Processes that it starts may open as many as it may. */
  exhaust(but = 0): void {
    const open = readdirSync(`/proc/${this._pid}/fd`).map(Number);
    // The limit is on numbers, of which the lowest free one is taken.
    const free = open.sort((a, b) => a - b).findIndex((descriptor, index) => descriptor !== index);
    this._set((free === -1 ? open.length : free) + but);
  }

  restore(): void {
    this._set(this._before);
  }

  private _set(limit: number): void {
    const hard = 'resource.prlimit(pid, kind)[1]';
    const code = `import resource, sys; pid, soft = map(int, sys.argv[1:]); kind = resource.RLIMIT_NOFILE; resource.prlimit(pid, kind, (soft, ${hard}))`;
    execFileSync('python3', ['-c', code, String(this._pid), String(limit)]);
  }

  private readonly _before: number;
}
