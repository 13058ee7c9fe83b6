/**
 * What one node makes of the elements of its operands.
 *
 * Whoever follows values through a graph, up or down, asks here. So every analysis has the same borders.
 *
 * @packageDocumentation
 */
import type { IGraph, INode, IValue } from '../model';
import { bodiesOf, changesDtype, forEachNode, handedOn, isTransparent } from '../model';
import { isArrangement } from '../operators';

/**
 * How the results of a node follow from its first operand.
 *
 * - `same`: they are the operand. Casts to the dtype that it has.
 * - `cast`: each element is cast by itself.
 * - `arranged`: they hold elements of it unchanged; views, cuts and parts, arranging copies.
 */
export type Step = 'same' | 'cast' | 'arranged';

/** How the results of a node follow from its first operand; null where they are computed from it, or it has none. */
export function stepOf(node: INode): Step | null {
  if (!node.inputs[0]) {
    return null;
  }
  if (isTransparent(node)) {
    return 'same';
  }
  if (changesDtype(node)) {
    return 'cast';
  }
  return isArrangement(node) ? 'arranged' : null;
}

/** What to do on the way through a graph. */
export interface IForwardVisitor {
  /** A graph, before its nodes: the outermost one, or one that the next node holds. */
  begin?(graph: IGraph): void;
  /** An input of a nested graph, or a result of the node that holds it, that always is `operand`. */
  handedOn?(value: IValue, operand: IValue): void;
  /** A node; comes after what its nested graphs are handed on, and before their nodes. */
  node?(node: INode): void;
}

/** Go through a graph and those nested in it, so that whatever a value depends on comes before it. Linear in nodes. */
export function goForward(graph: IGraph, visitor: IForwardVisitor): void {
  visitor.begin?.(graph);
  forEachNode(graph, node => {
    bodiesOf(node).forEach(body => visitor.begin?.(body));
    if (visitor.handedOn !== undefined) {
      for (const { value, operand } of handedOn(node)) {
        visitor.handedOn(value, operand);
      }
    }
    visitor.node?.(node);
  });
}
