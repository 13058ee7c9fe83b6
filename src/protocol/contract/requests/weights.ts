/**
 * `updateWeights`: check that the weights of another file fit the model, and load a variant with them.
 *
 * @packageDocumentation
 */
import { request } from '../request';
import type { Of } from '../schema';
import { closed, count, figure, listOf, open, path, text } from '../schema';
import { OWN_MODEL, VARIANT } from '../variant';

const RESULT = open(
  {
    weights: text('the file they come from, as the user named it'),
    changed: listOf(text(), 'weights whose bytes are others than those of the model'),
    unchangedCount: count(),
    variant: VARIANT,
    castsDone: count('casts of weights that loading the variant did again'),
    castsKept: count('casts of weights that it kept'),
    castMs: figure('time of those casts, milliseconds'),
    loadMs: figure('time of making the session, milliseconds')
  },
  'other weights, checked and loaded'
);

/** Other weights, checked and loaded. */
export type IWeightUpdateResult = Of<typeof RESULT>;

/**
 * Check that the weights of another file fit the model, and load a variant with them. Later requests ask for them by naming the
 * file; until then, and where this fails, everything stays as it was. `version` is that of the model without these weights.
 */
export const UPDATE_WEIGHTS = request({
  params: closed({ ...OWN_MODEL, weights: path('the file they come from'), variant: VARIANT }),
  result: RESULT
});
