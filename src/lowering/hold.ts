/**
 * Low precision on devices without low-precision kernels: values are held in float32, after an explicit round trip.
 *
 * @packageDocumentation
 */
import { Origins } from '../dataflow';
import { bodiesOf, castTarget, contiguousStrides, makeValue } from '../model';
import { dtypeAttr, mapAttrs, NodeBuilder, widenToFloat32 } from '../operators';
import type { Attr, DType, GraphNames, IGraph, INode, IValue, IWeight } from '../model';
import type { ICapabilities } from './capabilities';
import { isExact } from './exact';

/**
 * Hold every value of a held type in float32, in place, nested graphs included.
 *
 * 1. A cast to a held type is executed, and its result cast to float32 (role `hold`). Its name stays.
 * 2. A cast from a held type to float32 changes nothing and disappears: its result is the operand. But for casts of weights, also of
 *    those that bodies are given and hand on: they are executed on the tensor as stored, as the census counts them.
 * 3. Any other operator computes in float32; its result goes through the held type and back (role `hold`), unless the operator is
 *    exact (see exact.ts).
 * 4. Operators that are about the bits of a type (quantisation, BitCast) get operands of that type and give results of it.
 * 5. A stored weight of a held type is widened once when the model is loaded.
 * 6. Inputs and outputs of the graph become float32.
 *
 * Rounding an exactly representable value changes no bit, so the rule for exact operators only saves work.
 *
 * #### Complexity
 * Linear in the graph.
 */
export function holdInFloat32(graph: IGraph, capabilities: ICapabilities, names: GraphNames): void {
  new Holder(capabilities, names).run(graph);
}

/** Operands and results of operators that are about the bits of a type: they have it whatever is held in float32. */
const TYPED: ReadonlyMap<
  string,
  { readonly inputs: readonly number[]; readonly outputs: readonly number[] }
> = new Map([
  ['onnx.BitCast', { inputs: [0], outputs: [0] }],
  ['onnx.DequantizeLinear', { inputs: [0, 2], outputs: [] }],
  ['onnx.QuantizeLinear', { inputs: [2], outputs: [0] }],
  ['com.microsoft.DequantizeLinear', { inputs: [0, 2], outputs: [] }],
  ['com.microsoft.QuantizeLinear', { inputs: [2], outputs: [0] }]
]);

/** The only layout-only operator without a kernel for bfloat16. */
const EXPAND = 'onnx.Expand';

class Holder {
  constructor(
    private readonly _capabilities: ICapabilities,
    private readonly _names: GraphNames
  ) {}

  run(graph: IGraph): void {
    const graphs = this._collect(graph);
    for (const current of graphs) {
      for (const { value, weight } of current.weights) {
        this._weights.set(value, { weight, graph: current });
      }
    }
    for (const current of graphs) {
      this._rewrite(current);
    }
    for (const current of graphs) {
      current.outputs = current.outputs.map(value => this._resolve(value));
      current.weights = current.weights.map(({ value, weight }) => ({
        value,
        weight: this._isHeld(value) ? widened(weight) : weight
      }));
    }
    for (const { value, weight, graph: owner } of this._stored) {
      owner.weights.push({ value, weight });
    }
    for (const value of this._held) {
      value.dtype = 'float32';
    }
  }

  /** All graphs, outer ones first; every value of a held type is noted. */
  private _collect(graph: IGraph): IGraph[] {
    const graphs: IGraph[] = [];
    const stack = [graph];
    const note = (value: IValue | null): void => {
      if (value !== null && this._isHeld(value)) {
        this._held.push(value);
      }
    };
    while (stack.length > 0) {
      const current = stack.pop()!;
      graphs.push(current);
      current.inputs.forEach(note);
      current.weights.forEach(({ value }) => note(value));
      for (const node of current.nodes) {
        node.outputs.forEach(note);
        stack.push(...bodiesOf(node));
      }
    }
    return graphs;
  }

  private _rewrite(graph: IGraph): void {
    const builder = new NodeBuilder(this._names);
    this._arranged.clear();
    builder.rewrite(graph, node => {
      const source = node.inputs[0] ?? null;
      const types = node.inputs.map(value => value?.dtype ?? null);
      this._resolveInputs(node);
      const result = node.outputs[0] ?? null;
      const target = castTarget(node);
      if (target === null && (bodiesOf(node).length > 0 || this._stems(node.inputs[0]))) {
        this._origins.note(node);
      }
      if (target !== null && source !== null && result !== null) {
        this._cast(node, source, target, result, builder);
      } else {
        this._operator(node, types, builder);
      }
    });
  }

  private _cast(
    node: INode,
    source: IValue,
    target: DType,
    result: IValue,
    builder: NodeBuilder
  ): void {
    const from = source.dtype;
    node.op = 'onnx.Cast';
    node.inputs = [node.inputs[0]];
    node.attrs = { ...castAttrs(node.attrs), to: dtypeAttr(target) };
    if (from === target) {
      this._replaced.set(result, node.inputs[0]!);
      return;
    }
    if (this._capabilities.holds(target)) {
      const low = makeValue(this._names.value(`${result.name}:low`), target, result.shape);
      node.outputs = [low];
      builder.append(node);
      this._widen(node, low, result, builder);
      return;
    }
    if (target === 'float32' && from !== null && this._capabilities.holds(from)) {
      const stored = node.role === undefined ? this._storedChain(node.inputs[0]!, builder) : null;
      if (stored === null) {
        this._replaced.set(result, node.inputs[0]!);
        return;
      }
      node.inputs = [stored];
    }
    builder.append(node);
  }

  /** @param types - of the operands as the graph has them. */
  private _operator(node: INode, types: readonly (DType | null)[], builder: NodeBuilder): void {
    const typed = TYPED.get(node.op);
    node.attrs = mapAttrs(node.attrs, attr => (this._keepsTypes(node) ? attr : this._attr(attr)));
    this._takeAsTyped(node, typed?.inputs ?? [], types, builder);
    const results = node.outputs;
    let wide: (IValue | null)[] | null = null;
    for (const [i, result] of results.entries()) {
      if (result !== null && this._isHeld(result) && typed?.outputs.includes(i)) {
        wide ??= [...results];
        wide[i] = makeValue(this._names.value(`${result.name}:low`), result.dtype, result.shape);
        continue;
      }
      if (result === null || result.dtype === null || !this._isHeld(result)) {
        continue;
      }
      if (!isExact(node, result.dtype, value => value.dtype)) {
        wide ??= [...results];
        wide[i] = makeValue(this._names.value(`${result.name}:wide`), 'float32', result.shape);
      }
    }
    builder.append(node);
    if (wide !== null) {
      node.outputs = wide;
      results.forEach((result, i) => {
        if (result !== null && wide[i] !== null && wide[i] !== result) {
          if (typed?.outputs.includes(i)) {
            this._widen(node, wide[i], result, builder);
          } else {
            this._round(node, wide[i], result, builder);
          }
        }
      });
    }
  }

  /** Whether the attributes of a node name the type of a result that the operator itself makes. */
  private _keepsTypes({ op, outputs }: INode): boolean {
    const typed = TYPED.get(op)?.outputs ?? [];
    return typed.some(i => outputs[i] != null && this._isHeld(outputs[i]));
  }

  /** Give a node its operands at some positions in their own types instead of float32. */
  private _takeAsTyped(
    node: INode,
    positions: readonly number[],
    types: readonly (DType | null)[],
    builder: NodeBuilder
  ): void {
    for (const i of positions) {
      const value = node.inputs[i];
      const dtype = types[i] ?? null;
      if (value == null || dtype === null || !this._capabilities.holds(dtype)) {
        continue;
      }
      node.inputs[i] =
        this._storedChain(value, builder) ??
        builder.emit(
          'onnx.Cast',
          `${node.name}/typed_${i}`,
          [value],
          { to: dtypeAttr(dtype) },
          [{ dtype, shape: value.shape }],
          node,
          'hold'
        )[0];
    }
  }

  /** Round a result that was computed in float32, and hold it. */
  private _round(node: INode, wide: IValue, result: IValue, builder: NodeBuilder): void {
    const type = result.dtype!;
    const [low] = builder.emit(
      'onnx.Cast',
      `${node.name}/round`,
      [wide],
      { to: dtypeAttr(type) },
      [{ dtype: type, shape: result.shape }],
      node,
      'hold'
    );
    this._widen(node, low, result, builder);
  }

  /** Cast `low` back to float32, giving `result`. */
  private _widen(node: INode, low: IValue, result: IValue, builder: NodeBuilder): void {
    const attrs = { to: dtypeAttr('float32') };
    builder.emitInto(result, 'onnx.Cast', `${node.name}/hold`, [low], attrs, node, 'hold');
  }

  /** Constants and types written into a node. */
  private _attr(attr: Attr): Attr {
    if (attr.kind === 'dtype' && this._capabilities.holds(attr.value)) {
      return dtypeAttr('float32');
    }
    if (attr.kind === 'tensor' && this._capabilities.holds(attr.value.dtype)) {
      return { kind: 'tensor', value: widened(attr.value) };
    }
    return attr;
  }

  /**
   * A weight of a held type in its own type, behind the layout-only operators between it and `value`; null where `value` does not
   * come from a weight alone. Behind an operator that has no kernel for the type, `value` is cast to it.
   */
  private _storedChain(value: IValue, builder: NodeBuilder): IValue | null {
    const way = this._origins.wayTo(value, origin => {
      const entry = this._weights.get(origin);
      return this._arranged.get(origin) ?? (entry ? this._storedValue(origin, entry) : null);
    });
    if (way === null) {
      return null;
    }
    const { found, steps } = way;
    const last = steps.find(({ node }) => found.dtype === 'bfloat16' && node.op === EXPAND);
    return last === undefined
      ? steps.reduceRight(
          (operand, { node, result }) => this._onStored(node, result, operand, builder),
          found
        )
      : this._narrowed(value, 'bfloat16', last.node, builder);
  }

  /** A held value in the type it is held for: every element of it is one of that type. */
  private _narrowed(value: IValue, dtype: DType, { name }: INode, builder: NodeBuilder): IValue {
    const from = { region: null, module: null, source: null };
    const type = { dtype, shape: value.shape };
    const attrs = { to: dtypeAttr(dtype) };
    return builder.emit('onnx.Cast', `${name}/typed`, [value], attrs, [type], from, 'hold')[0];
  }

  /** Whether a value is a weight, or follows from one by layout-only operators. */
  private _stems(value: IValue | null | undefined): boolean {
    if (value == null) {
      return false;
    }
    return this._weights.has(this._origins.resolve(value)) || this._origins.has(value);
  }

  private _storedValue(value: IValue, entry: { weight: IWeight; graph: IGraph }): IValue {
    let stored = this._storedOf.get(value);
    if (!stored) {
      const name = this._names.value(`${value.name}:stored`);
      stored = makeValue(name, entry.weight.dtype, value.shape);
      this._storedOf.set(value, stored);
      this._stored.push({ value: stored, ...entry });
    }
    return stored;
  }

  /** What makes `result` once more, on the stored type. */
  private _onStored(node: INode, result: IValue, operand: IValue, builder: NodeBuilder): IValue {
    const made = builder.emit(
      node.op,
      `${node.name}/stored`,
      [operand, ...node.inputs.slice(1)],
      node.attrs,
      node.outputs.map(value => ({ dtype: operand.dtype, shape: value?.shape ?? null })),
      node
    );
    if (node.picks === true) {
      builder.nodes.at(-1)!.picks = true;
    }
    node.outputs.forEach((value, i) => value !== null && this._arranged.set(value, made[i]));
    return made[node.outputs.indexOf(result)];
  }

  private _isHeld({ dtype }: IValue): boolean {
    return dtype !== null && this._capabilities.holds(dtype);
  }

  private _resolveInputs({ inputs }: INode): void {
    for (let i = 0; i < inputs.length; i++) {
      const value = inputs[i];
      if (value !== null) {
        inputs[i] = this._resolve(value);
      }
    }
  }

  private _resolve(value: IValue): IValue {
    return this._replaced.get(value) ?? value;
  }

  /** Values of held types. They keep their types, by which all is decided, until the graph has been gone through. */
  private readonly _held: IValue[] = [];
  private readonly _replaced = new Map<IValue, IValue>();
  /** From values back to weights, through what only arranges them and what bodies are given and hand on as it is. */
  private readonly _origins = new Origins();
  private readonly _weights = new Map<IValue, { weight: IWeight; graph: IGraph }>();
  private readonly _storedOf = new Map<IValue, IValue>();
  /** Results of layout operators on the stored type; only those of the graph at hand, which its later nodes can use. */
  private readonly _arranged = new Map<IValue, IValue>();
  private readonly _stored: { value: IValue; weight: IWeight; graph: IGraph }[] = [];
}

/** A tensor of a narrow type as float32: inline ones at once, others when the model is loaded. */
export function widened(weight: IWeight): IWeight {
  const { data } = weight;
  const storage = `${weight.storage}->float32`;
  if (data.kind === 'inline') {
    const bytes = widenToFloat32(weight.dtype, data.bytes);
    return { ...weight, storage, dtype: 'float32', data: { kind: 'inline', bytes } };
  }
  return asDerived(weight, 'float32');
}

/** A weight made contiguous, and cast once more where `dtype` is given. */
export function asDerived(weight: IWeight, dtype: DType | null): IWeight {
  const { data } = weight;
  const source = data.kind === 'derived' ? data.source : weight;
  const steps = [
    ...(data.kind === 'derived' ? data.steps : []),
    ...(dtype === null ? [] : [dtype])
  ];
  return {
    ...weight,
    storage: dtype === null ? `${weight.storage}->contiguous` : `${weight.storage}->${dtype}`,
    dtype: dtype ?? weight.dtype,
    strides: contiguousStrides(weight.shape),
    storageOffset: 0,
    data: { kind: 'derived', source, steps }
  };
}

/** Attributes of a Cast besides its type: `saturate`. */
export function castAttrs(attrs: Record<string, Attr>): Record<string, Attr> {
  return 'saturate' in attrs ? { saturate: attrs.saturate } : {};
}
