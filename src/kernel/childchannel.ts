/**
 * A child process of the kernel with a typed channel to it, and a lifeline that ends it with the kernel.
 *
 * @packageDocumentation
 */
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';

/** How a child process ended. */
export interface IExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Whether `kill()` or `end()` was called. */
  readonly expected: boolean;
  /** Why it could not be started, where it never ran. */
  readonly failure?: Error;
}

/** The file descriptor of the lifeline in the child. */
export const LIFELINE_FD = 4;

/**
 * A running child process.
 *
 * #### Notes
 * A process that cannot be started has ended, whether the system says so at once or later: the constructor throws nothing.
 * Messages arrive in the order they were sent; all of them before `onExit`. The child's descriptor 4 is a pipe nobody else
 * holds: when the kernel ends, however it ends, the child reads end-of-file there. That works where the process channel
 * does not: in a child whose main thread is blocked.
 */
export class ChildChannel<Outgoing, Incoming> {
  constructor(options: ChildChannel.IOptions<Incoming>) {
    const guard = join(__dirname, 'guard.js');
    this.exited = new Promise<IExit>(resolve => {
      const neverRan = (failure: Error): void =>
        resolve({ code: null, signal: null, expected: this._killed, failure });
      try {
        this._child = fork(options.script, {
          // The kernel's own flags (a profiler, an inspector port) are not meant for its children.
          execArgv: options.guarded && existsSync(guard) ? ['--require', guard] : [],
          serialization: 'advanced',
          stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'pipe']
        });
      } catch (error) {
        neverRan(error as Error);
        return;
      }
      const child = this._child;
      child.on('error', error => {
        if (child.pid === undefined) {
          neverRan(error);
        }
      });
      // 'close' comes after 'exit' and after the last byte of the child's output.
      child.once('close', (code, signal) => resolve({ code, signal, expected: this._killed }));
      this._listen(child, options);
    });
    void this.exited.then(exit => {
      this._alive = false;
      options.onExit(exit);
    });
  }

  /** Resolves when the process has ended and all its messages have been delivered. Never rejects. */
  readonly exited: Promise<IExit>;

  /** Whether messages can still be sent. */
  get alive(): boolean {
    return this._alive && this._child?.connected === true;
  }

  /** Process id; undefined where it could not be started. */
  get pid(): number | undefined {
    return this._child?.pid;
  }

  /**
   * Send a message. `onUnsent` is called where the process has ended already; `exited` tells of that as well.
   *
   * @throws Error where the message holds what cannot be sent: functions, or more levels than the stack has room for.
   */
  send(message: Outgoing, onUnsent: () => void = () => undefined): void {
    if (!this.alive) {
      onUnsent();
      return;
    }
    this._child!.send(message as object, error => {
      if (error) {
        onUnsent();
      }
    });
  }

  /** Write to the lifeline: heard by a thread of the child that is never blocked. */
  signal(text: string): void {
    if (this._alive) {
      this._lifeline?.write(text);
    }
  }

  /** Ask the process to end; end it where it has not after a while. */
  end(graceMs: number): void {
    this._killed = true;
    this._child?.kill('SIGTERM');
    const timer = setTimeout(() => this.kill(), graceMs);
    void this.exited.then(() => clearTimeout(timer));
  }

  /** End the process at once, whatever it is doing. */
  kill(): void {
    this._killed = true;
    this._child?.kill('SIGKILL');
  }

  /** Pass on what a child says. One that could not be started has no streams. */
  private _listen(child: ChildProcess, options: ChildChannel.IOptions<Incoming>): void {
    this._lifeline = child.stdio?.[LIFELINE_FD] as Writable | undefined;
    // The child may be gone before the pipe is flushed; its exit is told by itself.
    this._lifeline?.on('error', () => undefined);
    child.on('message', message => options.onMessage(message as Incoming));
    child.stdout?.setEncoding('utf8').on('data', text => options.onOutput('stdout', text));
    child.stderr?.setEncoding('utf8').on('data', text => options.onOutput('stderr', text));
  }

  private _child: ChildProcess | undefined;
  private _lifeline: Writable | undefined;
  private _alive = true;
  private _killed = false;
}

/** The namespace for `ChildChannel` statics. */
export namespace ChildChannel {
  /** Options for starting a child process. */
  export interface IOptions<Incoming> {
    /** Absolute path of the script. */
    readonly script: string;
    /** Whether the child needs a thread that watches the lifeline; not where it has one itself. */
    readonly guarded: boolean;
    readonly onMessage: (message: Incoming) => void;
    /** What the child wrote to its standard streams. */
    readonly onOutput: (name: 'stdout' | 'stderr', text: string) => void;
    readonly onExit: (exit: IExit) => void;
  }
}

/** How a process ended, for the reader: `was killed (SIGKILL)`, `exited with code 1`, `could not be started (spawn EMFILE)`. */
export function describeExit({ code, signal, failure }: IExit): string {
  if (failure !== undefined) {
    return `could not be started (${failure.message})`;
  }
  return signal === null ? `exited with code ${code}` : `was killed (${signal})`;
}

/** What can be done where a process could not be started; undefined where that is not known. */
export function startHint({ failure }: IExit): string | undefined {
  switch ((failure as NodeJS.ErrnoException | undefined)?.code) {
    case 'EMFILE':
    case 'ENFILE':
      return 'No more files can be opened: close what holds them, or raise the limit (ulimit -n) and restart the kernel.';
    case 'EAGAIN':
    case 'ENOMEM':
      return 'There is no memory left, or no more processes are allowed: end some, or raise the limit (ulimit -u).';
    default:
      return undefined;
  }
}
