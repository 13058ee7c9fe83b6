/**
 * Builds graphs and models by hand.
 */
import type {
  Attr,
  DType,
  IAutocastRegion,
  IExportedModel,
  IGraph,
  INode,
  IValue,
  IWeight
} from '../../../src/model';
import { contiguousStrides, elementCount, makeValue, sizeInBytes } from '../../../src/model';

/** A literal argument as it is easiest to write down. */
export type Literal = Attr | IValue | number | boolean | string | null | Literal[];

/** A graph under construction. */
export class GraphBuilder {
  readonly graph: IGraph = {
    name: 'main',
    inputs: [],
    outputs: [],
    nodes: [],
    weights: [],
    opsets: {}
  };

  /** An input of the graph. */
  input(name: string, dtype: DType | null = 'float32', shape: readonly number[] = [2, 2]): IValue {
    const value = makeValue(name, dtype, shape);
    this.graph.inputs.push(value);
    return value;
  }

  /** A weight and the value that stands for it. */
  weight(name: string, options: Partial<IWeight> = {}): IValue {
    const weight = makeWeight(name, options);
    const value = makeValue(`p_${name.replace(/\./g, '_')}`, weight.dtype, weight.shape, {
      requiresGrad: weight.requiresGrad
    });
    this.graph.weights.push({ value, weight });
    return value;
  }

  /** A node; returns its first result. `result` is the recorded dtype and shape of every result. */
  call(
    op: string,
    args: Record<string, Literal>,
    result: { dtype?: DType | null; shape?: readonly number[]; count?: number } = {},
    options: Partial<INode> = {}
  ): IValue {
    return this.node(op, args, result, options).outputs[0]!;
  }

  /** As `call`, returns the node. */
  node(
    op: string,
    args: Record<string, Literal>,
    result: { dtype?: DType | null; shape?: readonly number[]; count?: number } = {},
    options: Partial<INode> = {}
  ): INode {
    const inputs: IValue[] = [];
    const toAttr = (arg: Literal): Attr => {
      if (arg === null) {
        return { kind: 'none' };
      }
      if (Array.isArray(arg)) {
        return { kind: 'list', items: arg.map(toAttr) };
      }
      switch (typeof arg) {
        case 'number':
          return Number.isInteger(arg)
            ? { kind: 'int', value: arg }
            : { kind: 'float', value: arg };
        case 'boolean':
          return { kind: 'bool', value: arg };
        case 'string':
          return { kind: 'string', value: arg };
        default:
      }
      if ('name' in arg) {
        inputs.push(arg);
        return { kind: 'input', index: inputs.length - 1 };
      }
      return arg;
    };
    const attrs: Record<string, Attr> = {};
    for (const key in args) {
      attrs[key] = toAttr(args[key]);
    }
    const base = `${op.split('.')[1] ?? op}_${this.graph.nodes.length}`;
    const dtype = result.dtype === undefined ? (inputs[0]?.dtype ?? null) : result.dtype;
    const shape = result.shape ?? inputs[0]?.shape ?? [];
    const count = result.count ?? 1;
    const node: INode = {
      name: base,
      op,
      inputs,
      attrs,
      outputs: Array.from({ length: count }, (_, i) =>
        makeValue(count === 1 ? base : `${base}_${i}`, dtype, shape, { declaredDtype: dtype })
      ),
      region: null,
      module: null,
      source: null,
      ...options
    };
    this.graph.nodes.push(node);
    return node;
  }

  /** A cast as decomposed programs write it. */
  cast(value: IValue, to: DType, options: Partial<INode> = {}): IValue {
    return this.call(
      'aten._to_copy.default',
      { self: value, dtype: dtypeAttr(to) },
      { dtype: to, shape: value.shape as number[] },
      options
    );
  }

  /** Name outputs. */
  output(...values: IValue[]): this {
    this.graph.outputs.push(...values);
    return this;
  }

  /** The model around the graph. */
  model(options: Partial<IExportedModel> = {}): IExportedModel {
    return {
      path: 'model.pt2',
      format: 'pt2',
      dialect: 'TRAINING',
      producer: 'torch 2.13.0+cpu',
      torchVersion: '2.13.0',
      graph: this.graph,
      regions: [],
      inputs: [],
      outputs: [],
      weights: this.graph.weights.map(({ weight }) => weight),
      modules: [{ path: '', type: null }],
      ranges: new Map(),
      files: [],
      warnings: [],
      ...options
    };
  }
}

/** A dtype argument. */
export function dtypeAttr(value: DType): Attr {
  return { kind: 'dtype', value };
}

/** A weight stored contiguously in a storage of its own. */
export function makeWeight(name: string, options: Partial<IWeight> = {}): IWeight {
  const shape = options.shape ?? [2, 2];
  const dtype = options.dtype ?? 'float32';
  const length = sizeInBytes(dtype, elementCount(shape));
  return {
    storage: `model.pt2:${name}:${length}`,
    names: [name],
    kind: 'parameter',
    dtype,
    shape,
    strides: contiguousStrides(shape),
    storageOffset: 0,
    requiresGrad: true,
    data: { kind: 'range', range: { file: 'model.pt2', offset: 0, length } },
    ...options
  };
}

/** An autocast region; enabled for bfloat16 on the CPU where nothing else is said. */
export function makeRegion(id: string, options: Partial<IAutocastRegion> = {}): IAutocastRegion {
  return {
    id,
    parent: null,
    device: 'cpu',
    dtype: 'bfloat16',
    enabled: true,
    cacheEnabled: false,
    module: null,
    source: null,
    ...options
  };
}
