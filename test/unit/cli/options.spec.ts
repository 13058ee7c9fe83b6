import { parseCommandLine, UsageError } from '../../../src/cli/options';
import type { IOptions } from '../../../src/cli/options';

function options(...argv: string[]): IOptions {
  const invocation = parseCommandLine(argv);
  if (!('run' in invocation)) {
    throw new Error(`shows ${invocation.show}`);
  }
  return invocation.run;
}

describe('parseCommandLine()', () => {
  it('should read a command and its file', () => {
    expect(options('census', 'm.pt2', '--json')).toMatchObject({
      command: 'census',
      file: 'm.pt2',
      json: true
    });
  });

  it('should take the name of a program in every command that reads a model', () => {
    for (const command of ['census', 'run', 'compare', 'stats', 'fix', 'code']) {
      const output = command === 'fix' ? ['-o', 'out.pt2'] : [];
      expect(options(command, 'm.pt2', '--program', 'decode', ...output).program).toBe('decode');
      expect(options(command, 'm.pt2', ...output).program).toBeUndefined();
    }
    expect(() => parseCommandLine(['explain', 'x', '--program', 'decode'])).toThrow(UsageError);
  });

  it('should run mode off on the CPU unless told otherwise', () => {
    expect(options('run', 'm.pt2')).toMatchObject({ cache: ['off'], passes: [], device: 'cpu' });
  });

  it('should compare the four modes unless told otherwise, and all variants on demand', () => {
    expect(options('compare', 'm.pt2').cache).toEqual(['off', 'autocast', 'folded', 'frozen']);
    expect(options('compare', 'm.pt2', '--cache', 'all').cache).toEqual([
      'off',
      'autocast',
      'folded',
      'frozen',
      'float32',
      'onnxruntime'
    ]);
    expect(options('compare', 'm.pt2', '--cache', 'frozen,off').cache).toEqual(['frozen', 'off']);
  });

  it('should collect sizes, passes and numbers', () => {
    expect(
      options(
        'run',
        'm.pt2',
        '--dim',
        'batch=8',
        '--dim',
        's27=16',
        '--passes',
        'share-casts',
        '--seed',
        '7'
      )
    ).toMatchObject({ passes: ['share-casts'], inputs: { dims: { batch: 8, s27: 16 }, seed: 7 } });
  });

  it('should collect overridden regions, the last word on each', () => {
    const regions = [
      '--region',
      'a=off',
      '--region',
      'b=on',
      '--region',
      'c=on',
      '--region',
      'c=float16'
    ];
    for (const command of ['census', 'run', 'compare', 'fix']) {
      const output = command === 'fix' ? ['-o', 'out.pt2'] : [];
      expect(options(command, 'm.pt2', ...output, ...regions).regions).toEqual({
        a: { enabled: false },
        b: { enabled: true },
        c: { enabled: true, dtype: 'float16' }
      });
      expect(options(command, 'm.pt2', ...output).regions).toBeUndefined();
    }
  });

  it('should summarise weights unless activations are asked for, those with a variant', () => {
    expect(options('stats', 'm.pt2')).toMatchObject({ activations: false });
    expect(
      options('stats', 'm.pt2', '--activations', '--cache', 'frozen', '--dim', 'batch=2')
    ).toMatchObject({
      activations: true,
      cache: ['frozen'],
      inputs: { dims: { batch: 2 } },
      values: undefined,
      modules: undefined,
      reference: true
    });
    expect(
      options('stats', 'm', '--activations', '--modules', 'a,b', '--values', 'v', '--no-reference')
    ).toMatchObject({ values: ['v'], modules: ['a', 'b'], reference: false });
  });

  it('should show help and version wherever they stand', () => {
    expect(parseCommandLine(['census', '--help'])).toEqual({ show: 'help' });
    expect(parseCommandLine(['--version'])).toEqual({ show: 'version' });
  });

  it.each([
    [[], 'no command'],
    [['cesnus', 'm.pt2'], 'unknown command "cesnus"'],
    [['census'], 'needs a file'],
    [['census', 'a', 'b'], 'unexpected argument "b"'],
    [['census', 'a', '--runs', '3'], 'does not take --runs'],
    [['run', 'a', '--cache', 'fast'], 'unknown cache mode "fast"'],
    [['run', 'a', '--cache', 'off,folded'], 'unknown cache mode "off,folded"'],
    [['run', 'a', '--passes', 'fuse'], 'unknown pass "fuse"'],
    [['run', 'a', '--dim', 'batch'], '--dim takes NAME=N'],
    [['compare', 'a', '--runs', '0'], '--runs takes a whole number of at least 1'],
    [['compare', 'a', '--runs', '2.5'], '--runs takes a whole number'],
    [['compare', 'a', '--frobnicate'], 'frobnicate'],
    [['run', 'a', '--region', 'submod_1'], '--region takes ID=on, ID=off'],
    [['run', 'a', '--region', 'submod_1=yes'], '--region takes ID=on, ID=off'],
    [['run', 'a', '--region', '=on'], '--region takes ID=on, ID=off'],
    [['stats', 'a', '--region', 'submod_1=on'], 'stats takes --region only with --activations'],
    [['stats', 'a', '--cache', 'off'], 'stats takes --cache only with --activations'],
    [['stats', 'a', '--weights', '--activations'], 'exclude each other'],
    [['doctor', 'a'], 'unexpected argument "a"'],
    [['explain'], 'explain needs a code'],
    [['explain', 'a', '--cache', 'off'], 'does not take --cache']
  ])('should refuse %j', (argv, message) => {
    expect(() => parseCommandLine(argv)).toThrow(UsageError);
    expect(() => parseCommandLine(argv)).toThrow(message);
  });
});
