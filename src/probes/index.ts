/**
 * Statistics of the values inside a graph, computed where the graph runs.
 *
 * @packageDocumentation
 */
export { differenceGraph, piecesGraph, summaryGraph } from './attach';
export type { IDifferenceGraph, IPiece, IPiecesGraph, ISummaryGraph } from './attach';
export {
  differenceBatches,
  forwardBytes,
  heldRoomBytes,
  mostHeldBytes,
  MEMORY_RATIO,
  SCRATCH_BYTES,
  summaryBatches,
  valueBytes,
  withSizes
} from './batches';
export type { IBatch, IComparedPair, IComparison } from './batches';
export { differenceOf, mergeDifferences, readDifference } from './difference';
export type { IDifference, IDifferenceSums } from './difference';
export { difference, gatherings, summarise } from './gather';
export type { IFetchedValue, IGathering } from './gather';
export { groupBy } from './grouping';
export { headroomIn, largestFinite, NEAR_BINADES } from './headroom';
export type { IHeadroom } from './headroom';
export { executionOrder, peakLiveBytes } from './order';
export { readSummary } from './summary';
export type { ISummary, ISummaryPorts } from './summary';
export { probedValues } from './values';
export type { IPlannedPair, IProbedValue, ISkippedValue } from './values';
