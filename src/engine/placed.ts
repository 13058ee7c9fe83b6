/**
 * What is known of values and nodes, by their places in a file.
 *
 * @packageDocumentation
 */

/** The same by places, of what has one. */
export function placed<K, T>(
  entries: ReadonlyMap<K, T>,
  places: ReadonlyMap<K, string>
): Map<string, T> {
  const found = new Map<string, T>();
  for (const [key, item] of entries) {
    const place = places.get(key);
    if (place !== undefined) {
      found.set(place, item);
    }
  }
  return found;
}
