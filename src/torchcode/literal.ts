/**
 * Text of a model in Python source: as a literal, or in a comment.
 *
 * #### Notes
 * Names come from files that anybody may have written. Whatever they hold, they end neither the literal nor the comment, and
 * show no other text than Python reads: control characters, line and paragraph separators, bidirectional marks and lone
 * surrogates are written as escapes.
 *
 * @packageDocumentation
 */

/** A Python string literal with this value. */
export function pythonString(text: string): string {
  return `"${escapeUnseen(text.replace(/[\\"]/g, '\\$&'))}"`;
}

/** One line of a Python comment, without the `#`. Escapes are for the reader: a backslash stays as it is. */
export function commentText(text: string): string {
  return escapeUnseen(text);
}

/** Everything but letters, marks, digits, punctuation, symbols and plain spaces as Python escapes. */
function escapeUnseen(text: string): string {
  return text.replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, character => {
    const code = character.codePointAt(0)!;
    const hex = (digits: number): string => code.toString(16).padStart(digits, '0');
    return code < 0x100 ? `\\x${hex(2)}` : code < 0x10000 ? `\\u${hex(4)}` : `\\U${hex(8)}`;
  });
}
