/**
 * Nobody reads an error's text but people: programs read its fields.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { findTextMatches } from '../../support/errortexts';

const src = join(__dirname, '..', '..', '..', 'src');
const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .map(file => file.split(sep).join('/'))
  .filter(file => /\.tsx?$/.test(file));

/** Where texts of other programs become fields, since those programs say it in no other way; how often. */
const FOREIGN: Readonly<Record<string, number>> = {
  // onnxruntime: node and operator of a failure.
  'runtime/orterror.ts': 1,
  // V8 and acorn: code that goes on, and names that exist.
  'kernel/evaluator/cellsource.ts': 1,
  'kernel/evaluator/traces.ts': 1,
  // The first line of what a Python printed, to be shown.
  'pytorch/inspect.ts': 1
};

describe('findTextMatches()', () => {
  it.each([
    ['a regular expression', 'if (/no kernel/.test(error.message)) {}'],
    ['a cut', "const short = error.summary.replace(`${op}: `, '');"],
    ['a prefix', "if (info.summary.startsWith('m.pt2: ')) {}"],
    ['a comparison', "if (error.message === 'cancelled') {}"],
    ['a switch', 'switch (error.details.found) { default: }'],
    ['a cast', "(error as Error).message.includes('x')"],
    ['a variable', 'const text = String(error); pattern.exec(text);'],
    ['a variable of a variable', "const a = error.message; const b = a.trim(); b.split(';');"],
    ['destructured fields', "const { hint } = error.details; hint.endsWith('.');"],
    ['a rendered text', 'errorMessage(info).slice(3)']
  ])('should see %s', (_name, code) => {
    expect(findTextMatches('x.ts', code)).toHaveLength(1);
  });

  it.each([
    ['a code', "if (error.code === 'cancelled') {}"],
    ['a composition', 'const text = `${name}: ${error.message}`; say(text);'],
    ['a message of the channel', "if (request.message.header.msg_type === 'x') {}"],
    ['a text of something else', "text.split(';')"],
    ['what is empty', "if (error.message === '') {}"]
  ])('should pass over %s', (_name, code) => {
    expect(findTextMatches('x.ts', code)).toEqual([]);
  });
});

describe('the sources', () => {
  it('should match on the text of no error', () => {
    const found = Object.fromEntries(
      files
        .map(file => [file, findTextMatches(file, readFileSync(join(src, file), 'utf8'))] as const)
        .filter(([, matches]) => matches.length > 0)
        .map(([file, matches]) => [file, matches.map(({ line, code }) => `${line}: ${code}`)])
    );
    const counts = Object.entries(found).map(([file, lines]) => [file, lines.length]);
    expect({ found, counts: Object.fromEntries(counts) }).toEqual({ found, counts: FOREIGN });
  });
});
