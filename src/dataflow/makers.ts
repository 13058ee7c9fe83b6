/**
 * The nodes that values are made by.
 *
 * @packageDocumentation
 */
import type { IGraph, INode, IValue } from '../model';
import { forEachNode } from '../model';

/** Finds what computes the values of a graph and of those nested in it. Linear in results when made. */
export class Makers {
  constructor(graph: IGraph) {
    forEachNode(graph, node => {
      this._order.set(node, this._order.size);
      node.outputs.forEach(value => value !== null && this._makers.set(value, node));
    });
  }

  /** The node that makes a value; null for inputs and weights. */
  of(value: IValue): INode | null {
    return this._makers.get(value) ?? null;
  }

  /**
   * Some nodes with all that computes their operands, in the order of the graph, those of nested graphs last.
   *
   * @param makerOf - what makes an operand, where that belongs to it.
   * @param visit - is called with each node, before it is asked about its operands; the nearest first.
   */
  coneOf(
    nodes: Iterable<INode>,
    makerOf: (operand: IValue) => INode | null,
    visit?: (node: INode) => void
  ): INode[] {
    const cone = new Set(nodes);
    // Grows while it is gone through.
    for (const node of cone) {
      visit?.(node);
      for (const operand of node.inputs) {
        const maker = operand === null ? null : makerOf(operand);
        if (maker !== null) {
          cone.add(maker);
        }
      }
    }
    return this.inOrder(cone);
  }

  /** Nodes in the order of the graph. */
  inOrder(nodes: Iterable<INode>): INode[] {
    return [...nodes].sort((a, b) => this._order.get(a)! - this._order.get(b)!);
  }

  private readonly _makers = new Map<IValue, INode>();
  private readonly _order = new Map<INode, number>();
}
