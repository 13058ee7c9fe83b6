/**
 * How a value depends on one weight.
 *
 * @packageDocumentation
 */
import type { IGraph, INode, IValue, IWeight } from '../model';
import { BATCH_DIM, elementCount, isFloating, staticShape } from '../model';
import { writesInPlace } from '../operators';
import { goForward, stepOf } from './steps';

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

/** The lineage of a weight itself. */
export function lineageOf(value: IValue, weight: IWeight): ILineage {
  return { weight, value, isView: false, isCast: false };
}

/** The lineage of the results of a node that has an operand of a lineage first; null where it computes something else. */
export function lineageAfter(before: ILineage, node: INode): ILineage | null {
  switch (stepOf(node)) {
    case 'same':
      return before;
    case 'cast':
      // What a composite operator computes of a weight before it casts is no value of the graph.
      return node.reach === 'computed' ? null : { ...before, isCast: true };
    case 'arranged':
      return arranged(before, node);
    case null:
      return null;
  }
}

/** The lineage of what a layout-only operator makes of a value. */
function arranged(before: ILineage, node: INode): ILineage {
  if (node.op === BATCH_DIM.add || node.op === BATCH_DIM.remove) {
    const [from, to] = [node.inputs[0]?.shape, node.outputs[0]?.shape].map(shape =>
      elementCount(staticShape(shape ?? null) ?? [])
    );
    return { ...before, isView: true, batch: ((before.batch ?? 1) * from) / to };
  }
  return before.isView ? before : { ...before, isView: true };
}

/**
 * The lineage of every value that depends on one weight alone through layout-only operators and casts of floating-point
 * values; in nested graphs too, where they use a weight or are given one that no run changes. Linear in nodes.
 *
 * #### Notes
 * Training IR may write into a weight (a buffer that the forward updates). What is made of it afterwards depends on more than the
 * stored elements, and has no lineage. Neither has what a composite operator makes of a weight before it casts.
 */
export function weightLineage(graph: IGraph): Map<IValue, ILineage> {
  const lineage = new Map<IValue, ILineage>();
  const written = new Set<string>();
  goForward(graph, {
    begin: ({ weights }) =>
      weights.forEach(({ value, weight }) => lineage.set(value, lineageOf(value, weight))),
    handedOn: (value, operand) => {
      const given = lineage.get(operand);
      if (given !== undefined) {
        lineage.set(value, given);
      }
    },
    node: node => {
      const source = node.inputs[0] ?? null;
      const before = source === null ? undefined : lineage.get(source);
      if (before === undefined) {
        return;
      }
      if (writesInPlace(node)) {
        written.add(before.weight.storage);
      }
      if (written.has(before.weight.storage)) {
        return;
      }
      // Casts of integers and bool are no weight casts, and what follows them is not either.
      const isOfNumber = !source?.dtype || !isFloating(source.dtype);
      const after = isOfNumber && stepOf(node) === 'cast' ? null : lineageAfter(before, node);
      if (after !== null) {
        node.outputs.forEach(result => result !== null && lineage.set(result, after));
      }
    }
  });
  return lineage;
}
