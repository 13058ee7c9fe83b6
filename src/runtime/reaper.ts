/**
 * Removing a folder when the process has ended in a way that leaves it no time.
 *
 * @packageDocumentation
 */
import { spawn } from 'node:child_process';

/** Waits for the end of its standard input, which nobody but this process holds, and removes its argument. Builtins alone until then. */
const SCRIPT = 'trap "" HUP INT TERM; while read -r _; do :; done; exec rm -rf -- "$1"';

/**
 * Remove a folder when this process is gone, be it killed, or crashed in native code. Where its own thread is blocked there, a listener
 * to signals would not be called, and would keep the process from ending.
 *
 * #### Notes
 * A shell does it, of a megabyte, in a process group of its own, so that Ctrl-C in a terminal ends castlens and not it. Without a shell nothing is done:
 * the next process that needs such a folder removes this one.
 *
 * @returns ends the watch, without removing anything that is still there then.
 */
export function removeWhenGone(folder: string): () => void {
  if (process.platform === 'win32') {
    return () => undefined;
  }
  try {
    const shell = spawn('/bin/sh', ['-c', SCRIPT, 'castlens-cleanup', folder], {
      cwd: '/',
      detached: true,
      env: { PATH: process.env.PATH ?? '/usr/bin:/bin' },
      stdio: ['pipe', 'ignore', 'ignore']
    });
    shell.on('error', () => undefined);
    shell.stdin?.on('error', () => undefined);
    shell.unref();
    (shell.stdin as unknown as { unref?(): void } | null)?.unref?.();
    return () => void shell.kill('SIGKILL');
  } catch {
    return () => undefined;
  }
}
