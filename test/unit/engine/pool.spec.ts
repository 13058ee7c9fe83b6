import type { ILease } from '../../../src/engine/pool';
import { Pool } from '../../../src/engine/pool';
import type { IJob } from '../../../src/runtime';

class Thing {
  constructor(
    readonly name: string,
    readonly heldBytes: number
  ) {}

  disposed = 0;

  async dispose(): Promise<void> {
    this.disposed++;
  }
}

interface IDeferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
}

function deferred<T>(): IDeferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((res, rej) => {
    resolve = res;
    reject = rej;
  });
  return { promise, resolve, reject };
}

/** Let the pool come to what it does first. */
async function started(value: () => unknown): Promise<void> {
  while (value() === undefined) {
    await new Promise<void>(resolve => setImmediate(resolve));
  }
}

describe('Pool', () => {
  const key = (name: string, version = '1') => ({ key: name, group: name, version });
  const never = (): Promise<Thing> => Promise.reject(new Error('made again'));

  it('should give what it keeps, and say so', async () => {
    const pool = new Pool<Thing>({ bytes: 10, items: 9 });
    const first = await pool.take(key('a'), async () => new Thing('a', 4));
    expect(first.reused).toBe(false);
    const second = await pool.take(key('a'), never);
    expect([second.reused, second.item]).toEqual([true, first.item]);
    await first.release();
    await second.release();
    const third = await pool.take(key('a'), never);
    expect([third.reused, third.item.disposed]).toEqual([true, 0]);
  });

  it('should give up the least recently used beyond its limits, never what is in use', async () => {
    const pool = new Pool<Thing>({ bytes: 10, items: 9 });
    const leases = [];
    for (const name of ['a', 'b', 'c']) {
      leases.push(await pool.take(key(name), async () => new Thing(name, 4)));
    }
    const [a, b, c] = leases;
    await (await pool.take(key('a'), never)).release();
    expect(pool.size).toBe(3);
    await c.release();
    expect([a, b, c].map(({ item }) => item.disposed)).toEqual([0, 0, 1]);
    await b.release();
    await a.release();
    expect([a, b].map(({ item }) => item.disposed)).toEqual([0, 0]);
    const large = await pool.take(key('d'), async () => new Thing('d', 9));
    await large.release();
    expect([a, b, large].map(({ item }) => item.disposed)).toEqual([1, 1, 0]);
  });

  it('should keep no more than so many', async () => {
    const pool = new Pool<Thing>({ bytes: 10, items: 1 });
    const a = await pool.take(key('a'), async () => new Thing('a', 0));
    await a.release();
    const b = await pool.take(key('b'), async () => new Thing('b', 0));
    await b.release();
    await b.release();
    expect([a.item.disposed, b.item.disposed]).toEqual([1, 0]);
  });

  it('should give up what is out of date, once nobody uses it', async () => {
    const pool = new Pool<Thing>({ bytes: 10, items: 9 });
    const idle = await pool.take(
      { key: 'x', group: 'g', version: '1' },
      async () => new Thing('x', 1)
    );
    await idle.release();
    const busy = await pool.take(
      { key: 'y', group: 'g', version: '1' },
      async () => new Thing('y', 1)
    );
    const next = await pool.take(
      { key: 'y', group: 'g', version: '2' },
      async () => new Thing('z', 1)
    );
    expect(next.reused).toBe(false);
    expect([idle.item.disposed, busy.item.disposed]).toEqual([1, 0]);
    await busy.release();
    expect([busy.item.disposed, next.item.disposed, pool.size]).toEqual([1, 0, 1]);
  });

  describe('where several ask for one thing at the same time', () => {
    it('should make it once', async () => {
      const pool = new Pool<Thing>({ bytes: -1, items: 9 });
      const making = deferred<Thing>();
      const make = jest.fn(() => making.promise);
      const asked = [1, 2, 3].map(() => pool.take(key('a'), make));
      const thing = new Thing('a', 1);
      making.resolve(thing);
      const leases = await Promise.all(asked);
      expect(make).toHaveBeenCalledTimes(1);
      expect(leases.map(({ item, reused }) => [item, reused])).toEqual([
        [thing, false],
        [thing, true],
        [thing, true]
      ]);
      await leases[0].release();
      await leases[1].release();
      expect(thing.disposed).toBe(0);
      await leases[2].release();
      expect([thing.disposed, pool.size]).toEqual([1, 0]);
    });

    it('should fail for all of them, and remember nothing', async () => {
      const pool = new Pool<Thing>({ bytes: 10, items: 9 });
      const making = deferred<Thing>();
      const asked = [1, 2].map(() => pool.take(key('a'), () => making.promise));
      const error = new Error('no room');
      making.reject(error);
      expect(await Promise.allSettled(asked)).toEqual([
        { status: 'rejected', reason: error },
        { status: 'rejected', reason: error }
      ]);
      const again = await pool.take(key('a'), async () => new Thing('a', 1));
      expect([again.reused, pool.size]).toEqual([false, 1]);
    });

    it('should end the waiting of who cancels, and go on for the others', async () => {
      const pool = new Pool<Thing>({ bytes: 10, items: 9 });
      const making = deferred<Thing>();
      const controllers = [new AbortController(), new AbortController()];
      let signal: AbortSignal | undefined;
      const asked = controllers.map(controller =>
        pool.take(
          key('a'),
          job => {
            signal = job.signal;
            return making.promise;
          },
          controller
        )
      );
      await started(() => signal);
      controllers[0].abort();
      await expect(asked[0]).rejects.toMatchObject({ code: 'cancelled' });
      expect(signal!.aborted).toBe(false);
      making.resolve(new Thing('a', 1));
      const lease = await asked[1];
      controllers[1].abort();
      await lease.release();
      expect([lease.item.disposed, pool.size]).toEqual([0, 1]);
    });

    it('should cancel the making with the last of them, and let nobody else wait for it', async () => {
      const pool = new Pool<Thing>({ bytes: 10, items: 9 });
      const making = deferred<Thing>();
      const controller = new AbortController();
      let signal: AbortSignal | undefined;
      const asked = pool.take(
        key('a'),
        job => {
          signal = job.signal;
          return making.promise;
        },
        controller
      );
      await started(() => signal);
      controller.abort();
      await expect(asked).rejects.toMatchObject({ code: 'cancelled' });
      expect(signal!.aborted).toBe(true);
      const next = await pool.take(key('a'), async () => new Thing('next', 1));
      expect([next.reused, next.item.name]).toEqual([false, 'next']);
      const late = new Thing('late', 1);
      making.resolve(late);
      await Promise.resolve();
      await Promise.resolve();
      expect([late.disposed, next.item.disposed, pool.size]).toEqual([1, 0, 1]);
    });

    it('should not start for who has cancelled already', async () => {
      const pool = new Pool<Thing>({ bytes: 10, items: 9 });
      const signal = AbortSignal.abort();
      await expect(pool.take(key('a'), never, { signal })).rejects.toMatchObject({
        code: 'cancelled'
      });
    });

    it('should tell progress to all of them', async () => {
      const pool = new Pool<Thing>({ bytes: 10, items: 9 });
      const making = deferred<Thing>();
      let job: IJob | undefined;
      const told: string[] = [];
      const asked = ['first', 'second'].map(name =>
        pool.take(
          key('a'),
          given => {
            job = given;
            return making.promise;
          },
          { progress: ({ text }) => told.push(`${name}: ${text}`) }
        )
      );
      await started(() => job);
      job!.progress!({ text: 'Casting' });
      making.resolve(new Thing('a', 1));
      await Promise.all(asked);
      job!.progress!({ text: 'Too late' });
      expect(told).toEqual(['first: Casting', 'second: Casting']);
    });

    it('should make another version anew, and keep that one', async () => {
      const pool = new Pool<Thing>({ bytes: 10, items: 9 });
      const making = deferred<Thing>();
      const old = pool.take(key('a', '1'), () => making.promise);
      const next = await pool.take(key('a', '2'), async () => new Thing('next', 1));
      const late = new Thing('late', 1);
      making.resolve(late);
      const lease = await old;
      expect([lease.item, next.reused]).toEqual([late, false]);
      await lease.release();
      await next.release();
      expect([late.disposed, next.item.disposed, pool.size]).toEqual([1, 0, 1]);
    });

    it('should not keep what is made while the pool is cleared', async () => {
      const pool = new Pool<Thing>({ bytes: 10, items: 9 });
      const making = deferred<Thing>();
      const asked = pool.take(key('a'), () => making.promise);
      await Promise.resolve();
      await pool.clear();
      making.resolve(new Thing('a', 1));
      const lease = await asked;
      expect([lease.item.disposed, pool.size]).toEqual([0, 0]);
      await lease.release();
      expect(lease.item.disposed).toBe(1);
    });
  });

  it('should keep nothing that could not be made', async () => {
    const pool = new Pool<Thing>({ bytes: 10, items: 9 });
    await expect(pool.take(key('a'), never)).rejects.toThrow('made again');
    expect(pool.size).toBe(0);
  });

  it('should dispose all that is out of date where one of it cannot be, and make nothing', async () => {
    const pool = new Pool<Thing>({ bytes: 10, items: 9 });
    const take = (name: string, version: string): Promise<ILease<Thing>> =>
      pool.take({ key: name, group: 'g', version }, async () => new Thing(name, 1));
    const old = await Promise.all(['x', 'y'].map(name => take(name, '1')));
    await Promise.all(old.map(lease => lease.release()));
    old[0].item.dispose = () => Promise.reject(new Error('stuck'));
    await expect(take('next', '2')).rejects.toThrow('stuck');
    expect([old[1].item.disposed, pool.size]).toEqual([1, 0]);
    const next = await take('next', '2');
    expect([next.reused, pool.size]).toEqual([false, 1]);
  });

  it('should give up everything when it is cleared', async () => {
    const pool = new Pool<Thing>({ bytes: 10, items: 9 });
    const idle = await pool.take(key('a'), async () => new Thing('a', 1));
    await idle.release();
    const busy = await pool.take(key('b'), async () => new Thing('b', 1));
    await pool.clear();
    expect([idle.item.disposed, busy.item.disposed]).toEqual([1, 0]);
    await busy.release();
    expect(busy.item.disposed).toBe(1);
  });
});
