/**
 * Passes, cache modes and the plan of a variant.
 *
 * @packageDocumentation
 */
export { hoistCasts } from './hoistcasts';
export { applyEagerCache } from './modeautocast';
export { toFloat32 } from './modefloat32';
export { foldWeightCasts } from './modefolded';
export type { IFoldResult } from './modefolded';
export type { IDecline, IPass, IPassResult } from './pass';
export { PASS_ORDER, planGraph } from './plan';
export type { IPlannedGraph, IPlanOptions } from './plan';
export { removeCastPairs } from './removecastpairs';
export { shareCasts } from './sharecasts';
export { validateGraph } from './validategraph';
