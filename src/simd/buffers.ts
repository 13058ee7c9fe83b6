/**
 * Where elements lie in the memory of the module.
 *
 * The host fills one buffer and asks for work on it; a cast goes from either buffer to the other.
 */

/** The most elements per call. A call's data stays in the second-level cache, so what is read from a file is used from there. */
export const CAPACITY: i32 = 32768;

/** Two buffers for CAPACITY elements of the widest type. */
const FIRST: usize = memory.data(32768 * 8, 64);
const SECOND: usize = memory.data(32768 * 8, 64);

/** Address of the first buffer. */
export function firstBuffer(): usize {
  return FIRST;
}

/** Address of the second buffer. */
export function secondBuffer(): usize {
  return SECOND;
}

/** The most elements per call, for the host. */
export function capacity(): i32 {
  return CAPACITY;
}
