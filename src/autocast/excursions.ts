/**
 * Where activations leave a low precision for a wider one and come back.
 *
 * @packageDocumentation
 */
import type { DType, IGraph, INode, IValue } from '../model';
import {
  castTarget,
  changesDtype,
  elementCount,
  forEachNode,
  isFloating,
  isLosslessCast,
  sizeInBytes,
  staticShape
} from '../model';
import type { ILineage } from '../dataflow';
import { Destinations, Makers, stepOf, weightLineage } from '../dataflow';

/** All ways from one dtype through a wider one and back. Casts are casts of activations. */
export interface IExcursion {
  readonly narrow: DType;
  readonly wide: DType;
  /** Casts up from which a cast down can be reached, in order. */
  readonly up: readonly INode[];
  /** Operators that take a narrow operand and give a wide result by themselves: promotion beside a wide operand. */
  readonly promoting: readonly INode[];
  /** Casts down that can be reached from one of those, in order. */
  readonly down: readonly INode[];
  /** Operators that work on what was cast up: those that make the way up necessary. */
  readonly forcing: readonly INode[];
  /** Casts down that directly follow their cast up: nothing happens in between, and no value changes. */
  readonly idle: readonly INode[];
}

/** A cast down and, directly after it, a cast up again: it rounds. */
export interface IRounding {
  readonly down: INode;
  readonly up: INode;
}

/** What {@link findExcursions} finds. */
export interface IExcursions {
  readonly excursions: readonly IExcursion[];
  readonly roundings: readonly IRounding[];
}

/**
 * Find every way from a floating-point type through a wider one and back, along activations.
 *
 * A way goes up in a cast, or in an operator that promotes its operand, stays in the wide type through any operators, and ends in a
 * cast to the type it started from. Casts of weights are no part of it, nor is the wide type that a model starts or ends in.
 *
 * #### Notes
 * Ways are followed inside of each graph; what a nested graph uses of the graph around it is followed too, its results are not.
 *
 * #### Complexity
 * Linear in operands, for the handful of floating-point types there are.
 */
export function findExcursions(graph: IGraph): IExcursions {
  const lineages = weightLineage(graph);
  const nodes: INode[] = [];
  forEachNode(graph, node => nodes.push(node));
  const makers = new Makers(graph);
  const risen = new DTypeSets();
  const falling = new DTypeSets();

  for (const node of nodes) {
    for (const result of node.outputs) {
      if (result === null || !isActivation(result, lineages)) {
        continue;
      }
      for (const operand of node.inputs) {
        if (operand === null || !isActivation(operand, lineages)) {
          continue;
        }
        if (operand.dtype === result.dtype) {
          risen.copy(operand, result);
        } else if (isNarrower(operand.dtype, result.dtype)) {
          risen.add(result, operand.dtype!);
        }
      }
    }
  }
  for (const node of nodes.toReversed()) {
    const isCast = isActivationCast(node, lineages);
    for (const operand of node.inputs) {
      if (operand === null || !isActivation(operand, lineages)) {
        continue;
      }
      for (const result of node.outputs) {
        if (result === null) {
          continue;
        }
        if (isCast && isNarrower(result.dtype, operand.dtype)) {
          falling.add(operand, result.dtype!);
        } else if (operand.dtype === result.dtype) {
          falling.copy(result, operand);
        }
      }
    }
  }

  const found = new Map<string, Collected>();
  const at = (narrow: DType, wide: DType): Collected => {
    const key = `${narrow} ${wide}`;
    let entry = found.get(key);
    if (entry === undefined) {
      entry = { narrow, wide, up: [], promoting: [], down: [], idle: [] };
      found.set(key, entry);
    }
    return entry;
  };
  const roundings: IRounding[] = [];
  for (const node of nodes) {
    const result = node.outputs[0] ?? null;
    if (result === null || !isActivation(result, lineages)) {
      continue;
    }
    if (!isActivationCast(node, lineages)) {
      for (const narrow of promoted(node, result, lineages)) {
        if (falling.has(result, narrow)) {
          at(narrow, result.dtype!).promoting.push(node);
        }
      }
      continue;
    }
    const operand = node.inputs[0]!;
    const before = makers.of(operand);
    const isAfterCast = before !== null && isActivationCast(before, lineages);
    if (isNarrower(operand.dtype, result.dtype)) {
      if (falling.has(result, operand.dtype!)) {
        at(operand.dtype!, result.dtype!).up.push(node);
      }
      if (isAfterCast && before.inputs[0]!.dtype === result.dtype) {
        roundings.push({ down: before, up: node });
      }
    } else if (isNarrower(result.dtype, operand.dtype) && risen.has(operand, result.dtype!)) {
      const entry = at(result.dtype!, operand.dtype!);
      entry.down.push(node);
      if (isAfterCast && before.inputs[0]!.dtype === result.dtype) {
        entry.idle.push(node);
      }
    }
  }
  const destinations = new Destinations(graph);
  return {
    excursions: [...found.values()].map(entry => ({
      ...entry,
      forcing: usersOf(entry.up, destinations)
    })),
    roundings
  };
}

/** Bytes that casts read and write, and whether some have sizes that only a run knows. */
export function castBytesOf(casts: Iterable<INode>): { bytesMoved: number; isPartial: boolean } {
  let bytesMoved = 0;
  let isPartial = false;
  for (const { inputs, outputs } of casts) {
    const [operand] = inputs;
    const [result] = outputs;
    const shape = staticShape(result!.shape) ?? staticShape(operand!.shape);
    if (shape === null) {
      isPartial = true;
    } else {
      const elements = elementCount(shape);
      bytesMoved += sizeInBytes(operand!.dtype!, elements) + sizeInBytes(result!.dtype!, elements);
    }
  }
  return { bytesMoved, isPartial };
}

interface Collected {
  readonly narrow: DType;
  readonly wide: DType;
  readonly up: INode[];
  readonly promoting: INode[];
  readonly down: INode[];
  readonly idle: INode[];
}

/** A set of dtypes per value. */
class DTypeSets {
  add(value: IValue, dtype: DType): void {
    const set = this._sets.get(value);
    if (set === undefined) {
      this._sets.set(value, new Set([dtype]));
    } else {
      set.add(dtype);
    }
  }

  copy(from: IValue, to: IValue): void {
    this._sets.get(from)?.forEach(dtype => this.add(to, dtype));
  }

  has(value: IValue, dtype: DType): boolean {
    return this._sets.get(value)?.has(dtype) === true;
  }

  private readonly _sets = new Map<IValue, Set<DType>>();
}

/** Whether a value is a floating-point tensor that is no weight, nor an arrangement or a cast of one. */
function isActivation(value: IValue, lineages: ReadonlyMap<IValue, ILineage>): boolean {
  return (
    value.kind === 'tensor' &&
    value.dtype !== null &&
    isFloating(value.dtype) &&
    !lineages.has(value)
  );
}

/** Whether a node does nothing but change the dtype of an activation. */
function isActivationCast(node: INode, lineages: ReadonlyMap<IValue, ILineage>): boolean {
  return changesDtype(node) && isActivation(node.inputs[0]!, lineages);
}

function isNarrower(a: DType | null, b: DType | null): boolean {
  return a !== null && b !== null && a !== b && isLosslessCast(a, b) && !isLosslessCast(b, a);
}

/** dtypes of the operands that a node takes in a narrower type than that of its result. */
function promoted(
  node: INode,
  result: IValue,
  lineages: ReadonlyMap<IValue, ILineage>
): Set<DType> {
  const narrow = new Set<DType>();
  for (const operand of node.inputs) {
    if (
      operand !== null &&
      isActivation(operand, lineages) &&
      isNarrower(operand.dtype, result.dtype)
    ) {
      narrow.add(operand.dtype!);
    }
  }
  return narrow;
}

/** The operators that use the results of some casts, layout-only ones passed over and casts left out, each once. */
function usersOf(casts: readonly INode[], destinations: Destinations): INode[] {
  const users = new Set<INode>();
  const results = casts.flatMap(({ outputs }) => outputs.filter(value => value !== null));
  destinations.follow(results, ({ node }) => {
    const step = stepOf(node);
    if (step !== 'arranged' && castTarget(node) === null) {
      users.add(node);
    }
    return step === 'arranged';
  });
  return [...users];
}
