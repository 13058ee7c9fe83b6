import { inspect } from 'node:util';
import type { IErrorInfo } from '../../../src/errors';
import {
  CANCELLED,
  CastlensError,
  ERROR_CODES,
  errorInfoOf,
  errorMessage,
  readErrorInfo
} from '../../../src/errors';

const full: IErrorInfo = {
  code: 'bad-file',
  summary: 'too short',
  file: 'm.pt2',
  entry: 'data/0',
  expected: '12 bytes',
  found: '3 bytes',
  hint: 'Export it again.'
};

describe('errorMessage()', () => {
  it.each<[string, Partial<IErrorInfo>, string]>([
    [
      'all parts',
      {},
      'm.pt2: data/0: too short; expected 12 bytes; found 3 bytes. Export it again.'
    ],
    [
      'no file',
      { file: undefined },
      'data/0: too short; expected 12 bytes; found 3 bytes. Export it again.'
    ],
    ['no hint', { hint: undefined }, 'm.pt2: data/0: too short; expected 12 bytes; found 3 bytes'],
    [
      'a full stop before the hint',
      { found: 'it broke.' },
      'm.pt2: data/0: too short; expected 12 bytes; found it broke. Export it again.'
    ],
    [
      'a summary alone',
      { file: undefined, entry: undefined, expected: undefined, found: undefined, hint: undefined },
      'too short'
    ]
  ])('should render %s', (_name, changes, text) => {
    expect(errorMessage({ ...full, ...changes })).toBe(text);
  });
});

describe('CastlensError', () => {
  it('should travel without losing a part', () => {
    const error = CastlensError.from(full);
    expect(error.info).toEqual(full);
    expect(CastlensError.from(structuredClone(error.info)).message).toBe(errorMessage(full));
  });

  it('should keep parts that are not changed, and name its origin', () => {
    const error = new CastlensError('runtime', 'it failed', { found: 'x' });
    const other = error.with({ file: 'm.pt2' });
    expect(other.info).toEqual({
      code: 'runtime',
      summary: 'it failed',
      found: 'x',
      file: 'm.pt2'
    });
    expect(other.cause).toBe(error);
  });

  it('should print its parts once', () => {
    expect(inspect(CastlensError.from(full)).match(/data\/0/g)).toHaveLength(1);
  });

  it('should be the one of a cancelled request', () => {
    expect(CastlensError.cancelled().info).toEqual(CANCELLED);
  });
});

describe('errorInfoOf()', () => {
  it('should call what is no error of the reader a defect, with its place', () => {
    const info = errorInfoOf(new TypeError('no such thing'));
    expect(info).toMatchObject({ code: 'internal' });
    expect(info.summary).toContain('no such thing');
    expect(info.summary).toContain(__filename);
    expect(errorInfoOf('text')).toEqual({
      code: 'internal',
      summary: 'castlens failed unexpectedly: text'
    });
  });
});

describe('readErrorInfo()', () => {
  it.each(ERROR_CODES)('should know %s', code => {
    expect(readErrorInfo({ code, summary: 's' })).toEqual({ code, summary: 's' });
  });

  it('should take other codes and shapes for defects', () => {
    expect(readErrorInfo({ code: 'odd', summary: 's', found: 3 })).toEqual({
      code: 'internal',
      summary: 's'
    });
    expect(readErrorInfo(null)).toEqual({ code: 'internal', summary: 'null' });
  });
});
