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

  /**
   * `wanted` itself, or with `_2`, `_3`, ... appended where it is taken.
   *
   * #### Complexity
   * Constant on average, also where one name is wanted many times.
   */
  take(wanted: string): string {
    if (!this._taken.has(wanted)) {
      this._taken.add(wanted);
      return wanted;
    }
    let count = this._counts.get(wanted) ?? this._first - 1;
    let name: string;
    do {
      count++;
      name = `${wanted}_${count}`;
    } while (this._taken.has(name));
    this._counts.set(wanted, count);
    this._taken.add(name);
    return name;
  }

  private readonly _taken: Set<string>;
  private readonly _counts = new Map<string, number>();
}
