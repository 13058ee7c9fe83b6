/**
 * Autocast: policies, regions made explicit, the census and what it tells.
 *
 * @packageDocumentation
 */
export { cachedCasts } from './cachedcasts';
export type { ICachedCasts } from './cachedcasts';
export { takeCensus, sumCasts } from './census';
export { cacheVerdict, describeRefusal } from './eagercache';
export type { CacheRefusal, ICacheVerdict } from './eagercache';
export { inexactness } from './exactness';
export { dependsOnValues, ExecutionCounts, isBranch } from './executions';
export type { IExecutions, IRunRange } from './executions';
export { makeCastsExplicit } from './explicit';
export type { IExplicitGraph, IExplicitOptions } from './explicit';
export {
  callText,
  count,
  FINDING_CODES,
  invalidTypesFinding,
  places,
  some,
  typeErrorText
} from './findings';
export {
  autocastDevicesOf,
  checkOverrides,
  findOverrideErrors,
  makeOverriddenExplicit
} from './overrides';
export { contractedOperands, defaultAutocastDtype, DEVICE_POLICIES, policiesOf } from './policy';
export type { AutocastPolicy, IDevicePolicies, IPolicy, PolicyLookup } from './policy';
export { resolveRegions } from './regions';
export type { RegionStates } from './regions';
export { asWeightCast, countCasts, storedBytes, weightCastsOf, weightKey } from './weightcasts';
export type { ICastCounts, ICountedCast, IWeightCastNode } from './weightcasts';
