/**
 * The table of options: what can be said of a call, the same in notebooks and on the command line.
 *
 * @packageDocumentation
 */
import * as Type from 'typebox';
import type { Of, Schema } from './schema';
import { listOf, oneOf, path, tableOf, text, truth, whole } from './schema';
import { MAX_THREADS, REGION_OVERRIDE } from './variant';
import {
  CACHE_MODES,
  CODE_STRATEGIES,
  DEFAULT_RUNS,
  DEFAULT_WARMUP,
  MAX_FORWARDS,
  MIXED_WEIGHTS,
  PASSES,
  REGION_CHOICES,
  REGION_DTYPES,
  RUNTIME_CACHES,
  RUNTIMES,
  VARIANT_CACHES
} from './words';

/** How an option is written on the command line. */
export interface IFlag {
  /** Without its hyphens. */
  readonly name: string;
  readonly short?: string;
  /** What its value is called, where it takes one: `MODE`. */
  readonly takes?: string;
  /** The value that a flag without one stands for. */
  readonly sets?: boolean | string;
  /** What it does, where it is not what the option is about. */
  readonly about?: string;
}

/** One option. */
export interface IOption<N extends string = string, S extends Schema = Schema> {
  /** Its name in notebooks. */
  readonly name: N;
  /** What its value has to be. */
  readonly value: S;
  /** What it is about, in a line. */
  readonly about: string;
  /** What holds where it is not given, in words or as a value. */
  readonly standard?: string;
  /** What one of its values is called, in messages. */
  readonly noun?: string;
  /** How it is written on the command line; empty where it is not offered there. */
  readonly flags: readonly IFlag[];
}

/** The values of options, each of which may be left out. */
export type OptionsOf<L extends readonly IOption[]> = {
  readonly [O in L[number] as O['name']]?: Of<O['value']>;
};

function option<const N extends string, S extends Schema>(parts: IOption<N, S>): IOption<N, S> {
  return parts;
}

export const PROGRAM = option({
  name: 'program',
  value: text(),
  about: 'which program of a .pt2 archive with several',
  standard: 'the one called model, else the first, with a warning',
  flags: [{ name: 'program', takes: 'NAME' }]
});

export const CACHE = option({
  name: 'cache',
  value: oneOf(VARIANT_CACHES),
  about: 'when weights are cast, or a reference',
  standard: 'off',
  noun: 'cache mode',
  flags: [{ name: 'cache', takes: 'MODE' }]
});

export const COMPARED_CACHES = option({
  name: 'cache',
  value: Type.Union([oneOf(['all']), listOf(oneOf(RUNTIME_CACHES), undefined, 1)]),
  about:
    'cache modes and references to compare, repaired for the repaired model in PyTorch, or all',
  standard: `${CACHE_MODES.join(',')}; in PyTorch those that the runtime has`,
  noun: 'cache mode',
  flags: [{ name: 'cache', takes: 'LIST' }]
});

export const RUNTIME = option({
  name: 'runtimes',
  value: listOf(oneOf(RUNTIMES), undefined, 1),
  about: `what runs the variants: ${RUNTIMES.join(', ')}; all but the first are PyTorch`,
  standard: 'onnxruntime',
  noun: 'runtime',
  flags: [{ name: 'runtime', takes: 'LIST' }]
});

export const AGAINST = option({
  name: 'against',
  value: path(),
  about: 'the exported program to compare a compiled package with',
  standard: 'a .pt2 file beside it that its name begins with',
  flags: [{ name: 'against', takes: 'FILE' }]
});

export const PYTHON = option({
  name: 'python',
  value: path(),
  about: 'the Python whose PyTorch runs variants; castlens doctor lists those of this machine',
  standard: 'the first one with PyTorch',
  flags: [{ name: 'python', takes: 'PATH' }]
});

export const TRUST = option({
  name: 'trust',
  value: truth(),
  about: 'let PyTorch load the file, which can run code that the file holds',
  standard: 'false',
  flags: [{ name: 'trust', sets: true }]
});

export const THREADS = option({
  name: 'threads',
  value: whole(1, MAX_THREADS),
  about: 'threads within an operator, the same in every runtime',
  standard: 'the choice of the runtime',
  flags: [{ name: 'threads', takes: 'N' }]
});

export const FILE_CACHE = option({
  name: 'cache',
  value: oneOf(['frozen']),
  about: 'how weights are stored: cast ahead of time',
  standard: 'frozen',
  noun: 'cache mode of a file',
  flags: [{ name: 'cache', takes: 'MODE' }]
});

export const LOADED_CACHE = option({ ...CACHE, standard: 'folded' });

export const APPLIED_PASSES = option({
  name: 'passes',
  value: listOf(oneOf(PASSES)),
  about: 'passes over the graph',
  standard: 'none',
  noun: 'pass',
  flags: [{ name: 'passes', takes: 'LIST' }]
});

export const DEVICE = option({
  name: 'device',
  value: text(),
  about: 'cpu, cuda, cuda:N',
  standard: 'cpu',
  flags: [{ name: 'device', takes: 'NAME' }]
});

export const REGIONS = option({
  name: 'regions',
  value: tableOf(Type.Union([oneOf(REGION_CHOICES), REGION_OVERRIDE])),
  about: `run an autocast region otherwise than recorded: on, off, or on in ${REGION_DTYPES.join(', ')}`,
  flags: [{ name: 'region', takes: 'ID=HOW' }]
});

export const DIMS = option({
  name: 'dims',
  value: tableOf(whole(0)),
  about: 'value of a symbolic size',
  flags: [{ name: 'dim', takes: 'NAME=N' }]
});

export const INPUTS = option({
  name: 'inputs',
  value: path(),
  about: '.safetensors with inputs by name, or input_0, input_1, ... by position',
  standard: 'the sample inputs of the file where it holds some that fit, else random ones',
  flags: [{ name: 'inputs', takes: 'FILE' }]
});

export const SEED = option({
  name: 'seed',
  value: whole(Number.MIN_SAFE_INTEGER),
  about: 'random inputs of this seed, also where the file holds sample inputs',
  flags: [{ name: 'seed', takes: 'N' }]
});

export const WEIGHTS = option({
  name: 'weights',
  value: path(),
  about: 'take the weights from there: .safetensors, or another export of the model',
  flags: [{ name: 'weights-from', takes: 'FILE' }]
});

export const OUTPUTS = option({
  name: 'outputs',
  value: path(),
  about: 'write the outputs to this .safetensors file, as output_0, output_1, ...',
  flags: [{ name: 'outputs', takes: 'FILE' }]
});

export const RUNS = option({
  name: 'runs',
  value: whole(1, MAX_FORWARDS),
  about: 'timed forwards per variant',
  standard: String(DEFAULT_RUNS),
  flags: [{ name: 'runs', takes: 'N' }]
});

export const WARMUP = option({
  name: 'warmup',
  value: whole(0, MAX_FORWARDS),
  about: 'forwards per variant before timing',
  standard: String(DEFAULT_WARMUP),
  flags: [{ name: 'warmup', takes: 'N' }]
});

export const ARROW = option({
  name: 'outputFile',
  value: path(),
  about: 'write the table as an Arrow IPC stream',
  flags: [{ name: 'arrow', takes: 'FILE' }]
});

export const ACTIVATIONS = option({
  name: 'activations',
  value: truth(),
  about: 'run the model, and summarize the values that a forward computes',
  standard: 'false',
  flags: [
    { name: 'weights', sets: false, about: 'summarize the weights (default)' },
    { name: 'activations', sets: true }
  ]
});

export const VALUES = option({
  name: 'values',
  value: listOf(text()),
  about: 'only these values',
  flags: [{ name: 'values', takes: 'LIST' }]
});

export const MODULES = option({
  name: 'modules',
  value: listOf(text()),
  about: 'only the values of these modules',
  flags: [{ name: 'modules', takes: 'LIST' }]
});

export const REFERENCE = option({
  name: 'reference',
  value: truth(),
  about: 'compare with float32',
  standard: 'true',
  flags: [{ name: 'no-reference', sets: false, about: 'do not compare with float32' }]
});

export const MIXED = option({
  name: 'mixed',
  value: oneOf(MIXED_WEIGHTS),
  about: 'what becomes of weights that are used in both precisions',
  standard: 'leave',
  flags: [
    {
      name: 'keep-both',
      sets: 'keep-both',
      about: 'weights used in both precisions get a second, converted copy'
    },
    { name: 'leave-mixed', sets: 'leave', about: 'such weights stay as they are (default)' }
  ]
});

export const FOLD_COMPUTED = option({
  name: 'foldComputed',
  value: truth(),
  about: 'store what is computed from weights too, where no bit changes and the file does not grow',
  flags: [{ name: 'fold-computed', sets: true }]
});

export const TYPES = option({
  name: 'types',
  value: truth(),
  about: 'put wrong types of an .onnx file right (invalid-types), and change nothing else',
  flags: [{ name: 'types', sets: true }]
});

export const CODE = option({
  name: 'code',
  value: path(),
  about: 'write the PyTorch code to this Python file too; not with overridden regions',
  flags: [{ name: 'code', takes: 'FILE' }]
});

export const OVERWRITE = option({
  name: 'overwrite',
  value: truth(),
  about: 'replace files that are there',
  standard: 'false',
  flags: []
});

export const STRATEGIES = option({
  name: 'strategies',
  value: listOf(oneOf(CODE_STRATEGIES), undefined, 1),
  about:
    'what the code holds; onnx-folding is for .onnx, as preconvert is, and the others for .pt2',
  standard: 'all that apply',
  noun: 'strategy',
  flags: [{ name: 'strategy', takes: 'LIST' }]
});

/** What a variant is made of. */
export const VARIANT_OPTIONS = [CACHE, APPLIED_PASSES, DEVICE, REGIONS] as const;

/** What a variant is run on. */
export const INPUT_OPTIONS = [INPUTS, DIMS, SEED] as const;

/** The words that a value may be, or the items of a list or table; empty where it is no word. */
export function wordsOf(schema: Schema): readonly string[] {
  const node = schema as INode;
  return (
    node.enum ??
    node.anyOf?.flatMap(wordsOf) ??
    ((node.items ??
    (typeof node.additionalProperties === 'object' ? node.additionalProperties : null))
      ? wordsOf((node.items ?? node.additionalProperties) as Schema)
      : [])
  );
}

interface INode {
  readonly enum?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
}
