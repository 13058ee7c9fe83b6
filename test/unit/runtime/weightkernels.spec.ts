import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';

import { DTYPES } from '../../../src/model';
import type { IStatsPart } from '../../../src/numerics';
import { bytesOf, castThrough, elementsOf, TensorStats, uniform } from '../../../src/numerics';
import type { KernelType } from '../../../src/runtime/weightkernels';
import { hasKernels, WeightKernels } from '../../../src/runtime/weightkernels';
import kernelBytes from '../../../src/simd/index?wasm';

const kernels = new WeightKernels(new WebAssembly.Module(kernelBytes));
const TYPES: readonly KernelType[] = ['float64', 'float32', 'float16', 'bfloat16'];

/** The bytes of elements, call by call. */
function* calls(dtype: KernelType, bytes: Uint8Array): Generator<number> {
  const input = kernels.input(dtype);
  for (let start = 0; start < bytes.length; start += input.length) {
    const piece = bytes.subarray(start, start + input.length);
    input.set(piece);
    yield (piece.length * 8) / DTYPES[dtype].bits;
  }
}

function cast(bytes: Uint8Array, from: KernelType, steps: readonly KernelType[]): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (const count of calls(from, bytes)) {
    pieces.push(kernels.cast(count, from, steps).slice());
  }
  return Buffer.concat(pieces);
}

function scan(bytes: Uint8Array, dtype: KernelType): IStatsPart {
  kernels.beginStats();
  for (const count of calls(dtype, bytes)) {
    kernels.scan(count, dtype);
  }
  return kernels.endStats();
}

function plainScan(bytes: Uint8Array, dtype: KernelType): IStatsPart {
  const stats = new TensorStats(dtype);
  stats.add(bytes);
  return stats.part();
}

/** Mean and sum of squared differences of the finite elements, summed with twice the digits (Neumaier 1974). */
function preciseMoments(bytes: Uint8Array, dtype: KernelType): { mean: number; squares: number } {
  const elements = elementsOf('float64', castThrough(bytes, dtype, ['float64'])) as Float64Array;
  const finite = elements.filter(Number.isFinite);
  const sum = (term: (element: number) => number): number => {
    let high = 0;
    let low = 0;
    for (const element of finite) {
      const value = term(element);
      const next = high + value;
      low += Math.abs(high) >= Math.abs(value) ? high - next + value : value - next + high;
      high = next;
    }
    return high + low;
  };
  const mean = sum(element => element) / finite.length;
  return { mean, squares: sum(element => (element - mean) ** 2) };
}

/** Indices where two arrays differ, NaN being equal to NaN whatever its bits. */
function differences(dtype: KernelType, left: Uint8Array, right: Uint8Array): number[] {
  expect(left).toHaveLength(right.length);
  const wide = (bytes: Uint8Array): Float64Array =>
    elementsOf('float64', castThrough(new Uint8Array(bytes), dtype, ['float64'])) as Float64Array;
  const [a, b] = [wide(left), wide(right)];
  const wrong: number[] = [];
  a.forEach((element, i) => {
    if (!Object.is(element, b[i])) {
      wrong.push(i);
    }
  });
  return wrong;
}

/** float32 patterns around every rounding boundary of a type, both signs: results, ties, and the neighbours of both. */
function boundaries(type: 'float16' | 'bfloat16'): Uint32Array {
  const patterns: number[] = [];
  const half = Uint16Array.from({ length: 0x8000 }, (_, i) => i);
  const values = elementsOf('float64', castThrough(bytesOf(half), type, ['float64']));
  const float = new Float32Array(1);
  const bits = new Uint32Array(float.buffer);
  for (let i = 0; i < half.length; i++) {
    const value = Number(values[i]);
    // The tie above the largest number lies as far from it as the one below.
    const upper = Number.isFinite(values[i + 1])
      ? Number(values[i + 1])
      : 2 * value - Number(values[i - 1]);
    for (const point of [value, (value + upper) / 2]) {
      float[0] = point;
      for (const by of [-1, 0, 1]) {
        patterns.push((bits[0] + by) >>> 0, (bits[0] + by + 0x80000000) >>> 0);
      }
    }
  }
  return Uint32Array.from(patterns);
}

describe('WeightKernels', () => {
  it('knows its types', () => {
    expect(TYPES.every(hasKernels)).toBe(true);
    expect(hasKernels('int8')).toBe(false);
    expect(hasKernels('float8_e5m2')).toBe(false);
  });

  it('is the same module whenever it is compiled', () => {
    const folder = mkdtempSync(join(tmpdir(), 'castlens-test-'));
    try {
      const out = join(folder, 'module.wasm');
      const root = join(__dirname, '../../..');
      execFileSync(process.execPath, ['scripts/wasm.mjs', 'src/simd/index.ts', out], { cwd: root });
      expect(Buffer.compare(readFileSync(out), kernelBytes)).toBe(0);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }, 60_000);

  describe('#cast()', () => {
    describe.each(['float16', 'bfloat16'] as const)('%s', type => {
      const all = Uint16Array.from({ length: 65536 }, (_, i) => i);

      it('widens every pattern as the plain cast does, NaN included', () => {
        for (const to of ['float32', 'float64'] as const) {
          const expected = castThrough(bytesOf(all), type, [to]);
          expect(differences(to, cast(bytesOf(all), type, [to]), expected)).toEqual([]);
        }
        // Bit by bit: widening to float32 is defined for NaN too.
        const wide = cast(bytesOf(all), type, ['float32']);
        expect(Buffer.compare(wide, castThrough(bytesOf(all), type, ['float32']))).toBe(0);
      });

      it('gives every pattern back', () => {
        for (const via of ['float32', 'float64'] as const) {
          const back = elementsOf(type, cast(bytesOf(all), type, [via, type]));
          const isNaN = elementsOf('float64', castThrough(bytesOf(all), type, ['float64']));
          const wrong = all.filter(i => !Number.isNaN(isNaN[i]) && back[i] !== i);
          expect(Array.from(wrong)).toEqual([]);
        }
      });

      it('rounds at every boundary as the plain cast does, bit by bit', () => {
        const patterns = boundaries(type);
        const expected = castThrough(bytesOf(patterns), 'float32', [type]);
        expect(Buffer.compare(cast(bytesOf(patterns), 'float32', [type]), expected)).toBe(0);
        const results = new Set(elementsOf(type, expected) as Uint16Array);
        // All 2^16 results but the NaN patterns other than the two that rounding makes.
        const nan = type === 'float16' ? 2 * 0x3ff : 2 * 0x7f;
        const found = [...results].filter(
          bits => (bits & 0x7fff) <= (type === 'float16' ? 0x7c00 : 0x7f80)
        );
        expect(found).toHaveLength(65536 - nan);
      });

      it('makes NaN of every NaN, quiet and of the same sign', () => {
        const patterns = new Uint32Array(2 * 23 + 2);
        for (let bit = 0; bit < 23; bit++) {
          patterns[2 * bit] = 0x7f800000 | (1 << bit);
          patterns[2 * bit + 1] = 0xff800000 | (1 << bit);
        }
        patterns.set([0x7fffffff, 0xffffffff], 46);
        const quiet = type === 'float16' ? 0x7e00 : 0x7fc0;
        const results = elementsOf(type, cast(bytesOf(patterns), 'float32', [type])) as Uint16Array;
        expect([...results]).toEqual([...patterns].map(bits => quiet | ((bits >>> 16) & 0x8000)));
      });

      it('rounds any pattern as the plain cast does, bit by bit', () => {
        const random = uniform(11);
        const patterns = Uint32Array.from({ length: 1_000_003 }, () => random() * 2 ** 32);
        const expected = castThrough(bytesOf(patterns), 'float32', [type]);
        expect(Buffer.compare(cast(bytesOf(patterns), 'float32', [type]), expected)).toBe(0);
      });
    });

    it('goes between any two types, through several, and nowhere', () => {
      const types = fc.constantFrom(...TYPES);
      fc.assert(
        fc.property(
          types,
          fc.array(types, { maxLength: 4 }),
          fc.array(fc.double(), { maxLength: 40 }),
          (from, steps, values) => {
            const bytes = castThrough(bytesOf(Float64Array.from(values)), 'float64', [from]);
            const to = steps.at(-1) ?? from;
            const expected = castThrough(bytes, from, steps);
            expect(differences(to, cast(bytes, from, steps), expected)).toEqual([]);
          }
        )
      );
    });
  });

  describe('#scan()', () => {
    /** Counts, bounds and histogram are those of the plain path; moments are right to rounding. */
    function expectSame(bytes: Uint8Array, dtype: KernelType): void {
      const ours = scan(bytes, dtype);
      const expected = plainScan(bytes, dtype);
      const exact = (part: IStatsPart): object => {
        return { ...part, min: part.min + 0, max: part.max + 0, mean: 0, squares: 0 };
      };
      expect(exact(ours)).toEqual(exact(expected));
      const scale = Math.max(Math.abs(expected.min), Math.abs(expected.max));
      if (expected.finite > 0 && scale < 1e150) {
        const { mean, squares } = preciseMoments(bytes, dtype);
        expect(Math.abs(ours.mean - mean)).toBeLessThanOrEqual(1e-13 * scale);
        const deviation = Math.sqrt(squares / ours.finite);
        const error = Math.abs(Math.sqrt(ours.squares / ours.finite) - deviation);
        expect(error).toBeLessThanOrEqual(1e-13 * (deviation + scale));
      }
    }

    const random = uniform(3);
    const gauss = (): number =>
      Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const ADVERSARIAL: Readonly<Record<string, (i: number) => number>> = {
      'weights as they are': () => 0.02 * gauss(),
      'a huge mean': () => 1e6 + gauss(),
      'a mean that jumps': i => (i % 9000 < 4500 ? 1e5 : -1e5) + gauss(),
      'a trend': i => i / 7,
      'one value': () => 0.1,
      zeros: i => (i % 3 === 0 ? -0 : 0),
      'sparse weights': i => (i % 5 === 0 ? gauss() : 0),
      'NaN and infinities here and there': i =>
        i % 1000 === 7 ? NaN : i % 1000 === 9 ? Infinity : i % 5000 === 3 ? -Infinity : gauss(),
      'NaN alone': () => NaN,
      'infinities alone': i => (i % 2 === 0 ? Infinity : -Infinity),
      subnormals: i => (i % 2 === 0 ? 1 : -1) * (i % 4096) * 2 ** -149,
      'both ends of float16': () => (random() < 0.5 ? 65504 + 64 * gauss() : 2 ** -24 * gauss()),
      'the largest float32': () => (random() < 0.5 ? 3.4028e38 : -3.4028e38) * random(),
      'beyond float32': () => gauss() * 10 ** (600 * random() - 300)
    };

    describe.each(TYPES)('%s', dtype => {
      it.each(Object.keys(ADVERSARIAL))('agrees with the plain statistics on %s', name => {
        // More than a call, and no multiple of a vector.
        const values = Float64Array.from({ length: 70_013 }, (_, i) => ADVERSARIAL[name](i));
        expectSame(castThrough(bytesOf(values), 'float64', [dtype]), dtype);
      });

      it('agrees on every number of elements', () => {
        const values = Float64Array.from({ length: 4111 }, (_, i) => (i % 7) - 3.25);
        const bytes = castThrough(bytesOf(values), 'float64', [dtype]);
        const itemSize = DTYPES[dtype].bits / 8;
        for (const count of [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 4095, 4096, 4097, 4100, 4111]) {
          expectSame(bytes.subarray(0, count * itemSize), dtype);
        }
      });
    });

    it.each(['float16', 'bfloat16'] as const)('agrees on all patterns of %s', dtype => {
      expectSame(bytesOf(Uint16Array.from({ length: 65536 }, (_, i) => i)), dtype);
    });

    it('agrees on float32 patterns around every limit', () => {
      for (const type of ['float16', 'bfloat16'] as const) {
        expectSame(bytesOf(boundaries(type)), 'float32');
      }
    });

    it('agrees on any elements', () => {
      const elements = fc.oneof(
        fc.double(),
        fc.float(),
        fc.constantFrom(0, -0, NaN, Infinity, -Infinity, 2 ** -25, 65520, 65504, 2 ** -14)
      );
      fc.assert(
        fc.property(
          fc.constantFrom(...TYPES),
          fc.array(elements, { maxLength: 50 }),
          (dtype, values) =>
            expectSame(castThrough(bytesOf(Float64Array.from(values)), 'float64', [dtype]), dtype)
        )
      );
    });

    it('keeps nothing of an earlier tensor', () => {
      const first = bytesOf(Float32Array.from({ length: 999 }, () => gauss()));
      const second = bytesOf(Float32Array.from({ length: 77 }, () => 100 * gauss()));
      const alone = scan(second, 'float32');
      scan(first, 'float32');
      expect(scan(second, 'float32')).toEqual(alone);
    });
  });
});
