/**
 * Dropping what no output needs, of programs that may write in place.
 *
 * @packageDocumentation
 */
import type { IGraph, INode } from '../model';
import { sweepDeadNodes } from '../model';
import { findAliases } from './aliasing';
import { writesInPlace } from '../operators';

/**
 * {@link sweepDeadNodes}, but for operators that write to memory which is still read. Linear in operands.
 *
 * @returns the nodes dropped, in order.
 */
export function dropDeadNodes(graph: IGraph): INode[] {
  const aliases = findAliases(graph);
  if (aliases.isFunctional) {
    return sweepDeadNodes(graph);
  }
  return sweepDeadNodes(graph, {
    writes: {
      groupOf: value => aliases.groupOf(value),
      targetOf: node => (writesInPlace(node) ? (node.inputs[0] ?? null) : null)
    }
  });
}
