/**
 * `run`: one forward of one variant.
 *
 * @packageDocumentation
 */
import { FINDINGS, FORWARD_CASTS_OBJECT } from '../census';
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
import { PASS_REPORTS } from './plan';

const OUTPUT_INFO = open(
  {
    name: text(),
    dtype: text(),
    shape: listOf(figure()),
    min: nullable(figure()),
    max: nullable(figure()),
    mean: nullable(figure()),
    nanCount: count()
  },
  'an output tensor, summarized'
);

/** An output tensor, summarized. */
export type IOutputInfo = Of<typeof OUTPUT_INFO>;

const RESULT = open(
  {
    variant: VARIANT,
    inputs: optional(text('`random, seed 0; sizes chosen by castlens: batch=4`, ...')),
    runtime: text(
      'what actually ran: `CPUExecutionProvider, onnxruntime 1.30.0, graph optimisations disabled`'
    ),
    latencyMs: figure('wall time of the forward, milliseconds'),
    loadMs: figure(
      'what loading took, milliseconds: now, or where `reused` when the variant was loaded'
    ),
    reused: truth('whether the variant was loaded already'),
    planned: FORWARD_CASTS_OBJECT,
    executedWeightCasts: figure('counted in the profile of the runtime'),
    passReports: PASS_REPORTS,
    outputs: listOf(OUTPUT_INFO),
    outputsFile: optional(text('where the outputs were written')),
    findings: FINDINGS
  },
  'one forward of one variant'
);

/** One forward of one variant. */
export type IRunResult = Of<typeof RESULT>;

/** One forward of one variant. */
export const RUN = request({
  params: closed({
    ...MODEL,
    variant: VARIANT,
    inputs: optional(RUN_INPUTS),
    outputsFile: optional(path('.safetensors to write the outputs to, as `output_0`, ...'))
  }),
  result: RESULT
});
