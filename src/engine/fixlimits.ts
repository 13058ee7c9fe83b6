/**
 * What the file formats let a repair change.
 *
 * @packageDocumentation
 */
import type { IEditable } from '../formats';
import { takesElements } from '../formats';
import type { DType, IExportedModel, IGraph, INode, IValue, IWeight } from '../model';
import { bodiesOf, graphsOf, usesOf } from '../model';

/** Limits of the file that a model was read from. */
export interface IFileLimits {
  /**
   * Why weights cannot be stored in another dtype; null where they can.
   *
   * @param weights - all tensors of one storage.
   * @param values - these weights, what only arranges them and what they are handed on as.
   * @param to - the dtype they are to be stored in.
   */
  pinned(weights: ReadonlySet<IWeight>, values: ReadonlySet<IValue>, to: DType): string | null;
  /** Why an operand of a node cannot become another weight; null where it can. */
  fixedOperands(node: INode): string | null;
}

/**
 * Limits of a `.pt2` program.
 *
 * @param pinned - stored tensors that cannot be changed, by name, with the reason.
 */
export function pt2Limits(pinned: ReadonlyMap<string, string>): IFileLimits {
  return {
    pinned: weights => {
      for (const name of [...weights].flatMap(({ names }) => names)) {
        const reason = pinned.get(name);
        if (reason !== undefined) {
          return reason;
        }
      }
      return null;
    },
    fixedOperands: () => null
  };
}

/**
 * Limits of an `.onnx` file.
 *
 * - Functions are shared by their calls, and left as they are. What they cast is cast all the same, to the dtype it has already.
 * - A name that a nested graph uses anew must mean tensors of one type, or onnxruntime refuses the model (seen with 1.30 and 1.32).
 * - Operators that arrange a weight must take the dtype.
 *
 * @param editable - what the file itself has, see `editableParts`.
 */
export function onnxLimits(
  { graph }: IExportedModel,
  { values: places, nodes }: IEditable
): IFileLimits {
  const held = new Set<IWeight>();
  const given = new Set<IValue>();
  for (const { weights, inputs } of graphsOf(graph)) {
    weights.forEach(({ value, weight }) => places.has(value) || held.add(weight));
    inputs.forEach(value => places.has(value) || given.add(value));
  }
  const uses = usesOf(graph);
  const renamed = namesUsedAnew(graph);
  return {
    pinned: (weights, values, to) => {
      if ([...weights].some(weight => held.has(weight))) {
        return 'held by a function of the model';
      }
      for (const value of values) {
        if (given.has(value)) {
          return 'given to a loop in a function of the model';
        }
        if (renamed.has(value)) {
          return `a nested graph has another value of the name ${value.name}`;
        }
        const refusing = uses
          .get(value)
          ?.find(({ node, index }) => !takesElements(node, index, to, graph.opsets[''] ?? 0));
        if (refusing !== undefined) {
          return `${refusing.node.op} of operator set ${graph.opsets[''] ?? 0} takes no ${to}`;
        }
      }
      return null;
    },
    fixedOperands: node => (nodes.has(node) ? null : 'cast in a function of the model')
  };
}

/** Values that have the name of one in a graph around theirs, and those. */
function namesUsedAnew(graph: IGraph): Set<IValue> {
  interface IScope {
    readonly outer: IScope | null;
    readonly graph: IGraph;
    readonly values: Map<string, IValue>;
  }
  const found = new Set<IValue>();
  const pending: IScope[] = [{ outer: null, graph, values: new Map() }];
  for (const scope of pending) {
    const { inputs, weights, nodes } = scope.graph;
    const own = [
      ...inputs,
      ...weights.map(({ value }) => value),
      ...nodes.flatMap(node => node.outputs)
    ];
    for (const value of own) {
      if (value === null) {
        continue;
      }
      scope.values.set(value.name, value);
      for (let outer = scope.outer; outer !== null; outer = outer.outer) {
        const other = outer.values.get(value.name);
        if (other !== undefined) {
          found.add(value).add(other);
        }
      }
    }
    for (const body of nodes.flatMap(bodiesOf)) {
      pending.push({ outer: scope, graph: body, values: new Map() });
    }
  }
  return found;
}
