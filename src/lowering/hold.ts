/**
 * Low precision on devices without low-precision kernels: values are held in float32, after an explicit round trip.
 *
 * @packageDocumentation
 */
import { bodiesOf, castTarget, contiguousStrides, isLayoutOnly, makeValue } from '../model';
import type { Attr, DType, IGraph, INode, IValue, IWeight } from '../model';
import { NodeBuilder, dtypeAttr } from './builder';
import type { Names } from './builder';
import type { ICapabilities } from './capabilities';
import { isExact } from './exact';
import { widenToFloat32 } from './numbers';

/**
 * Hold every value of a held type in float32, in place, nested graphs included.
 *
 * 1. A cast to a held type is executed, and its result cast to float32 (role `hold`). Its name stays.
 * 2. A cast from a held type to float32 changes nothing and disappears: its result is the operand. But for casts of weights: they
 *    are executed on the tensor as stored, as the census counts them.
 * 3. Any other operator computes in float32; its result goes through the held type and back (role `hold`), unless the operator is
 *    exact (see exact.ts).
 * 4. A stored weight of a held type is widened once when the model is loaded.
 * 5. Inputs and outputs of the graph become float32.
 *
 * Rounding an exactly representable value changes no bit, so the rule for exact operators only saves work.
 *
 * #### Complexity
 * Linear in the graph.
 */
export function holdInFloat32(graph: IGraph, capabilities: ICapabilities, names: Names): void {
  new Holder(capabilities, names).run(graph);
}

class Holder {
  constructor(
    private readonly _capabilities: ICapabilities,
    private readonly _names: Names
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
    for (const value of this._logical.keys()) {
      value.dtype = 'float32';
    }
  }

  /** All graphs, outer ones first, and the logical dtype of every held value. */
  private _collect(graph: IGraph): IGraph[] {
    const graphs: IGraph[] = [];
    const stack = [graph];
    const note = (value: IValue | null): void => {
      if (value !== null && value.dtype !== null && this._capabilities.holds(value.dtype)) {
        this._logical.set(value, value.dtype);
      }
    };
    while (stack.length > 0) {
      const current = stack.pop()!;
      graphs.push(current);
      current.inputs.forEach(note);
      current.outputs.forEach(note);
      current.weights.forEach(({ value }) => note(value));
      for (const node of current.nodes) {
        node.inputs.forEach(note);
        node.outputs.forEach(note);
        stack.push(...bodiesOf(node));
      }
    }
    return graphs;
  }

  private _rewrite(graph: IGraph): void {
    const builder = new NodeBuilder(this._names);
    this._arranged.clear();
    for (const node of graph.nodes) {
      const source = node.inputs[0] ?? null;
      node.inputs = node.inputs.map(value => (value === null ? null : this._resolve(value)));
      for (const value of node.outputs) {
        if (value !== null) {
          this._producers.set(value, node);
        }
      }
      const target = castTarget(node);
      if (target !== null && source !== null && node.outputs[0]) {
        this._cast(node, source, target, node.outputs[0], builder);
      } else {
        this._operator(node, builder);
      }
    }
    graph.nodes = [...builder.nodes];
  }

  private _cast(
    node: INode,
    source: IValue,
    target: DType,
    result: IValue,
    builder: NodeBuilder
  ): void {
    const from = this._dtypeOf(source);
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

  private _operator(node: INode, builder: NodeBuilder): void {
    for (const key in node.attrs) {
      node.attrs[key] = this._attr(node.attrs[key]);
    }
    const rounded: { wide: IValue; result: IValue; type: DType }[] = [];
    node.outputs = node.outputs.map(result => {
      const type = result === null ? undefined : this._logical.get(result);
      if (result === null || type === undefined || isExact(node, type, v => this._dtypeOf(v))) {
        return result;
      }
      const wide = makeValue(this._names.value(`${result.name}:wide`), 'float32', result.shape);
      rounded.push({ wide, result, type });
      return wide;
    });
    builder.append(node);
    for (const { wide, result, type } of rounded) {
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
  }

  /** Cast `low` back to float32, giving `result`. */
  private _widen(node: INode, low: IValue, result: IValue, builder: NodeBuilder): void {
    builder.emit(
      'onnx.Cast',
      `${node.name}/hold`,
      [low],
      { to: dtypeAttr('float32') },
      [{ dtype: 'float32' }],
      node,
      'hold'
    );
    builder.nodes[builder.nodes.length - 1].outputs = [result];
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
   * come from a weight alone.
   */
  private _storedChain(value: IValue, builder: NodeBuilder): IValue | null {
    const layout: INode[] = [];
    let current = value;
    for (;;) {
      const entry = this._weights.get(current);
      const made =
        this._arranged.get(current) ?? (entry && this._storedValue(current, entry)) ?? null;
      if (made !== null) {
        return layout.reduceRight((operand, node) => this._onStored(node, operand, builder), made);
      }
      const producer = this._producers.get(current);
      if (!producer || !isLayoutOnly(producer)) {
        return null;
      }
      layout.push(producer);
      current = producer.inputs[0]!;
    }
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

  /** A layout-only operator once more, on the stored type. */
  private _onStored(node: INode, operand: IValue, builder: NodeBuilder): IValue {
    const result = node.outputs[0]!;
    const [made] = builder.emit(
      node.op,
      `${node.name}/stored`,
      [operand, ...node.inputs.slice(1)],
      node.attrs,
      [{ dtype: operand.dtype, shape: result.shape }],
      node
    );
    this._arranged.set(result, made);
    return made;
  }

  private _dtypeOf(value: IValue): DType | null {
    return this._logical.get(value) ?? value.dtype;
  }

  private _isHeld(value: IValue): boolean {
    return this._logical.has(value);
  }

  private _resolve(value: IValue): IValue {
    return this._replaced.get(value) ?? value;
  }

  private readonly _logical = new Map<IValue, DType>();
  private readonly _replaced = new Map<IValue, IValue>();
  private readonly _producers = new Map<IValue, INode>();
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
