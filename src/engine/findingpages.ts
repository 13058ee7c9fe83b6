/**
 * The pages of docs/findings, which the bundle carries along.
 *
 * @packageDocumentation
 */
import ambientAutocast from '../../docs/findings/ambient-autocast.md';
import autocastError from '../../docs/findings/autocast-error.md';
import cachedInEagerOnly from '../../docs/findings/cached-in-eager-only.md';
import castIslands from '../../docs/findings/cast-islands.md';
import castsCountedPerBody from '../../docs/findings/casts-counted-per-body.md';
import compositeDiverges from '../../docs/findings/composite-diverges.md';
import dtypeMismatch from '../../docs/findings/dtype-mismatch.md';
import dtypeNotChecked from '../../docs/findings/dtype-not-checked.md';
import executedDiffersFromPlanned from '../../docs/findings/executed-differs-from-planned.md';
import exportedGraphRefused from '../../docs/findings/exported-graph-refused.md';
import invalidTypes from '../../docs/findings/invalid-types.md';
import mixedPrecisionWeight from '../../docs/findings/mixed-precision-weight.md';
import outputsNotShown from '../../docs/findings/outputs-not-shown.md';
import overridableWeights from '../../docs/findings/overridable-weights.md';
import regionDisabled from '../../docs/findings/region-disabled.md';
import regionOtherDevice from '../../docs/findings/region-other-device.md';
import runtimeCasts from '../../docs/findings/runtime-casts.md';
import unknownAutocastDevice from '../../docs/findings/unknown-autocast-device.md';
import unusedWeights from '../../docs/findings/unused-weights.md';
import weightCastPerUse from '../../docs/findings/weight-cast-per-use.md';
import weightNotCacheable from '../../docs/findings/weight-not-cacheable.md';
import weightOverflow from '../../docs/findings/weight-overflow.md';
import weightVanishes from '../../docs/findings/weight-vanishes.md';
import weightsCastEveryForward from '../../docs/findings/weights-cast-every-forward.md';
import { CastlensError } from '../model';

/** Markdown by code. */
const PAGES: Readonly<Record<string, string>> = {
  'ambient-autocast': ambientAutocast,
  'autocast-error': autocastError,
  'cached-in-eager-only': cachedInEagerOnly,
  'cast-islands': castIslands,
  'casts-counted-per-body': castsCountedPerBody,
  'composite-diverges': compositeDiverges,
  'dtype-mismatch': dtypeMismatch,
  'dtype-not-checked': dtypeNotChecked,
  'executed-differs-from-planned': executedDiffersFromPlanned,
  'exported-graph-refused': exportedGraphRefused,
  'invalid-types': invalidTypes,
  'mixed-precision-weight': mixedPrecisionWeight,
  'outputs-not-shown': outputsNotShown,
  'overridable-weights': overridableWeights,
  'region-disabled': regionDisabled,
  'region-other-device': regionOtherDevice,
  'runtime-casts': runtimeCasts,
  'unknown-autocast-device': unknownAutocastDevice,
  'unused-weights': unusedWeights,
  'weight-cast-per-use': weightCastPerUse,
  'weight-not-cacheable': weightNotCacheable,
  'weight-overflow': weightOverflow,
  'weight-vanishes': weightVanishes,
  'weights-cast-every-forward': weightsCastEveryForward
};

/** Codes that have a page. */
export const EXPLAINED_CODES: readonly string[] = Object.keys(PAGES);

/**
 * What a finding means, why it happens and what to do, as Markdown.
 *
 * @throws CastlensError('bad-argument') for a code that is not known.
 */
export function findingPage(code: string): string {
  if (!Object.hasOwn(PAGES, code)) {
    throw new CastlensError('bad-argument', `there is no finding "${code}"`, {
      expected: EXPLAINED_CODES.join(', ')
    });
  }
  return PAGES[code];
}
