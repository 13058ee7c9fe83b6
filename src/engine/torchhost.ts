/**
 * The user's Python, started where PyTorch is asked for as a runtime.
 *
 * @packageDocumentation
 */
import { CastlensError } from '../model';
import type { IInterpreter, IPythonEnvironment } from '../pytorch';
import { findInterpreters, inspectPython, PackageCache, PythonWorker } from '../pytorch';
import type { IJob } from '../runtime';
import { throwIfCancelled } from '../runtime';
import { CompileClock } from './compileclock';

/** What of a Python decides how a program is compiled in it. */
export interface IWorkerState {
  readonly torch: string;
  readonly threads: number;
  readonly instructionSet: string;
}

/** A worker that is ready. */
export interface IStartedWorker {
  readonly worker: PythonWorker;
  readonly state: IWorkerState;
}

/**
 * Keeps one worker per Python.
 *
 * #### Notes
 * A worker that was cancelled or died is replaced at the next call. Whoever has the host disposes it.
 */
export class TorchHost {
  readonly packages = new PackageCache();
  readonly clock = new CompileClock();

  /**
   * A worker in the Python that is named, or else in the first one found that has PyTorch.
   *
   * @param threads - for the operators of one forward; PyTorch's own choice where left out.
   * @throws CastlensError where there is none, with what was looked at.
   */
  async start(
    python: string | undefined,
    threads: number | undefined,
    job: IJob
  ): Promise<IStartedWorker> {
    const path = python ?? (await this._choose(job));
    const kept = this._workers.get(path);
    const worker = kept?.alive === true ? kept : new PythonWorker(path);
    this._workers.set(path, worker);
    job.progress?.({ text: 'Starting Python with PyTorch' });
    const state = await worker.ask<IWorkerState>('configure', { threads }, job);
    return { worker, state };
  }

  /** Every Python of this machine with what it has, in the order in which one would be chosen. Asked once per process. */
  async environments(job: IJob = {}): Promise<readonly IPythonEnvironment[]> {
    job.progress?.({ text: 'Looking at the Pythons of this machine' });
    return Promise.all(findInterpreters().map(interpreter => this._inspect(interpreter, job)));
  }

  /** End all workers with what they have started. */
  async dispose(): Promise<void> {
    const workers = [...this._workers.values()];
    this._workers.clear();
    await Promise.all(workers.map(worker => worker.dispose()));
  }

  private async _inspect(interpreter: IInterpreter, job: IJob): Promise<IPythonEnvironment> {
    const known = this._known.get(interpreter.path);
    const environment = known ?? (await inspectPython(interpreter, job.signal));
    throwIfCancelled(job);
    this._known.set(interpreter.path, environment);
    return environment;
  }

  private async _choose(job: IJob): Promise<string> {
    if (this._chosen !== null) {
      return this._chosen;
    }
    const tried: string[] = [];
    for (const interpreter of findInterpreters()) {
      const environment = await this._inspect(interpreter, job);
      if (environment.torch !== null) {
        this._chosen = interpreter.path;
        return interpreter.path;
      }
      tried.push(interpreter.path);
    }
    throw new CastlensError('runtime', 'no Python with PyTorch was found', {
      expected: 'a Python that can import torch',
      found: tried.length === 0 ? 'no Python at all' : tried.join(', '),
      hint: 'Name one with --python PATH, or activate its environment. castlens doctor shows what each has.'
    });
  }

  private readonly _workers = new Map<string, PythonWorker>();
  private readonly _known = new Map<string, IPythonEnvironment>();
  private _chosen: string | null = null;
}
