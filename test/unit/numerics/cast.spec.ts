/**
 * @jest-environment ./test/support/ortenvironment.cjs
 */
import * as ort from 'onnxruntime-node';

import type { DType } from '../../../src/model';
import { CastlensError } from '../../../src/model';
import {
  bytesOf,
  canCast,
  castBytes,
  castThrough,
  decodeFloat64,
  elementsOf,
  uniform
} from '../../../src/numerics';
import { castModel } from './castmodel';

// As castlens sets it: the first session of the process decides.
ort.env.logLevel = 'fatal';

const LOW = ['float16', 'bfloat16'] as const;

/** Value of a pattern, from the definition of the format alone. */
function valueOf(bits: number, type: (typeof LOW)[number]): number {
  const [fractionBits, bias] = type === 'float16' ? [10, 15] : [7, 127];
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits & 0x7fff) >> fractionBits;
  const fraction = (bits & ((1 << fractionBits) - 1)) / 2 ** fractionBits;
  if (exponent === 2 * bias + 1) {
    return fraction === 0 ? sign * Infinity : NaN;
  }
  return exponent === 0
    ? sign * fraction * 2 ** (1 - bias)
    : sign * (1 + fraction) * 2 ** (exponent - bias);
}

function cast(values: Float32Array | Float64Array, to: DType): ReturnType<typeof elementsOf> {
  const from = values instanceof Float64Array ? 'float64' : 'float32';
  return elementsOf(to, castBytes(bytesOf(values), from, to));
}

const allPatterns = Uint16Array.from({ length: 65536 }, (_, i) => i);

describe('castBytes', () => {
  describe.each(LOW)('%s', type => {
    const values = Float64Array.from(allPatterns, bits => valueOf(bits, type));

    it('widens every pattern exactly', () => {
      for (const to of ['float32', 'float64'] as const) {
        const wide = elementsOf(to, castBytes(bytesOf(allPatterns), type, to)) as Float64Array;
        const wrong = allPatterns.filter(bits => !Object.is(wide[bits], values[bits]));
        expect(Array.from(wrong)).toEqual([]);
      }
    });

    it('gives every pattern back', () => {
      for (const via of ['float32', 'float64'] as const) {
        const back = elementsOf(type, castThrough(bytesOf(allPatterns), type, [via, type]));
        const wrong = allPatterns.filter(
          bits => !Number.isNaN(values[bits]) && back[bits] !== bits
        );
        expect(Array.from(wrong)).toEqual([]);
      }
    });

    it('rounds ties to even and their neighbours to nearest, at every halfway point', () => {
      const inputs: number[] = [];
      const expected: number[] = [];
      const step = new Float32Array(1);
      const stepBits = new Uint32Array(step.buffer);
      const next = (value: number, by: number): number => {
        step[0] = value;
        stepBits[0] += by;
        return step[0];
      };
      const maxFinite = type === 'float16' ? 0x7bff : 0x7f7f;
      for (let bits = 0; bits <= maxFinite; bits++) {
        // Beyond the largest finite pattern lies infinity, half a step up.
        const upper = bits === maxFinite ? 2 * values[bits] - values[bits - 1] : values[bits + 1];
        const tie = (values[bits] + upper) / 2;
        for (const sign of [1, -1]) {
          const flag = sign < 0 ? 0x8000 : 0;
          inputs.push(sign * tie, sign * next(tie, -1), sign * next(tie, 1));
          expected.push(flag | (bits + (bits & 1)), flag | bits, flag | (bits + 1));
        }
      }
      const got = cast(Float32Array.from(inputs), type);
      expect(inputs.filter((_, i) => got[i] !== expected[i])).toEqual([]);
    });

    it('keeps infinities, signed zeros and NaN, and flushes nothing else', () => {
      const got = cast(new Float32Array([Infinity, -Infinity, 0, -0, NaN, 1e-45, -1e-45]), type);
      const infinity = type === 'float16' ? 0x7c00 : 0x7f80;
      expect(Array.from(got.subarray(0, 4), Number)).toEqual([
        infinity,
        infinity | 0x8000,
        0,
        0x8000
      ]);
      expect(valueOf(Number(got[4]), type)).toBeNaN();
      expect(Array.from(got.subarray(5), Number)).toEqual([0, 0x8000]);
    });

    it('agrees with onnxruntime on random and edge bit patterns', async () => {
      const random = uniform(7);
      const bits = new Uint32Array(200_000);
      for (let i = 0; i < bits.length; i++) {
        bits[i] = random() * 2 ** 32;
      }
      // Magnitudes around the range of the type, where random patterns are rare.
      for (let i = 0; i < 60_000; i++) {
        const exponent =
          type === 'float16' ? 100 + Math.floor(random() * 45) : Math.floor(random() * 4);
        const sign = random() < 0.5 ? 0 : 0x80000000;
        bits[i] = (sign | (exponent << 23) | (random() * 0x800000)) >>> 0;
      }
      const edges = [0, 1, 0x7fff, 0x8000, 0x8001, 0x7f7fff, 0x7f8000, 0x7fffff, 0x800000];
      edges.push(0x33000000, 0x33000001, 0x387fdfff, 0x387fe000, 0x477fefff, 0x477ff000);
      edges.push(0x7f7f7fff, 0x7f7f8000, 0x7f7fffff, 0x7f800000);
      edges.forEach((edge, i) => {
        bits[60_000 + 2 * i] = edge;
        bits[60_001 + 2 * i] = (edge | 0x80000000) >>> 0;
      });
      const floats = new Float32Array(bits.buffer);
      const session = await ort.InferenceSession.create(castModel('float32', [type, 'float32']), {
        graphOptimizationLevel: 'disabled'
      });
      const result = await session.run({ x: new ort.Tensor('float32', floats, [bits.length]) });
      const expected = result.y.data as Float32Array;
      const ours = elementsOf(
        'float32',
        castThrough(bytesOf(floats), 'float32', [type, 'float32'])
      );
      const wrong = Array.from(bits).filter((_, i) => !Object.is(ours[i], expected[i]));
      expect(wrong.map(pattern => pattern.toString(16))).toEqual([]);
      await session.release();
    });
  });

  it('takes float64 to the low types through float32, as onnxruntime does', async () => {
    // Just above a tie of bfloat16, but not in float32.
    const values = new Float64Array([
      1 + 2 ** -8 + 2 ** -40,
      65519.9999999,
      1e300,
      2 ** -25 + 2 ** -60
    ]);
    for (const type of LOW) {
      const session = await ort.InferenceSession.create(castModel('float64', [type, 'float32']), {
        graphOptimizationLevel: 'disabled'
      });
      const result = await session.run({ x: new ort.Tensor('float64', values, [values.length]) });
      const ours = elementsOf(
        'float32',
        castThrough(bytesOf(values), 'float64', [type, 'float32'])
      );
      expect(Array.from(ours, Number)).toEqual(Array.from(result.y.data as Float32Array));
      await session.release();
    }
  });

  it('rounds 64-bit integers to float32 once', () => {
    // To float64 first, this would round to the tie and then down.
    const source = new BigInt64Array([
      2n ** 60n + 2n ** 36n + 1n,
      -(2n ** 60n) - 2n ** 36n - 1n,
      5n
    ]);
    const result = elementsOf('float32', castBytes(bytesOf(source), 'int64', 'float32'));
    expect(Array.from(result, Number)).toEqual([2 ** 60 + 2 ** 37, -(2 ** 60) - 2 ** 37, 5]);
  });

  it('casts between integers, bools and floats', () => {
    const floats = new Float32Array([1.9, -1.9, 0, 255]);
    expect(Array.from(cast(floats, 'int64') as BigInt64Array)).toEqual([1n, -1n, 0n, 255n]);
    expect(Array.from(cast(floats, 'int8'), Number)).toEqual([1, -1, 0, -1]);
    expect(Array.from(cast(floats, 'bool'), Number)).toEqual([1, 1, 0, 1]);
    const wide = new BigInt64Array([-1n, 300n]);
    expect(Array.from(castBytes(bytesOf(wide), 'int64', 'uint8'))).toEqual([255, 44]);
    expect(Array.from(castBytes(bytesOf(wide), 'int64', 'bool'))).toEqual([1, 1]);
  });

  it('reads the 8-bit floats and packed 4-bit integers', () => {
    const e4m3 = decodeFloat64(new Uint8Array([0x38, 0x7e, 0x7f, 0x01, 0xb8]), 'float8_e4m3fn');
    expect(Array.from(e4m3)).toEqual([1, 448, NaN, 2 ** -9, -1]);
    const e5m2 = decodeFloat64(new Uint8Array([0x3c, 0x7b, 0x7c, 0x7d, 0x01]), 'float8_e5m2');
    expect(Array.from(e5m2)).toEqual([1, 57344, Infinity, NaN, 2 ** -16]);
    expect(decodeFloat64(new Uint8Array([0x80]), 'float8_e4m3fnuz')[0]).toBeNaN();
    expect(decodeFloat64(new Uint8Array([0x7f]), 'float8_e4m3fnuz')[0]).toBe(240);
    expect(decodeFloat64(new Uint8Array([127]), 'float8_e8m0fnu')[0]).toBe(1);
    expect(Array.from(decodeFloat64(new Uint8Array([0x8f]), 'int4'))).toEqual([-1, -8]);
  });

  it('reads bytes at any alignment', () => {
    const bytes = new Uint8Array(9);
    bytes.set(bytesOf(new Float32Array([1, -2])), 1);
    const result = castBytes(bytes.subarray(1), 'float32', 'bfloat16');
    expect(Array.from(elementsOf('bfloat16', result), Number)).toEqual([0x3f80, 0xc000]);
  });

  it('refuses what it cannot do', () => {
    expect(canCast('complex64', 'float32')).toBe(false);
    expect(canCast('float32', 'float8_e4m3fn')).toBe(false);
    expect(() => castBytes(new Uint8Array(8), 'complex64', 'float32')).toThrow(CastlensError);
  });
});
