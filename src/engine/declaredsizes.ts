/**
 * Sizes that a graph asks for in numbers of its own: a few bytes in a file, any amount of memory in a run.
 *
 * @packageDocumentation
 */
import type { IGraph, INode, IValue, IWeight } from '../model';
import { elementCount, evaluateDim, graphsOf, sizeInBytes } from '../model';
import { tensorFromBytes } from '../numerics';
import { readElements } from '../runtime';

/** The elements of a result, or fewer, where numbers of the file tell; null where they are computed. */
export type LeastElements = (node: INode) => number | null;

/** No tensor of sizes has more elements: no runtime takes tensors of more dimensions. */
const MAX_SIZES = 64;

/**
 * Count the elements that operators of ONNX make by stored numbers: the first result of each.
 *
 * @param dims - values of the symbols in shapes.
 */
export function leastElements(graph: IGraph, dims: ReadonlyMap<string, number>): LeastElements {
  const stored = storedNumbers(graph);
  const numbersAt = (node: INode, index: number): readonly number[] | null => {
    const value = node.inputs[index];
    return (value && stored.get(value)?.()) ?? null;
  };
  const shapeAt = (node: INode, index: number): readonly number[] | null =>
    node.inputs[index]?.shape?.map(dim => evaluateDim(dim, dims) ?? 1) ?? null;
  return node =>
    Object.hasOwn(COUNTS, node.op)
      ? COUNTS[node.op]({
          node,
          numbers: index => numbersAt(node, index),
          shape: index => shapeAt(node, index)
        })
      : null;
}

/** An operator call, and what is known of its operands: stored numbers, sizes. */
interface ICall {
  readonly node: INode;
  readonly numbers: (index: number) => readonly number[] | null;
  readonly shape: (index: number) => readonly number[] | null;
}

/** https://github.com/onnx/onnx/blob/main/docs/Operators.md */
const COUNTS: Readonly<Record<string, (call: ICall) => number | null>> = {
  'onnx.ConstantOfShape': ({ numbers }) => product(numbers(0)),
  // Sizes of 1 leave the operand's as they are.
  'onnx.Expand': ({ numbers }) => product(numbers(1)),
  'onnx.OneHot': ({ numbers, shape }) => times(numbers(1)?.[0], shape(0)),
  'onnx.Pad': ({ node, numbers, shape }) =>
    node.inputs[3] ? null : padded(shape(0), numbers(1) ?? intsOf(node, 'pads')),
  'onnx.RandomNormal': ({ node }) => product(intsOf(node, 'shape')),
  'onnx.RandomUniform': ({ node }) => product(intsOf(node, 'shape')),
  'onnx.Range': ({ numbers }) => {
    const [start, limit, delta] = [0, 1, 2].map(index => numbers(index)?.[0]);
    return start === undefined || limit === undefined || !delta
      ? null
      : Math.max(0, Math.ceil((limit - start) / delta));
  },
  'onnx.Resize': ({ numbers }) => product(numbers(3)),
  'onnx.Tile': ({ numbers, shape }) => times(product(numbers(1)), shape(0))
};

function product(sizes: readonly number[] | null): number | null {
  return sizes === null ? null : sizes.reduce((count, size) => count * Math.max(size, 0), 1);
}

function times(factor: number | null | undefined, shape: readonly number[] | null): number | null {
  return factor === null || factor === undefined
    ? null
    : Math.max(factor, 0) * (shape === null ? 1 : elementCount(shape));
}

/** Elements of a tensor with padding; `pads` are those before every dimension, then those behind. */
function padded(shape: readonly number[] | null, pads: readonly number[] | null): number | null {
  return shape === null || pads === null || pads.length !== 2 * shape.length
    ? null
    : product(shape.map((size, i) => size + pads[i] + pads[shape.length + i]));
}

function intsOf(node: INode, name: string): number[] | null {
  const attr = Object.hasOwn(node.attrs, name) ? node.attrs[name] : undefined;
  return attr?.kind === 'list'
    ? attr.items.map(item => (item.kind === 'int' ? Number(item.value) : 0))
    : null;
}

/** How the numbers of a value are read that the file holds, in nested graphs too. */
function storedNumbers(graph: IGraph): ReadonlyMap<IValue, () => readonly number[] | null> {
  const stored = new Map<IValue, () => readonly number[] | null>();
  for (const { nodes, weights } of graphsOf(graph)) {
    weights.forEach(({ value, weight }) => stored.set(value, () => numbersOf(weight)));
    for (const node of nodes.filter(({ op }) => op === 'onnx.Constant')) {
      const { outputs, attrs } = node;
      const { value, value_int: int } = attrs;
      if (outputs[0]) {
        stored.set(outputs[0], () =>
          value?.kind === 'tensor'
            ? numbersOf(value.value)
            : int?.kind === 'int'
              ? [Number(int.value)]
              : intsOf(node, 'value_ints')
        );
      }
    }
  }
  return stored;
}

/** The elements of a small tensor of numbers; null for any other. */
function numbersOf(weight: IWeight): number[] | null {
  const count = elementCount(weight.shape);
  if (count > MAX_SIZES || !SIZES.has(weight.dtype)) {
    return null;
  }
  const bytes = new Uint8Array(sizeInBytes(weight.dtype, count));
  for (const chunk of readElements(weight)) {
    bytes.set(chunk);
  }
  const { data } = tensorFromBytes(weight.dtype, weight.shape, bytes);
  return Array.from(data as ArrayLike<number | bigint>, Number);
}

/** Dtypes that operators take sizes in, `Range` floating point too. */
const SIZES: ReadonlySet<string> = new Set(['int64', 'int32', 'int16', 'float32', 'float64']);
