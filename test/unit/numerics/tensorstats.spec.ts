import type { DType } from '../../../src/model';
import type { ITensorStats } from '../../../src/numerics';
import { bytesOf, castBytes, elementsOf, hasStats, TensorStats } from '../../../src/numerics';

function statsOf(dtype: DType, bytes: Uint8Array, chunkBytes = bytes.length): ITensorStats {
  const stats = new TensorStats(dtype);
  for (let start = 0; start < bytes.length; start += chunkBytes) {
    stats.add(bytes.subarray(start, start + chunkBytes));
  }
  return stats.result();
}

const floats = (values: number[]): Uint8Array => bytesOf(new Float32Array(values));

/** Shares by really rounding every element. */
function narrowingByCasting(bits: Uint32Array, type: 'float16' | 'bfloat16'): object {
  const values = new Float32Array(bits.buffer);
  const cast = elementsOf(type, castBytes(bytesOf(values), 'float32', type));
  const [infinity, smallestNormal] = type === 'float16' ? [0x7c00, 0x400] : [0x7f80, 0x80];
  let finite = 0;
  let overflow = 0;
  let subnormal = 0;
  let vanish = 0;
  values.forEach((value, i) => {
    if (Number.isFinite(value)) {
      const magnitude = Number(cast[i]) & 0x7fff;
      finite++;
      overflow += magnitude === infinity ? 1 : 0;
      subnormal += magnitude > 0 && magnitude < smallestNormal ? 1 : 0;
      vanish += magnitude === 0 && value !== 0 ? 1 : 0;
    }
  });
  return {
    overflow: overflow / finite,
    subnormal: subnormal / finite,
    vanish: vanish / finite
  };
}

describe('TensorStats', () => {
  it('leaves NaN and infinities out of the moments', () => {
    const { count, min, max, mean, std, zeros, nan, inf } = statsOf(
      'float32',
      floats([1, NaN, -3, Infinity, 0, -0, -Infinity, 6])
    );
    expect({ count, min, max, mean, zeros, nan, inf }).toEqual({
      count: 8,
      min: -3,
      max: 6,
      mean: 0.8,
      zeros: 2,
      nan: 1,
      inf: 2
    });
    expect(std).toBeCloseTo(Math.sqrt((1 + 9 + 36) / 5 - 0.64), 14);
  });

  it('has nothing to say of tensors without finite elements', () => {
    for (const bytes of [new Uint8Array(0), floats([NaN, Infinity])]) {
      const stats = statsOf('float32', bytes);
      expect(stats).toMatchObject({ min: null, max: null, mean: null, std: null });
      expect(stats).toMatchObject({ float16: null, bfloat16: null });
    }
  });

  it('keeps its precision far from zero and over many chunks', () => {
    const values = Array.from({ length: 300_000 }, (_, i) => 10_000 + (i % 2 === 0 ? 0.5 : -0.5));
    const { mean, std } = statsOf('float32', floats(values), 40_000);
    expect(mean).toBeCloseTo(10_000, 9);
    expect(std).toBeCloseTo(0.5, 9);
  });

  it('gives the same for every chunking', () => {
    const values = Array.from({ length: 20_000 }, (_, i) => Math.sin(i) * 2 ** ((i % 60) - 30));
    const whole = statsOf('float32', floats(values));
    const parts = statsOf('float32', floats(values), 1000);
    expect({ ...parts, mean: 0, std: 0 }).toEqual({ ...whole, mean: 0, std: 0 });
    expect(parts.mean! / whole.mean!).toBeCloseTo(1, 10);
    expect(parts.std! / whole.std!).toBeCloseTo(1, 12);
  });

  it.each(['float16', 'bfloat16'] as const)('counts what rounding to %s would do', type => {
    const bits: number[] = [];
    // Every exponent with significands around every tie that matters, both signs.
    const fractions = [0, 1, 2, 0xfff, 0x1000, 0x7fff, 0x8000, 0x8001, 0x400000];
    for (const fraction of [...fractions, 0x7edfff, 0x7fdfff, 0x7fe000, 0x7fe001, 0x7fefff]) {
      for (let exponent = 0; exponent < 256; exponent++) {
        bits.push((exponent << 23) | fraction, ((exponent << 23) | fraction | (1 << 31)) >>> 0);
      }
    }
    for (let i = -300; i < 300; i++) {
      for (const edge of [0x33000000, 0x387fe000, 0x477ff000, 0x7f7f8000, 0x8000, 0x7f8000]) {
        bits.push(edge + i);
      }
    }
    const array = Uint32Array.from(bits);
    const stats = statsOf('float32', bytesOf(array));
    expect(stats[type]).toEqual(narrowingByCasting(array, type));
  });

  it('bins exponents of float32 values', () => {
    const { exponents } = statsOf('float32', floats([0, 1e-40, 1, -1.99, 2, 0.5, Infinity, NaN]));
    expect(Array.from(exponents).flatMap((n, bin) => (n > 0 ? [[bin, n]] : []))).toEqual([
      [0, 2],
      [126, 1],
      [127, 2],
      [128, 1],
      [255, 2]
    ]);
    expect(exponents).toHaveLength(256);
  });

  it('takes float64 as stored, and its float32 value for what depends on bits', () => {
    const values = new Float64Array([1e300, 1e-300, 1 + 2 ** -40, -Infinity]);
    const stats = statsOf('float64', bytesOf(values));
    expect(stats).toMatchObject({ count: 4, zeros: 0, inf: 1, min: 1e-300, max: 1e300 });
    expect(stats.exponents[255]).toBe(2);
    expect(stats.bfloat16).toEqual({ overflow: 1 / 3, subnormal: 0, vanish: 1 / 3 });
  });

  it.each(['float16', 'bfloat16'] as const)('reads %s', type => {
    const bytes = castBytes(floats([1, -2, 0, NaN, 2 ** -24, Infinity]), 'float32', type);
    expect(statsOf(type, bytes)).toMatchObject({ min: -2, max: 1, zeros: 1, nan: 1, inf: 1 });
  });

  it('reads integers and bools', () => {
    const integers = new BigInt64Array([70_000n, -5n, 0n, 2n ** 40n]);
    expect(statsOf('int64', bytesOf(integers))).toMatchObject({
      count: 4,
      min: -5,
      max: 2 ** 40,
      zeros: 1,
      float16: { overflow: 0.5, subnormal: 0, vanish: 0 }
    });
    expect(statsOf('bool', new Uint8Array([1, 0, 0, 1]))).toMatchObject({
      mean: 0.5,
      std: 0.5,
      zeros: 2
    });
    const packed = new TensorStats('int4');
    packed.add(new Uint8Array([0x21, 0x0f]), 3);
    expect(packed.result()).toMatchObject({ count: 3, min: -1, max: 2, zeros: 0 });
  });

  it('says which types it cannot read', () => {
    expect(hasStats('complex64')).toBe(false);
    expect(hasStats('bool')).toBe(true);
  });
});
