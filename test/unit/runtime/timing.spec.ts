import { currentRssBytes, peakRssBytes, timeInterleaved } from '../../../src/runtime';

describe('timeInterleaved', () => {
  it('runs every variant once a round, warm-up first, and keeps every sample', async () => {
    const order: string[] = [];
    const variant = (name: string, ms: number): { name: string; run: () => Promise<void> } => ({
      name,
      run: async () => {
        order.push(name);
        await new Promise(resolve => setTimeout(resolve, ms));
      }
    });
    const samples = await timeInterleaved([variant('a', 1), variant('b', 20)], {
      runs: 3,
      warmup: 1
    });
    const rounds = Array.from({ length: 4 }, (_, i) => order.slice(2 * i, 2 * i + 2).sort());
    expect(rounds).toEqual(rounds.map(() => ['a', 'b']));
    expect(samples.map(list => list.length)).toEqual([3, 3]);
    samples[1].forEach(ms => expect(ms).toBeGreaterThan(15));
  });

  it('puts every variant behind every other one, as often', async () => {
    const order: string[] = [];
    const names = ['a', 'b', 'c', 'd'];
    const variants = names.map(name => ({ name, run: async () => void order.push(name) }));
    await timeInterleaved(variants, { runs: 600, warmup: 0 });
    const followed = new Map<string, number>();
    for (let at = 1; at < order.length; at++) {
      const pair = order[at - 1] + order[at];
      followed.set(pair, (followed.get(pair) ?? 0) + 1);
    }
    for (const first of names) {
      for (const second of names.filter(name => name !== first)) {
        // Of 2399 pairs a twelfth each, less those of equals at the seams of rounds.
        expect(followed.get(first + second)).toBeGreaterThan(150);
      }
    }
  });

  it('lets a cancellation in between blocking runs', async () => {
    const abort = new AbortController();
    let runs = 0;
    setTimeout(() => abort.abort(), 5);
    const block = async (): Promise<void> => {
      runs++;
      const end = performance.now() + 10;
      while (performance.now() < end) {
        // Block the thread, as onnxruntime does.
      }
    };
    await expect(
      timeInterleaved([{ name: 'a', run: block }], {
        runs: 1000,
        warmup: 0,
        signal: abort.signal
      })
    ).rejects.toMatchObject({ code: 'cancelled' });
    expect(runs).toBeLessThan(10);
  });

  it('tells how far it is', async () => {
    const told: (number | undefined)[] = [];
    await timeInterleaved([{ name: 'a', run: async () => undefined }], {
      runs: 2,
      warmup: 0,
      progress: ({ text, done, total }) => {
        expect(text).toBe('Timing a');
        expect(total).toBe(2);
        told.push(done);
      }
    });
    expect(told[0]).toBe(0);
  });
});

describe('memory', () => {
  it('reads the resident set in bytes', () => {
    expect(currentRssBytes()).toBeGreaterThan(10_000_000);
    expect(peakRssBytes()).toBeGreaterThanOrEqual(currentRssBytes() * 0.9);
  });
});
