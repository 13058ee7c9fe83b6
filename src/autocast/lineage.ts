/**
 * How a value depends on one weight.
 *
 * @packageDocumentation
 */
import type { INode, IValue, IWeight } from '../model';
import { BATCH_DIM, elementCount, staticShape } from '../model';

/** How a value depends on a weight. */
export interface ILineage {
  readonly weight: IWeight;
  /** The value that stands for the weight in the graph. */
  readonly value: IValue;
  /** Whether layout-only operators stand between the weight and the value. */
  readonly isView: boolean;
  /** Whether dtype-changing casts stand between the weight and the value. */
  readonly isCast: boolean;
  /** Inside of `torch.vmap`: how many times the elements of its shape the value has. Absent means once. */
  readonly batch?: number;
}

/** The lineage of what a layout-only operator makes of a value. */
export function arranged(before: ILineage, node: INode): ILineage {
  if (node.op === BATCH_DIM.add || node.op === BATCH_DIM.remove) {
    const [from, to] = [node.inputs[0]?.shape, node.outputs[0]?.shape].map(shape =>
      elementCount(staticShape(shape ?? null) ?? [])
    );
    return { ...before, isView: true, batch: ((before.batch ?? 1) * from) / to };
  }
  return before.isView ? before : { ...before, isView: true };
}
