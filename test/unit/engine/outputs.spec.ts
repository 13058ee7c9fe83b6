import {
  bitIdentical,
  inLogicalDtype,
  maxRelativeDifference,
  summarise
} from '../../../src/engine/outputs';
import type { INamedTensor } from '../../../src/engine/outputs';
import type { ITensor } from '../../../src/numerics';

function floats(...values: number[]): INamedTensor[] {
  const tensor: ITensor = {
    dtype: 'float32',
    shape: [values.length],
    data: Float32Array.from(values)
  };
  return [{ name: 'y', tensor }];
}

function bits(...values: number[]): INamedTensor[] {
  const data = new Float32Array(Uint32Array.from(values).buffer);
  return [{ name: 'y', tensor: { dtype: 'float32', shape: [values.length], data } }];
}

describe('bitIdentical()', () => {
  it('should see one bit', () => {
    expect(bitIdentical(bits(0x3f800000), bits(0x3f800000))).toBe(true);
    expect(bitIdentical(bits(0x3f800000), bits(0x3f800001))).toBe(false);
  });

  it('should tell zeros apart but not NaNs', () => {
    expect(bitIdentical(floats(0), floats(-0))).toBe(false);
    expect(bitIdentical(bits(0x7fc00000), bits(0x7fc00001))).toBe(true);
    expect(bitIdentical(floats(NaN), floats(1))).toBe(false);
  });

  it('should tell shapes, dtypes and numbers of outputs apart', () => {
    const [{ name, tensor }] = floats(1, 2);
    expect(bitIdentical(floats(1, 2), [{ name, tensor: { ...tensor, shape: [2, 1] } }])).toBe(
      false
    );
    expect(bitIdentical(floats(1, 2), [{ name, tensor: { ...tensor, dtype: 'int32' } }])).toBe(
      false
    );
    expect(bitIdentical(floats(1, 2), [])).toBe(false);
  });
});

describe('maxRelativeDifference()', () => {
  it('should be relative to the largest element of the reference', () => {
    expect(maxRelativeDifference(floats(1, -4), floats(1, -3))).toBe(0.25);
    expect(maxRelativeDifference(floats(1, -4), floats(1, -4))).toBe(0);
  });

  it('should be infinite where one side is no number', () => {
    expect(maxRelativeDifference(floats(1), floats(NaN))).toBe(Infinity);
    expect(maxRelativeDifference(floats(Infinity), floats(1))).toBe(Infinity);
    expect(maxRelativeDifference(floats(NaN, Infinity), floats(NaN, Infinity))).toBe(0);
  });
});

describe('summarise()', () => {
  it('should leave out what is not finite', () => {
    expect(summarise(floats(1, NaN, -3, Infinity)[0])).toMatchObject({
      min: -3,
      max: 1,
      mean: -1,
      nanCount: 1
    });
    expect(summarise(floats(NaN)[0])).toMatchObject({ min: null, max: null, mean: null });
  });
});

describe('inLogicalDtype()', () => {
  it('should give the bits of the narrow dtype', () => {
    const [{ tensor }] = floats(1, -2.5);
    expect(inLogicalDtype(tensor, 'bfloat16')).toEqual({
      dtype: 'bfloat16',
      shape: [2],
      data: Uint16Array.of(0x3f80, 0xc020)
    });
    expect(inLogicalDtype(tensor, 'float32')).toBe(tensor);
  });
});
