/**
 * Where values come from.
 *
 * @packageDocumentation
 */
import type { IGraph, INode, IValue } from '../model';
import { forEachNode, handedOn } from '../model';
import { SameValues } from './samevalues';
import { stepOf } from './steps';

/** One layout-only operator on the way to a value. */
export interface IArranging {
  readonly node: INode;
  /** Which of its results leads to the value. */
  readonly result: IValue;
  /** What it arranges, behind all that only hands it on. */
  readonly operand: IValue;
}

/**
 * The ways from values up to what they hold the elements of.
 *
 * #### Notes
 * Knows the nodes that it was told of, so that it may be asked while a graph is rewritten.
 */
export class Origins {
  /** All of a graph, and of those nested in it. Linear in nodes. */
  static of(graph: IGraph): Origins {
    const origins = new Origins();
    forEachNode(graph, node => origins.note(node));
    return origins;
  }

  /** Take note of what a node makes of its first operand, and of what its nested graphs are handed on. */
  note(node: INode): void {
    handedOn(node).forEach(({ value, operand }) => this.same(value, operand));
    const step = stepOf(node);
    if (step === 'same') {
      node.outputs.forEach(value => value !== null && this.same(value, node.inputs[0]!));
    } else if (step === 'arranged') {
      node.outputs.forEach(value => value !== null && this._arrangements.set(value, node));
    }
  }

  /** Take note that a value is another one, under a name of its own. */
  same(value: IValue, other: IValue): void {
    this._same.set(value, other);
  }

  /** Whether something is known of what a value holds. */
  has(value: IValue): boolean {
    return this._arrangements.has(this.resolve(value));
  }

  /** What `value` is, behind all that only hands it on. Amortised constant. */
  resolve(value: IValue): IValue {
    return this._same.resolve(value);
  }

  /** The layout-only operators on the way to a value, the last one first. */
  *above(value: IValue): Generator<IArranging, void> {
    for (let result = this.resolve(value); ;) {
      const node = this._arrangements.get(result);
      if (node === undefined) {
        return;
      }
      const operand = this.resolve(node.inputs[0]!);
      yield { node, result, operand };
      result = operand;
    }
  }

  /**
   * The way from a value up to the first for which something is known.
   *
   * @returns what is known and the layout-only operators in between, the last one first; null where the way ends without it. Then it is
   * forgotten: it need not be followed again.
   */
  wayTo<T>(
    value: IValue,
    known: (value: IValue) => T | null
  ): { readonly found: T; readonly steps: readonly IArranging[] } | null {
    const steps: IArranging[] = [];
    let found = known(this.resolve(value));
    if (found === null) {
      for (const step of this.above(value)) {
        steps.push(step);
        found = known(step.operand);
        if (found !== null) {
          break;
        }
      }
    }
    if (found === null) {
      steps.forEach(({ result }) => this._arrangements.delete(result));
      return null;
    }
    return { found, steps };
  }

  private readonly _same = new SameValues();
  /** Layout-only operators by result. */
  private readonly _arrangements = new Map<IValue, INode>();
}
