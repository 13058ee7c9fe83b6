/**
 * The command line's grammar.
 *
 * @packageDocumentation
 */
import { parseArgs } from 'node:util';

import { formatDevice, parseDevice } from '../runtime';
import type {
  CacheMode,
  CodeStrategyName,
  IRegionOverride,
  IRunInputs,
  MixedWeights,
  PassName,
  Reference,
  RegionOverrides
} from '../protocol';
import {
  CACHE_MODES,
  CODE_STRATEGIES,
  isRegionChoice,
  overrideOf,
  PASSES,
  REFERENCES,
  REGION_CHOICES
} from '../protocol';

/** The commands. */
export const COMMANDS = [
  'census',
  'run',
  'compare',
  'stats',
  'fix',
  'code',
  'explain',
  'doctor'
] as const;

/** Name of a command. */
export type Command = (typeof COMMANDS)[number];

/** A command line that says nothing sensible; exit status 2. */
export class UsageError extends Error {}

/** A parsed command line. */
export interface IOptions {
  readonly command: Command;
  /** The code for `explain`, empty for `doctor`. */
  readonly file: string;
  readonly json: boolean;
  /** Which program of an archive with several. */
  readonly program: string | undefined;
  readonly cache: readonly (CacheMode | Reference)[];
  readonly passes: readonly PassName[];
  readonly device: string;
  /** Undefined where no region is to be overridden. */
  readonly regions: RegionOverrides | undefined;
  readonly inputs: IRunInputs;
  /** Where the weights come from, if not from the model's own file. */
  readonly weightsFrom: string | undefined;
  readonly outputs: string | undefined;
  readonly runs: number | undefined;
  readonly warmup: number | undefined;
  readonly arrow: string | undefined;
  /** `stats`: of the values that a forward computes, not of the weights. */
  readonly activations: boolean;
  /** `stats --activations`: only these; all where neither is given. */
  readonly values: readonly string[] | undefined;
  readonly modules: readonly string[] | undefined;
  /** `stats --activations`: compare with `float32`. */
  readonly reference: boolean;
  /** `fix`, `code`: the file to write; empty for `code` to standard output. */
  readonly output: string;
  readonly mixed: MixedWeights;
  readonly types: boolean;
  /** `fix`: the Python file to write beside it. */
  readonly code: string | undefined;
  /** `code`: what to write; undefined for all that apply. */
  readonly strategies: readonly CodeStrategyName[] | undefined;
  /** `doctor`: what to do about the CUDA provider before looking. */
  readonly cudaProvider: 'leave' | 'install' | 'remove';
}

/** What to do: a command, or one of the texts. */
export type Invocation = { readonly show: 'help' | 'version' } | { readonly run: IOptions };

/**
 * Parse the arguments after the program's name.
 *
 * @throws UsageError with one line for the reader.
 */
export function parseCommandLine(argv: readonly string[]): Invocation {
  let parsed;
  try {
    parsed = parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message.split('. To specify')[0]);
  }
  const { values, positionals } = parsed;
  if (values.help) {
    return { show: 'help' };
  }
  if (values.version) {
    return { show: 'version' };
  }
  const [name, file, ...rest] = positionals;
  if (name === undefined) {
    throw new UsageError('no command given');
  }
  const command = oneOf(name, COMMANDS, 'command');
  if (command !== 'doctor' && file === undefined) {
    throw new UsageError(`${command} needs a ${command === 'explain' ? 'code' : 'file'}`);
  }
  const extra = command === 'doctor' ? positionals.slice(1) : rest;
  if (extra.length > 0) {
    throw new UsageError(`unexpected argument "${extra[0]}"`);
  }
  for (const option of Object.keys(values)) {
    if (!ALLOWED[command].includes(option)) {
      throw new UsageError(`${command} does not take --${option}`);
    }
  }
  if (command === 'stats') {
    if (values.weights && values.activations) {
      throw new UsageError('--weights and --activations exclude each other');
    }
    const stray = Object.keys(values).find(
      option => ACTIVATIONS.includes(option) && option !== 'weights-from'
    );
    if (stray !== undefined && !values.activations) {
      throw new UsageError(`stats takes --${stray} only with --activations`);
    }
  }
  if (command === 'fix' && values.output === undefined) {
    throw new UsageError('fix needs -o OUT');
  }
  if (values['keep-both'] && values['leave-mixed']) {
    throw new UsageError('--keep-both and --leave-mixed exclude each other');
  }
  if (values['install-cuda'] && values['remove-cuda']) {
    throw new UsageError('--install-cuda and --remove-cuda exclude each other');
  }
  return {
    run: {
      command,
      file: file ?? '',
      json: values.json ?? false,
      program: values.program,
      cache: parseCache(values.cache, command),
      passes: list(values.passes).map(pass => oneOf(pass, PASSES, 'pass')),
      device: parseDeviceName(values.device ?? 'cpu'),
      regions: parseRegions(values.region),
      inputs: {
        inputsFile: values.inputs,
        dims: parseDims(values.dim ?? []),
        seed: count(values.seed, '--seed', 0)
      },
      weightsFrom: values['weights-from'],
      outputs: values.outputs,
      runs: count(values.runs, '--runs', 1),
      warmup: count(values.warmup, '--warmup', 0),
      arrow: values.arrow,
      activations: values.activations ?? false,
      values: values.values === undefined ? undefined : list(values.values),
      modules: values.modules === undefined ? undefined : list(values.modules),
      reference: !(values['no-reference'] ?? false),
      output: values.output ?? '',
      mixed: values['keep-both'] ? 'keep-both' : 'leave',
      types: values.types ?? false,
      code: values.code,
      strategies: parseStrategies(values.strategy),
      cudaProvider: values['install-cuda'] ? 'install' : values['remove-cuda'] ? 'remove' : 'leave'
    }
  };
}

const OPTIONS = {
  json: { type: 'boolean' },
  program: { type: 'string' },
  cache: { type: 'string' },
  passes: { type: 'string' },
  device: { type: 'string' },
  dim: { type: 'string', multiple: true },
  region: { type: 'string', multiple: true },
  inputs: { type: 'string' },
  outputs: { type: 'string' },
  seed: { type: 'string' },
  runs: { type: 'string' },
  warmup: { type: 'string' },
  arrow: { type: 'string' },
  weights: { type: 'boolean' },
  'weights-from': { type: 'string' },
  activations: { type: 'boolean' },
  values: { type: 'string' },
  modules: { type: 'string' },
  'no-reference': { type: 'boolean' },
  output: { type: 'string', short: 'o' },
  'keep-both': { type: 'boolean' },
  'leave-mixed': { type: 'boolean' },
  types: { type: 'boolean' },
  code: { type: 'string' },
  strategy: { type: 'string' },
  'install-cuda': { type: 'boolean' },
  'remove-cuda': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' }
} as const;

const VARIANT = ['cache', 'passes', 'device', 'region', 'dim', 'inputs', 'seed', 'weights-from'];

/** What `stats` takes for activations alone. */
const ACTIVATIONS = [...VARIANT, 'values', 'modules', 'no-reference'];

const ALLOWED: Record<Command, readonly string[]> = {
  census: ['json', 'program', 'region'],
  run: ['json', 'program', 'outputs', ...VARIANT],
  compare: ['json', 'program', 'runs', 'warmup', ...VARIANT],
  stats: ['json', 'program', 'arrow', 'weights', 'activations', ...ACTIVATIONS],
  fix: [
    'json',
    'program',
    'cache',
    'region',
    'output',
    'keep-both',
    'leave-mixed',
    'types',
    'code'
  ],
  code: ['json', 'program', 'output', 'keep-both', 'leave-mixed', 'strategy'],
  explain: ['json'],
  doctor: ['json', 'install-cuda', 'remove-cuda']
};

function parseCache(
  text: string | undefined,
  command: Command
): readonly (CacheMode | Reference)[] {
  const known = [...CACHE_MODES, ...REFERENCES];
  if (command === 'compare') {
    if (text === 'all') {
      return known;
    }
    if (text === undefined) {
      return CACHE_MODES;
    }
    const modes = list(text).map(item => oneOf(item, known, 'cache mode'));
    if (modes.length === 0) {
      throw new UsageError(`--cache names no cache mode; known: ${known.join(', ')}`);
    }
    return modes;
  }
  if (command === 'fix') {
    return [oneOf(text ?? 'frozen', ['frozen'] as const, 'cache mode of a file')];
  }
  return [oneOf(text ?? 'off', known, 'cache mode')];
}

function parseStrategies(text: string | undefined): readonly CodeStrategyName[] | undefined {
  if (text === undefined) {
    return undefined;
  }
  const names = list(text).map(item => oneOf(item, CODE_STRATEGIES, 'strategy'));
  if (names.length === 0) {
    throw new UsageError(`--strategy names none; known: ${CODE_STRATEGIES.join(', ')}`);
  }
  return names;
}

function parseDeviceName(text: string): string {
  try {
    return formatDevice(parseDevice(text));
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function parseDims(items: readonly string[]): Record<string, number> {
  const dims: Record<string, number> = {};
  for (const item of items) {
    const match = /^([^=]+)=(\d+)$/.exec(item);
    if (!match) {
      throw new UsageError(`--dim takes NAME=N, not "${item}"`);
    }
    dims[match[1]] = Number(match[2]);
  }
  return dims;
}

function parseRegions(items: readonly string[] | undefined): RegionOverrides | undefined {
  if (items === undefined) {
    return undefined;
  }
  const regions = new Map<string, IRegionOverride>();
  for (const item of items) {
    const at = item.lastIndexOf('=');
    const choice = item.slice(at + 1);
    if (at < 1 || !isRegionChoice(choice)) {
      const known = REGION_CHOICES.map(word => `ID=${word}`).join(', ');
      throw new UsageError(`--region takes ${known}, not "${item}"`);
    }
    regions.set(item.slice(0, at), overrideOf(choice));
  }
  return Object.fromEntries(regions);
}

function list(text: string | undefined): string[] {
  return (text ?? '').split(',').filter(item => item !== '');
}

function count(text: string | undefined, name: string, least: number): number | undefined {
  if (text === undefined) {
    return undefined;
  }
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least) {
    throw new UsageError(`${name} takes a whole number of at least ${least}, not "${text}"`);
  }
  return value;
}

function oneOf<T extends string>(text: string, known: readonly T[], what: string): T {
  const found = known.find(item => item === text);
  if (found === undefined) {
    throw new UsageError(`unknown ${what} "${text}"; known: ${known.join(', ')}`);
  }
  return found;
}
