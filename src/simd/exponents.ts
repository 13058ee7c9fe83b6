/**
 * The histogram of exponent fields.
 *
 * Two elements are counted at once: their exponents together are an index into a table of 65,536 counters, which halves the
 * scalar work, the only part that no vector instruction helps with. Two tables take turns, so that runs of equal elements do
 * not wait for the counter they have just stored. `addTo` sums rows and columns of the pairs; few of them are in use, and rows
 * outside of the exponents seen are not visited.
 */

const BINS: i32 = 256;
const EVEN: usize = memory.data(256 * 256 * 4, 64);
const ODD: usize = memory.data(256 * 256 * 4, 64);
/** Four pairs: byte offsets into a table. */
const OFFSETS: usize = memory.data(16, 16);

/** Exponents seen since the last `addTo`. */
let lowest: i32 = BINS;
let highest: i32 = -1;

/** Count the exponents of float32 elements; `count` is a multiple of 8, `smallest` and `largest` bound their magnitudes. */
export function countPairs(from: usize, count: i32, smallest: u32, largest: u32): void {
  lowest = min(lowest, <i32>(smallest >> 23));
  highest = max(highest, <i32>(largest >> 23));
  for (let end = from + 4 * <usize>count; from < end; from += 32) {
    const columns = v128.and(i32x4.shr_u(v128.load(from), 21), i32x4.splat(0xff << 2));
    const rows = v128.and(i32x4.shr_u(v128.load(from, 16), 13), i32x4.splat(0xff << 10));
    v128.store(OFFSETS, v128.or(rows, columns));
    countPair(EVEN + load<u32>(OFFSETS));
    countPair(ODD + load<u32>(OFFSETS, 4));
    countPair(EVEN + load<u32>(OFFSETS, 8));
    countPair(ODD + load<u32>(OFFSETS, 12));
  }
}

function countPair(counter: usize): void {
  store<u32>(counter, load<u32>(counter) + 1);
}

/** Add the pairs counted to a histogram of single elements and forget them. */
export function addPairsTo(histogram: usize): void {
  const first = 4 * (lowest & ~3);
  const end = 4 * (highest + 1);
  for (let row = lowest; row <= highest; row++) {
    let sums = i32x4.splat(0);
    const start = (<usize>row) << 10;
    for (let column = first; column < end; column += 16) {
      const even = EVEN + start + column;
      const odd = ODD + start + column;
      const pairs = i32x4.add(v128.load(even), v128.load(odd));
      v128.store(even, i32x4.splat(0));
      v128.store(odd, i32x4.splat(0));
      v128.store(histogram + column, i32x4.add(v128.load(histogram + column), pairs));
      sums = i32x4.add(sums, pairs);
    }
    const bin = histogram + 4 * row;
    const total =
      i32x4.extract_lane(sums, 0) +
      i32x4.extract_lane(sums, 1) +
      i32x4.extract_lane(sums, 2) +
      i32x4.extract_lane(sums, 3);
    store<u32>(bin, load<u32>(bin) + total);
  }
  lowest = BINS;
  highest = -1;
}
