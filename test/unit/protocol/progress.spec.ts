import type { IProgress } from '../../../src/protocol';
import { ProgressEstimate, progressText, shareOf } from '../../../src/protocol';

describe('progressText()', () => {
  it.each<[IProgress, string]>([
    [{ text: 'Loading' }, 'Loading'],
    [{ text: 'Timing off', done: 12, total: 40 }, 'Timing off: 12 of 40'],
    [
      { text: 'Timing off', done: 12, total: 40, leftSeconds: 30 },
      'Timing off: 12 of 40, about 30 s left'
    ],
    [{ text: 'Writing', done: 1024, total: 2048, unit: 'bytes' }, 'Writing: 1.0 KiB of 2.0 KiB'],
    [{ text: 'Writing', leftSeconds: 300 }, 'Writing: about 5 min left']
  ])('should word %j', (progress, text) => {
    expect(progressText(progress)).toBe(text);
  });
});

describe('shareOf()', () => {
  it('should be that of the whole request where it is told, else that of the step', () => {
    expect(shareOf({ text: '', done: 1, total: 2, fraction: 0.75 })).toBe(0.75);
    expect(shareOf({ text: '', done: 1, total: 2 })).toBe(0.5);
    expect(shareOf({ text: '', done: 3, total: 2 })).toBe(1);
    expect(shareOf({ text: '', done: 0, total: 0 })).toBeNull();
    expect(shareOf({ text: '' })).toBeNull();
  });
});

describe('ProgressEstimate', () => {
  const at = (done: number, total = 40, fraction?: number): IProgress => ({
    text: 'x',
    done,
    total,
    ...(fraction === undefined ? {} : { fraction })
  });

  it('should go by the pace so far, once enough was seen of it', () => {
    const estimate = new ProgressEstimate();
    expect(estimate.add(at(0), 1000)).not.toHaveProperty('leftSeconds');
    expect(estimate.add(at(1), 1100)).not.toHaveProperty('leftSeconds');
    expect(estimate.add(at(10), 11_000)).toMatchObject({ fraction: 0.25, leftSeconds: 30 });
    expect(estimate.add(at(40), 41_000)).toMatchObject({ fraction: 1, leftSeconds: 0 });
  });

  it('should start anew with another step, and count the whole request', () => {
    const estimate = new ProgressEstimate();
    estimate.add(at(0, 4, 0), 0);
    estimate.add(at(4, 4, 0.5), 100_000);
    expect(estimate.add(at(0, 80, 0.5), 100_000)).not.toHaveProperty('leftSeconds');
    expect(estimate.add(at(40, 80, 0.75), 110_000)).toMatchObject({ leftSeconds: 10 });
  });

  it('should leave alone what does not tell how far it is', () => {
    expect(new ProgressEstimate().add({ text: 'Loading' }, 0)).toEqual({ text: 'Loading' });
  });
});
