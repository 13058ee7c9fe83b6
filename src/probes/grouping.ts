/**
 * Items by what they have in common.
 *
 * @packageDocumentation
 */

/** The items of each key, in order, keys in the order they come up. `Map.groupBy` is not in every Node.js that castlens runs on. */
export function groupBy<T, K>(items: Iterable<T>, keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) {
      groups.set(key, [item]);
    } else {
      group.push(item);
    }
  }
  return groups;
}
