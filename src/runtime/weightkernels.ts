/**
 * Casts and statistics on WebAssembly vectors: the other end of src/simd.
 *
 * @packageDocumentation
 */
import type { DType } from '../model';
import type { IStatsPart } from '../numerics';

/** What the module exports. Addresses and counts are int32. */
interface IExports {
  readonly memory: WebAssembly.Memory;
  capacity(): number;
  firstBuffer(): number;
  secondBuffer(): number;
  beginStats(): void;
  endStats(): number;
  scanFloat32(from: number, count: number): void;
  scanFloat16(from: number, count: number): void;
  scanBfloat16(from: number, count: number): void;
  scanFloat64(from: number, count: number): void;
  float32ToBfloat16(from: number, to: number, count: number): void;
  float32ToFloat16(from: number, to: number, count: number): void;
  float32ToFloat64(from: number, to: number, count: number): void;
  bfloat16ToFloat32(from: number, to: number, count: number): void;
  float16ToFloat32(from: number, to: number, count: number): void;
  float64ToFloat32(from: number, to: number, count: number): void;
}

/** Element types that the kernels read and write. */
export type KernelType = 'float64' | 'float32' | 'float16' | 'bfloat16';

const ITEM_SIZES: Readonly<Record<KernelType, number>> = {
  float64: 8,
  float32: 4,
  float16: 2,
  bfloat16: 2
};

/** Whether there are kernels for a type. */
export function hasKernels(dtype: DType): dtype is KernelType {
  return Object.hasOwn(ITEM_SIZES, dtype);
}

/**
 * One instance of the module, with memory of its own.
 *
 * #### Notes
 * Not re-entrant: the input, what `cast` returns, and statistics that were begun share that memory.
 */
export class WeightKernels {
  constructor(module: WebAssembly.Module) {
    this._exports = new WebAssembly.Instance(module).exports as unknown as IExports;
    this._buffers = [this._exports.firstBuffer(), this._exports.secondBuffer()];
  }

  /** Where elements of a type are put before `cast` or `scan`: as many as a call takes. */
  input(dtype: KernelType): Uint8Array {
    return this._view(0, this._exports.capacity(), dtype);
  }

  /**
   * Cast the first `count` elements of the input through types in order, as `castThrough` of src/numerics does.
   *
   * @returns a view, valid until the next call.
   */
  cast(count: number, from: KernelType, steps: readonly KernelType[]): Uint8Array {
    let at = 0;
    let dtype = from;
    const apply = (to: KernelType): void => {
      this._castOnce(at, count, dtype, to);
      at = 1 - at;
      dtype = to;
    };
    for (const step of steps) {
      if (step === dtype) {
        continue;
      }
      if (dtype !== 'float32' && step !== 'float32') {
        apply('float32');
      }
      apply(step);
    }
    return this._view(at, count, dtype);
  }

  /** Forget the statistics gathered. */
  beginStats(): void {
    this._exports.beginStats();
  }

  /** Summarise the first `count` elements of the input, after those before. */
  scan(count: number, dtype: KernelType): void {
    const [input] = this._buffers;
    switch (dtype) {
      case 'float64':
        return this._exports.scanFloat64(input, count);
      case 'float32':
        return this._exports.scanFloat32(input, count);
      case 'float16':
        return this._exports.scanFloat16(input, count);
      case 'bfloat16':
        return this._exports.scanBfloat16(input, count);
    }
  }

  /** The statistics since `beginStats`, as `TensorStats` of src/numerics would gather them. */
  endStats(): IStatsPart {
    const address = this._exports.endStats();
    const { buffer } = this._exports.memory;
    const numbers = new Float64Array(buffer, address, 14);
    const [count, finite, min, max, mean, squares, zeros, nan] = numbers;
    const [overflow16, subnormal16, vanish16] = numbers.subarray(8);
    const [overflowB16, subnormalB16, vanishB16] = numbers.subarray(11);
    const exponents = new Uint32Array(buffer, address + numbers.byteLength, 256).slice();
    return {
      ...{ count, finite, min, max, mean, squares, zeros, nan },
      ...{ overflow16, subnormal16, vanish16, overflowB16, subnormalB16, vanishB16 },
      exponents
    };
  }

  private _castOnce(at: number, count: number, from: KernelType, to: KernelType): void {
    const source = this._buffers[at];
    const target = this._buffers[1 - at];
    const kernels = this._exports;
    switch (to) {
      case 'bfloat16':
        return kernels.float32ToBfloat16(source, target, count);
      case 'float16':
        return kernels.float32ToFloat16(source, target, count);
      case 'float64':
        return kernels.float32ToFloat64(source, target, count);
      case 'float32':
        return from === 'float64'
          ? kernels.float64ToFloat32(source, target, count)
          : from === 'float16'
            ? kernels.float16ToFloat32(source, target, count)
            : kernels.bfloat16ToFloat32(source, target, count);
    }
  }

  private _view(buffer: number, count: number, dtype: KernelType): Uint8Array {
    const { memory } = this._exports;
    return new Uint8Array(memory.buffer, this._buffers[buffer], count * ITEM_SIZES[dtype]);
  }

  private readonly _exports: IExports;
  private readonly _buffers: readonly number[];
}
