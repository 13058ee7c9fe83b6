/**
 * Cursor positions: the protocol counts code points, JavaScript counts UTF-16 units.
 *
 * @packageDocumentation
 */

/** Index into `code` of a position in code points; positions beyond the end are the end. */
export function toIndex(code: string, codePoints: number): number {
  let index = 0;
  for (let i = 0; i < codePoints && index < code.length; i++) {
    index += code.codePointAt(index)! > 0xffff ? 2 : 1;
  }
  return index;
}

/** Position in code points of an index into `code`. */
export function toCodePoints(code: string, index: number): number {
  let count = 0;
  for (let i = 0; i < index && i < code.length; count++) {
    i += code.codePointAt(i)! > 0xffff ? 2 : 1;
  }
  return count;
}
