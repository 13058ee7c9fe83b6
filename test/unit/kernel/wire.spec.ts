import type { IRawMessage } from '../../../src/kernel/wire';
import { decodeFrames, encodeFrames } from '../../../src/kernel/wire';

const signing = { key: 'secret', hash: 'sha256' };

const bytes = (text: string): Uint8Array => Buffer.from(text);

const message: IRawMessage = {
  identities: [bytes('client')],
  header: bytes('{"msg_id":"1"}'),
  parentHeader: bytes('{}'),
  metadata: bytes('{}'),
  content: bytes('{"a":1}'),
  buffers: [Uint8Array.of(0, 255), new Uint8Array(0)]
};

/** HMAC-SHA256 of the four frames above, computed with Python's hmac. */
const SIGNATURE = '891f1d698842c1c8000a13c5fd79be20dd4782e8d07c8c77cfe6e35a9b3140c5';

describe('encodeFrames()', () => {
  it('should put identities, delimiter and signature before the parts', () => {
    const frames = encodeFrames(message, signing).map(frame =>
      Buffer.from(frame).toString('latin1')
    );
    expect(frames.slice(0, 2)).toEqual(['client', '<IDS|MSG>']);
    expect(frames.slice(3)).toEqual(['{"msg_id":"1"}', '{}', '{}', '{"a":1}', '\0\xff', '']);
  });

  it('should sign the four JSON frames, and not the buffers', () => {
    const sign = (buffers: Uint8Array[]): string =>
      Buffer.from(encodeFrames({ ...message, buffers }, signing)[2]).toString();
    expect(sign([])).toBe(SIGNATURE);
    expect(sign([bytes('more')])).toBe(SIGNATURE);
  });

  it('should leave the signature empty without a key', () => {
    expect(encodeFrames(message, { key: '', hash: 'sha256' })[2]).toHaveLength(0);
  });
});

describe('decodeFrames()', () => {
  const frames = encodeFrames(message, signing);

  it('should read what encodeFrames() wrote', () => {
    const decoded = decodeFrames(frames, signing);
    expect(decoded.ok && decoded.message).toEqual({
      ...message,
      buffers: message.buffers
    });
  });

  it('should accept anything that is framed rightly without a key', () => {
    expect(decodeFrames(frames, { key: '', hash: 'sha256' }).ok).toBe(true);
  });

  it.each([
    ['no frames', [], 'no delimiter'],
    ['no delimiter', frames.filter((_, i) => i !== 1), 'no delimiter'],
    ['too few frames', frames.slice(0, 6), 'found 4'],
    ['an empty signature', frames.map((f, i) => (i === 2 ? bytes('') : f)), 'wrong signature'],
    ['a short signature', frames.map((f, i) => (i === 2 ? f.subarray(1) : f)), 'wrong signature'],
    ['another header', frames.map((f, i) => (i === 3 ? bytes('{}') : f)), 'wrong signature'],
    ['another content', frames.map((f, i) => (i === 6 ? bytes('{}') : f)), 'wrong signature']
  ])('should reject %s', (_what, given, reason) => {
    expect(decodeFrames(given, signing)).toEqual({
      ok: false,
      reason: expect.stringContaining(reason)
    });
  });

  it('should not mind changed buffers', () => {
    const changed = [...frames.slice(0, 7), bytes('other')];
    const decoded = decodeFrames(changed, signing);
    expect(decoded.ok && decoded.message.buffers).toEqual([bytes('other')]);
  });
});
