/**
 * Help texts of the functions that cells are given.
 *
 * @packageDocumentation
 */

/** Text by function or object, as inspection shows it. */
export const documentation = new WeakMap<object, string>();
