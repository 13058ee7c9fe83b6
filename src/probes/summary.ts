/**
 * The statistics of one value, reduced by the device.
 *
 * Same definitions as `TensorStats` of src/numerics, which is what tests compare with. Counts are exact: elements are compared with
 * the limits of the float32 bits that decide there.
 *
 * @packageDocumentation
 */
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
import type { Emitter, Reduction } from './emitter';
import { sizesOf } from './emitter';

/** Names of the three small results of a summary. */
export interface ISummaryPorts {
  /** int64: elements beyond each limit, then those of each exponent. */
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

/** Magnitudes of the elements as stored are counted beyond each of these: not NaN, not zero. */
const STORED_LIMITS = [-1, 0];

/** Magnitudes of the float32 values are counted beyond each of these; the last one leaves infinities. */
const ROUNDED_LIMITS = [
  BFLOAT16_VANISH,
  BFLOAT16_NORMAL - 1,
  FLOAT16_VANISH,
  FLOAT16_NORMAL - 1,
  FLOAT16_OVERFLOW - 1,
  BFLOAT16_OVERFLOW - 1,
  FLOAT32_INFINITY - 1
].map(float32OfBits);

/** Exponent field of infinities and NaN. */
const INFINITE_FIELD = FLOAT32_INFINITY >>> 23;

/** Exponent fields. */
const FIELDS = INFINITE_FIELD + 1;

/** Added to the exponent of a normal number it gives the field. */
const BIAS = 127;

/** The largest magnitude whose field is 0. */
const LARGEST_SUBNORMAL = float32OfBits((1 << 23) - 1);

/**
 * Append the statistics of a value.
 *
 * @param chunk - elements taken at a time, at most 2^24: what the probe needs beside the value is in proportion to it.
 *
 * #### Notes
 * Moments are summed in float64 around each chunk's own mean and merged by Chan's formula. All else is comparing and counting in
 * float32, in float64 where float32 does not hold the elements.
 */
export function emitSummary(emitter: Emitter, value: IValue, chunk: number): ISummaryPorts {
  const double = (x: number): IValue => emitter.constant('float64', [1], [x]);
  const counted = STORED_LIMITS.length + ROUNDED_LIMITS.length + FIELDS;
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
  const double = (x: number): IValue => body.constant('float64', [1], [x]);
  const one = (op: string, a: IValue, b: IValue): IValue => body.op(op, [a, b], 'float64', [1]);
  const stored = body.plain(elements);
  const magnitude = body.map('Abs', stored);
  const rounded =
    stored.dtype === 'float32' ? magnitude : body.map('Abs', body.cast(elements, 'float32'));

  const beyond = [
    countBeyond(body, magnitude, STORED_LIMITS),
    countBeyond(body, rounded, ROUNDED_LIMITS),
    countFields(body, rounded)
  ];
  const counted = body.cast(body.concat(beyond, 'float32'), 'int64');

  // False for NaN and infinities alone.
  const isFinite = body.compare('Less', magnitude, Infinity);
  const isAny = body.compare('Greater', magnitude, 0);
  const extreme = (op: Reduction, condition: IValue, of: IValue, none: number): IValue =>
    body.cast(body.reduce(op, body.where(condition, of, none)), 'float64');
  const smallest = extreme('ReduceMin', isFinite, stored, Infinity);
  const largest = extreme('ReduceMax', isFinite, stored, -Infinity);
  const nearest = extreme('ReduceMin', isAny, magnitude, Infinity);

  const finite = body.cast(body.reduce('ReduceSum', body.cast(isFinite, 'float32')), 'float64');
  const exact = body.cast(body.where(isFinite, stored, 0), 'float64');
  const mean = one('Div', body.reduce('ReduceSum', exact), one('Max', finite, double(1)));
  const difference = body.map('Sub', exact, mean);
  const squares = body.reduce('ReduceSumSquare', body.where(isFinite, difference, 0));
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
  const shape = [limits.length, ...sizesOf(magnitude)];
  const column = body.constant(magnitude.dtype!, [limits.length, 1], limits);
  const isBeyond = body.op('Greater', [magnitude, column], 'bool', shape);
  return body.sumRows(body.cast(isBeyond, 'float32'));
}

/**
 * How many float32 magnitudes are normal numbers with each exponent field.
 *
 * #### Notes
 * The power of two below a magnitude is exact: it comes from products and a difference in float64, rounded to nearest (Rump, Ogita
 * and Oishi, "Accurate floating-point summation part I", 2008, algorithm 3.5). Only that power's logarithm is taken, and rounded to
 * a whole number: no device's logarithm is that far off.
 */
function countFields(body: Emitter, magnitude: IValue): IValue {
  const isNormal = body.map(
    'And',
    body.compare('Greater', magnitude, LARGEST_SUBNORMAL),
    body.compare('Less', magnitude, Infinity)
  );
  const exact = body.cast(body.where(isNormal, magnitude, 1), 'float64');
  const shifted = body.map('Mul', exact, body.constant('float64', [1], [2 ** 52 + 1]));
  const rest = body.map('Mul', shifted, body.constant('float64', [1], [1 - 2 ** -53]));
  const power = body.cast(body.map('Sub', shifted, rest), 'float32');
  const scaled = body.map(
    'Mul',
    body.map('Log', power),
    body.constant('float32', [1], [Math.LOG2E])
  );
  // Casts to integers cut off.
  const field = body.map('Add', scaled, body.constant('float32', [1], [BIAS + 0.5]));
  return body.tally(field, isNormal, FIELDS);
}

/** Statistics from the results of a summary. */
export function readSummary(
  shape: readonly number[],
  counts: readonly number[],
  figures: readonly number[]
): ISummary {
  const count = elementCount(shape);
  const [numbers, nonZero] = counts;
  const [vanishB16, normalB16, vanish16, normal16, overflow16, overflowB16, infinite] =
    counts.slice(STORED_LIMITS.length);
  const [min, max, minMagnitude, finite, mean, squares] = figures;
  const inf = numbers - finite;
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
        count - numbers + infinite
      ),
      float16: narrowing(overflow16, normal16, vanish16),
      bfloat16: narrowing(overflowB16, normalB16, vanishB16)
    }
  };
}

/**
 * The histogram.
 *
 * @param normal - normal numbers by field.
 * @param infinite - elements that are NaN or infinite in float32. All others are zero or subnormal.
 */
function exponentsOf(normal: readonly number[], count: number, infinite: number): Uint32Array {
  const exponents = Uint32Array.from(normal);
  exponents[0] = count - infinite - normal.reduce((sum, some) => sum + some, 0);
  exponents[INFINITE_FIELD] = infinite;
  return exponents;
}
