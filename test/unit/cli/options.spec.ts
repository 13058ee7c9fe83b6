import { parseCommandLine, UsageError } from '../../../src/cli/options';
import type { Run } from '../../../src/cli/options';
import type { IVariant } from '../../../src/protocol';
import { activationParams, compareParams, fixParams, runParams } from '../../../src/protocol';

function parse(...argv: string[]): Run {
  const invocation = parseCommandLine(argv);
  if (!('run' in invocation)) {
    throw new Error(`shows ${invocation.show}`);
  }
  return invocation.run;
}

function options(...argv: string[]): Record<string, unknown> {
  return parse(...argv).options;
}

function variants(...argv: string[]): readonly IVariant[] {
  return compareParams(parse('compare', 'm.pt2', ...argv).options as object).variants;
}

describe('parseCommandLine()', () => {
  it('should read a command and its file', () => {
    expect(parse('census', 'm.pt2', '--json')).toEqual({
      command: 'census',
      file: 'm.pt2',
      options: { json: true }
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
    expect(runParams(options('run', 'm.pt2'))).toEqual({
      variant: { cache: 'off', passes: [], device: 'cpu' },
      inputs: {}
    });
  });

  it('should compare the four modes unless told otherwise, and all variants on demand', () => {
    expect(variants().map(({ cache }) => cache)).toEqual(['off', 'autocast', 'folded', 'frozen']);
    expect(variants('--cache', 'all').map(({ cache }) => cache)).toEqual([
      'off',
      'autocast',
      'folded',
      'frozen',
      'float32',
      'onnxruntime'
    ]);
    expect(variants('--cache', 'frozen,off').map(({ cache }) => cache)).toEqual(['frozen', 'off']);
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
    ).toEqual({ passes: ['share-casts'], dims: { batch: 8, s27: 16 }, seed: 7 });
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
      const given = options(command, 'm.pt2', ...output, ...regions);
      expect(given.regions).toEqual({ a: 'off', b: 'on', c: 'float16' });
      expect(fixParams(given).regions).toEqual({
        a: { enabled: false },
        b: { enabled: true },
        c: { enabled: true, dtype: 'float16' }
      });
      expect(options(command, 'm.pt2', ...output).regions).toBeUndefined();
    }
  });

  it('should summarise weights unless activations are asked for, those with a variant', () => {
    expect(options('stats', 'm.pt2')).toEqual({});
    expect(options('stats', 'm.pt2', '--weights')).toEqual({ activations: false });
    const given = options('stats', 'm', '--activations', '--cache', 'frozen', '--dim', 'batch=2');
    expect(given.activations).toBe(true);
    expect(activationParams(given)).toEqual({
      variant: { cache: 'frozen', passes: [], device: 'cpu' },
      inputs: { dims: { batch: 2 } }
    });
    expect(
      options('stats', 'm', '--activations', '--modules', 'a,b', '--values', 'v', '--no-reference')
    ).toMatchObject({ values: ['v'], modules: ['a', 'b'], reference: false });
  });

  it('should show help and version wherever they stand', () => {
    expect(parseCommandLine(['census', '--help'])).toEqual({ show: 'help', command: 'census' });
    expect(parseCommandLine(['help', 'census'])).toEqual({ show: 'help', command: 'census' });
    expect(parseCommandLine(['--help'])).toEqual({ show: 'help', command: null });
    expect(parseCommandLine(['help'])).toEqual({ show: 'help', command: null });
    expect(parseCommandLine(['-h', 'run', 'm.pt2'])).toEqual({ show: 'help', command: 'run' });
    expect(parseCommandLine(['--version'])).toEqual({ show: 'version' });
    expect(parseCommandLine(['completion', 'zsh'])).toEqual({ show: 'completion', shell: 'zsh' });
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
    [['compare', 'a', '--runs', '0'], '--runs takes a whole number from 1 to 1000000, not "0"'],
    [['compare', 'a', '--runs', '2.5'], '--runs takes a whole number'],
    [['compare', 'a', '--runs', ''], '--runs takes a whole number'],
    [['compare', 'a', '--frobnicate'], 'unknown option "--frobnicate"'],
    [['compare', 'a', '-x'], 'unknown option "-x"'],
    [['compare', 'a', '--runs'], 'option "--runs" needs a value'],
    [['compare', 'a', '--cache', '--json'], 'option "--cache" needs a value'],
    [['census', 'a', '--json=yes'], 'option "--json" takes no value'],
    [['run', 'a', '--inputs', ''], '--inputs takes the path of a file'],
    [['help', 'cesnus'], 'unknown command "cesnus"'],
    [['completion'], 'needs a shell: bash, zsh, fish'],
    [['completion', 'tcsh'], 'unknown shell "tcsh"'],
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
