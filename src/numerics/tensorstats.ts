/**
 * Statistics of one tensor, gathered in one pass over its elements.
 *
 * @packageDocumentation
 */
import type { DType } from '../model';
import { DTYPES } from '../model';
import { decodeFloat32, decodeFloat64 } from './cast';
import {
  BFLOAT16_NORMAL,
  BFLOAT16_OVERFLOW,
  BFLOAT16_VANISH,
  FLOAT16_NORMAL,
  FLOAT16_OVERFLOW,
  FLOAT16_VANISH,
  FLOAT32_INFINITY
} from './halffloat';
import { bytesOf, viewAs } from './tensor';

/** What becomes of finite elements in a narrower type; shares of all finite elements. */
export interface INarrowing {
  /** Rounded to infinity. */
  readonly overflow: number;
  /** Rounded to a subnormal number. */
  readonly subnormal: number;
  /** Not zero, but rounded to zero. */
  readonly vanish: number;
}

/** Statistics of a tensor. Those that speak of finite elements are null where there are none. */
export interface ITensorStats {
  /** Elements. */
  readonly count: number;
  /** Smallest and largest finite element. */
  readonly min: number | null;
  readonly max: number | null;
  /** Mean and population standard deviation of the finite elements. */
  readonly mean: number | null;
  readonly std: number | null;
  readonly zeros: number;
  readonly nan: number;
  readonly inf: number;
  /** Elements by exponent field of their float32 value: 256 bins, zeros and subnormals in 0, infinities and NaN in 255. */
  readonly exponents: Uint32Array;
  readonly float16: INarrowing | null;
  readonly bfloat16: INarrowing | null;
}

/** Whether statistics can be made of a type: real numbers, bools included. */
export function hasStats(dtype: DType): boolean {
  const { kind } = DTYPES[dtype];
  return kind !== 'complex' && kind !== 'string';
}

/** What is known of a part of a tensor, in a form that adds up. */
export interface IStatsPart {
  /** Elements. */
  readonly count: number;
  /** Finite elements, and their smallest (`Infinity` where there are none) and largest; zeros of either sign. */
  readonly finite: number;
  readonly min: number;
  readonly max: number;
  /** Mean of the finite elements, and the sum of their squared differences from it. */
  readonly mean: number;
  readonly squares: number;
  readonly zeros: number;
  readonly nan: number;
  /** Finite elements by what float16 and bfloat16 make of them, see INarrowing. */
  readonly overflow16: number;
  readonly subnormal16: number;
  readonly vanish16: number;
  readonly overflowB16: number;
  readonly subnormalB16: number;
  readonly vanishB16: number;
  /** Elements by exponent field, see ITensorStats. */
  readonly exponents: Uint32Array;
}

/**
 * Gathers statistics, element by element or part by part.
 *
 * #### Notes
 * Moments are summed in float64 over blocks that fit the first-level cache, around each block's own mean, and merged by
 * Chan's formula: no error grows with the number of elements. What float16 and bfloat16 would make of an element is decided on
 * the bits of its float32 value by the rounding rules, ties included, without rounding it. float64 and integers are rounded to
 * float32 first, as casts do.
 *
 * Counts, bounds and histogram do not depend on how a tensor is divided into parts, nor on their order. Mean and deviation do, in
 * their last digits: merge parts in the order of the tensor.
 */
export class TensorStats {
  constructor(readonly dtype: DType) {}

  /**
   * Take the next elements.
   *
   * @param bytes - whole elements.
   * @param count - how many of them, where packed elements leave a rest in the last byte.
   */
  add(bytes: Uint8Array, count = Infinity): void {
    const floats = decodeFloat32(bytes, this.dtype);
    // As stored: float32 holds the elements of narrower types exactly.
    const stored = isWide(this.dtype) ? decodeFloat64(bytes, this.dtype) : floats;
    const bits = viewAs(Uint32Array, bytesOf(floats));
    const length = Math.min(stored.length, count);
    for (let start = 0; start < length; start += BLOCK) {
      this._addBlock(stored, bits, start, Math.min(start + BLOCK, length));
    }
  }

  /** Take elements that were summarised elsewhere. */
  merge(part: IStatsPart): void {
    this._count += part.count;
    this._zeros += part.zeros;
    this._nan += part.nan;
    this._overflow16 += part.overflow16;
    this._subnormal16 += part.subnormal16;
    this._vanish16 += part.vanish16;
    this._overflowB16 += part.overflowB16;
    this._subnormalB16 += part.subnormalB16;
    this._vanishB16 += part.vanishB16;
    for (let bin = 0; bin < this._exponents.length; bin++) {
      this._exponents[bin] += part.exponents[bin];
    }
    this._min = Math.min(this._min, part.min);
    this._max = Math.max(this._max, part.max);
    this._mergeMoments(part.finite, part.mean, part.squares);
  }

  /** All elements so far, for another to merge. */
  part(): IStatsPart {
    return {
      count: this._count,
      finite: this._finite,
      min: this._min,
      max: this._max,
      mean: this._mean,
      squares: this._squares,
      zeros: this._zeros,
      nan: this._nan,
      overflow16: this._overflow16,
      subnormal16: this._subnormal16,
      vanish16: this._vanish16,
      overflowB16: this._overflowB16,
      subnormalB16: this._subnormalB16,
      vanishB16: this._vanishB16,
      exponents: this._exponents.slice()
    };
  }

  /** The statistics of all elements so far. */
  result(): ITensorStats {
    const finite = this._finite;
    const narrowing = (overflow: number, subnormal: number, vanish: number): INarrowing | null =>
      finite === 0
        ? null
        : { overflow: overflow / finite, subnormal: subnormal / finite, vanish: vanish / finite };
    return {
      count: this._count,
      min: finite === 0 ? null : this._min + 0,
      max: finite === 0 ? null : this._max + 0,
      mean: finite === 0 ? null : this._mean,
      std: finite === 0 ? null : Math.sqrt(this._squares / finite),
      zeros: this._zeros,
      nan: this._nan,
      inf: this._count - finite - this._nan,
      exponents: this._exponents.slice(),
      float16: narrowing(this._overflow16, this._subnormal16, this._vanish16),
      bfloat16: narrowing(this._overflowB16, this._subnormalB16, this._vanishB16)
    };
  }

  private _addBlock(
    stored: Float32Array | Float64Array,
    bits: Uint32Array,
    start: number,
    end: number
  ): void {
    const exponents = this._exponents;
    let finite = 0;
    let sum = 0;
    let min = this._min;
    let max = this._max;
    for (let i = start; i < end; i++) {
      const magnitude = bits[i] & 0x7fffffff;
      exponents[magnitude >>> 23]++;
      const element = stored[i];
      // False for NaN and infinities alone.
      if (element - element === 0) {
        finite++;
        sum += element;
        if (element < min) {
          min = element;
        }
        if (element > max) {
          max = element;
        }
        if (element === 0) {
          this._zeros++;
        } else if (magnitude < FLOAT16_NORMAL || magnitude >= FLOAT16_OVERFLOW) {
          this._addRare(magnitude);
        }
      } else if (magnitude > FLOAT32_INFINITY) {
        this._nan++;
      }
    }
    this._count += end - start;
    if (finite === 0) {
      return;
    }
    this._min = min;
    this._max = max;
    const mean = sum / finite;
    let squares = 0;
    for (let i = start; i < end; i++) {
      const difference = stored[i] - mean;
      if (difference - difference === 0) {
        squares += difference * difference;
      }
    }
    this._mergeMoments(finite, mean, squares);
  }

  /** Add the moments of other elements (Chan, Golub and LeVeque 1979). */
  private _mergeMoments(finite: number, mean: number, squares: number): void {
    if (finite === 0) {
      return;
    }
    const total = this._finite + finite;
    const shift = mean - this._mean;
    this._squares += squares + shift * shift * ((this._finite / total) * finite);
    this._mean += shift * (finite / total);
    this._finite = total;
  }

  /** A finite element, not zero, outside the normal range of float16. Every bfloat16 limit lies outside that range too. */
  private _addRare(magnitude: number): void {
    if (magnitude >= FLOAT16_OVERFLOW) {
      this._overflow16++;
      if (magnitude >= BFLOAT16_OVERFLOW) {
        this._overflowB16++;
      }
      return;
    }
    if (magnitude > FLOAT16_VANISH) {
      this._subnormal16++;
      return;
    }
    this._vanish16++;
    if (magnitude <= BFLOAT16_VANISH) {
      this._vanishB16++;
    } else if (magnitude < BFLOAT16_NORMAL) {
      this._subnormalB16++;
    }
  }

  private _count = 0;
  private _finite = 0;
  private _zeros = 0;
  private _nan = 0;
  private _min = Infinity;
  private _max = -Infinity;
  private _mean = 0;
  /** Sum of squared differences from the mean. */
  private _squares = 0;
  private _overflow16 = 0;
  private _subnormal16 = 0;
  private _vanish16 = 0;
  private _overflowB16 = 0;
  private _subnormalB16 = 0;
  private _vanishB16 = 0;
  private readonly _exponents = new Uint32Array(256);
}

/** Elements per block: 16 KiB of float32. */
const BLOCK = 4096;

/** Whether float32 does not hold all elements exactly. */
export function isWide(dtype: DType): boolean {
  const { kind, bits, precision } = DTYPES[dtype];
  return kind === 'float' ? precision! > 24 : bits > 24;
}
