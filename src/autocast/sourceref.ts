/**
 * Source locations as they travel.
 *
 * @packageDocumentation
 */
import type { ISourceLocation } from '../model';
import type { ISourceRef } from '../protocol';

/** A source location of the model as the protocol has it; null stays null. */
export function sourceRef(source: ISourceLocation | null): ISourceRef | null {
  if (source === null) {
    return null;
  }
  const { file, line, code } = source;
  return code === undefined ? { file, line } : { file, line, code };
}
