import { parseCommandLine } from '../../../src/cli/options';
import { codeParams, fixParams } from '../../../src/protocol';

function parse(...argv: string[]): unknown {
  return parseCommandLine(argv);
}

describe('parseCommandLine(fix)', () => {
  it('should take the file to write and what to do with mixed weights', () => {
    expect(parse('fix', 'a.pt2', '-o', 'b.pt2')).toMatchObject({
      run: { command: 'fix', file: 'a.pt2', options: { output: 'b.pt2' } }
    });
    expect(
      parse('fix', 'a.pt2', '--output', 'b.pt2', '--keep-both', '--cache', 'frozen')
    ).toMatchObject({ run: { options: { mixed: 'keep-both' } } });
    expect(parse('fix', 'a.pt2', '-o', 'b.pt2', '--leave-mixed')).toMatchObject({
      run: { options: { mixed: 'leave' } }
    });
  });

  it('should take a file for the code', () => {
    expect(parse('fix', 'a.pt2', '-o', 'b.pt2', '--code', 'b.py')).toMatchObject({
      run: { options: { output: 'b.pt2', code: 'b.py' } }
    });
  });

  it.each([
    ['fix needs -o OUT', ['fix', 'a.pt2']],
    ['fix needs a file', ['fix', '-o', 'b.pt2']],
    ['exclude each other', ['fix', 'a.pt2', '-o', 'b', '--keep-both', '--leave-mixed']],
    ['unknown cache mode of a file "folded"', ['fix', 'a.pt2', '-o', 'b', '--cache', 'folded']],
    ['census does not take --output', ['census', 'a.pt2', '-o', 'b']],
    ['fix does not take --strategy', ['fix', 'a.pt2', '-o', 'b', '--strategy', 'freezing']]
  ])('should refuse: %s', (message, argv) => {
    expect(() => parse(...argv)).toThrow(message);
  });
});

describe('parseCommandLine(code)', () => {
  it('should print all strategies unless told otherwise', () => {
    expect(parse('code', 'a.pt2')).toEqual({
      run: { command: 'code', file: 'a.pt2', options: {} }
    });
    expect(codeParams({})).toEqual({ mixed: 'leave' });
    expect(fixParams({})).toEqual({ mixed: 'leave' });
  });

  it('should take strategies, a file and what to do with mixed weights', () => {
    expect(
      parse('code', 'a.pt2', '--strategy', 'preconvert,freezing', '-o', 'a.py', '--keep-both')
    ).toMatchObject({
      run: {
        options: { strategies: ['preconvert', 'freezing'], output: 'a.py', mixed: 'keep-both' }
      }
    });
  });

  it.each([
    ['unknown strategy "fold"', ['code', 'a.pt2', '--strategy', 'fold']],
    ['--strategy names none', ['code', 'a.pt2', '--strategy', ',']],
    ['code does not take --code', ['code', 'a.pt2', '--code', 'b.py']]
  ])('should refuse: %s', (message, argv) => {
    expect(() => parse(...argv)).toThrow(message);
  });
});
