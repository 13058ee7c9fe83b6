/**
 * Where values go.
 *
 * @packageDocumentation
 */
import type { IGraph, IHandedOn, INode, IUse, IValue } from '../model';
import { handedOn, usesOf } from '../model';
import type { Step } from './steps';
import { stepOf } from './steps';

/** A use of a value that is followed. */
export interface IFollowedUse extends IUse {
  readonly value: IValue;
  /** What becomes of the value there; null where something is computed from it. */
  readonly step: Step | 'handed on' | null;
  /** What it becomes; where it is computed with, all results of the node. */
  readonly results: readonly IValue[];
}

/** The ways from values down to all that is made of them. Linear in operands when first asked. */
export class Destinations {
  constructor(graph: IGraph) {
    this._uses = usesOf(graph);
  }

  /** The values that are used. */
  values(): Iterable<IValue> {
    return this._uses.keys();
  }

  /** The uses of a value itself. */
  of(value: IValue): readonly IUse[] {
    return this._uses.get(value) ?? NONE;
  }

  /**
   * Follow values to what is made of them, breadth first, each value once.
   *
   * @param goesOn - whether to follow the results of a use as well.
   * @param visit - is called with each value reached, before it is asked about its uses.
   *
   * @returns the values reached, the first ones included.
   */
  follow(
    start: Iterable<IValue>,
    goesOn: (use: IFollowedUse) => boolean,
    visit?: (value: IValue) => void
  ): Set<IValue> {
    const reached = new Set(start);
    // Grows while it is gone through.
    for (const value of reached) {
      visit?.(value);
      for (const use of this.of(value)) {
        const followed = this._follow(value, use);
        if (goesOn(followed)) {
          followed.results.forEach(result => reached.add(result));
        }
      }
    }
    return reached;
  }

  /** What becomes of an operand; null where something is computed from it. */
  stepAt({ node, index }: IUse): IFollowedUse['step'] {
    if (this._handedOn(node).some(one => one.index === index)) {
      return 'handed on';
    }
    return index === 0 ? stepOf(node) : null;
  }

  private _follow(value: IValue, { node, index }: IUse): IFollowedUse {
    const step = this.stepAt({ node, index });
    const results =
      step === 'handed on'
        ? this._handedOn(node).flatMap(one => (one.index === index ? [one.value] : []))
        : node.outputs.filter(result => result !== null);
    return { value, node, index, step, results };
  }

  /** A node that is handed many operands is asked once for each of them. */
  private _handedOn(node: INode): readonly IHandedOn[] {
    let found = this._handed.get(node);
    if (found === undefined) {
      found = handedOn(node);
      this._handed.set(node, found);
    }
    return found;
  }

  private readonly _uses: ReadonlyMap<IValue, readonly IUse[]>;
  private readonly _handed = new Map<INode, readonly IHandedOn[]>();
}

const NONE: readonly IUse[] = [];
