import { Pool } from '../../../src/engine/pool';

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

  it('should keep one of two made at the same time', async () => {
    const pool = new Pool<Thing>({ bytes: 10, items: 9 });
    const [a, b] = await Promise.all(
      ['first', 'second'].map(name => pool.take(key('a'), async () => new Thing(name, 1)))
    );
    await a.release();
    await b.release();
    expect([a.item.disposed, b.item.disposed]).toEqual([0, 1]);
  });

  it('should keep nothing that could not be made', async () => {
    const pool = new Pool<Thing>({ bytes: 10, items: 9 });
    await expect(pool.take(key('a'), never)).rejects.toThrow('made again');
    expect(pool.size).toBe(0);
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
