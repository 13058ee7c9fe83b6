/**
 * How a value depends on one weight.
 *
 * @packageDocumentation
 */
import type { IValue, IWeight } from '../model';

/** How a value depends on a weight. */
export interface ILineage {
  readonly weight: IWeight;
  /** The value that stands for the weight in the graph. */
  readonly value: IValue;
  /** Whether layout-only operators stand between the weight and the value. */
  readonly isView: boolean;
  /** Whether dtype-changing casts stand between the weight and the value. */
  readonly isCast: boolean;
}
