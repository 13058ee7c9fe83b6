/**
 * Low precision on devices that have kernels for some of it: every operator computes in the narrow type where there is a kernel,
 * and in float32 where there is none.
 *
 * @packageDocumentation
 */
import { bodiesOf, castTarget, DTYPES, isLowPrecision, makeValue } from '../model';
import type { Attr, DType, GraphNames, IGraph, INode, IValue, IWeight } from '../model';
import {
  dtypeAttr,
  encodeNumbers,
  inlineTensor,
  mapAttrs,
  NodeBuilder,
  widenToFloat32
} from '../operators';
import type { Provenance } from '../operators';
import type { ICapabilities } from './capabilities';
import { isExact } from './exact';
import { castAttrs, widened } from './hold';
import type { NodeTypes } from './kernels';

/**
 * Decide for every operator whether it computes in low precision, in place, nested graphs included. For graphs whose values are of
 * types that are not held; those are done with, see hold.ts.
 *
 * 1. An operator runs as it is where the provider has a kernel for the types of its operands and results.
 * 2. Without such a kernel it computes in float32: its operands are cast to float32, its result back (casts of role `hold`, one
 *    per value and type). Exact operators (exact.ts) need no rounding.
 * 3. Intermediate results, which one operator accumulates in float32 (`IValue.accumulates`), are float32, save those of matrix
 *    products and convolutions: these take their operands in low precision and round what they have summed up in float32, as
 *    PyTorch's own composites do on such devices.
 * 4. Numbers written into the graph as float32 become low precision where that changes no value and gives the operator a kernel.
 * 5. A stored weight that an operator needs in float32 is widened once, when the model is loaded.
 * 6. Casts of the graph stay, with their names. But one to float32 of a value that exists in float32 only has nothing left to do.
 *
 * What an operator computes depends on dtypes alone, not on whether an operand is stored or cast: the cache modes agree.
 *
 * #### Complexity
 * Linear in the graph.
 */
export function computeWhereKernelsAre(
  graph: IGraph,
  capabilities: ICapabilities,
  names: GraphNames
): void {
  if (LOW_PRECISION.every(capabilities.holds)) {
    return;
  }
  new Placement(graph, capabilities, names).run();
}

const LOW_PRECISION = (Object.keys(DTYPES) as DType[]).filter(isLowPrecision);

/** Operators that sum up products: the narrow type is what they are for, and they accumulate in float32 by themselves. */
const CONTRACTIONS: ReadonlySet<string> = new Set([
  'onnx.Conv',
  'onnx.ConvTranspose',
  'onnx.Einsum',
  'onnx.Gemm',
  'onnx.MatMul'
]);

/** The CUDA provider takes these only with certain attributes: left to float32, which every device has. */
const CONDITIONAL: ReadonlySet<string> = new Set([
  'onnx.ArgMax',
  'onnx.ArgMin',
  'onnx.GRU',
  'onnx.LSTM',
  'onnx.RNN'
]);

/** The value as it is computed: in its own type, or in float32. */
type Form = 'low' | 'wide';

class Placement {
  constructor(
    private readonly _graph: IGraph,
    private readonly _capabilities: ICapabilities,
    private readonly _names: GraphNames
  ) {}

  run(): void {
    const graphs = this._collect();
    for (const current of graphs) {
      this._place(current);
    }
  }

  /** All graphs, outer ones first; weights and ends are noted in the form in which they are given. */
  private _collect(): IGraph[] {
    const graphs: IGraph[] = [];
    const stack = [this._graph];
    while (stack.length > 0) {
      const current = stack.pop()!;
      graphs.push(current);
      for (const value of [...current.inputs, ...current.weights.map(weight => weight.value)]) {
        this._made.set(value, 'low');
      }
      for (const { value, weight } of current.weights) {
        this._weights.set(value, { weight, graph: current });
      }
      for (const node of current.nodes) {
        stack.push(...bodiesOf(node));
      }
    }
    return graphs;
  }

  private _place(graph: IGraph): void {
    const builder = new NodeBuilder(this._names);
    this._other = new Map();
    builder.rewrite(graph, node => {
      const target = castTarget(node);
      if (target !== null && node.inputs[0] && node.outputs[0]) {
        this._cast(node, node.inputs[0], target, node.outputs[0], builder);
      } else if (bodiesOf(node).length > 0) {
        this._rename(node, value => this._low(value, builder, node));
        this._note(node.outputs, 'low');
        builder.append(node);
      } else {
        this._operator(node, builder);
      }
    });
    graph.outputs = graph.outputs.map(value => this._low(this._resolve(value), builder, NOWHERE));
  }

  /** An operator that is no cast and has no nested graphs. */
  private _operator(node: INode, builder: NodeBuilder): void {
    const type = this._typeOf(node);
    const constant = node.op === 'onnx.Constant' ? node.attrs.value : undefined;
    if (type === null || constant !== undefined) {
      this._rename(node, value => value);
      this._note(node.outputs, 'low');
      if (constant?.kind === 'tensor' && node.outputs[0]) {
        this._constants.set(node.outputs[0], node);
      }
      builder.append(node);
      return;
    }
    if (!this._asItIs(node, type, builder)) {
      this._inFloat32(node, builder);
    }
  }

  /** The narrow type an operator is about: of its results or of what they accumulate for, else of its operands. */
  private _typeOf(node: INode): DType | null {
    for (const value of node.outputs) {
      const type = value === null ? null : (value.accumulates ?? value.dtype);
      if (type !== null && this._isNarrow(type)) {
        return type;
      }
    }
    for (const value of node.inputs) {
      const dtype = value === null ? null : this._resolve(value).dtype;
      if (dtype !== null && this._isNarrow(dtype)) {
        return dtype;
      }
    }
    return null;
  }

  /** Run the operator in low precision, if there is a kernel. */
  private _asItIs(node: INode, type: DType, builder: NodeBuilder): boolean {
    if (CONDITIONAL.has(node.op)) {
      return false;
    }
    const inputs = node.inputs.map(value => (value === null ? null : this._resolve(value)));
    const isContraction = CONTRACTIONS.has(node.op);
    const isLow = (value: IValue | null): boolean => value?.dtype === type;
    if (isContraction && !inputs.some(isLow)) {
      return false;
    }
    const outputs = node.outputs.map(value => {
      if (value?.accumulates !== type) {
        return typeAt(value);
      }
      return isContraction || this._isExact(node, type) ? type : undefined;
    });
    const rounds = (value: IValue | null): boolean => isContraction && value?.accumulates === type;
    const narrowed = inputs.map(value => rounds(value) || this._isRepresentable(value, type));
    // Numbers may be wanted in float32 all the same, as the sizes of a Resize are.
    for (const narrow of [narrowed, inputs.map(rounds)]) {
      const types = inputs.map((value, i) => (narrow[i] ? type : typeAt(value)));
      if (!this._hasKernel(node.op, types, outputs)) {
        continue;
      }
      node.inputs = inputs.map((value, i) => {
        if (value === null) {
          return null;
        }
        return narrow[i]
          ? this._narrow(value, type, builder, node)
          : this._low(value, builder, node);
      });
      node.outputs.forEach((value, i) => {
        if (value !== null && outputs[i] === type) {
          value.dtype = type;
          delete value.accumulates;
        }
      });
      this._note(node.outputs, 'low');
      builder.append(node);
      return true;
    }
    return false;
  }

  /** Whether every result of a node has values of `type` only, given operands of that type. */
  private _isExact(node: INode, type: DType): boolean {
    return isExact(node, type, value => this._resolve(value).dtype);
  }

  private _hasKernel(op: string, inputs: NodeTypes, outputs: NodeTypes): boolean {
    const domain = op.slice(0, op.lastIndexOf('.'));
    const opset = this._graph.opsets[domain === 'onnx' ? '' : domain] ?? 1;
    return this._capabilities.kernels.has(op, opset, inputs, outputs);
  }

  /** Run the operator in float32. */
  private _inFloat32(node: INode, builder: NodeBuilder): void {
    const exact = node.outputs.map(
      value => value?.dtype != null && this._isExact(node, value.dtype)
    );
    this._rename(node, value => this._wide(value, builder, node));
    node.attrs = mapAttrs(node.attrs, attr => this._wideAttr(attr));
    const rounded: { wide: IValue; result: IValue }[] = [];
    node.outputs = node.outputs.map((result, i) => {
      if (result === null || result.dtype === null || !this._isNarrow(result.dtype)) {
        return result;
      }
      const wide = makeValue(this._names.value(`${result.name}:wide`), 'float32', result.shape);
      wide.kind = result.kind;
      if (exact[i] || result.kind !== 'tensor') {
        this._made.set(result, 'wide');
        this._wideForms.set(result, wide);
      } else {
        rounded.push({ wide, result });
      }
      return wide;
    });
    builder.append(node);
    for (const { wide, result } of rounded) {
      this._emitCast(`${node.name}/round`, wide, result, node, builder);
      this._made.set(result, 'low');
    }
  }

  private _cast(
    node: INode,
    operand: IValue,
    target: DType,
    result: IValue,
    builder: NodeBuilder
  ): void {
    const source = this._resolve(operand);
    const from = source.dtype;
    const isLow = from !== null && this._isNarrow(from);
    if (!isLow && !this._isNarrow(target)) {
      this._rename(node, value => value);
      builder.append(node);
      return;
    }
    if (from === target) {
      this._replaced.set(result, source);
      return;
    }
    if (isLow && target === 'float32') {
      const isWideOnly = this._made.get(source) === 'wide';
      if (node.role === 'hold' || isWideOnly) {
        this._replaced.set(result, this._wide(source, builder, node));
        return;
      }
    }
    node.op = 'onnx.Cast';
    node.attrs = { ...castAttrs(node.attrs), to: dtypeAttr(target) };
    node.inputs = [isLow ? this._low(source, builder, node) : source];
    if (this._isNarrow(target)) {
      this._made.set(result, 'low');
    }
    builder.append(node);
  }

  // Forms of a value

  /** The value in its own type. Values of other types are what they are. */
  private _low(value: IValue, builder: NodeBuilder, node: Provenance): IValue {
    if (this._made.get(value) !== 'wide') {
      return value;
    }
    // There are no casts of sequences: those are of float32 throughout.
    return value.kind === 'tensor'
      ? this._otherForm(value, 'low', builder, node)
      : this._wideForms.get(value)!;
  }

  /** The value in float32, if it is of a narrow type. */
  private _wide(value: IValue, builder: NodeBuilder, node: Provenance): IValue {
    if (value.dtype === null || !this._isNarrow(value.dtype)) {
      return value;
    }
    if (this._made.get(value) === 'wide') {
      return this._wideForms.get(value)!;
    }
    return this._widenedWeight(value) ?? this._otherForm(value, 'wide', builder, node);
  }

  /** What was not made, by a cast. */
  private _otherForm(value: IValue, form: Form, builder: NodeBuilder, node: Provenance): IValue {
    const isLow = form === 'low';
    const dtype = isLow ? value.dtype! : 'float32';
    return this._once(value, dtype, () => {
      const other = makeValue(this._names.value(`${value.name}:${dtype}`), dtype, value.shape);
      const source = isLow ? this._wideForms.get(value)! : value;
      this._emitCast(`${value.name}/${isLow ? 'round' : 'hold'}`, source, other, node, builder);
      return other;
    });
  }

  /** Another form of a value: once per graph, as what a nested graph makes is not seen outside. */
  private _once(value: IValue, dtype: DType, make: () => IValue): IValue {
    const forms = this._other.get(value) ?? new Map<DType, IValue>();
    this._other.set(value, forms);
    const form = forms.get(dtype) ?? make();
    forms.set(dtype, form);
    return form;
  }

  /** A stored weight in float32; null where the value is none. */
  private _widenedWeight(value: IValue): IValue | null {
    const stored = this._weights.get(value);
    if (!stored) {
      return null;
    }
    let wide = this._wideForms.get(value);
    if (!wide) {
      wide = makeValue(this._names.value(`${value.name}:float32`), 'float32', value.shape);
      this._wideForms.set(value, wide);
      stored.graph.weights.push({ value: wide, weight: widened(stored.weight) });
    }
    return wide;
  }

  /** Whether the value is a number written into the graph in float32 that `type` has as well. */
  private _isRepresentable(value: IValue | null, type: DType): boolean {
    if (value?.dtype !== 'float32') {
      return false;
    }
    const constant = this._constants.get(value)?.attrs.value;
    if (constant?.kind !== 'tensor' || constant.value.data.kind !== 'inline') {
      return false;
    }
    const { bytes } = constant.value.data;
    const wide = numbersOf(bytes);
    const again = numbersOf(widenToFloat32(type, encodeNumbers(type, wide)));
    return wide.every((x, i) => Object.is(x, again[i]));
  }

  /** A float32 value in `type`: a number written anew, or what was accumulated, rounded. */
  private _narrow(value: IValue, type: DType, builder: NodeBuilder, node: Provenance): IValue {
    return this._once(value, type, () => {
      const constant = this._constants.get(value)?.attrs.value;
      const name = this._names.value(`${value.name}:${type}`);
      if (constant?.kind !== 'tensor' || constant.value.data.kind !== 'inline') {
        const narrow = makeValue(name, type, value.shape);
        this._emitCast(`${value.name}/round`, value, narrow, node, builder);
        return narrow;
      }
      const { shape, data } = constant.value;
      const tensor = inlineTensor(name, type, shape, encodeNumbers(type, numbersOf(data.bytes)));
      const attrs: Record<string, Attr> = { value: { kind: 'tensor', value: tensor } };
      const types = [{ dtype: type, shape }];
      return builder.emit('onnx.Constant', name, [], attrs, types, node)[0];
    });
  }

  private _emitCast(
    name: string,
    source: IValue,
    result: IValue,
    node: Provenance,
    builder: NodeBuilder
  ): void {
    const attrs = { to: dtypeAttr(result.dtype!) };
    builder.emitInto(result, 'onnx.Cast', name, [source], attrs, node, 'hold');
  }

  /** Constants and types written into a node, as float32 where they are narrower. */
  private _wideAttr(attr: Attr): Attr {
    if (attr.kind === 'dtype' && this._isNarrow(attr.value)) {
      return dtypeAttr('float32');
    }
    if (attr.kind === 'tensor' && this._isNarrow(attr.value.dtype)) {
      return { kind: 'tensor', value: widened(attr.value) };
    }
    return attr;
  }

  /** Whether values of a type may be computed in as they are: of a narrow type that is not held. */
  private _isNarrow(dtype: DType): boolean {
    return isLowPrecision(dtype) && !this._capabilities.holds(dtype);
  }

  private _rename(node: INode, form: (value: IValue) => IValue): void {
    node.inputs = node.inputs.map(value => (value === null ? null : form(this._resolve(value))));
  }

  private _note(values: readonly (IValue | null)[], form: Form): void {
    for (const value of values) {
      if (value !== null) {
        this._made.set(value, form);
      }
    }
  }

  private _resolve(value: IValue): IValue {
    return this._replaced.get(value) ?? value;
  }

  /** In which form each value is made. */
  private readonly _made = new Map<IValue, Form>();
  /** float32 forms of values that were made in float32, and of weights. */
  private readonly _wideForms = new Map<IValue, IValue>();
  /** Forms made by casts in the graph under way. */
  private _other = new Map<IValue, Map<DType, IValue>>();
  private readonly _replaced = new Map<IValue, IValue>();
  private readonly _constants = new Map<IValue, INode>();
  private readonly _weights = new Map<IValue, { weight: IWeight; graph: IGraph }>();
}

const NOWHERE: Provenance = { region: null, module: null, source: null };

/** A type as kernels are asked for it. */
function typeAt(value: IValue | null): DType | null | undefined {
  return value === null ? null : value.kind === 'tensor' ? (value.dtype ?? undefined) : undefined;
}

/** Numbers of float32 bytes, which need not be aligned. */
function numbersOf(bytes: Uint8Array): number[] {
  return Array.from(new Float32Array(Uint8Array.from(bytes).buffer));
}
