import { parseCommandLine } from '../../../src/cli/options';

function parse(...argv: string[]): unknown {
  return parseCommandLine(argv);
}

describe('parseCommandLine(fix)', () => {
  it('should take the file to write and what to do with mixed weights', () => {
    expect(parse('fix', 'a.pt2', '-o', 'b.pt2')).toMatchObject({
      run: { command: 'fix', file: 'a.pt2', output: 'b.pt2', mixed: 'leave', json: false }
    });
    expect(
      parse('fix', 'a.pt2', '--output', 'b.pt2', '--keep-both', '--cache', 'frozen')
    ).toMatchObject({ run: { mixed: 'keep-both' } });
    expect(parse('fix', 'a.pt2', '-o', 'b.pt2', '--leave-mixed')).toMatchObject({
      run: { mixed: 'leave' }
    });
  });

  it.each([
    ['fix needs -o OUT', ['fix', 'a.pt2']],
    ['fix needs a file', ['fix', '-o', 'b.pt2']],
    ['exclude each other', ['fix', 'a.pt2', '-o', 'b', '--keep-both', '--leave-mixed']],
    ['unknown cache mode of a file "folded"', ['fix', 'a.pt2', '-o', 'b', '--cache', 'folded']],
    ['census does not take --output', ['census', 'a.pt2', '-o', 'b']]
  ])('should refuse: %s', (message, argv) => {
    expect(() => parse(...argv)).toThrow(message);
  });
});
