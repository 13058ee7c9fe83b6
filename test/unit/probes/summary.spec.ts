/**
 * What a probe computes on the device against what TensorStats computes from the elements.
 *
 * @jest-environment ./test/support/ortenvironment.cjs
 */
import type { DType } from '../../../src/model';
import type { ElementArray } from '../../../src/numerics';
import { bytesOf, float32OfBits, normal, TensorStats, uniform } from '../../../src/numerics';
import { summaryGraph } from '../../../src/probes';
import { identityGraph, runGraph, summaryIn, tensorOf } from './support';

/** Each boundary of the statistics, its neighbours on both sides, both signs, and what is no number. */
function adversarial(): number[] {
  const boundaries = [
    0x00000000, 0x00000001, 0x00008000, 0x007f8000, 0x00800000, 0x33000000, 0x33800000, 0x387fe000,
    0x38800000, 0x477fe000, 0x477ff000, 0x47800000, 0x7f7f8000, 0x7f7fffff
  ];
  for (let field = 1; field < 255; field++) {
    boundaries.push(field << 23);
  }
  const magnitudes = new Set(
    boundaries.flatMap(bits => [bits - 1, bits, bits + 1]).filter(bits => bits >= 0)
  );
  const numbers = [...magnitudes].filter(bits => bits <= 0x7f800000).map(float32OfBits);
  return [...numbers, ...numbers.map(x => -x), NaN, -NaN, float32OfBits(0x7f800001), 0, -0];
}

const next = uniform(7);
const gauss = normal(next);
const random = (count: number, scale: number): number[] =>
  Array.from({ length: count }, () => gauss() * scale);
const spread = (count: number): number[] =>
  Array.from({ length: count }, () => gauss() * 2 ** Math.floor(next() * 250 - 130));

const cases: readonly [string, DType, ElementArray][] = [
  ['boundaries', 'float32', Float32Array.from(adversarial())],
  ['normal numbers', 'float32', Float32Array.from(random(10_000, 3))],
  ['numbers of all magnitudes', 'float32', Float32Array.from(spread(10_000))],
  ['a large mean', 'float32', Float32Array.from(random(5_000, 1e-3), x => x + 1e4)],
  ['no finite element', 'float32', Float32Array.from([NaN, Infinity, -Infinity, NaN])],
  [
    'a chunk without finite elements',
    'float32',
    Float32Array.from([...new Array<number>(64).fill(NaN), ...random(64, 1)])
  ],
  ['nothing', 'float32', new Float32Array(0)],
  ['one element', 'float32', Float32Array.of(-2.5)],
  ['exactly one chunk', 'float32', Float32Array.from(random(64, 1))],
  [
    'boundaries',
    'float64',
    Float64Array.from([...adversarial(), 1e300, -1e300, 5e-324, 1e-60, 3.5e38])
  ],
  ['float64', 'float64', Float64Array.from(random(3_000, 1e-5))],
  ['float16 bits', 'float16', Uint16Array.from({ length: 65536 }, (_, i) => i)],
  ['int64', 'int64', BigInt64Array.of(0n, -1n, 2n ** 40n, -(2n ** 62n), 16777217n, 65504n, 65520n)],
  ['int32', 'int32', Int32Array.of(0, -2147483648, 2147483647, 16777217, 65519, 65520)],
  ['uint8', 'uint8', Uint8Array.of(0, 1, 255)],
  ['bool', 'bool', Uint8Array.of(0, 1, 1)]
];

describe('emitSummary', () => {
  it.each(cases)('should agree with TensorStats on %s (%s)', async (_, dtype, data) => {
    const source = identityGraph(dtype, [data.length]);
    const { graph, probes } = summaryGraph(source, ['y'], 64);
    const { results } = await runGraph(graph, { x: tensorOf(dtype, data) });
    const { stats, shape, minMagnitude } = summaryIn(results, probes[0]);
    const expected = new TensorStats(dtype);
    expected.add(bytesOf(data));
    const { mean, std, ...exact } = expected.result();
    expect({ ...stats, mean: null, std: null }).toEqual({ ...exact, mean: null, std: null });
    expect(shape).toEqual([data.length]);
    const scale = Math.max(Math.abs(exact.min ?? 0), Math.abs(exact.max ?? 0), Number.MIN_VALUE);
    expect([stats.mean === null, stats.std === null]).toEqual([mean === null, std === null]);
    if (mean !== null && Number.isFinite(std)) {
      expect(Math.abs(stats.mean! - mean) / scale).toBeLessThan(1e-13);
      expect(Math.abs(stats.std! - std!) / scale).toBeLessThan(1e-12);
    }
    if (dtype === 'float32' || dtype === 'float64') {
      const magnitudes = Array.from(data as Float32Array, Math.abs);
      const least = magnitudes
        .filter(x => x > 0 && x < Infinity)
        .reduce((a, b) => Math.min(a, b), Infinity);
      expect(minMagnitude).toBe(least === Infinity ? null : least);
    }
  });

  it.each([11, 13, 18, 22])('should be valid in operator set %d', async opset => {
    const data = Float32Array.from(random(300, 1));
    const { graph, probes } = summaryGraph(identityGraph('float32', [300], opset), ['y'], 128);
    const { results } = await runGraph(graph, { x: tensorOf('float32', data) });
    const expected = new TensorStats('float32');
    expected.add(bytesOf(data));
    expect(summaryIn(results, probes[0]).stats.exponents).toEqual(expected.result().exponents);
  });

  it('should refuse an operator set without its operators', () => {
    expect(() => summaryGraph(identityGraph('float32', [3], 9), ['y'], 64)).toThrow(
      'expected ONNX operator set 11 or later; found 9'
    );
  });

  it('should tell the sizes of the value', async () => {
    const { graph, probes } = summaryGraph(identityGraph('float32', [2, 3, 1]), ['y'], 64);
    const x = tensorOf('float32', Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3, 1]);
    const { results } = await runGraph(graph, { x });
    expect(summaryIn(results, probes[0]).shape).toEqual([2, 3, 1]);
  });
});
