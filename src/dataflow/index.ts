/**
 * Where values come from and go to: the one place that follows them through graphs.
 *
 * @packageDocumentation
 */
export { findAliases } from './aliasing';
export type { IAliases } from './aliasing';
export { liftConstants } from './constants';
export { dropDeadNodes } from './deadcode';
export { Destinations } from './destinations';
export type { IFollowedUse } from './destinations';
export { bringForward, GraphEditor, outputsOf } from './grapheditor';
export { inPlaceConflicts, lastUses } from './inplace';
export { lineageOf, weightLineage } from './lineage';
export type { ILineage } from './lineage';
export { Makers } from './makers';
export { Origins } from './origins';
export type { IArranging } from './origins';
export { SameValues } from './samevalues';
export { goForward, stepOf } from './steps';
export type { IForwardVisitor, Step } from './steps';
export { asComputedWeight, nodesOfWeights, WeightFlows } from './weightflow';
export type { WeightFlow } from './weightflow';
