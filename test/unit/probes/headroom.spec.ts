import type { DType } from '../../../src/model';
import { bytesOf, TensorStats } from '../../../src/numerics';
import type { ISummary } from '../../../src/probes';
import { headroomIn, largestFinite } from '../../../src/probes';

function summaryOf(numbers: readonly number[]): ISummary {
  const stats = new TensorStats('float32');
  stats.add(bytesOf(Float32Array.from(numbers)));
  const magnitudes = numbers.map(Math.abs).filter(x => x > 0 && x < Infinity);
  const minMagnitude = magnitudes.length > 0 ? Math.min(...magnitudes) : null;
  return { shape: [numbers.length], stats: stats.result(), minMagnitude };
}

describe('largestFinite()', () => {
  // torch.finfo(dtype).max
  it.each<[DType, number]>([
    ['float16', 65504],
    ['bfloat16', 3.3895313892515355e38],
    ['float32', 3.4028234663852886e38],
    ['float8_e4m3fn', 448],
    ['float8_e5m2', 57344],
    ['float8_e4m3fnuz', 240],
    ['float8_e5m2fnuz', 57344]
  ])('should be that of %s', (dtype, largest) => {
    expect(largestFinite(dtype)).toBe(largest);
  });
});

describe('headroomIn()', () => {
  it('should give the distances to both limits in binades', () => {
    const headroom = headroomIn('float16', summaryOf([-32752, 2 ** -12, 0, 1]));
    expect(headroom.overflowRatio).toBe(0.5);
    expect(headroom.overflowBinades).toBe(1);
    expect(headroom.subnormalBinades).toBe(2);
    expect(headroom.nearSubnormal).toBe(0);
  });

  it('should count what is subnormal and what is near it, zeros apart', () => {
    const numbers = [2 ** -20, 2 ** -13, -(2 ** -12), 0, 0, 1, NaN, Infinity];
    const headroom = headroomIn('float16', summaryOf(numbers));
    expect(headroom.nearSubnormal).toBe(2 / 6);
    expect(headroom.subnormalBinades).toBe(-6);
  });

  it('should tell of magnitudes that the dtype has no number for', () => {
    const headroom = headroomIn('float16', summaryOf([262016]));
    expect(headroom.overflowRatio).toBe(4);
    expect(headroom.overflowBinades).toBe(-2);
  });

  it('should work where subnormals of float32 are those of the dtype', () => {
    expect(headroomIn('bfloat16', summaryOf([1e-40, 1, 0])).nearSubnormal).toBe(1 / 3);
  });

  it.each([
    ['zeros', [0, 0]],
    ['no finite element', [NaN, Infinity]]
  ])('should leave open what is not defined: %s', (_, numbers) => {
    expect(headroomIn('float16', summaryOf(numbers))).toMatchObject({
      overflowBinades: null,
      subnormalBinades: null
    });
  });
});
