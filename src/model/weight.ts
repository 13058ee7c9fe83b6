/**
 * Weights: tensors stored in a file, as byte ranges.
 *
 * @packageDocumentation
 */
import type { DType } from './dtype';

/** A run of bytes in a file. */
export interface IByteRange {
  /** Absolute path. */
  readonly file: string;
  /** First byte, from the start of the file. */
  readonly offset: number;
  /** Number of bytes. */
  readonly length: number;
}

/**
 * Where the bytes of a weight come from.
 *
 * - `range`: bytes of a file, never read unless they must be cast, summarised or saved.
 * - `inline`: bytes held in memory. Only for constants that have no byte range of their own (typed protobuf fields).
 * - `derived`: the values of another weight, made contiguous and cast through `steps` in order; computed once when a
 *   variant is prepared. `steps` is empty where only the layout changes. `['bfloat16', 'float32']` is what a device without
 *   bfloat16 kernels holds for a weight of bfloat16.
 */
export type WeightData =
  | { readonly kind: 'range'; readonly range: IByteRange }
  | { readonly kind: 'inline'; readonly bytes: Uint8Array }
  | { readonly kind: 'derived'; readonly source: IWeight; readonly steps: readonly DType[] };

/** What the file says a weight is. */
export type WeightKind = 'parameter' | 'buffer' | 'constant' | 'initializer';

/** A tensor stored in the file: parameter, buffer, constant or initializer. */
export interface IWeight {
  /**
   * Identity of the storage, `file:offset:length` or `inline:name`. Tied weights have one storage and several names.
   * Derived weights append `->dtype`.
   */
  readonly storage: string;
  /** Fully qualified names, the one the graph uses first, aliases (other names of the same storage) after it. */
  readonly names: readonly string[];
  readonly kind: WeightKind;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Elements to step per dimension. */
  readonly strides: readonly number[];
  /** First element, in elements from the start of the storage. */
  readonly storageOffset: number;
  /** As recorded; null where the format does not say. */
  readonly requiresGrad: boolean | null;
  readonly data: WeightData;
  /** Whether a forward writes to it: what is computed from it differs from one forward to the next. */
  readonly isUpdated?: boolean;
}

/** Strides of a contiguous (row-major) tensor, in elements. */
export function contiguousStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= Math.max(shape[i], 1);
  }
  return strides;
}

/** Whether the elements lie in row-major order without gaps (strides of dimensions of size 0 or 1 do not matter). */
export function isContiguous(weight: Pick<IWeight, 'shape' | 'strides'>): boolean {
  if (weight.shape.some(size => size === 0)) {
    return true;
  }
  const strides = contiguousStrides(weight.shape);
  return weight.shape.every((size, i) => size === 1 || weight.strides[i] === strides[i]);
}
