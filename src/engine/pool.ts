/**
 * Things that are costly to make, kept for the next who asks while memory allows.
 *
 * @packageDocumentation
 */

/** What a pool keeps. */
export interface IPooled {
  /** Memory that it holds for itself, in bytes. */
  readonly heldBytes: number;
  dispose(): Promise<void>;
}

/** A pooled thing in use. */
export interface ILease<T> {
  readonly item: T;
  /** Whether it was there already. */
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
 * A thing in use is never disposed, whatever the limits say. Of two that are made for one key at the same time, one is kept.
 */
export class Pool<T extends IPooled> {
  constructor(private readonly _limits: IPoolLimits) {}

  /**
   * The thing of `key`: the one kept, or what `make` makes.
   *
   * @param group - things of one group with another `version` are out of date: they are given up, those in use when they are given back.
   */
  async take({ key, group, version }: IPoolKey, make: () => Promise<T>): Promise<ILease<T>> {
    await this._outdate(group, version);
    const kept = this._entries.get(key);
    if (kept) {
      return this._lease(kept, true);
    }
    const item = await make();
    const entry: IEntry<T> = { item, key, group, version, holders: 0 };
    if (!this._entries.has(key)) {
      this._entries.set(key, entry);
    }
    return this._lease(entry, false);
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

  /** Give up everything: what is in use when it is given back. */
  async clear(): Promise<void> {
    const entries = [...this._entries.values()];
    this._entries.clear();
    await disposeAll(entries.filter(({ holders }) => holders === 0));
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

  private async _outdate(group: string, version: string): Promise<void> {
    const old = [...this._entries.values()].filter(
      entry => entry.group === group && entry.version !== version
    );
    old.forEach(({ key }) => this._entries.delete(key));
    await disposeAll(old.filter(({ holders }) => holders === 0));
  }

  private readonly _entries = new Map<string, IEntry<T>>();
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

async function disposeAll<T extends IPooled>(entries: readonly IEntry<T>[]): Promise<void> {
  for (const { item } of entries) {
    await item.dispose();
  }
}
