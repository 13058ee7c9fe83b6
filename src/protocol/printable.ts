/**
 * Text of files and users as it may be printed: names may hold anything, also what steers a terminal or reorders a line.
 *
 * @packageDocumentation
 */

/**
 * C0 and C1 controls with DEL; separators of lines and paragraphs; marks and overrides of the bidirectional algorithm (Unicode
 * Standard Annex 9, table 4), which show text in another order than it has; halves of surrogate pairs.
 */
const UNPRINTABLE =
  // eslint-disable-next-line no-control-regex
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]|\p{Surrogate}/gu;

/** The text with `\u001b` for characters that are not shown but acted on, line ends included. So JSON, Python and JavaScript read it. */
export function escapeControls(text: string): string {
  return text.replace(
    UNPRINTABLE,
    char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
  );
}

/** Text of several lines that are meant as such, each escaped. */
export function escapeLines(text: string): string {
  return text.split('\n').map(escapeControls).join('\n');
}

/** A copy of plain data in which every string, keys included, is escaped. */
export function printable<T>(data: T): T {
  return copy(data) as T;
}

function copy(data: unknown): unknown {
  if (typeof data === 'string') {
    return escapeControls(data);
  }
  if (Array.isArray(data)) {
    return data.map(copy);
  }
  if (typeof data === 'object' && data !== null && !ArrayBuffer.isView(data)) {
    return Object.fromEntries(
      Object.entries(data).map(([key, value]) => [escapeControls(key), copy(value)])
    );
  }
  return data;
}
