/**
 * `plan`: the casts in the graph of a variant. Runs nothing.
 *
 * @packageDocumentation
 */
import { FINDINGS, FORWARD_CASTS } from '../census';
import { request } from '../request';
import type { Of } from '../schema';
import { closed, count, figure, listOf, oneOf, open, text } from '../schema';
import { MODEL, VARIANT } from '../variant';
import { PASSES } from '../words';

const PASS_REPORT = open(
  {
    pass: oneOf(PASSES),
    applied: count('rewrites done'),
    summary: text('one line for the reader'),
    declined: listOf(open({ node: text(), reason: text() }), 'where it declined, and why')
  },
  'what one pass did to the graph of a variant'
);

/** What one pass did to the graph of a variant. */
export type IPassReport = Of<typeof PASS_REPORT>;

/** What the passes of a variant did. */
export const PASS_REPORTS = listOf(PASS_REPORT, 'what the passes of the variant did');

const RESULT = open(
  {
    ...FORWARD_CASTS,
    variant: VARIANT,
    activationCasts: figure(),
    loweringCasts: figure(
      'casts of one forward that castlens adds for operators without kernels in low precision; in neither of the counts above'
    ),
    convertedWeights: count(
      'weights converted once, when the variant is loaded (`folded`) or ahead of time (`frozen`)'
    ),
    passes: PASS_REPORTS,
    findings: FINDINGS
  },
  'the casts in the graph castlens hands to the runtime for a variant'
);

/** The casts in the graph castlens hands to the runtime for a variant. */
export type IPlan = Of<typeof RESULT>;

/** Planned census of a variant; runs nothing. */
export const PLAN = request({ params: closed({ ...MODEL, variant: VARIANT }), result: RESULT });
