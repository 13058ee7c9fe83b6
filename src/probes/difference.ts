/**
 * The difference of one value to its reference, reduced by the device.
 *
 * @packageDocumentation
 */
import type { IValue } from '../model';
import type { Emitter } from './emitter';

/**
 * How far a value is from its reference. Every figure is null where it is not defined.
 *
 * Elements whose reference is NaN or infinite are left out: there is nothing to be compared with. An element that is NaN or infinite
 * where its reference is a number is an infinite error.
 */
export interface IDifference {
  /** Largest |x - r|. Null where no reference is finite. */
  readonly maxAbsError: number | null;
  /** `maxAbsError` over the largest |r|. Null where every reference is zero. */
  readonly maxRelError: number | null;
  /** Largest |x - r| / |r| over the elements whose reference is not zero; null where there is none. */
  readonly maxElementRelError: number | null;
  /** Cosine of the angle between value and reference as vectors. Null where either is zero, or an error is infinite. */
  readonly cosine: number | null;
  /**
   * Signal-to-noise ratio in decibel, 10 log10(sum r^2 / sum (x - r)^2): infinite where all elements are the same, minus infinity
   * where an error is. Null where every reference is zero.
   */
  readonly snrDb: number | null;
}

/** What is summed up on the device. Partial ones of one value can be merged. */
export interface IDifferenceSums {
  /** Elements with finite reference that are not finite themselves, and those that are. */
  readonly lost: number;
  readonly compared: number;
  /** Largest |x - r|, |x - r| / |r| and |r|. */
  readonly error: number;
  readonly elementError: number;
  readonly scale: number;
  /** Sums of (x - r)^2, x^2, r^2 and x r. */
  readonly errors: number;
  readonly values: number;
  readonly references: number;
  readonly products: number;
}

const MAXIMA: readonly (keyof IDifferenceSums)[] = ['error', 'elementError', 'scale'];

const SUMS: readonly (keyof IDifferenceSums)[] = [
  'lost',
  'compared',
  'errors',
  'values',
  'references',
  'products'
];

/**
 * Append the comparison of two vectors of the same length.
 *
 * @returns a float64 vector for {@link readDifference}.
 */
export function emitDifference(
  emitter: Emitter,
  value: IValue,
  reference: IValue,
  chunk: number
): IValue {
  const zero = emitter.constant('float64', [1], [0]);
  const states = emitter.overChunks(
    [value, reference],
    chunk,
    [...MAXIMA, ...SUMS].map(() => zero),
    (body, [x, r], before) => {
      const found = step(body, body.plain(x), body.plain(r));
      const merge = (key: keyof IDifferenceSums, i: number, op: string): IValue =>
        body.op(op, [before[i], found[key]], 'float64', [1]);
      return [
        ...MAXIMA.map((key, i) => merge(key, i, 'Max')),
        ...SUMS.map((key, i) => merge(key, MAXIMA.length + i, 'Add'))
      ];
    }
  );
  return emitter.concat(states, 'float64');
}

function step(body: Emitter, x: IValue, r: IValue): Record<keyof IDifferenceSums, IValue> {
  const isFinite = (value: IValue): IValue =>
    body.compare('Less', body.map('Abs', value), Infinity);
  const count = (condition: IValue): IValue =>
    body.cast(body.reduce('ReduceSum', body.cast(condition, 'float32')), 'float64');
  const isReference = isFinite(r);
  const isBoth = body.map('And', isReference, isFinite(x));
  const compared = count(isBoth);
  const a = body.cast(body.where(isBoth, x, 0), 'float64');
  const b = body.cast(body.where(isBoth, r, 0), 'float64');
  const difference = body.map('Sub', a, b);
  const error = body.map('Abs', difference);
  const scale = body.map('Abs', b);
  const ratio = body.where(body.compare('Greater', scale, 0), body.map('Div', error, scale), 0);
  return {
    lost: body.op('Sub', [count(isReference), compared], 'float64', [1]),
    compared,
    error: body.reduce('ReduceMax', error),
    elementError: body.reduce('ReduceMax', ratio),
    scale: body.reduce('ReduceMax', scale),
    errors: body.reduce('ReduceSumSquare', difference),
    values: body.reduce('ReduceSumSquare', a),
    references: body.reduce('ReduceSumSquare', b),
    products: body.reduce('ReduceSum', body.map('Mul', a, b))
  };
}

/** What {@link emitDifference} computed. */
export function readDifference(figures: ArrayLike<number>): IDifferenceSums {
  const sums: Partial<Record<keyof IDifferenceSums, number>> = {};
  [...MAXIMA, ...SUMS].forEach((key, i) => (sums[key] = figures[i]));
  return sums as IDifferenceSums;
}

/** The sums over two parts of a value. */
export function mergeDifferences(a: IDifferenceSums, b: IDifferenceSums): IDifferenceSums {
  const merged: Partial<Record<keyof IDifferenceSums, number>> = {};
  MAXIMA.forEach(key => (merged[key] = Math.max(a[key], b[key])));
  SUMS.forEach(key => (merged[key] = a[key] + b[key]));
  return merged as IDifferenceSums;
}

/** The figures that the sums give. */
export function differenceOf(sums: IDifferenceSums): IDifference {
  const { lost, compared, error, elementError, scale, errors, values, references, products } = sums;
  const isLost = lost > 0;
  const hasScale = scale > 0;
  const length = Math.sqrt(values) * Math.sqrt(references);
  return {
    maxAbsError: isLost ? Infinity : compared > 0 ? error : null,
    maxRelError: isLost ? Infinity : hasScale ? error / scale : null,
    maxElementRelError: isLost ? Infinity : hasScale ? elementError : null,
    cosine: isLost || length === 0 ? null : Math.max(-1, Math.min(1, products / length)),
    snrDb: isLost
      ? -Infinity
      : !hasScale
        ? null
        : errors === 0
          ? Infinity
          : 10 * Math.log10(references / errors)
  };
}
