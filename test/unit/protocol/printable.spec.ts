import { escapeControls, escapeLines, printable } from '../../../src/protocol';

describe('escapeControls', () => {
  it.each([
    ['a plain name', 'layers.0.weight', 'layers.0.weight'],
    ['letters of any language', 'größe 重み 🙂', 'größe 重み 🙂'],
    ['an escape sequence', '\u001b[2J', '\\u001b[2J'],
    ['an operating system command', '\u001b]0;x\u0007', '\\u001b]0;x\\u0007'],
    ['a line end', 'a\r\nb', 'a\\u000d\\u000ab'],
    ['delete', 'a\u007fb', 'a\\u007fb'],
    ['C1 controls', '\u009b31m', '\\u009b31m'],
    ['separators', 'a\u2028b\u2029', 'a\\u2028b\\u2029'],
    ['an override of the direction', 'a\u202egnp', 'a\\u202egnp'],
    ['isolates and marks', '\u2066\u2069\u200e\u200f\u061c', '\\u2066\\u2069\\u200e\\u200f\\u061c'],
    ['half a surrogate pair', 'a\ud800', 'a\\ud800']
  ])('should show %s', (_, text, shown) => {
    expect(escapeControls(text)).toBe(shown);
  });

  it('should leave JSON the same data', () => {
    const data = { 'a\u202e': '\u007f\u009b\u2028\n' };
    const text = escapeControls(JSON.stringify(data));
    expect(text).not.toMatch(/[\u007f\u009b\u2028\u202e]/);
    expect(JSON.parse(text)).toEqual(data);
  });
});

describe('escapeLines', () => {
  it('should keep the lines', () => {
    expect(escapeLines('a\u001b\nb\r')).toBe('a\\u001b\nb\\u000d');
  });
});

describe('printable', () => {
  it('should escape strings and keys at any depth, and nothing else', () => {
    const bytes = new Uint8Array(2);
    const data = { 'k\n': ['\u001b', { n: 1, b: true, x: null, u: undefined }], bytes };
    expect(printable(data)).toEqual({
      'k\\u000a': ['\\u001b', { n: 1, b: true, x: null, u: undefined }],
      bytes
    });
    expect(printable(data).bytes).toBe(bytes);
  });
});
