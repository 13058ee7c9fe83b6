/**
 * `weightStats` and `activationStats`: statistics of weights as stored, and of values as computed.
 *
 * Both answer with one buffer: an Arrow IPC stream, see `stats.ts` of the protocol.
 *
 * @packageDocumentation
 */
import { FINDINGS } from '../census';
import { request } from '../request';
import type { Of } from '../schema';
import {
  closed,
  count,
  figure,
  listOf,
  nullable,
  open,
  optional,
  path,
  text,
  truth
} from '../schema';
import { MODEL, RUN_INPUTS, VARIANT } from '../variant';

const TABLE = ['an Arrow IPC stream with the table'] as const;

const OUTPUT_FILE = optional(path('write the table to this file too'));

const WEIGHTS = open({ rows: count('rows of the table'), findings: FINDINGS });

/** Statistics of weights. `findings` are those that only the values of weights show. */
export const WEIGHT_STATS = request({
  params: closed({ ...MODEL, outputFile: OUTPUT_FILE }),
  result: WEIGHTS,
  buffers: TABLE
});

const PROBE_COST = open(
  {
    plainMs: figure('wall time of one plain forward, milliseconds'),
    plainLoadMs: figure('wall time of loading it before, milliseconds'),
    probedMs: figure(
      'wall time of all runs for the table with loading, milliseconds: those of the variant and those of the reference'
    ),
    totalMs: figure('wall time of everything, loading and planning included, milliseconds'),
    plainBytes: figure(
      'weights and computed values of a plain forward, at most at a time, counted by their sizes; bytes'
    ),
    probedBytes: figure(
      'the same of the run for the table that takes most, be it of the variant or of the reference, with what is held of the reference. Runs are cut to at most 1.3 times what the larger one of the plain forwards of both takes, or 64 MiB more: it can be more than 1.3 times `plainBytes`, which is of the variant alone'
    ),
    plainPeakRssBytes: nullable(
      figure(),
      'largest resident set of the process while it loaded and ran the plain forward, bytes; null where it cannot be measured'
    ),
    probedPeakRssBytes: nullable(figure(), 'the same of the batch that took most')
  },
  'what probing the values of a model cost, beside one plain forward of the same variant'
);

/** What probing a model's values cost, beside one plain forward of the same variant. */
export type IProbeCost = Of<typeof PROBE_COST>;

const ACTIVATIONS = open(
  {
    variant: VARIANT,
    runtime: text(),
    inputs: text('`random, seed 0`, `sample inputs of the file` or the inputs file'),
    rows: count('rows of the table'),
    batches: count('runs it took'),
    reference: truth('whether values were compared with the `float32` program'),
    skipped: listOf(
      open({ name: text(), reason: text() }),
      'values computed from the inputs that the table leaves out, and why: those of nested graphs among them'
    ),
    cost: PROBE_COST
  },
  'statistics of the values inside a model, beside the table itself'
);

/** Statistics of the values inside a model, beside the table itself. */
export type IActivationStatsResult = Of<typeof ACTIVATIONS>;

/** Statistics of computed values, reduced on the device. The variant is any but `onnxruntime`, whose values may be fused away. */
export const ACTIVATION_STATS = request({
  params: closed({
    ...MODEL,
    variant: VARIANT,
    inputs: optional(RUN_INPUTS),
    values: optional(
      listOf(text(), 'only these values; all where neither these nor modules are given')
    ),
    modules: optional(
      listOf(text(), 'only the values of these modules and of what is inside them')
    ),
    reference: optional(
      truth('compare with the `float32` program on the same inputs; true where left out')
    ),
    outputFile: OUTPUT_FILE
  }),
  result: ACTIVATIONS,
  buffers: TABLE
});
