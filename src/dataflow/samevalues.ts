/**
 * Values that stand for others.
 *
 * @packageDocumentation
 */
import type { IValue } from '../model';

/** By value the one it is; chains are followed to their end. */
export class SameValues {
  /** Number of values that are others. */
  get size(): number {
    return this._map.size;
  }

  /** Take note that `value` is `other`. */
  set(value: IValue, other: IValue): void {
    this._map.set(value, other);
  }

  /** What stands for `value`. Amortised constant. */
  resolve(value: IValue): IValue {
    let last = value;
    for (let next = this._map.get(last); next !== undefined; next = this._map.get(last)) {
      last = next;
    }
    for (let current = value; current !== last;) {
      const next = this._map.get(current)!;
      this._map.set(current, last);
      current = next;
    }
    return last;
  }

  private readonly _map = new Map<IValue, IValue>();
}
