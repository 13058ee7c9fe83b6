/** Random choices that a seed repeats. */
export class Random {
  constructor(seed: number) {
    this._state = seed >>> 0;
  }

  /** In [0, 1): mulberry32. */
  next(): number {
    this._state = (this._state + 0x6d2b79f5) >>> 0;
    let t = this._state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** An integer in [0, end). */
  below(end: number): number {
    return Math.floor(this.next() * end);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  private _state: number;
}

/** Numbers at the edges of what formats and types hold. */
export const EDGES: readonly number[] = [
  -1,
  0,
  1,
  2,
  3,
  7,
  16,
  63,
  64,
  127,
  128,
  255,
  256,
  65535,
  65536,
  1e7,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32,
  1e10,
  2 ** 53 - 1,
  2 ** 53,
  -2,
  -128,
  -(2 ** 31)
];

/** Damage to bytes that knows nothing of them. */
export function mutateBytes(random: Random, given: Uint8Array): Buffer {
  const bytes = Buffer.from(given);
  if (bytes.length === 0) {
    return Buffer.from([random.below(256)]);
  }
  const at = random.below(bytes.length);
  switch (random.below(6)) {
    case 0:
      bytes[at] ^= 1 << random.below(8);
      return bytes;
    case 1:
      bytes[at] = random.pick([0, 1, 0x28, 0x2e, 0x52, 0x7f, 0x80, 0x81, 0xff, random.below(256)]);
      return bytes;
    case 2:
      return bytes.subarray(0, at);
    case 3:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(8))]);
    case 4: {
      const from = random.below(bytes.length);
      const piece = bytes.subarray(from, from + 1 + random.below(32));
      return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
    }
    default:
      if (at + 8 <= bytes.length) {
        bytes.writeBigInt64LE(BigInt(random.pick(EDGES)), at);
      }
      return bytes;
  }
}
