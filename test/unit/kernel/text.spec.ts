import { toCodePoints, toIndex } from '../../../src/kernel/cursor';
import { completenessOf, prepareCell } from '../../../src/kernel/evaluator/cellsource';
import { chainBefore, nameAt } from '../../../src/kernel/evaluator/names';
import { tableHtml, tableText } from '../../../src/kernel/evaluator/api/table';

describe('toIndex(), toCodePoints()', () => {
  it.each([
    ['abc', 2, 2],
    ['😀b', 1, 2],
    ['a😀b', 3, 4],
    ['😀😀', 2, 4],
    ['é', 1, 1]
  ])('should map %j: %d code points are index %d', (code, codePoints, index) => {
    expect(toIndex(code, codePoints)).toBe(index);
    expect(toCodePoints(code, index)).toBe(codePoints);
  });

  it('should take positions beyond the end for the end', () => {
    expect(toIndex('ab', 10)).toBe(2);
    expect(toIndex('ab', Infinity)).toBe(2);
  });
});

describe('prepareCell()', () => {
  const prepared = (code: string): string => {
    const { code: made, problem } = prepareCell(code);
    expect(problem).toBeNull();
    return made;
  };

  it('should keep every place when it strips types', () => {
    const code = 'const x: number = 1;\nfunction f<T>(a: T): T { return a }';
    expect(prepared(code)).toBe('const x         = 1;\nfunction f   (a   )    { return a }');
  });

  it.each([
    ["import('fs')", "_imprt('fs')"],
    ["import fs from 'fs'", "const { default: fs } = await _imprt('fs');"],
    ["import * as fs from 'fs'", "const fs = await _imprt('fs');"],
    ["import 'fs'", "await _imprt('fs');"],
    ["import { a, b as c } from 'm'", "const { a, b: c } = await _imprt('m');"],
    ["import d, { a } from 'm'", "const { default: d, a } = await _imprt('m');"],
    ["import d, * as n from 'm'", "const n = await _imprt('m'), { default: d } = n;"],
    ["import { 'x-y' as z } from 'm'", "const { 'x-y': z } = await _imprt('m');"],
    [
      "import j from './j.json' with { type: 'json' }",
      "const { default: j } = await _imprt('./j.json', { with: { type: 'json' } });"
    ],
    ['export const a = 1', '       const a = 1'],
    ["'import x from y'", "'import x from y'"],
    ['/* import */ 1', '/* import */ 1'],
    ['a.import', 'a.import']
  ])('should rewrite %j', (code, expected) => {
    expect(prepared(code)).toBe(expected);
  });

  it('should keep the lines of an import over several', () => {
    const made = prepared("import {\n  a,\n  b\n} from 'm';\na");
    expect(made.split('\n')).toHaveLength(5);
    expect(made.split('\n')[4]).toBe('a');
  });

  it('should find imports inside of code', () => {
    expect(prepared("async function f() { return (await import('m')).x }")).toContain(
      "await _imprt('m')"
    );
  });

  it('should take an object literal for an expression', () => {
    expect(prepared('{ a: 1 }')).toBe('({ a: 1 }\n)');
    expect(prepared('{ a: 1, b: 2 } ')).toBe('({ a: 1, b: 2 } \n)');
    expect(prepared('{ let a = 1; a }')).toBe('{ let a = 1; a }');
  });

  it('should transform what is more than types, with a source map', () => {
    const { code, map, problem } = prepareCell('enum A { B }\nthrow 1');
    expect(problem).toBeNull();
    const line = code.split('\n').findIndex(text => text.includes('throw'));
    expect(map?.findEntry(line, 0)).toMatchObject({ originalLine: 1, originalColumn: 0 });
  });

  it('should say where the code is wrong', () => {
    expect(prepareCell('1;\nconst x: = 2').problem).toMatchObject({
      place: { line: 2, column: 9 }
    });
  });
});

describe('completenessOf()', () => {
  it.each([
    ['complete', 'f()', ''],
    ['complete', '{ a: 1, b: 2 }', ''],
    ['incomplete', 'function f() {', '  '],
    ['incomplete', '  g(1,', '  '],
    ['incomplete', '`${', '  '],
    ['invalid', 'a b', '']
  ])('should find %s: %j', (status, code, indent) => {
    expect(completenessOf(code)).toEqual({ status, indent });
  });
});

describe('chainBefore()', () => {
  it.each([
    ['abc', null, 'abc'],
    ['a.b', 'a', 'b'],
    ['a.b?.c.', 'a.b?.c', ''],
    ['x = a[0].b', 'a[0]', 'b'],
    ['f(a.b', 'a', 'b'],
    ['f().b', null, 'b'],
    ["'s'.b", null, 'b'],
    ['$_.ñ', '$_', 'ñ'],
    ['1.t', null, 't'],
    ['...a.b', null, 'b']
  ])('should split %j', (code, object, prefix) => {
    expect(chainBefore(code, code.length)).toMatchObject({ object, prefix });
  });
});

describe('nameAt()', () => {
  it.each([
    ['abc', 1, 'abc'],
    ['a.bcd + 1', 3, 'a.bcd'],
    ['a.b(', 4, 'a.b'],
    ['1 + 2', 1, null],
    ['', 0, null]
  ])('should find in %j at %d: %s', (code, cursor, name) => {
    expect(nameAt(code, cursor)).toBe(name);
  });
});

describe('tables', () => {
  const table = {
    title: ['<title>'],
    columns: [{ label: 'Name' }, { label: 'Size', numeric: true }],
    rows: [
      ['a & b', '1'],
      ['"c"', '1000']
    ],
    notes: ['note']
  };

  it('should be readable as text', () => {
    expect(tableText(table)).toBe(
      '<title>\nName   Size\n-----  ----\na & b     1\n"c"    1000\nnote'
    );
  });

  it('should escape what comes from a file', () => {
    const html = tableHtml(table);
    expect(html).toContain('<p>&lt;title&gt;</p>');
    expect(html).toContain('a &amp; b');
    expect(html).not.toContain('<title>');
  });
});
