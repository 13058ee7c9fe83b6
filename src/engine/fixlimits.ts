/**
 * What the file formats let a repair change.
 *
 * @packageDocumentation
 */
import type { IEditable } from '../formats';
import { takesElements } from '../formats';
import type { DType, IExportedModel, IGraph, INode, IValue, IWeight } from '../model';
import { bodiesOf, contiguousStrides, graphsOf, usesOf } from '../model';

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

/** What a file lets folding change. */
export interface IFoldLimits {
  /** Whether a node can be taken out of the file, or get other operands. */
  isEditable(node: INode): boolean;
  /** Whether a weight can be taken out of the file. */
  isRemovable(value: IValue, weight: IWeight): boolean;
  /**
   * Strides that PyTorch gives to the result of a cast; null where they are not known.
   *
   * @param value - the result of a cast of the file, or the operand of one that a region implies.
   */
  stridesOf(value: IValue, shape: readonly number[]): readonly number[] | null;
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

/**
 * What a `.pt2` program lets folding change.
 *
 * @param pinned - see `pt2Limits`.
 * @param strides - of the values of the program, by name.
 */
export function pt2FoldLimits(
  pinned: ReadonlyMap<string, string>,
  strides: ReadonlyMap<string, readonly number[] | null>
): IFoldLimits {
  return {
    isEditable: () => true,
    isRemovable: (_, { names }) => !names.some(name => pinned.has(name)),
    stridesOf: ({ name }, shape) => {
      const recorded = strides.get(name);
      return recorded ? castStrides(shape, recorded) : null;
    }
  };
}

/** What an `.onnx` file lets folding change: all but its functions. Its tensors lie row by row. */
export function onnxFoldLimits({ values, nodes }: IEditable): IFoldLimits {
  return {
    isEditable: node => nodes.has(node),
    isRemovable: value => values.has(value),
    stridesOf: (_, shape) => contiguousStrides(shape)
  };
}

/**
 * Strides of the result of a cast in PyTorch: dense, dimensions in the order they have in the operand (`empty_like` with
 * `preserve_format`).
 *
 * @returns null where the operand repeats elements: their order is not told by its strides.
 */
function castStrides(
  shape: readonly number[],
  strides: readonly number[]
): readonly number[] | null {
  const dims = shape.map((_, i) => i).filter(i => shape[i] > 1);
  if (dims.some(i => strides[i] === 0) || new Set(dims.map(i => strides[i])).size < dims.length) {
    return null;
  }
  const ordered = [...dims].sort((a, b) => strides[b] - strides[a]);
  const dense = contiguousStrides(ordered.map(i => shape[i]));
  if (ordered.every((dim, k) => strides[dim] === dense[k])) {
    return strides;
  }
  const result = contiguousStrides(shape);
  ordered.forEach((dim, k) => (result[dim] = dense[k]));
  return result;
}
