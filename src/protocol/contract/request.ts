/**
 * What is agreed on about one request.
 *
 * @packageDocumentation
 */
import type { Schema } from './schema';

/** What is agreed on about one request. Paths are those strings of the parameters whose format says so. */
export interface IRequest<P extends Schema = Schema, R extends Schema = Schema> {
  readonly params: P;
  readonly result: R;
  /** What the binary data beside the result is, in order; empty where there is none. */
  readonly buffers: readonly string[];
}

/** A request. */
export function request<P extends Schema, R extends Schema>(parts: {
  readonly params: P;
  readonly result: R;
  readonly buffers?: readonly string[];
}): IRequest<P, R> {
  return { buffers: [], ...parts };
}
