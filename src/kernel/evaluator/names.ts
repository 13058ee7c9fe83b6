/**
 * Finding names in code around a cursor, without a parser: a chain of identifiers is enough for completion and help.
 *
 * @packageDocumentation
 */

/** A chain that ends at a cursor: `a.b?.pre` has the object `a.b` and the prefix `pre`. */
export interface IChain {
  /** Expression left of the last dot; null where the name stands alone. */
  readonly object: string | null;
  readonly prefix: string;
  /** Index of the first character of the prefix. */
  readonly start: number;
}

/** The chain that ends at `cursor`. */
export function chainBefore(code: string, cursor: number): IChain {
  const before = code.slice(0, cursor);
  const prefix = PREFIX.exec(before)![0];
  const start = cursor - prefix.length;
  const object = OBJECT.exec(before.slice(0, start));
  return { object: object ? object[1] : null, prefix, start };
}

/** The name the cursor is in, or the function whose call it has just entered; null where there is none. */
export function nameAt(code: string, cursor: number): string | null {
  const rest = /^[\p{ID_Continue}$]*/u.exec(code.slice(cursor))![0];
  for (const end of [cursor + rest.length, code.slice(0, cursor).replace(/\s*\($/, '').length]) {
    const { object, prefix } = chainBefore(code, end);
    if (prefix !== '' && !/^\d/.test(prefix)) {
      return object === null ? prefix : `${object}.${prefix}`;
    }
  }
  return null;
}

const IDENTIFIER = '[\\p{ID_Start}$_][\\p{ID_Continue}$]*';
const STEP = `(?:\\??\\.${IDENTIFIER}|\\[\\d+\\])`;
const PREFIX = /[\p{ID_Continue}$]*$/u;
/** Not preceded by what would make it part of something longer: a call's result, a string, a number. */
const OBJECT = new RegExp(`(?<![\\p{ID_Continue}$.)\\]'"\`])(${IDENTIFIER}${STEP}*)\\??\\.$`, 'u');
