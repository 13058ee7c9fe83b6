import { CompileClock, timedProgress } from '../../../src/engine/compileclock';
import { progressText } from '../../../src/protocol';

test.each<[number, number | undefined, string]>([
  [500, undefined, 'Compiling'],
  [12_400, undefined, 'Compiling, 12 s so far'],
  [12_400, 20_000, 'Compiling, 12 s so far: about 8 s left'],
  [500, 20_000, 'Compiling: about 20 s left'],
  [20_500, 20_000, 'Compiling, 21 s so far']
])('after %d of %p milliseconds it says "%s"', (elapsed, expected, text) => {
  expect(progressText(timedProgress('Compiling', elapsed, expected))).toBe(text);
});

test('the stage is told with the time, again and again, until it stops', () => {
  jest.useFakeTimers();
  try {
    const told: string[] = [];
    const clock = new CompileClock();
    clock.note('a', 20_000);
    const { job, stop } = clock.watch('a', { progress: each => told.push(progressText(each)) });
    job.progress?.({ text: 'Generating code' });
    jest.advanceTimersByTime(4000);
    stop();
    jest.advanceTimersByTime(4000);
    expect(told).toEqual([
      'Generating code: about 20 s left',
      'Generating code: about 18 s left',
      'Generating code, 4 s so far: about 16 s left'
    ]);
    clock.watch('b', { progress: ({ text }) => told.push(text) }).job.progress?.({ text: 'new' });
    expect(told.at(-1)).toBe('new');
  } finally {
    jest.useRealTimers();
  }
});
