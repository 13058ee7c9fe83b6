/**
 * Names that are used once.
 *
 * @packageDocumentation
 */

/** Hands out names, changing those that are taken already. */
export class UniqueNames {
  /**
   * @param taken - names that are taken already.
   * @param first - the first number to append.
   */
  constructor(
    taken: Iterable<string> = [],
    private readonly _first = 2
  ) {
    this._taken = new Set(taken);
  }

  /** Whether a name is taken. */
  has(name: string): boolean {
    return this._taken.has(name);
  }

  /** Note that a name is taken. */
  add(name: string): void {
    this._taken.add(name);
  }

  /**
   * `wanted` itself, or with `_2`, `_3`, ... appended where it is taken. It is taken from then on.
   *
   * #### Complexity
   * Constant on average, also where one name is wanted many times.
   */
  take(wanted: string): string {
    // Sets are large: one look-up for names that are free.
    const before = this._taken.size;
    if (this._taken.add(wanted).size > before) {
      return wanted;
    }
    let next = this._next.get(wanted) ?? this._first;
    let name: string;
    do {
      name = `${wanted}_${next++}`;
    } while (this._taken.has(name));
    this._next.set(wanted, next);
    this._taken.add(name);
    return name;
  }

  /** The first of `stem_0`, `stem_1`, ... that is free, from the one that was given out last. It is taken from then on. */
  takeNumbered(stem: string): string {
    let next = this._numbered.get(stem) ?? 0;
    let name: string;
    do {
      name = `${stem}_${next++}`;
    } while (this._taken.has(name));
    this._numbered.set(stem, next);
    this._taken.add(name);
    return name;
  }

  private readonly _taken: Set<string>;
  /** The number to try next, by stem. */
  private readonly _numbered = new Map<string, number>();
  /** The number to try next, of names that were taken when they were wanted. */
  private readonly _next = new Map<string, number>();
}
