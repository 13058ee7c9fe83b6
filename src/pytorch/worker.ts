/**
 * A Python process that runs models with PyTorch.
 *
 * @packageDocumentation
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

import { CastlensError, readErrorInfo } from '../errors';
import type { IJob } from '../runtime';
import { privateFolder } from '../runtime';
import { killGroup, killTree } from './processtree';
import { workerScript } from './script';

/** A message of the worker: see worker.py. */
interface IReply {
  readonly id?: number;
  readonly heartbeat?: boolean;
  readonly ready?: boolean;
  readonly result?: unknown;
  readonly progress?: { readonly text: string };
  /** Fields of an IErrorInfo. */
  readonly error?: unknown;
}

interface IPending {
  readonly job: IJob;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** How much of what the process printed is kept for the message about its end, characters. */
const LAST_WORDS = 4000;

/** Without a sign of life for so long, progress says so; milliseconds. */
const SILENCE_MS = 10_000;

/**
 * One worker.
 *
 * #### Notes
 * Requests are answered in order. Cancelling one kills the process with all that it started, compilers included; requests under way
 * are rejected, and the worker can be used no more. It ends with this process, however that ends: the end of its standard input tells it.
 */
export class PythonWorker {
  /** @param python - path of the executable. */
  constructor(readonly python: string) {
    this._child = spawn(python, ['-u', workerScript()], {
      // `detached` makes it the leader of a group that can be killed as a whole.
      detached: process.platform !== 'win32',
      cwd: privateFolder(),
      env: process.env,
      stdio: ['pipe', 'pipe', 'pipe'],
      windowsHide: true
    });
    const { stdin, stdout, stderr } = this._child;
    stdin!.on('error', () => undefined);
    stderr!.setEncoding('utf8').on('data', (text: string) => {
      this._lastWords = (this._lastWords + text).slice(-LAST_WORDS);
    });
    createInterface({ input: stdout! }).on('line', line => this._onLine(line));
    this._child.on('error', error => this._onEnd(`could not be started (${error.message})`, null));
    this._child.on('close', (code, signal) =>
      this._onEnd(signal === null ? `exited with code ${code}` : `was killed (${signal})`, signal)
    );
    this._silence = setInterval(() => this._tellSilence(), SILENCE_MS).unref();
  }

  /** Whether it can still be asked. */
  get alive(): boolean {
    return !this._ended;
  }

  /** Process id; undefined where it could not be started. */
  get pid(): number | undefined {
    return this._child.pid;
  }

  /**
   * Ask for something.
   *
   * @throws CastlensError of the worker; `cancelled`; `runtime` or `out-of-memory` where the process ends.
   */
  ask<T>(method: string, params: Readonly<Record<string, unknown>>, job: IJob = {}): Promise<T> {
    if (this._ended) {
      return Promise.reject(this._endError ?? new CastlensError('runtime', 'the worker has ended'));
    }
    if (job.signal?.aborted) {
      return Promise.reject(CastlensError.cancelled());
    }
    const id = this._nextId++;
    return new Promise<T>((resolve, reject) => {
      const onAbort = (): void => {
        this._endError = CastlensError.cancelled();
        this.kill();
      };
      const finish = (): void => {
        this._pending.delete(id);
        job.signal?.removeEventListener('abort', onAbort);
      };
      this._pending.set(id, {
        job,
        resolve: result => {
          finish();
          resolve(result as T);
        },
        reject: error => {
          finish();
          reject(error);
        }
      });
      job.signal?.addEventListener('abort', onAbort, { once: true });
      this._child.stdin!.write(`${JSON.stringify({ id, method, params })}\n`);
    });
  }

  /** End the process with all that it started, at once. */
  kill(): void {
    if (this._child.pid !== undefined && !this._ended) {
      killTree(this._child.pid);
    }
  }

  /** End the process; resolves when it is gone. */
  async dispose(): Promise<void> {
    const gone = new Promise<void>(resolve => {
      if (this._ended) {
        resolve();
      } else {
        this._child.once('close', () => resolve());
        this._child.once('error', () => resolve());
      }
    });
    this.kill();
    await gone;
  }

  private _onLine(line: string): void {
    this._heardAt = performance.now();
    let reply: IReply;
    try {
      reply = JSON.parse(line) as IReply;
    } catch {
      this._lastWords = `${this._lastWords}${line}\n`.slice(-LAST_WORDS);
      return;
    }
    const pending = reply.id === undefined ? undefined : this._pending.get(reply.id);
    if (pending === undefined) {
      return;
    }
    if (reply.progress !== undefined) {
      this._stage = reply.progress.text;
      pending.job.progress?.({ text: reply.progress.text });
    } else if (reply.error !== undefined) {
      pending.reject(CastlensError.from(readErrorInfo(reply.error)));
    } else {
      pending.resolve(reply.result);
    }
  }

  private _tellSilence(): void {
    const silentMs = performance.now() - this._heardAt;
    if (silentMs > SILENCE_MS) {
      const [pending] = this._pending.values();
      const text = `${this._stage}: Python has been busy for ${Math.round(silentMs / 1000)} s`;
      pending?.job.progress?.({ text });
    }
  }

  private _onEnd(how: string, signal: NodeJS.Signals | null): void {
    if (this._ended) {
      return;
    }
    this._ended = true;
    clearInterval(this._silence);
    if (this._child.pid !== undefined) {
      // Compilers may have outlived it.
      killGroup(this._child.pid);
    }
    const said = this._lastWords.trim();
    this._endError ??= new CastlensError(
      signal === 'SIGKILL' ? 'out-of-memory' : 'runtime',
      `the Python process ${how}`,
      {
        entry: this.python,
        ...(said === '' ? {} : { found: said.split('\n').slice(-3).join(' | ') }),
        hint:
          signal === 'SIGKILL'
            ? 'The system may have run out of memory.'
            : 'castlens doctor shows what this Python has.'
      }
    );
    for (const { reject } of [...this._pending.values()]) {
      reject(this._endError);
    }
  }

  private readonly _child: ChildProcess;
  private readonly _pending = new Map<number, IPending>();
  private readonly _silence: NodeJS.Timeout;
  private _nextId = 1;
  private _ended = false;
  private _endError: CastlensError | null = null;
  private _lastWords = '';
  private _stage = 'Starting Python';
  private _heardAt = performance.now();
}
