/**
 * What a word that is none was meant to be.
 *
 * @packageDocumentation
 */

/** The known word that is written most alike, the first of several; null where none is. */
export function nearestOf(word: string, known: readonly string[]): string | null {
  let nearest: string | null = null;
  let least = Infinity;
  for (const candidate of known) {
    const distance = editsBetween(word.toLowerCase(), candidate.toLowerCase());
    // Further away a word says nothing of what was meant.
    const isAlike = 2 * distance <= Math.max(word.length, candidate.length);
    if (isAlike && distance < least) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

/** The fewest insertions, deletions and replacements of a character (Levenshtein); lengths multiply. Beyond 64 characters are not looked at. */
function editsBetween(word: string, other: string): number {
  const [from, to] = [word.slice(0, 64), other.slice(0, 64)];
  let above = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let k = 1; k <= to.length; k++) {
      const replaced = above[k - 1] + (from[i - 1] === to[k - 1] ? 0 : 1);
      row.push(Math.min(above[k] + 1, row[k - 1] + 1, replaced));
    }
    above = row;
  }
  return above[to.length];
}
