/**
 * Things that are costly to make, kept for the next who asks while memory allows.
 *
 * @packageDocumentation
 */
import { CastlensError } from '../model';
import type { IJob } from '../runtime';
import { throwIfCancelled } from '../runtime';

/** What a pool keeps. */
export interface IPooled {
  /** Memory that it holds for itself, in bytes. */
  readonly heldBytes: number;
  dispose(): Promise<void>;
}

/** A pooled thing in use. */
export interface ILease<T> {
  readonly item: T;
  /** Whether it was there already, or another was having it made. */
  readonly reused: boolean;
  /** Give it back. Idempotent. The pool may dispose it from then on. */
  release(): Promise<void>;
}

/** How much a pool keeps. */
export interface IPoolLimits {
  /** Memory of all things kept, in bytes. Those in use count, and are never given up. */
  readonly bytes: number;
  readonly items: number;
}

/**
 * Keeps things by key, the least recently used of them first to go.
 *
 * #### Notes
 * A thing in use is never disposed, whatever the limits say. Who asks for a thing that is being made waits for it: nothing is made
 * twice. What could not be made is not remembered.
 */
export class Pool<T extends IPooled> {
  constructor(private readonly _limits: IPoolLimits) {}

  /**
   * The thing of `key`: the one kept, the one being made, or what `make` makes.
   *
   * @param group - things of one group with another `version` are out of date: they are given up, those in use when they are given back.
   * @param make - is told progress and cancellation by the job it is given: that of all who wait. It is cancelled when the last of
   * them is.
   * @param job - of who asks. Its cancellation ends the waiting at once, whatever others do.
   *
   * @throws CastlensError `cancelled`, or what `make` throws, or disposing what is out of date: the same for all who wait.
   */
  async take(
    { key, group, version }: IPoolKey,
    make: (job: IJob) => Promise<T>,
    job: IJob = {}
  ): Promise<ILease<T>> {
    throwIfCancelled(job);
    // Nothing may come between looking and taking: another version could be asked for meanwhile.
    const room = disposeAll(this._outdate(group, version));
    // A failure leaves no lease behind: where there is something to dispose, nothing of the group is kept or being made.
    const [lease] = await Promise.all([this._take({ key, group, version }, make, job, room), room]);
    return lease;
  }

  /** Number of things kept or in use. */
  get size(): number {
    return this._entries.size;
  }

  /** Give up what is not in use. */
  async giveUpIdle(): Promise<void> {
    const idle = [...this._entries.values()].filter(({ holders }) => holders === 0);
    idle.forEach(({ key }) => this._entries.delete(key));
    await disposeAll(idle);
  }

  /** Give up everything: what is in use, or being made, when it is given back. */
  async clear(): Promise<void> {
    this._making.clear();
    const entries = [...this._entries.values()];
    this._entries.clear();
    await disposeAll(entries.filter(({ holders }) => holders === 0));
  }

  private _take(
    key: IPoolKey,
    make: (job: IJob) => Promise<T>,
    job: IJob,
    room: Promise<void>
  ): Promise<ILease<T>> {
    const kept = this._entries.get(key.key);
    if (kept) {
      return Promise.resolve(this._lease(kept, true));
    }
    const others = this._making.get(key.key);
    if (others) {
      return this._wait(others, job, true);
    }
    const making: IMaking<T> = {
      ...key,
      controller: new AbortController(),
      waiting: new Set()
    };
    this._making.set(key.key, making);
    const lease = this._wait(making, job, false);
    const shared: IJob = {
      signal: making.controller.signal,
      progress: progress => making.waiting.forEach(waiter => waiter.job.progress?.(progress))
    };
    room
      .then(() => make(shared))
      .then(
        item => this._made(making, item),
        (error: unknown) => {
          this._forget(making);
          making.waiting.forEach(waiter => waiter.reject(error));
        }
      );
    return lease;
  }

  private _wait(making: IMaking<T>, job: IJob, reused: boolean): Promise<ILease<T>> {
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        making.waiting.delete(waiter);
        reject(CastlensError.cancelled());
        if (making.waiting.size === 0) {
          // Who asks from now on does not get what is being cancelled.
          this._forget(making);
          making.controller.abort();
        }
      };
      const settled = (): void => job.signal?.removeEventListener('abort', stop);
      const waiter: IWaiter<T> = {
        job,
        resolve: entry => {
          settled();
          resolve(this._lease(entry, reused));
        },
        reject: error => {
          settled();
          reject(error);
        }
      };
      job.signal?.addEventListener('abort', stop);
      making.waiting.add(waiter);
    });
  }

  /** Keep what was made, unless it is out of date, and hand it to all who wait: in one go, so that none finds it given up. */
  private _made(making: IMaking<T>, item: T): void {
    const { key, group, version } = making;
    const entry: IEntry<T> = { item, key, group, version, holders: 0 };
    if (this._forget(making)) {
      this._entries.set(key, entry);
    }
    if (making.waiting.size === 0) {
      // Nobody is left who could be told of a failure.
      this._settle(entry).catch(() => undefined);
    }
    making.waiting.forEach(waiter => waiter.resolve(entry));
    making.waiting.clear();
  }

  /** Whether it was still wanted. */
  private _forget(making: IMaking<T>): boolean {
    return this._making.get(making.key) === making && this._making.delete(making.key);
  }

  private _lease(entry: IEntry<T>, reused: boolean): ILease<T> {
    entry.holders++;
    if (this._entries.get(entry.key) === entry) {
      // The map's order is that of use.
      this._entries.delete(entry.key);
      this._entries.set(entry.key, entry);
    }
    let released = false;
    return {
      item: entry.item,
      reused,
      release: async () => {
        if (!released) {
          released = true;
          entry.holders--;
          await this._settle(entry);
        }
      }
    };
  }

  private async _settle(entry: IEntry<T>): Promise<void> {
    if (entry.holders === 0 && this._entries.get(entry.key) !== entry) {
      await entry.item.dispose();
    }
    let bytes = 0;
    this._entries.forEach(({ item }) => (bytes += item.heldBytes));
    let items = this._entries.size;
    const given: IEntry<T>[] = [];
    for (const candidate of [...this._entries.values()]) {
      if (bytes <= this._limits.bytes && items <= this._limits.items) {
        break;
      }
      if (candidate.holders === 0) {
        this._entries.delete(candidate.key);
        bytes -= candidate.item.heldBytes;
        items--;
        given.push(candidate);
      }
    }
    await disposeAll(given);
  }

  /** Take what is out of date out of the pool; what is to be disposed of it. */
  private _outdate(group: string, version: string): IEntry<T>[] {
    const isOld = (one: IPoolKey): boolean => one.group === group && one.version !== version;
    [...this._making.values()].filter(isOld).forEach(making => this._forget(making));
    const old = [...this._entries.values()].filter(isOld);
    old.forEach(({ key }) => this._entries.delete(key));
    return old.filter(({ holders }) => holders === 0);
  }

  private readonly _entries = new Map<string, IEntry<T>>();
  private readonly _making = new Map<string, IMaking<T>>();
}

/** Tells things apart. */
export interface IPoolKey {
  readonly key: string;
  readonly group: string;
  readonly version: string;
}

interface IEntry<T> extends IPoolKey {
  readonly item: T;
  holders: number;
}

/** A thing that is being made. */
interface IMaking<T> extends IPoolKey {
  readonly controller: AbortController;
  /** Who waits for it. */
  readonly waiting: Set<IWaiter<T>>;
}

interface IWaiter<T> {
  readonly job: IJob;
  resolve(entry: IEntry<T>): void;
  reject(error: unknown): void;
}

/** Dispose one after the other, all of them whatever happens; then throw the first error. */
async function disposeAll<T extends IPooled>(entries: readonly IEntry<T>[]): Promise<void> {
  const errors: unknown[] = [];
  for (const { item } of entries) {
    await item.dispose().catch((error: unknown) => errors.push(error));
  }
  if (errors.length > 0) {
    throw errors[0];
  }
}
