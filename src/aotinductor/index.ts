/**
 * Packages compiled by AOTInductor, read without PyTorch: text in, facts out.
 *
 * @packageDocumentation
 */
export * from './model';
export type { ICalled, IExecutedCast, INotCounted } from './dataflow';
