/**
 * The side on which weights stand in matrix products.
 *
 * `x @ W` becomes a Gemm, which reads the weight as it is stored, so that a torch Linear needs no transposed copy.
 *
 * - On the left, `(W^T @ x^T)^T` is computed as `Transpose(Gemm(W, x, transA, transB=1))`. Left operands are never packed, so that
 *   constant and computed weights go through the same kernel.
 * - On the right, `Gemm(x, W, transB)`. A bias that is added next becomes the third operand: it is added before the product is rounded.
 *
 * @packageDocumentation
 */
import { goForward, stepOf } from '../dataflow';
import { bodiesOf, graphsOf, isFloating, isLowPrecision, staticShape, usesOf } from '../model';
import { floatAttr, intAttr, intsAttr, NodeBuilder, onnxOperator } from '../operators';
import type { Attr, GraphNames, IGraph, INode, IValue } from '../model';
import type { IResultType } from '../operators';

/** Operators whose constant operands runtimes pack as well; there the weight is hidden behind an Identity. */
const PACKING: ReadonlySet<string> = new Set([
  'onnx.ConvTranspose',
  'onnx.GRU',
  'onnx.LSTM',
  'onnx.RNN'
]);

/**
 * Make a Gemm of every MatMul and Gemm whose right operand is a two-dimensional weight, in place, nested graphs included.
 *
 * A weight here is what depends on stored tensors alone, computed from several of them too; in bodies also where they are given
 * it and hand it on as it is. Gemm takes it in the orientation
 * in which it is stored, through all casts and transposes on the way, so the flags of the Gemm do not depend on where the casts
 * stand. MatMul with weights of other ranks stays as it is: those are not packed. So does all in operator sets with a Gemm that runtimes have
 * no kernels for.
 *
 * #### Complexity
 * Linear in operands.
 */
export function placeWeights(graph: IGraph, side: WeightSide, names: GraphNames): void {
  const opset = graph.opsets[''] ?? 0;
  if (opset < GEMM_BROADCASTS) {
    return;
  }
  const biases = side === 'right' ? biasAdditions(graph) : new Map<IValue, IAddition>();
  const chain: IChains = { side, biases, opset, ...findOrigins(graph) };
  for (const one of graphsOf(graph)) {
    rewrite(one, chain, names);
  }
}

/** Where weights stand. */
export type WeightSide = 'left' | 'right';

interface IOrigins {
  /** Values that depend on stored tensors alone, through casts and layout. */
  readonly origins: Map<IValue, IOrigin>;
  /** The nodes of constants written into the graph. */
  readonly constants: Map<IValue, INode>;
  /** Values that are constant for the runtime: it may pack them. */
  readonly stored: Set<IValue>;
}

interface IChains extends IOrigins {
  readonly side: WeightSide;
  /** By product: the addition of a bias to it, if that is all that is done with it. */
  readonly biases: ReadonlyMap<IValue, IAddition>;
  /** Version of the operator set that new nodes must keep to. */
  readonly opset: number;
}

/** How a value follows from the one it is made of by exchanging dimensions and casting. */
interface IOrigin {
  /** The value before all casts and exchanges. */
  readonly base: IValue;
  /** Whether the value is the transpose of `base`. */
  readonly isTurned: boolean;
  /** The value before the exchanges behind the last cast. */
  readonly behind: IValue;
}

/** Bias and sum of an addition. */
interface IAddition {
  readonly node: INode;
  readonly bias: IValue;
  readonly result: IValue;
}

/** Since these versions Gemm broadcasts by itself, needs no third operand, and Reshape can make sizes of 0. */
const GEMM_BROADCASTS = 7;
const GEMM_WITHOUT_C = 11;
const RESHAPE_ALLOWS_ZERO = 14;

/** A weight operand: the value Gemm reads and how the product's operand follows from it. */
interface IWeightOperand {
  /** Behind trailing transposes. */
  readonly value: IValue;
  /** Whether `value` must be transposed once to have the orientation of the stored weight. */
  readonly restore: boolean;
  /** Whether the operand is the transpose of the stored weight. */
  readonly flipped: boolean;
  /** Sizes of the stored weight. */
  readonly shape: readonly number[];
}

function rewrite(graph: IGraph, chain: IChains, names: GraphNames): void {
  const builder = new NodeBuilder(names);
  const pending = new Map<INode, () => void>();
  builder.rewrite(graph, node => {
    const product = pending.get(node);
    if (product) {
      product();
      return;
    }
    if (chain.side === 'left' && PACKING.has(node.op)) {
      node.inputs = node.inputs.map((value, i) =>
        i > 0 && value !== null && chain.stored.has(value) ? hidden(builder, node, value) : value
      );
      builder.append(node);
      return;
    }
    const operand = weightOnRight(node, chain);
    const addition = node.outputs[0] ? chain.biases.get(node.outputs[0]) : undefined;
    if (operand === null) {
      builder.append(node);
    } else if (addition) {
      // The product is computed where the bias is known.
      pending.set(addition.node, () => turn(node, operand, chain, builder, addition));
    } else {
      turn(node, operand, chain, builder);
    }
  });
}

/** Where the values of a graph come from, as far as that is stored tensors. */
function findOrigins(graph: IGraph): IOrigins {
  const found: IOrigins = { origins: new Map(), constants: new Map(), stored: new Set() };
  goForward(graph, {
    begin: ({ weights }) => {
      for (const { value } of weights) {
        found.origins.set(value, itself(value));
        found.stored.add(value);
      }
    },
    // The runtime does not know what is handed on to be constant: it is not `stored`.
    handedOn: (value, operand) => {
      const origin = found.origins.get(operand);
      if (origin !== undefined) {
        found.origins.set(value, origin);
      }
    },
    node: node => remember(node, found)
  });
  return found;
}

function itself(value: IValue): IOrigin {
  return { base: value, isTurned: false, behind: value };
}

/** Note where the results of a node come from, if that is a stored tensor. */
function remember(node: INode, { origins, constants, stored }: IOrigins): void {
  const isConstant = node.op === 'onnx.Constant';
  const step = stepOf(node);
  const isCast = step === 'cast' || step === 'same';
  const before = step === null ? undefined : origins.get(node.inputs[0]!);
  if (!isConstant && before === undefined) {
    if (isOfWeights(node, origins)) {
      for (const value of node.outputs) {
        if (value !== null) {
          origins.set(value, itself(value));
        }
      }
    }
    return;
  }
  const turns = isTurn(node);
  for (const value of node.outputs) {
    if (value === null) {
      continue;
    }
    if (isConstant) {
      constants.set(value, node);
      stored.add(value);
    }
    if (before === undefined || !(turns || isCast)) {
      origins.set(value, itself(value));
    } else {
      const { base, isTurned, behind } = before;
      origins.set(value, {
        base,
        isTurned: isTurned !== (node.op === 'onnx.Transpose'),
        behind: turns ? behind : value
      });
    }
  }
}

/** Whether a node computes something of weights alone: a mode may have that computed when the model is loaded. */
function isOfWeights(node: INode, origins: ReadonlyMap<IValue, IOrigin>): boolean {
  const operands = node.inputs.filter(value => value !== null);
  return (
    operands.length > 0 &&
    bodiesOf(node).length === 0 &&
    operands.every(value => origins.has(value))
  );
}

/** The right operand of a product, if it is a weight that can stand on the left. */
function weightOnRight(node: INode, chain: IChains): IWeightOperand | null {
  if (node.op !== 'onnx.MatMul' && node.op !== 'onnx.Gemm') {
    return null;
  }
  const [left, right] = node.inputs;
  const result = node.outputs[0];
  const origin = right ? chain.origins.get(right) : undefined;
  if (!left || !right || !result || origin === undefined) {
    return null;
  }
  const type = result.dtype ?? right.dtype;
  if (type === null || !isFloating(type)) {
    return null;
  }
  const { base, behind, isTurned } = origin;
  const shape = staticShape(base.shape) ?? constantShape(chain.constants.get(base));
  if (shape === null || shape.length !== 2 || shape.includes(0)) {
    return null;
  }
  return {
    value: behind,
    restore: chain.origins.get(behind)!.isTurned,
    flipped: isTurned,
    shape
  };
}

/** Exchange of two dimensions, or nothing. */
function isTurn(node: INode): boolean {
  if (node.op === 'onnx.Identity') {
    return true;
  }
  if (node.op !== 'onnx.Transpose') {
    return false;
  }
  const { perm } = node.attrs;
  if (perm === undefined) {
    return node.inputs[0]?.shape?.length === 2;
  }
  return (
    perm.kind === 'list' &&
    perm.items.length === 2 &&
    perm.items[0].kind === 'int' &&
    Number(perm.items[0].value) === 1
  );
}

function constantShape(node: INode | undefined): number[] | null {
  const attr = node?.attrs.value;
  return attr?.kind === 'tensor' ? [...attr.value.shape] : null;
}

/**
 * Additions of a vector to what a MatMul accumulates for the same operator, by the value that is added to. Linear in the graph.
 */
function biasAdditions(graph: IGraph): Map<IValue, IAddition> {
  const found = new Map<IValue, IAddition>();
  const uses = usesOf(graph);
  for (const current of graphsOf(graph)) {
    const own = new Set(current.nodes);
    const ends = new Set(current.outputs);
    for (const node of current.nodes) {
      const product = node.outputs[0];
      if (node.op !== 'onnx.MatMul' || !product?.accumulates || ends.has(product)) {
        continue;
      }
      const [use, ...others] = uses.get(product) ?? [];
      const bias = use?.node.inputs[1 - use.index];
      const result = use?.node.outputs[0];
      const isOnlyUse = use?.node.op === 'onnx.Add' && others.length === 0 && own.has(use.node);
      if (isOnlyUse && bias?.shape?.length === 1 && result) {
        found.set(product, { node: use.node, bias, result });
      }
    }
  }
  return found;
}

/**
 * Replace a product by a Gemm and what has to stand around it: Reshape, Transpose, Add, as far as each is needed.
 *
 * @param addition - what is done with the product next, and takes part in the Gemm. For weights on the right only.
 */
function turn(
  node: INode,
  operand: IWeightOperand,
  chain: IChains,
  builder: NodeBuilder,
  addition?: IAddition
): void {
  const result = addition?.result ?? node.outputs[0]!;
  const type = intermediate(result);
  const emit = (
    op: string,
    inputs: (IValue | null)[],
    attrs: Record<string, Attr> = {},
    made: IResultType = type
  ): IValue => {
    return builder.emit(onnxOperator(op), `${node.name}/${op}`, inputs, attrs, [made], node)[0];
  };
  const flag = (name: string): boolean => intOf(node.attrs[name], 0) !== 0;
  const isGemm = node.op === 'onnx.Gemm';
  const isLeft = chain.side === 'left';
  const weight = operand.restore
    ? emit(
        'Transpose',
        [operand.value],
        { perm: intsAttr([1, 0]) },
        {
          dtype: operand.value.dtype,
          shape: operand.shape
        }
      )
    : operand.value;
  // As an operand of the product the weight is [K, N]; stored, it is [N, K] where that is its transpose.
  const transposed = operand.flipped !== (isGemm && flag('transB'));
  const [n, k] = transposed ? operand.shape : [operand.shape[1], operand.shape[0]];
  let x = node.inputs[0]!;
  if (isLeft && chain.stored.has(x)) {
    x = hidden(builder, node, x);
  }
  const rank = isGemm ? 2 : (x.shape?.length ?? null);
  const flat =
    rank === 2
      ? x
      : emit(
          'Reshape',
          [x, builder.constant('int64', [2], [-1, k])],
          {},
          {
            dtype: x.dtype,
            shape: null,
            ...(x.accumulates ? { accumulates: x.accumulates } : {})
          }
        );
  const alpha = isGemm ? node.attrs.alpha : undefined;
  const bias = isGemm ? (node.inputs[2] ?? null) : (addition?.bias ?? null);
  const beta = isGemm ? floatOf(node.attrs.beta, 1) : 1;
  const isAdded = bias !== null && beta !== 0;
  const factors = isLeft ? [weight, flat] : [flat, weight];
  if (isAdded && !isLeft) {
    factors.push(bias);
  } else if (chain.opset < GEMM_WITHOUT_C) {
    factors.push(builder.constant(constantType(result), [1], [0]));
  }
  const turned = isGemm && flag('transA');
  const sides = isLeft ? [!transposed, !turned] : [turned, transposed];
  let value = emit('Gemm', factors, {
    transA: intAttr(sides[0] ? 1 : 0),
    transB: intAttr(sides[1] ? 1 : 0),
    ...(alpha ? { alpha } : {}),
    ...(isAdded && !isLeft && beta !== 1 ? { beta: floatAttr(beta) } : {})
  });
  if (isLeft) {
    value = emit('Transpose', [value], { perm: intsAttr([1, 0]) });
  }
  if (rank !== 2) {
    const { target, attrs } = targetOf(x, n, chain.opset, builder, emit);
    value = emit('Reshape', [value, target], attrs);
  }
  if (isAdded && isLeft) {
    const scaled =
      beta === 1 ? bias : emit('Mul', [bias, builder.constant(constantType(result), [], [beta])]);
    emit('Add', [value, scaled]);
  }
  // The last node makes the product's own result.
  builder.nodes[builder.nodes.length - 1].outputs = [result];
}

/** The shape of the product of `x` with a weight of `n` columns: x's sizes but for the last. */
function targetOf(
  x: IValue,
  n: number,
  opset: number,
  builder: NodeBuilder,
  emit: (
    op: string,
    inputs: (IValue | null)[],
    attrs: Record<string, Attr>,
    made: IResultType
  ) => IValue
): { target: IValue; attrs: Record<string, Attr> } {
  const sizes = x.shape?.slice(0, -1) ?? null;
  if (sizes !== null) {
    const unknown = sizes.filter(size => typeof size !== 'number').length;
    if (unknown === 0 || (unknown === 1 && !sizes.includes(0))) {
      const target = [...sizes.map(size => (typeof size === 'number' ? size : -1)), n];
      return {
        target: builder.constant('int64', [target.length], target),
        attrs: sizes.includes(0) ? { allowzero: intAttr(1) } : {}
      };
    }
  }
  const shape = emit('Shape', [x], {}, { dtype: 'int64', shape: null });
  const one = (value: number): IValue => builder.constant('int64', [1], [value]);
  const lead = emit('Slice', [shape, one(0), one(-1)], {}, { dtype: 'int64', shape: null });
  const target = emit(
    'Concat',
    [lead, one(n)],
    { axis: intAttr(0) },
    { dtype: 'int64', shape: null }
  );
  return { target, attrs: opset >= RESHAPE_ALLOWS_ZERO ? { allowzero: intAttr(1) } : {} };
}

/** A constant the runtime must not see as constant. */
function hidden(builder: NodeBuilder, node: INode, value: IValue): IValue {
  return builder.emit(
    'onnx.Identity',
    `${node.name}/Identity`,
    [value],
    {},
    [{ dtype: value.dtype, shape: value.shape }],
    node
  )[0];
}

/** What intermediate results of a product are: float32 where its result is narrower. */
function intermediate(result: IValue): IResultType {
  if (result.accumulates) {
    return { dtype: result.dtype, accumulates: result.accumulates };
  }
  return result.dtype !== null && isLowPrecision(result.dtype)
    ? { dtype: 'float32', accumulates: result.dtype }
    : { dtype: result.dtype };
}

function constantType(result: IValue): 'float64' | 'float32' {
  return result.dtype === 'float64' ? 'float64' : 'float32';
}

function intOf(attr: Attr | undefined, otherwise: number): number {
  return attr?.kind === 'int' ? Number(attr.value) : otherwise;
}

function floatOf(attr: Attr | undefined, otherwise: number): number {
  return attr?.kind === 'float' || attr?.kind === 'int' ? Number(attr.value) : otherwise;
}
