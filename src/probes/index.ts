/**
 * Statistics of the values inside a graph, computed where the graph runs.
 *
 * @packageDocumentation
 */
export { differenceGraph, summaryGraph } from './attach';
export type { IDifferenceGraph, IPiece, ISummaryGraph } from './attach';
export { differenceOf, mergeDifferences, readDifference } from './difference';
export type { IDifference, IDifferenceSums } from './difference';
export { executionOrder, peakLiveBytes } from './order';
export { readSummary } from './summary';
export type { ISummary, ISummaryPorts } from './summary';
