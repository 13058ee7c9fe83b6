/**
 * How bytes get from a source file to a file that is written.
 *
 * @packageDocumentation
 */
import type { DType, IByteRange } from '../model';

/** Moves and converts bytes in bounded pieces. Pieces may share one buffer: use each before asking for the next. */
export interface IByteTransfer {
  /** The bytes as they are. */
  copy(range: IByteRange): AsyncIterable<Uint8Array>;
  /** The elements of a range in another dtype. */
  convert(range: IByteRange, from: DType, to: DType): AsyncIterable<Uint8Array>;
  /** Elements in memory in another dtype. */
  convertBytes(bytes: Uint8Array, from: DType, to: DType): AsyncIterable<Uint8Array>;
}
