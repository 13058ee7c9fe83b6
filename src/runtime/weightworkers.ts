/**
 * Threads that read, cast and summarise weights.
 *
 * @packageDocumentation
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

import kernelBytes from '../simd/index?wasm';
import { CastlensError } from '../model';
import type { IJob } from './job';
import { breathe, throwIfCancelled } from './job';
import { WeightKernels } from './weightkernels';
import type { WeightTask, WeightTaskResult } from './weightwork';
import { WeightWork } from './weightwork';
import type { AnswerMessage, ITaskMessage, IWorkerData } from './weightworker/messages';
import threadScript from './weightworker/main?script';

/** The most threads. A few saturate the memory; each takes some megabytes of its own. */
const MAX_THREADS = 8;

/**
 * Work on fewer bytes than this is done at once by whoever asks: the first statistics of 64 MiB take less time than threads take to
 * start, those of 256 MiB do not.
 */
const INLINE_BYTES = 64 * 1024 * 1024;

/** Memory of a thread beside its kernels', in MiB: the plain path makes arrays as large as a piece. */
const THREAD_HEAP_MIB = 64;

/**
 * A pool of threads, started when there is enough to do for the first time.
 *
 * #### Notes
 * A thread reads its chunk of the file itself; only tasks and results cross threads. Results come in the order of their tasks, so
 * that what is made of them does not depend on the number of threads. Idle threads do not keep the process alive.
 */
export class WeightWorkers {
  constructor(options: WeightWorkers.IOptions = {}) {
    this._size = options.threads ?? Math.min(availableParallelism(), MAX_THREADS);
    this._inlineBytes = options.inlineBytes ?? INLINE_BYTES;
    this._script = options.script ?? threadScript;
  }

  /**
   * Do tasks, a few at a time, and yield their results in order.
   *
   * @param totalBytes - bytes that all of them read.
   *
   * #### Notes
   * `tasks` is asked for one more as room is made. When the loop over the results ends early, or a task fails or the job is
   * cancelled, no further task begins, and those that have begun have ended when this returns.
   *
   * @throws CastlensError as tasks do, where a thread ends unexpectedly, and where the job was cancelled.
   */
  async *run<T extends WeightTask>(
    tasks: Iterable<T>,
    totalBytes: number,
    job: IJob
  ): AsyncGenerator<WeightTaskResult<T>, void> {
    const isInline = totalBytes < this._inlineBytes;
    const waiting: Promise<WeightTaskResult<T>>[] = [];
    const begun = new AbortController();
    const source = tasks[Symbol.iterator]();
    let next = source.next();
    try {
      await breathe(job);
      while (!next.done || waiting.length > 0) {
        while (!next.done && waiting.length < (isInline ? 1 : 2 * this._size)) {
          const result = this._do(next.value, isInline, begun.signal);
          // Whoever waits for it hears of a failure, in its turn.
          result.catch(() => undefined);
          waiting.push(result);
          next = source.next();
        }
        const result = await waiting[0];
        throwIfCancelled(job);
        void waiting.shift();
        yield result;
        throwIfCancelled(job);
        if (isInline) {
          await breathe(job);
        }
      }
    } finally {
      begun.abort();
      await Promise.allSettled(waiting);
      source.return?.();
    }
  }

  /** Threads that run now. */
  get threads(): number {
    return this._threads.size;
  }

  /** End the threads; what they were asked for fails. Work asked for later starts new ones. */
  async dispose(): Promise<void> {
    this._queue.splice(0).forEach(({ reject }) => reject(CastlensError.cancelled()));
    await Promise.all([...this._threads].map(thread => thread.terminate()));
  }

  private async _do<T extends WeightTask>(
    task: T,
    isInline: boolean,
    dropped: AbortSignal
  ): Promise<WeightTaskResult<T>> {
    // Bytes in memory stay where they are.
    if (isInline || task.weight.data.kind === 'inline') {
      this._work ??= new WeightWork(new WeightKernels(this._module()));
      return this._work.do(task);
    }
    return new Promise<WeightTaskResult<T>>((resolve, reject) => {
      const request: IRequest = {
        task,
        dropped,
        resolve: result => resolve(result as WeightTaskResult<T>),
        reject
      };
      this._queue.push(request);
      this._dispatch();
    });
  }

  /** Hand requests to idle threads, first come, first served; start threads while there are too few. */
  private _dispatch(): void {
    while (this._queue.length > 0) {
      const [request] = this._queue;
      if (request.dropped.aborted) {
        request.reject(CastlensError.cancelled());
      } else {
        const thread = [...this._threads].find(({ isIdle }) => isIdle) ?? this._start(request);
        if (thread === null) {
          return;
        }
        thread?.do(request);
      }
      void this._queue.shift();
    }
  }

  /**
   * Start a thread for a request.
   *
   * @returns null where those that run have to do, undefined where none runs and the system starts none: the request has failed then.
   */
  private _start(request: IRequest): Thread | null | undefined {
    if (this._threads.size >= this._size) {
      return null;
    }
    try {
      const thread: Thread = new Thread(this._script, this._module(), {
        done: () => this._dispatch(),
        ended: () => {
          this._threads.delete(thread);
          this._dispatch();
        }
      });
      this._threads.add(thread);
      return thread;
    } catch (cause) {
      if (this._threads.size > 0) {
        return null;
      }
      request.reject(
        new CastlensError('runtime', 'no thread that reads weights can be started', {
          entry: request.task.weight.names[0],
          found: (cause as Error).message,
          hint: 'End other programs, or raise the limits on memory, processes and open files',
          cause
        })
      );
      return undefined;
    }
  }

  private _module(): WebAssembly.Module {
    this._compiled ??= new WebAssembly.Module(kernelBytes);
    return this._compiled;
  }

  private readonly _size: number;
  private readonly _inlineBytes: number;
  private readonly _script: string;
  private readonly _threads = new Set<Thread>();
  private readonly _queue: IRequest[] = [];
  private _compiled: WebAssembly.Module | null = null;
  private _work: WeightWork | null = null;
}

/** A namespace for `WeightWorkers` statics. */
export namespace WeightWorkers {
  /** Options of a pool. */
  export interface IOptions {
    /** The most threads (default: as many as the machine runs at once, at most 8). */
    readonly threads?: number;
    /** Work on fewer bytes is done without threads (default 64 MiB). */
    readonly inlineBytes?: number;
    /** What a thread runs (default: src/runtime/weightworker). */
    readonly script?: string;
  }
}

/** A task, and who waits for it. */
interface IRequest {
  readonly task: WeightTask;
  /** Aborted when nobody wants the result any more. */
  readonly dropped: AbortSignal;
  resolve(result: WeightTaskResult<WeightTask>): void;
  reject(error: Error): void;
}

/** A thread of the pool; one request at a time. */
class Thread {
  constructor(
    script: string,
    module: WebAssembly.Module,
    private readonly _events: { done(): void; ended(): void }
  ) {
    const workerData: IWorkerData = { module };
    this._worker = new Worker(script, {
      eval: true,
      name: 'castlens weights',
      workerData,
      // Flags of the process are not the thread's.
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: THREAD_HEAP_MIB }
    });
    this._worker.unref();
    this._worker.on('message', (answer: AnswerMessage) => this._answer(answer));
    this._worker.on('error', error => (this._failure = error));
    this._worker.on('exit', code => this._end(code));
  }

  get isIdle(): boolean {
    return this._request === null;
  }

  do(request: IRequest): void {
    this._request = request;
    this._worker.ref();
    const message: ITaskMessage = { task: request.task };
    this._worker.postMessage(message);
  }

  async terminate(): Promise<void> {
    await this._worker.terminate();
  }

  private _answer(answer: AnswerMessage): void {
    const request = this._request!;
    this._request = null;
    this._worker.unref();
    if ('result' in answer) {
      request.resolve(answer.result);
    } else if ('error' in answer) {
      request.reject(CastlensError.from(answer.error));
    } else {
      request.reject(new Error(answer.defect));
    }
    this._events.done();
  }

  private _end(code: number): void {
    this._request?.reject(
      new CastlensError('runtime', 'a thread that reads weights ended unexpectedly', {
        entry: this._request.task.weight.names[0],
        found: this._failure?.message ?? `exit code ${code}`,
        hint: 'Try again; a new thread is started',
        cause: this._failure
      })
    );
    this._events.ended();
  }

  private readonly _worker: Worker;
  private _request: IRequest | null = null;
  private _failure: Error | undefined;
}
