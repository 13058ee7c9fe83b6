/**
 * The statistics of one value, reduced by the device.
 *
 * Same definitions as `TensorStats` of src/numerics, which is what tests compare with. Counts are exact: every one is the number of
 * elements beyond a limit, and the limits are those of the float32 bits that decide there.
 *
 * @packageDocumentation
 */
import { intAttr } from '../lowering';
import type { IValue } from '../model';
import { elementCount } from '../model';
import type { INarrowing, ITensorStats } from '../numerics';
import {
  BFLOAT16_NORMAL,
  BFLOAT16_OVERFLOW,
  BFLOAT16_VANISH,
  float32OfBits,
  FLOAT16_NORMAL,
  FLOAT16_OVERFLOW,
  FLOAT16_VANISH,
  FLOAT32_INFINITY
} from '../numerics';
import type { Emitter } from './emitter';
import { sizesOf } from './emitter';

/** Names of the three small results of a summary. */
export interface ISummaryPorts {
  /** int64: elements beyond each limit, then the table of exponents. */
  readonly counts: IValue;
  /** float64: min, max, smallest magnitude, finite elements, mean, sum of squared differences from the mean. */
  readonly figures: IValue;
  /** int64: sizes of the value. */
  readonly shape: IValue;
}

/** What the device found out about a value. */
export interface ISummary {
  readonly shape: readonly number[];
  readonly stats: ITensorStats;
  /** Smallest finite magnitude above zero; null where there is none. */
  readonly minMagnitude: number | null;
}

/** Magnitudes of the elements as stored are counted beyond each of these: not NaN, not zero, infinite. */
const STORED_LIMITS = [-1, 0, Number.MAX_VALUE];

/** Magnitudes of the float32 values are counted beyond each of these. */
const ROUNDED_LIMITS = [
  BFLOAT16_VANISH,
  BFLOAT16_NORMAL - 1,
  FLOAT16_VANISH,
  FLOAT16_NORMAL - 1,
  FLOAT16_OVERFLOW - 1,
  BFLOAT16_OVERFLOW - 1
].map(float32OfBits);

/** Exponents are told in two digits of this base. */
const DIGITS = 16;

/** Magnitudes beyond limit `i` have an exponent field above `16 i`: the first digit of the field, less one, is at least `i`. */
const HIGH_LIMITS = Array.from({ length: DIGITS }, (_, i) =>
  float32OfBits(((DIGITS * i + 1) << 23) - 1)
);

/** By the number of first digits reached: the power of two that leaves the second digit as exponent. Zero reaches none. */
const SCALES = [1, ...Array.from({ length: DIGITS }, (_, i) => 2 ** (126 - DIGITS * i))];

/** Scaled magnitudes beyond limit `j` have a second digit of at least `j`. */
const LOW_LIMITS = Array.from({ length: DIGITS }, (_, j) => float32OfBits(((127 + j) << 23) - 1));

/**
 * Append the statistics of a value.
 *
 * @param chunk - elements taken at a time: what the probe needs beside the value is in proportion to it.
 *
 * #### Notes
 * Moments are summed in float64 around each chunk's own mean and merged by Chan's formula. The exponent is found by comparing
 * with powers of two and scaling by them, both exact; a product of the two tables of digits counts the pairs of digits, exactly
 * as long as a chunk has at most 2^24 elements. So no step depends on how a device computes logarithms.
 */
export function emitSummary(emitter: Emitter, value: IValue, chunk: number): ISummaryPorts {
  const double = (x: number): IValue => emitter.constant('float64', [1], [x]);
  const counted = STORED_LIMITS.length + ROUNDED_LIMITS.length + DIGITS * DIGITS;
  const [counts, ...figures] = emitter.overChunks(
    [emitter.flat(value)],
    chunk,
    [
      emitter.constant('int64', [counted], new Array<number>(counted).fill(0)),
      double(Infinity),
      double(-Infinity),
      double(Infinity),
      ...[0, 0, 0].map(double)
    ],
    step
  );
  return {
    shape: emitter.op('Shape', [value], 'int64', null),
    counts,
    figures: emitter.concat(figures, 'float64')
  };
}

function step(body: Emitter, [elements]: IValue[], states: IValue[]): IValue[] {
  const [counts, min, max, least, finiteBefore, meanBefore, squaresBefore] = states;
  const chunk = sizesOf(elements);
  const double = (x: number): IValue => body.constant('float64', [1], [x]);
  const one = (op: string, a: IValue, b: IValue): IValue => body.op(op, [a, b], 'float64', [1]);
  const stored = body.cast(elements, 'float64');
  const magnitude = body.op('Abs', [stored], 'float64', chunk);
  const rounded = body.op('Abs', [body.cast(elements, 'float32')], 'float32', chunk);

  const beyond = [
    countBeyond(body, magnitude, STORED_LIMITS),
    countBeyond(body, rounded, ROUNDED_LIMITS),
    countDigits(body, rounded)
  ];
  const counted = body.cast(body.concat(beyond, 'float32'), 'int64');

  // False for NaN and infinities alone.
  const isFinite = body.op('Less', [magnitude, double(Infinity)], 'bool', chunk);
  const where = (condition: IValue, then: IValue, otherwise: number): IValue =>
    body.op('Where', [condition, then, double(otherwise)], 'float64', chunk);
  const isAny = body.op('Greater', [magnitude, double(0)], 'bool', chunk);
  const smallest = body.reduce('ReduceMin', where(isFinite, stored, Infinity));
  const largest = body.reduce('ReduceMax', where(isFinite, stored, -Infinity));
  const nearest = body.reduce('ReduceMin', where(isAny, magnitude, Infinity));

  const finite = body.reduce('ReduceSum', body.cast(isFinite, 'float64'));
  const sum = body.reduce('ReduceSum', where(isFinite, stored, 0));
  const mean = one('Div', sum, one('Max', finite, double(1)));
  const difference = body.op('Sub', [stored, mean], 'float64', chunk);
  const squares = body.reduce('ReduceSumSquare', where(isFinite, difference, 0));
  const total = one('Add', finiteBefore, finite);
  const share = one('Div', finite, one('Max', total, double(1)));
  const shift = one('Sub', mean, meanBefore);
  const between = one('Mul', one('Mul', shift, shift), one('Mul', share, finiteBefore));
  return [
    body.op('Add', [counts, counted], 'int64', sizesOf(counts)),
    one('Min', min, smallest),
    one('Max', max, largest),
    one('Min', least, nearest),
    total,
    one('Add', meanBefore, one('Mul', shift, share)),
    one('Add', squaresBefore, one('Add', squares, between))
  ];
}

/** How many magnitudes lie beyond each limit. NaN lies beyond none. */
function countBeyond(body: Emitter, magnitude: IValue, limits: readonly number[]): IValue {
  return body.sumAlong(flagsBeyond(body, magnitude, limits), 1);
}

/** A row per limit, 1 where the magnitude lies beyond it. */
function flagsBeyond(body: Emitter, magnitude: IValue, limits: readonly number[]): IValue {
  const shape = [limits.length, ...sizesOf(magnitude)];
  const column = body.constant(magnitude.dtype!, [limits.length, 1], limits);
  return body.cast(body.op('Greater', [magnitude, column], 'bool', shape), 'float32');
}

/** A table by digits `i` and `j`: magnitudes whose first digit is at least `i` and whose second is at least `j`. */
function countDigits(body: Emitter, magnitude: IValue): IValue {
  const chunk = sizesOf(magnitude);
  const high = flagsBeyond(body, magnitude, HIGH_LIMITS);
  const reached = body.cast(body.sumAlong(high, 0), 'int32');
  const scales = body.constant('float32', [SCALES.length], SCALES);
  const scale = body.op('Gather', [scales, reached], 'float32', chunk);
  const scaled = body.op('Mul', [magnitude, scale], 'float32', chunk);
  const low = flagsBeyond(body, scaled, LOW_LIMITS);
  const table = body.op('Gemm', [high, low], 'float32', [DIGITS, DIGITS], { transB: intAttr(1) });
  const flat = body.constant('int64', [1], [DIGITS * DIGITS]);
  return body.op('Reshape', [table, flat], 'float32', [DIGITS * DIGITS]);
}

/** Statistics from the results of a summary. */
export function readSummary(
  shape: readonly number[],
  counts: readonly number[],
  figures: readonly number[]
): ISummary {
  const count = elementCount(shape);
  const [numbers, nonZero, inf] = counts;
  const [vanishB16, normalB16, vanish16, normal16, overflow16, overflowB16] = counts.slice(
    STORED_LIMITS.length
  );
  const [min, max, minMagnitude, finite, mean, squares] = figures;
  const narrowing = (overflow: number, normal: number, vanish: number): INarrowing | null =>
    finite === 0
      ? null
      : {
          overflow: (overflow - inf) / finite,
          subnormal: (vanish - normal) / finite,
          vanish: (nonZero - vanish) / finite
        };
  return {
    shape,
    minMagnitude: Number.isFinite(minMagnitude) ? minMagnitude : null,
    stats: {
      count,
      min: finite === 0 ? null : min + 0,
      max: finite === 0 ? null : max + 0,
      mean: finite === 0 ? null : mean,
      std: finite === 0 ? null : Math.sqrt(squares / finite),
      zeros: numbers - nonZero,
      nan: count - numbers,
      inf,
      exponents: exponentsOf(
        counts.slice(STORED_LIMITS.length + ROUNDED_LIMITS.length),
        count,
        numbers
      ),
      float16: narrowing(overflow16, normal16, vanish16),
      bfloat16: narrowing(overflowB16, normalB16, vanishB16)
    }
  };
}

/**
 * The histogram from the table of digits.
 *
 * @param table - see `countDigits`.
 * @param numbers - elements that are not NaN.
 */
function exponentsOf(table: readonly number[], count: number, numbers: number): Uint32Array {
  const atLeast = (i: number, j: number): number =>
    i < DIGITS && j < DIGITS ? table[i * DIGITS + j] : 0;
  const exponents = new Uint32Array(256);
  exponents[0] = numbers - atLeast(0, 0);
  for (let i = 0; i < DIGITS; i++) {
    for (let j = 0; j < DIGITS; j++) {
      // Infinity goes through the scaling as it is: it reaches both digits, and with them field 256, which no number has.
      const field = Math.min(DIGITS * i + j + 1, INFINITE_FIELD);
      exponents[field] +=
        atLeast(i, j) - atLeast(i + 1, j) - (atLeast(i, j + 1) - atLeast(i + 1, j + 1));
    }
  }
  exponents[INFINITE_FIELD] += count - numbers;
  return exponents;
}

/** Exponent field of infinities and NaN. */
const INFINITE_FIELD = FLOAT32_INFINITY >>> 23;
