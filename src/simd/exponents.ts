/**
 * The histogram of exponent fields.
 *
 * Two elements are counted at once: their exponents together are an index into a table of 65,536 counters, which halves the
 * scalar work, the only part that no vector instruction helps with. Two tables take turns, so that runs of equal elements do
 * not wait for the counter they have just stored. `addPairsTo` sums rows and columns of the pairs; few of them are in use, and rows
 * outside of the exponents seen are not visited.
 */

const BINS: i32 = 256;
const EVEN: usize = memory.data(256 * 256 * 4, 64);
const ODD: usize = memory.data(256 * 256 * 4, 64);

/** Exponents seen since the last `addPairsTo`. */
let lowest: i32 = BINS;
let highest: i32 = -1;

/** Count the exponents of eight float32 elements. Whoever does calls `boundPairs` before `addPairsTo`. */
export function countEight(first: v128, second: v128): void {
  // Byte offsets into a table, four in a vector.
  const columns = v128.and(i32x4.shr_u(first, 21), i32x4.splat(0xff << 2));
  const rows = v128.and(i32x4.shr_u(second, 13), i32x4.splat(0xff << 10));
  const offsets = v128.or(rows, columns);
  const low = i64x2.extract_lane(offsets, 0);
  const high = i64x2.extract_lane(offsets, 1);
  countPair(EVEN + <usize>(<u32>low));
  countPair(ODD + <usize>(low >>> 32));
  countPair(EVEN + <usize>(<u32>high));
  countPair(ODD + <usize>(high >>> 32));
}

function countPair(counter: usize): void {
  store<u32>(counter, load<u32>(counter) + 1);
}

/** Say between which magnitudes, as bits, the elements counted lie. */
export function boundPairs(smallest: i32, largest: i32): void {
  lowest = min(lowest, smallest >> 23);
  highest = max(highest, largest >> 23);
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
