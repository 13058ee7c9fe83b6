/**
 * The commands, each with what it takes: grammar, help and completion are made from this table.
 *
 * @packageDocumentation
 */
import type { IOption } from '../protocol';
import { FINDING_CODES } from '../autocast';
import { CACHE_MODES, CALL_OPTIONS } from '../protocol';
import {
  AGAINST,
  ARROW,
  FILE_CACHE,
  MIXED,
  PROGRAM,
  STRATEGIES,
  WEIGHTS
} from '../protocol/contract/options';
import { listOf, oneOf, path, truth, whole } from '../protocol/contract/schema';
import { SEVERITIES } from './check';

/** What stands behind a command. */
export interface IArgument {
  /** As help shows it. */
  readonly name: string;
  /** What is missing where it is: `a file`. */
  readonly what: string;
  /** What shells offer for it. */
  readonly offers: 'models' | readonly string[];
  readonly isOptional?: boolean;
}

/** One command. */
export interface ICommand {
  readonly argument: IArgument | null;
  /** What it does, in a line or two. */
  readonly about: string;
  readonly options: readonly IOption[];
  /** Options it cannot do without. */
  readonly needs?: readonly IOption[];
  /** Options that are honored only where another one is true. */
  readonly only?: { readonly options: readonly IOption[]; readonly with: IOption };
}

const MODEL: IArgument = { name: 'FILE', what: 'a file', offers: 'models' };

const JSON_OUTPUT = {
  name: 'json',
  value: truth(),
  about: 'print JSON; docs/json describes it',
  flags: [{ name: 'json', sets: true }]
} as const;

const OUTPUT = {
  name: 'output',
  value: path(),
  about: 'the file to write',
  flags: [{ name: 'output', short: 'o', takes: 'FILE' }]
} as const;

const CODE_OUTPUT = { ...OUTPUT, standard: 'standard output' } as const;

const COUNTED_CACHE = {
  name: 'cache',
  value: oneOf(CACHE_MODES),
  about: 'the cache mode whose forward is counted; off is what AOTInductor runs by default',
  standard: 'off',
  noun: 'cache mode',
  flags: [{ name: 'cache', takes: 'MODE' }]
} as const;

const MAX_WEIGHT_CASTS = {
  name: 'maxWeightCasts',
  value: whole(0),
  about: 'weight casts that one forward may run',
  standard: '0, where no other limit is given',
  flags: [{ name: 'max-weight-casts', takes: 'N' }]
} as const;

const MAX_BYTES_MOVED = {
  name: 'maxBytesMoved',
  value: whole(0),
  about: 'bytes that weight casts may read and write in one forward',
  flags: [{ name: 'max-bytes-moved', takes: 'N' }]
} as const;

const MAX_ACTIVATION_CASTS = {
  name: 'maxActivationCasts',
  value: whole(0),
  about: 'activation casts that one forward may run',
  flags: [{ name: 'max-activation-casts', takes: 'N' }]
} as const;

const FAIL_ON = {
  name: 'failOn',
  value: listOf(oneOf([...SEVERITIES, ...FINDING_CODES, 'none'])),
  about:
    'findings that the model must not have: codes, or severities, each with all that are worse',
  standard: 'error',
  noun: 'finding',
  flags: [{ name: 'fail-on', takes: 'LIST' }]
} as const;

const MARKDOWN = {
  name: 'markdown',
  value: truth(),
  about: 'print Markdown, for a pull request',
  flags: [{ name: 'markdown', sets: true }]
} as const;

const CUDA_PROVIDER = {
  name: 'cudaProvider',
  value: oneOf(['install', 'remove']),
  about: "onnxruntime's CUDA provider",
  flags: [
    { name: 'install-cuda', sets: 'install', about: "install onnxruntime's CUDA provider" },
    { name: 'remove-cuda', sets: 'remove', about: 'remove it' }
  ]
} as const;

const [ACTIVATIONS, ...ABOUT_ACTIVATIONS] = CALL_OPTIONS.stats;

/** Shells that completions are written for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** A shell. */
export type Shell = (typeof SHELLS)[number];

/** Every command by its name. */
export const COMMANDS = {
  census: {
    argument: MODEL,
    about:
      'the casts in the file, or those that a package compiled by AOTInductor executes; needs no runtime',
    options: [...CALL_OPTIONS.census, AGAINST, PROGRAM, JSON_OUTPUT]
  },
  check: {
    argument: MODEL,
    about:
      'hold the casts in the file against limits, for continuous integration; exit status 3 where one is exceeded',
    options: [
      MAX_WEIGHT_CASTS,
      MAX_BYTES_MOVED,
      MAX_ACTIVATION_CASTS,
      FAIL_ON,
      COUNTED_CACHE,
      ...CALL_OPTIONS.census,
      PROGRAM,
      MARKDOWN,
      JSON_OUTPUT
    ]
  },
  run: {
    argument: MODEL,
    about: 'one forward of one variant',
    options: [...CALL_OPTIONS.run, WEIGHTS, PROGRAM, JSON_OUTPUT]
  },
  compare: {
    argument: MODEL,
    about: 'several variants, timed interleaved, with executed census and equality of outputs',
    options: [...CALL_OPTIONS.compare, WEIGHTS, PROGRAM, JSON_OUTPUT]
  },
  stats: {
    argument: MODEL,
    about:
      'statistics of every weight, or with --activations of every value that a forward computes, and how far it is from float32',
    options: [ACTIVATIONS, ...ABOUT_ACTIVATIONS, WEIGHTS, ARROW, PROGRAM, JSON_OUTPUT],
    only: { options: ABOUT_ACTIVATIONS, with: ACTIVATIONS }
  },
  fix: {
    argument: MODEL,
    about: 'write the model with its weights in the precision they are used in',
    options: [OUTPUT, ...CALL_OPTIONS.fix, FILE_CACHE, PROGRAM, JSON_OUTPUT],
    needs: [OUTPUT]
  },
  code: {
    argument: MODEL,
    about: 'Python for your own export script: the same repair, in PyTorch',
    options: [CODE_OUTPUT, MIXED, STRATEGIES, PROGRAM, JSON_OUTPUT]
  },
  explain: {
    argument: { name: 'CODE', what: 'a code', offers: [] },
    about: 'what a finding means, why it happens and what to do about it',
    options: [JSON_OUTPUT]
  },
  doctor: {
    argument: null,
    about: 'devices, providers and versions, what is missing and how to install it',
    options: [CUDA_PROVIDER, JSON_OUTPUT]
  },
  completion: {
    argument: { name: 'SHELL', what: `a shell: ${SHELLS.join(', ')}`, offers: SHELLS },
    about: 'completion of this command line, as a script for bash, zsh or fish',
    options: []
  }
} as const satisfies Readonly<Record<string, ICommand>>;

/** Name of a command. */
export type Command = keyof typeof COMMANDS;

/** Names of all commands. */
export const COMMAND_NAMES = Object.keys(COMMANDS) as Command[];

/** A command as help, grammar and completion look at it. */
export function commandOf(name: Command): ICommand {
  return COMMANDS[name];
}
