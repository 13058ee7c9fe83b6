/**
 * `compare`: several variants, timed interleaved. `lastCompare`: what the last one said.
 *
 * @packageDocumentation
 */
import { FINDINGS } from '../census';
import { ERROR } from '../error';
import { request } from '../request';
import type { Of } from '../schema';
import {
  closed,
  count,
  figure,
  listOf,
  nullable,
  oneOf,
  open,
  optional,
  path,
  text,
  truth,
  whole
} from '../schema';
import { MODEL, RUN_INPUTS, VARIANT, VARIANT_FIELDS } from '../variant';
import { MAX_FORWARDS, RUNTIMES, VERDICTS } from '../words';
import { PASS_REPORTS } from './plan';

const VARIANT_MEMORY = open(
  {
    fileBackedBytes: nullable(
      figure(),
      'mapped pages of the file of the model and of converted weights: the system can drop them and read them again'
    ),
    hostBytes: nullable(
      figure(),
      'the rest of the resident set: activations, weights that the runtime copied'
    ),
    deviceBytes: nullable(
      figure(),
      'device memory as the driver counts it; null on the CPU. For the first variant of a process the context of CUDA and its libraries are in it. Where the driver does not tell programs apart, what other programs did to the GPU in that time counts too'
    )
  },
  'growth of the memory of the engine while a variant was loaded and ran for the first time, in bytes; null where nobody says, and where variants were given up for it. Other work of the process in that time counts too: right to within some megabytes'
);

/** Growth of the engine's memory while a variant was loaded and ran for the first time; see the schema for what counts. */
export type IVariantMemory = Of<typeof VARIANT_MEMORY>;

/** A cast of a weight in one forward, as a runtime of PyTorch runs it. */
const TORCH_CAST = open(
  {
    weights: listOf(text(), 'the weight, or those that it is computed from'),
    from: text(),
    to: text(),
    kind: oneOf(['stored', 'computed']),
    count: count('casts in one forward')
  },
  'casts of one weight'
);

/** Casts of one weight in one forward, as a runtime of PyTorch runs them. */
export type ITorchCast = Of<typeof TORCH_CAST>;

const VARIANT_RESULT = open(
  {
    ...VARIANT_FIELDS,
    runtime: text('what ran it, with version and options'),
    medianMs: figure('median wall time of one forward, milliseconds'),
    lowMs: figure('first quartile'),
    highMs: figure('third quartile'),
    samplesMs: listOf(figure(), 'every timed forward in order, milliseconds'),
    runs: count(),
    ratioToOff: nullable(
      figure(),
      'medianMs of this variant over that of `off` in the same runtime; null where that is not among the variants'
    ),
    ratioLow: nullable(figure(), '95 % bootstrap confidence interval of the ratio'),
    ratioHigh: nullable(figure()),
    verdict: nullable(
      oneOf(VERDICTS),
      'null for `off` itself and where it is not among the variants'
    ),
    plannedWeightCasts: nullable(figure(), 'null where castlens does not plan the graph'),
    plannedBytesMoved: nullable(figure()),
    executedWeightCasts: figure('of one forward; `executedBy` says how they were counted'),
    executedBy: text('how the executed casts were counted'),
    weightCasts: optional(listOf(TORCH_CAST, 'the executed casts by weight, of PyTorch')),
    castsAtLoad: optional(
      nullable(count(), 'casts of weights that loading a compiled package runs; null where unknown')
    ),
    compileMs: optional(
      nullable(figure(), 'compilation, milliseconds: now, or when the package was made')
    ),
    loadMs: figure(
      'session creation, weight conversion of `folded` included, milliseconds: now, or where `reused` when it was loaded'
    ),
    reused: truth('whether the variant was loaded already'),
    weightBytes: nullable(figure(), 'bytes of weights the session refers to; null where unknown'),
    memory: VARIANT_MEMORY,
    peakRssBytes: nullable(
      figure(),
      'peak resident set of the process since it started, in bytes, read after the first forwards of this variant: a high-water mark that never falls from one variant to the next, not the memory of the variant alone'
    ),
    bitIdenticalToOff: nullable(
      truth(),
      'whether outputs are those of `off`, of the runtime that `outputsComparedWith` names; null where there is no such run'
    ),
    maxRelativeDifferenceToOff: nullable(
      figure(),
      'largest absolute difference of any output to that of `off`, relative to the largest absolute output of `off`'
    ),
    passReports: PASS_REPORTS,
    findings: FINDINGS
  },
  'one variant of a comparison'
);

/** One variant of a comparison. */
export type IVariantResult = Of<typeof VARIANT_RESULT>;

const RESULT = open(
  {
    file: text('as the user named it'),
    version: text('the version of the model that was compared'),
    device: text(),
    machine: text('processor, cores, operating system'),
    runtime: text(),
    runs: count(),
    warmup: count(),
    inputs: text('`random, seed 0`, `sample inputs of the file` or the inputs file'),
    outputsComparedWith: nullable(
      oneOf(RUNTIMES),
      'the runtime whose `off` gave the outputs that others are compared with; `eager` where it is among them'
    ),
    variants: listOf(VARIANT_RESULT),
    findings: FINDINGS,
    failed: listOf(
      open({ variant: VARIANT, message: text('the error in one text'), error: ERROR }),
      'variants that could not be run, with the reason'
    )
  },
  'a comparison; variants are timed interleaved'
);

/** A comparison. Variants are timed interleaved. `findings` are those whose cost in time it measured. */
export type ICompareResult = Of<typeof RESULT>;

/** Several variants against each other. */
export const COMPARE = request({
  params: closed({
    ...MODEL,
    variants: listOf(VARIANT, undefined, 1),
    runs: optional(whole(1, MAX_FORWARDS, 'timed forwards per variant')),
    warmup: optional(whole(0, MAX_FORWARDS, 'forwards per variant before timing starts')),
    inputs: optional(RUN_INPUTS),
    python: optional(
      path('the Python whose PyTorch runs variants; the first one with PyTorch where left out')
    ),
    trust: optional(
      truth(
        'whether the file may be loaded with PyTorch, which unpickles objects in it and may so run code of the file'
      )
    )
  }),
  result: RESULT
});

/** Results of the last comparison of this version in this kernel, for a panel that was reloaded. */
export const LAST_COMPARE = request({
  params: closed({ ...MODEL, version: text('the version that is asked for') }),
  result: open({ compare: nullable(RESULT) })
});
