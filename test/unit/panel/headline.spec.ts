import { nullTranslator } from '@jupyterlab/translation';
import { headline } from '../../../src/panel/headline';
import type { CacheMode, IForwardCasts, IRegionInfo } from '../../../src/protocol';
import { makeInfo, makeRegion } from './samples';

const trans = nullTranslator.load('castlens');

function casts(
  off: number,
  autocast = off,
  frozen = 0
): { perForward: Record<CacheMode, IForwardCasts> } {
  const forward = (weightCasts: number) => ({ weightCasts, bytesMoved: weightCasts * 98880 });
  return {
    perForward: {
      off: forward(off),
      autocast: forward(autocast),
      folded: forward(frozen),
      frozen: forward(frozen)
    }
  };
}

describe('headline()', () => {
  it('should give casts and bytes now, and that none are left ahead of time', () => {
    expect(headline(makeInfo({ census: casts(4) }), trans)).toEqual({
      tone: 'casts',
      text: '4 weight casts move 386.3 KiB on every forward; ahead of time: none.',
      note: null
    });
  });

  it('should use the singular', () => {
    expect(headline(makeInfo({ census: casts(1) }), trans).text).toBe(
      '1 weight cast moves 96.6 KiB on every forward; ahead of time: none.'
    );
  });

  it('should give the casts that stay even ahead of time', () => {
    expect(headline(makeInfo({ census: casts(4, 4, 1) }), trans).text).toContain(
      'ahead of time: 1.'
    );
  });

  it('should say what the cache of PyTorch would have saved', () => {
    expect(headline(makeInfo({ census: casts(12, 4) }), trans).note).toContain('4 of them');
  });

  it.each<[string, IRegionInfo[], RegExp]>([
    ['no region', [], /No autocast region/],
    ['a disabled region', [makeRegion({ enabled: false })], /region is recorded as disabled/],
    [
      'several disabled regions',
      [makeRegion({ enabled: false }), makeRegion({ id: 'submod_2', enabled: false })],
      /All 2 autocast regions are recorded as disabled/
    ],
    [
      'an enabled region beside a disabled one',
      [makeRegion({ enabled: false }), makeRegion({ id: 'submod_2' })],
      /No weight is cast/
    ]
  ])('should explain a model without casts: %s', (_, regions, text) => {
    const result = headline(makeInfo({ census: { ...casts(0), regions } }), trans);
    expect(result.tone).toBe('clean');
    expect(result.text).toMatch(text);
  });

  it('should warn of a model that cannot be run, and still count its casts', () => {
    const unsupported = [{ op: 'aten.foo.default', count: 3, node: 'foo', source: null }];
    const result = headline(makeInfo({ unsupported, census: casts(4) }), trans);
    expect(result.tone).toBe('blocked');
    expect(result.text).toContain('4 weight casts');
    expect(result.note).toContain('1 operator is not supported');
  });
});
