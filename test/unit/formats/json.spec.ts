import * as fc from 'fast-check';

import { JsonNumber, parseJson, stringifyJson } from '../../../src/formats/json';

const parse = (text: string): unknown => parseJson(text, Number);
const kept = (text: string): unknown => parseJson(text, digits => new JsonNumber(digits));

describe('parseJson()', () => {
  it('should read what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat({ max: 3 }), (text, indent) => {
        const spaced = JSON.stringify(JSON.parse(text), null, indent);
        expect(parse(spaced)).toEqual(JSON.parse(spaced));
      })
    );
  });

  it('should read all strings', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        expect(parse(JSON.stringify(text))).toBe(text);
        expect(parse(JSON.stringify({ [text]: text }))).toEqual({ [text]: text });
      })
    );
    expect(parse('"\\u00e9\\ud83d\\ude00\\/\\b\\"\\\\"')).toBe('é😀/\b"\\');
  });

  it('should refuse what JSON.parse refuses', () => {
    const alphabet = fc.constantFrom(...'{}[]:,"\\ \n\t0123-+.eEtruefalsn\u0001');
    fc.assert(
      fc.property(fc.string({ unit: alphabet, maxLength: 8 }), text => {
        let expected: unknown;
        try {
          expected = JSON.parse(text);
        } catch {
          expect(() => parse(text)).toThrow(SyntaxError);
          return;
        }
        expect(parse(text)).toEqual(expected);
      }),
      { numRuns: 2000 }
    );
  });

  it.each([
    ['', 'a value'],
    ['{"a":1', "',' or '}'"],
    ['[1 2]', "',' or ']'"],
    ['[1,]', 'a value'],
    ['{"a":1,}', 'a key'],
    ['{"a" 1}', "':'"],
    ['"abc', 'the end of a string'],
    ['-', 'a number'],
    ['01', 'the end'],
    ['null null', 'the end']
  ])('should say what it expects in %s', (text, expected) => {
    expect(() => parse(text)).toThrow(`expected ${expected} at position`);
  });

  it('should refuse a key that is there twice', () => {
    expect(() => parse('{"a":1,"a":2}')).toThrow("the key 'a' is there twice");
  });

  it('should take __proto__ for a member', () => {
    const value = parse('{"__proto__":{"polluted":1}}') as object;
    expect(Object.keys(value)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(stringifyJson(value)).toBe('{"__proto__":{"polluted":1}}');
  });

  it('should hand on numbers as they stand in the text', () => {
    const text = '[9223372036854775807,-0,1.0,1e-5,0.10]';
    expect(kept(text)).toEqual(
      text
        .slice(1, -1)
        .split(',')
        .map(digits => new JsonNumber(digits))
    );
  });

  it('should go as deep as the text does', () => {
    const depth = 100_000;
    const text = '[{"a":'.repeat(depth) + '1' + '}]'.repeat(depth);
    // Compared as text: matchers call themselves.
    expect(stringifyJson(kept(text)) === text).toBe(true);
    expect(() => parse(text.slice(0, -1))).toThrow("expected ',' or ']'");
  });
});

describe('stringifyJson()', () => {
  it('should write what JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), value => {
        expect(stringifyJson(value)).toBe(JSON.stringify(value));
      })
    );
  });

  it('should keep the text of numbers, and write big ones', () => {
    const text = '{"a":[9223372036854775807,1.0,-0.0,1e-5],"b":{},"c":[]}';
    expect(stringifyJson(kept(text))).toBe(text);
    expect(stringifyJson([9223372036854775807n, 1.5])).toBe('[9223372036854775807,1.5]');
  });
});
