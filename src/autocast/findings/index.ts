/**
 * Findings: what castlens remarks about a model's casts.
 *
 * @packageDocumentation
 */
import type { IFinding } from '../../protocol';
import { ambientAutocast } from './ambientautocast';
import { autocastError } from './autocasterror';
import { cachedInEagerOnly } from './cachedineageronly';
import { castIslands } from './castislands';
import { weightCastPerUse } from './castperuse';
import { castsCountedPerBody } from './countedperbody';
import { weightsCastEveryForward } from './castseveryforward';
import { compositeDiverges } from './compositediverges';
import { dtypeMismatch } from './dtypemismatch';
import { dtypeNotChecked } from './dtypenotchecked';
import type { FindingRule, IFindingContext } from './finding';
import { float64Weights } from './float64weights';
import { invalidTypes } from './invalidtypes';
import { mixedPrecisionWeight } from './mixedprecision';
import { weightNotCacheable } from './notcacheable';
import { overridableWeights } from './overridable';
import { regionDisabled } from './regiondisabled';
import { regionOtherDevice } from './regionotherdevice';
import { unknownAutocastDevice } from './unknowndevice';
import { unusedWeights } from './unusedweights';

export { count, places, some } from './finding';
export { callText, invalidTypesFinding, typeErrorText } from './invalidtypes';
export type { FindingRule, IFindingContext, IJudgedCast } from './finding';

/** Rules by the code of what they find, in the order findings are told. Codes are stable; each has a page in docs/findings. */
export const FINDING_RULES: Readonly<Record<string, FindingRule>> = {
  'invalid-types': invalidTypes,
  'region-disabled': regionDisabled,
  'region-other-device': regionOtherDevice,
  'weights-cast-every-forward': weightsCastEveryForward,
  'casts-counted-per-body': castsCountedPerBody,
  'weight-cast-per-use': weightCastPerUse,
  'cached-in-eager-only': cachedInEagerOnly,
  'weight-not-cacheable': weightNotCacheable,
  'mixed-precision-weight': mixedPrecisionWeight,
  'ambient-autocast': ambientAutocast,
  'dtype-mismatch': dtypeMismatch,
  'composite-diverges': compositeDiverges,
  'cast-islands': castIslands,
  'autocast-error': autocastError,
  'unknown-autocast-device': unknownAutocastDevice,
  'float64-weights': float64Weights,
  'unused-weights': unusedWeights,
  'overridable-weights': overridableWeights,
  'dtype-not-checked': dtypeNotChecked
};

/** Codes of all findings about a model. */
export const FINDING_CODES: readonly string[] = Object.keys(FINDING_RULES);

/** Everything castlens remarks about a model's casts. */
export function collectFindings(context: IFindingContext): IFinding[] {
  return Object.values(FINDING_RULES).flatMap(rule => rule(context));
}
