/**
 * Statistics of one chunk, block by block.
 *
 * The definition is that of src/numerics/tensorstats.ts, which the tests compare with. A block is a few thousand elements in the
 * first-level cache. One pass gathers what every block has; what is rare is counted in passes of its own, and only in blocks whose
 * bounds say that there may be any. Moments are in float64, per block, merged by Chan's formula.
 */
import { bfloat16ToFloat32, float16ToFloat32, float64ToFloat32 } from './casts';
import { addPairsTo, boundPairs, countEight } from './exponents';

/** Elements per block: 16 KiB of float32. */
const BLOCK: i32 = 4096;
const WIDENED: usize = memory.data(4096 * 4, 64);

/** What the host reads: 14 float64 in the order of IStatsPart, then the histogram. */
const RESULT: usize = memory.data(14 * 8 + 256 * 4, 64);
const HISTOGRAM: usize = RESULT + 14 * 8;

// Limits as bits of float32 magnitudes: see src/numerics/halffloat.ts.
const FLOAT16_OVERFLOW: i32 = 0x477ff000;
const FLOAT16_VANISH: i32 = 0x33000000;
const FLOAT16_NORMAL: i32 = 0x387fe000;
const BFLOAT16_OVERFLOW: i32 = 0x7f7f8000;
const BFLOAT16_VANISH: i32 = 0x00008000;
const BFLOAT16_NORMAL: i32 = 0x007f8000;

/** Squares around zero are good enough where they are at most this many times those around the mean: four bits are lost. */
const MAX_CANCELLATION: f64 = 16;

/** Elements so far, and those that are finite, as counts of 53 bits. */
let count: f64 = 0;
let finite: f64 = 0;
let smallest: f64 = Infinity;
let largest: f64 = -Infinity;
let mean: f64 = 0;
/** Sum of squared differences from the mean. */
let squares: f64 = 0;
let zeros: f64 = 0;
let nan: f64 = 0;
// Elements whose float32 magnitude is on one side of a limit; zeros, infinities and NaN included.
let belowNormal16: f64 = 0;
let atMostVanish16: f64 = 0;
let atLeastOverflow16: f64 = 0;
let belowNormalB16: f64 = 0;
let atMostVanishB16: f64 = 0;
let atLeastOverflowB16: f64 = 0;

/** Begin a chunk. */
export function beginStats(): void {
  count = 0;
  finite = 0;
  smallest = Infinity;
  largest = -Infinity;
  mean = 0;
  squares = 0;
  zeros = 0;
  nan = 0;
  belowNormal16 = 0;
  atMostVanish16 = 0;
  atLeastOverflow16 = 0;
  belowNormalB16 = 0;
  atMostVanishB16 = 0;
  atLeastOverflowB16 = 0;
  memory.fill(HISTOGRAM, 0, 256 * 4);
}

/** End a chunk; returns the address of the result. */
export function endStats(): usize {
  addPairsTo(HISTOGRAM);
  const infinite = count - finite;
  store<f64>(RESULT, count);
  store<f64>(RESULT, finite, 8);
  store<f64>(RESULT, smallest, 16);
  store<f64>(RESULT, largest, 24);
  store<f64>(RESULT, mean, 32);
  store<f64>(RESULT, squares, 40);
  store<f64>(RESULT, zeros, 48);
  store<f64>(RESULT, nan, 56);
  // Only the stored element tells a float64 beyond the range of float32 from an infinity, or one below it from zero.
  store<f64>(RESULT, atLeastOverflow16 - infinite, 64);
  store<f64>(RESULT, belowNormal16 - atMostVanish16, 72);
  store<f64>(RESULT, atMostVanish16 - zeros, 80);
  store<f64>(RESULT, atLeastOverflowB16 - infinite, 88);
  store<f64>(RESULT, belowNormalB16 - atMostVanishB16, 96);
  store<f64>(RESULT, atMostVanishB16 - zeros, 104);
  return RESULT;
}

/** Take float32 elements. */
export function scanFloat32(from: usize, length: i32): void {
  for (let start = 0; start < length; start += BLOCK) {
    const block = from + 4 * <usize>start;
    addBlock<f32>(block, block, min(BLOCK, length - start));
  }
}

/** Take float16 elements. */
export function scanFloat16(from: usize, length: i32): void {
  for (let start = 0; start < length; start += BLOCK) {
    const size = min(BLOCK, length - start);
    float16ToFloat32(from + 2 * <usize>start, WIDENED, size);
    addBlock<f32>(WIDENED, WIDENED, size);
  }
}

/** Take bfloat16 elements. */
export function scanBfloat16(from: usize, length: i32): void {
  for (let start = 0; start < length; start += BLOCK) {
    const size = min(BLOCK, length - start);
    bfloat16ToFloat32(from + 2 * <usize>start, WIDENED, size);
    addBlock<f32>(WIDENED, WIDENED, size);
  }
}

/** Take float64 elements. */
export function scanFloat64(from: usize, length: i32): void {
  for (let start = 0; start < length; start += BLOCK) {
    const block = from + 8 * <usize>start;
    const size = min(BLOCK, length - start);
    float64ToFloat32(block, WIDENED, size);
    addBlock<f64>(block, WIDENED, size);
  }
}

/**
 * Take a block: `stored` are its elements, `floats` the same elements rounded to float32.
 *
 * One pass finds bounds and exponents, and sums elements and squares: the scalar work of the one fills the gaps that the other leaves
 * between its vectors. Elements that are not finite, or too large to be squared, show in the sum of squares; then, and where the mean
 * is so far from zero that their difference would lose digits, the block is summed once more around its mean.
 */
function addBlock<T extends number>(stored: usize, floats: usize, size: i32): void {
  const signless = i32x4.splat(0x7fffffff);
  const limit = i32x4.splat(FLOAT16_NORMAL);
  let least = signless;
  let most = i32x4.splat(0);
  let below = i32x4.splat(0);
  let low = v128.splat<T>(<T>Infinity);
  let high = v128.splat<T>(<T>-Infinity);
  let sums0 = f64x2.splat(0);
  let sums1 = sums0;
  let powers0 = sums0;
  let powers1 = sums0;
  let at = stored;
  let bits = floats;
  for (let end = floats + 4 * <usize>(size & ~7); bits < end; bits += 32, at += 8 * sizeof<T>()) {
    const left = v128.load(bits);
    const right = v128.load(bits, 16);
    countEight(left, right);
    const first = v128.and(left, signless);
    const second = v128.and(right, signless);
    least = i32x4.min_s(least, i32x4.min_s(first, second));
    most = i32x4.max_s(most, i32x4.max_s(first, second));
    below = i32x4.sub(below, i32x4.lt_s(first, limit));
    below = i32x4.sub(below, i32x4.lt_s(second, limit));

    const a = loadPair<T>(at);
    const b = loadPair<T>(at + 2 * sizeof<T>());
    const c = loadPair<T>(at + 4 * sizeof<T>());
    const d = loadPair<T>(at + 6 * sizeof<T>());
    if (sizeof<T>() === 4) {
      low = f32x4.pmin(low, f32x4.pmin(left, right));
      high = f32x4.pmax(high, f32x4.pmax(left, right));
    } else {
      low = f64x2.pmin(low, f64x2.pmin(f64x2.pmin(a, b), f64x2.pmin(c, d)));
      high = f64x2.pmax(high, f64x2.pmax(f64x2.pmax(a, b), f64x2.pmax(c, d)));
    }
    sums0 = f64x2.add(sums0, a);
    sums1 = f64x2.add(sums1, b);
    powers0 = f64x2.add(powers0, f64x2.mul(a, a));
    powers1 = f64x2.add(powers1, f64x2.mul(b, b));
    sums0 = f64x2.add(sums0, c);
    sums1 = f64x2.add(sums1, d);
    powers0 = f64x2.add(powers0, f64x2.mul(c, c));
    powers1 = f64x2.add(powers1, f64x2.mul(d, d));
  }
  least = i32x4.min_s(least, v128.shuffle<i64>(least, least, 1, 0));
  most = i32x4.max_s(most, v128.shuffle<i64>(most, most, 1, 0));
  let smallestBits = min(i32x4.extract_lane(least, 0), i32x4.extract_lane(least, 1));
  let largestBits = max(i32x4.extract_lane(most, 0), i32x4.extract_lane(most, 1));
  if (size >= 8) {
    boundPairs(smallestBits, largestBits);
  }
  if (sizeof<T>() === 4) {
    low = f32x4.pmin(low, v128.shuffle<i64>(low, low, 1, 0));
    high = f32x4.pmax(high, v128.shuffle<i64>(high, high, 1, 0));
  }
  let lowest = <f64>min(v128.extract_lane<T>(low, 0), v128.extract_lane<T>(low, 1));
  let highest = <f64>max(v128.extract_lane<T>(high, 0), v128.extract_lane<T>(high, 1));
  let sum = sumOfPair(f64x2.add(sums0, sums1));
  let power = sumOfPair(f64x2.add(powers0, powers1));
  let belowNormal = sumOfLanes(below);
  for (let end = floats + 4 * <usize>size; bits < end; bits += 4, at += sizeof<T>()) {
    const magnitude = load<i32>(bits) & 0x7fffffff;
    const bin = HISTOGRAM + 4 * <usize>(magnitude >> 23);
    store<u32>(bin, load<u32>(bin) + 1);
    smallestBits = min(smallestBits, magnitude);
    largestBits = max(largestBits, magnitude);
    belowNormal += i32(magnitude < FLOAT16_NORMAL);
    const element = <f64>load<T>(at);
    lowest = min(lowest, element);
    highest = max(highest, element);
    sum += element;
    power += element * element;
  }

  count += size;
  belowNormal16 += belowNormal;
  addRare<T>(stored, floats, size, smallestBits, largestBits);
  if (!(power < Infinity)) {
    addFiniteMoments<T>(stored, size);
    return;
  }
  const middle = sum / size;
  let spread = power - sum * middle;
  if (power > MAX_CANCELLATION * spread) {
    spread = squaresAround<T>(middle, stored, size);
  }
  merge(size, lowest, highest, middle, spread);
}

/** Count what few blocks have, where the bounds of their magnitudes say that there may be some. */
function addRare<T extends number>(
  stored: usize,
  floats: usize,
  size: i32,
  smallestBits: i32,
  largestBits: i32
): void {
  if (smallestBits <= FLOAT16_VANISH) {
    atMostVanish16 += countBelow(floats, size, FLOAT16_VANISH + 1);
    if (smallestBits < BFLOAT16_NORMAL) {
      belowNormalB16 += countBelow(floats, size, BFLOAT16_NORMAL);
      atMostVanishB16 += countBelow(floats, size, BFLOAT16_VANISH + 1);
      zeros += countZeros<T>(stored, size);
    }
  }
  if (largestBits >= FLOAT16_OVERFLOW) {
    atLeastOverflow16 += size - countBelow(floats, size, FLOAT16_OVERFLOW);
    atLeastOverflowB16 += size - countBelow(floats, size, BFLOAT16_OVERFLOW);
  }
}

/** Elements whose magnitude, as bits, is below a limit. */
function countBelow(floats: usize, size: i32, limit: i32): i32 {
  const limits = i32x4.splat(limit);
  const signless = i32x4.splat(0x7fffffff);
  let sums = i32x4.splat(0);
  let at = floats;
  for (let end = floats + 4 * <usize>(size & ~3); at < end; at += 16) {
    sums = i32x4.sub(sums, i32x4.lt_s(v128.and(v128.load(at), signless), limits));
  }
  let result = sumOfLanes(sums);
  for (let end = floats + 4 * <usize>size; at < end; at += 4) {
    result += i32((load<i32>(at) & 0x7fffffff) < limit);
  }
  return result;
}

/** Elements equal to zero. */
function countZeros<T extends number>(stored: usize, size: i32): i32 {
  const zero = v128.splat<T>(<T>0);
  const step = 16 / <i32>sizeof<T>();
  let result = 0;
  let at = stored;
  for (let end = stored + sizeof<T>() * <usize>(size & ~(step - 1)); at < end; at += 16) {
    const equal = v128.eq<T>(v128.load(at), zero);
    result += popcnt(sizeof<T>() === 4 ? i32x4.bitmask(equal) : i64x2.bitmask(equal));
  }
  for (let end = stored + sizeof<T>() * <usize>size; at < end; at += sizeof<T>()) {
    result += i32(load<T>(at) === <T>0);
  }
  return result;
}

function sumOfLanes(lanes: v128): i32 {
  return (
    i32x4.extract_lane(lanes, 0) +
    i32x4.extract_lane(lanes, 1) +
    i32x4.extract_lane(lanes, 2) +
    i32x4.extract_lane(lanes, 3)
  );
}

/** Sum of squared differences of finite elements from their mean. */
function squaresAround<T extends number>(middle: f64, stored: usize, size: i32): f64 {
  const middles = f64x2.splat(middle);
  let sums0 = f64x2.splat(0);
  let sums1 = f64x2.splat(0);
  let at = stored;
  for (let end = stored + sizeof<T>() * <usize>(size & ~3); at < end; at += 4 * sizeof<T>()) {
    const first = f64x2.sub(loadPair<T>(at), middles);
    const second = f64x2.sub(loadPair<T>(at + 2 * sizeof<T>()), middles);
    sums0 = f64x2.add(sums0, f64x2.mul(first, first));
    sums1 = f64x2.add(sums1, f64x2.mul(second, second));
  }
  let sum = sumOfPair(f64x2.add(sums0, sums1));
  for (let end = stored + sizeof<T>() * <usize>size; at < end; at += sizeof<T>()) {
    const difference = <f64>load<T>(at) - middle;
    sum += difference * difference;
  }
  return sum;
}

/** The moments of a block that holds elements that are not finite, or too large for their squares to be; in two scalar passes. */
function addFiniteMoments<T extends number>(stored: usize, size: i32): void {
  const end = stored + sizeof<T>() * <usize>size;
  let lowest: f64 = Infinity;
  let highest: f64 = -Infinity;
  let sum: f64 = 0;
  let number = 0;
  for (let at = stored; at < end; at += sizeof<T>()) {
    const element = <f64>load<T>(at);
    if (isFinite<f64>(element)) {
      number++;
      sum += element;
      lowest = min(lowest, element);
      highest = max(highest, element);
    } else {
      nan += <f64>i32(isNaN<f64>(element));
    }
  }
  if (number === 0) {
    return;
  }
  const middle = sum / number;
  let spread: f64 = 0;
  for (let at = stored; at < end; at += sizeof<T>()) {
    const element = <f64>load<T>(at);
    if (isFinite<f64>(element)) {
      const difference = element - middle;
      spread += difference * difference;
    }
  }
  merge(number, lowest, highest, middle, spread);
}

/** Add the moments of a block (Chan, Golub and LeVeque 1979). */
function merge(number: f64, lowest: f64, highest: f64, middle: f64, spread: f64): void {
  const total = finite + number;
  const shift = middle - mean;
  squares += spread + shift * shift * ((finite / total) * number);
  mean += shift * (number / total);
  finite = total;
  smallest = min(smallest, lowest);
  largest = max(largest, highest);
}

function sumOfPair(lanes: v128): f64 {
  return f64x2.extract_lane(lanes, 0) + f64x2.extract_lane(lanes, 1);
}

/** Two elements as float64. */
function loadPair<T extends number>(at: usize): v128 {
  return sizeof<T>() === 4 ? f64x2.promote_low_f32x4(v128.load64_zero(at)) : v128.load(at);
}
