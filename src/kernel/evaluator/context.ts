/**
 * Which execution is code running for? Output belongs to the cell that started what writes it, also after the cell's end.
 *
 * AsyncLocalStorage would answer this, but in Node 20 it is built on async_hooks, whose stack of ids is left corrupted when
 * an interrupt terminates a promise's continuation, and Node then aborts the process. So this follows promises with
 * `v8.promiseHooks`, which has no such stack, and timers by wrapping them. Callbacks of other kinds (file system, sockets)
 * have no execution of their own; they count as the latest.
 *
 * @packageDocumentation
 */
import { promiseHooks } from 'node:v8';
import type { ExecutionId } from '../evaluatormessages';

/** Follows executions through promises and timers. */
export class ExecutionContext {
  /** Start following. Replaces the global timer functions. */
  constructor() {
    promiseHooks.createHook({
      init: promise => {
        if (this._current !== 0) {
          this._byPromise.set(promise, this._current);
        }
      },
      before: promise => {
        this._stack.push(this._current);
        this._current = this._byPromise.get(promise) ?? 0;
      },
      after: () => {
        this._current = this._stack.pop() ?? 0;
      }
    });
    this._wrapTimer('setTimeout');
    this._wrapTimer('setInterval');
    this._wrapTimer('setImmediate');
    const { nextTick } = process;
    process.nextTick = (callback: (...args: unknown[]) => void, ...args: unknown[]) => {
      const execution = this._current;
      nextTick(() => this.run(execution, () => callback(...args)));
    };
    const { queueMicrotask } = globalThis;
    globalThis.queueMicrotask = callback => {
      const execution = this._current;
      queueMicrotask(() => this.run(execution, callback));
    };
  }

  /** The execution that code is running for: its own, else the latest. */
  get current(): ExecutionId {
    return this._current === 0 ? this._latest : this._current;
  }

  /** The execution that made a promise, else the latest. */
  executionOf(promise: Promise<unknown>): ExecutionId {
    return this._byPromise.get(promise) ?? this._latest;
  }

  /** Run `callback` for an execution, which counts as the latest where it is. */
  run<T>(execution: ExecutionId, callback: () => T): T {
    const outer = this._current;
    this._current = execution;
    this._latest = Math.max(this._latest, execution);
    try {
      return callback();
    } finally {
      this._current = outer;
    }
  }

  /** Forget what was running: an interrupt has ended it without the hooks being told. */
  reset(): void {
    this._stack.length = 0;
    this._current = 0;
  }

  /**
   * Callbacks of timers run in a promise's continuation instead of in the timer's own: an interrupt there leaves Node's
   * state whole.
   */
  private _wrapTimer(name: 'setTimeout' | 'setInterval' | 'setImmediate'): void {
    type Timer = (callback: (...args: unknown[]) => void, ...rest: unknown[]) => unknown;
    const original = globalThis[name] as unknown as Timer;
    const wrapped: Timer = (callback, ...rest) => {
      if (typeof callback !== 'function') {
        return original(callback, ...rest);
      }
      const execution = this._current;
      const fire = (...args: unknown[]): void => {
        // A rejection is what an uncaught error of a timer becomes.
        void this.run(execution, () => Promise.resolve().then(() => callback(...args)));
      };
      return original(fire, ...rest);
    };
    // Keeps util.promisify.custom.
    Object.defineProperties(wrapped, Object.getOwnPropertyDescriptors(original));
    Object.defineProperty(globalThis, name, {
      value: wrapped,
      writable: true,
      configurable: true,
      enumerable: true
    });
  }

  private readonly _byPromise = new WeakMap<Promise<unknown>, ExecutionId>();
  private readonly _stack: ExecutionId[] = [];
  /** 0: none. */
  private _current: ExecutionId = 0;
  private _latest: ExecutionId = 0;
}
