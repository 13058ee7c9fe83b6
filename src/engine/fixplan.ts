/**
 * Which weights a repaired file stores in a lower precision, and why not the others.
 *
 * @packageDocumentation
 */
import type { IExplicitGraph, Reach } from '../autocast';
import { findAliases } from '../autocast';
import type { DType, IExportedModel, IGraph, INode, IUse, IValue, IWeight } from '../model';
import {
  bodiesOf,
  castTarget,
  changesDtype,
  DTYPES,
  forEachNode,
  isArrangement,
  isFloating,
  isLowPrecision,
  usesOf
} from '../model';
import { canCast } from '../numerics';
import type { MixedWeights } from '../protocol';

/** A stored run of bytes that is converted as a whole. */
export interface IStorageConversion {
  readonly weights: readonly IWeight[];
  readonly from: DType;
  readonly to: DType;
}

/** A second weight beside one that is used in both precisions. */
export interface IPlannedCopy {
  /** Name of the value that stands for the original in the graph. */
  readonly value: string;
  readonly weight: IWeight;
  readonly to: DType;
}

/** What becomes of the weights of a model. */
export interface IFixPlan {
  /** By storage, see `storageOf`. */
  readonly storages: ReadonlyMap<string, IStorageConversion>;
  /** Values that get another dtype, by name: the converted weights and what only arranges them. */
  readonly dtypes: ReadonlyMap<string, DType>;
  /** Names of the cast nodes of the file that have nothing left to do. */
  readonly casts: ReadonlySet<string>;
  readonly copies: readonly IPlannedCopy[];
  /** By node of the file, the operands that become a copy: value to index in `copies`. */
  readonly operands: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Weights that are cast and stay as they are. */
  readonly left: readonly { readonly weight: IWeight; readonly reason: string }[];
}

/** Key of the bytes a weight lies in: tied weights and views of one tensor share them. */
export function storageOf(weight: IWeight): string {
  return weight.data.kind === 'range'
    ? `${weight.data.range.file}:${weight.data.range.offset}:${weight.data.range.length}`
    : weight.storage;
}

interface IWeightUse {
  readonly value: IValue;
  /** The cast of the explicit graph. */
  readonly node: INode;
  readonly to: DType;
  /** Whether layout operators stand between the weight and the cast. */
  readonly isArranged: boolean;
}

/** How the tensors of one storage are used. */
interface IUsage {
  readonly weights: Set<IWeight>;
  readonly casts: IWeightUse[];
  /** What else uses them, for the reader. */
  readonly others: string[];
  /** The weights and what only arranges them. */
  readonly values: Set<IValue>;
  mutator: INode | null;
}

/**
 * Decide what to do with each weight that is cast.
 *
 * A storage is converted where every use of every tensor in it, dead code included, casts it to one and the same lower
 * precision: then each of these casts finds the dtype it wants and no other operator sees a change.
 *
 * #### Complexity
 * Linear in operands.
 *
 * @param pinned - weights the format cannot change, by name, with the reason.
 */
export function planFix(
  explicit: IExplicitGraph,
  model: IExportedModel,
  mixed: MixedWeights,
  pinned: ReadonlyMap<string, string>
): IFixPlan {
  return new FixPlanner(explicit, model, mixed, pinned).plan();
}

/**
 * Weights that an `.onnx` file holds in Constant nodes, by name: the file is edited where its initializers are.
 */
export function pinnedConstants(model: IExportedModel): Map<string, string> {
  const pinned = new Map<string, string>();
  for (const { kind, names } of model.weights) {
    if (kind === 'constant') {
      names.forEach(name => pinned.set(name, 'held by a Constant node, not by an initializer'));
    }
  }
  return pinned;
}

class FixPlanner {
  constructor(
    explicit: IExplicitGraph,
    private readonly _model: IExportedModel,
    private readonly _mixed: MixedWeights,
    private readonly _pinned: ReadonlyMap<string, string>
  ) {
    this._castsInside = explicit.castsInside;
    // Dead nodes are still in the file: what they do with a weight counts.
    this._graph = {
      ...explicit.graph,
      nodes: [...explicit.graph.nodes, ...explicit.dropped]
    };
    this._uses = usesOf(this._graph);
    this._outermost = new Set(this._graph.nodes);
    this._fileNodes = new Set(_model.graph.nodes.map(node => node.name));
  }

  plan(): IFixPlan {
    for (const [storage, usage] of this._usages()) {
      if (usage.casts.length > 0) {
        this._decide(storage, usage);
      }
    }
    return {
      storages: this._storages,
      dtypes: this._dtypes,
      casts: this._casts,
      copies: this._copies,
      operands: this._operands,
      left: this._left
    };
  }

  private _usages(): Map<string, IUsage> {
    const usages = new Map<string, IUsage>();
    for (const weight of this._model.weights) {
      const key = storageOf(weight);
      const usage = usages.get(key);
      if (usage === undefined) {
        usages.set(key, {
          weights: new Set([weight]),
          casts: [],
          others: [],
          values: new Set(),
          mutator: null
        });
      } else {
        usage.weights.add(weight);
      }
    }
    const aliases = findAliases(this._graph);
    const returned = new Set<IValue>(this._graph.outputs);
    forEachNode(this._graph, node =>
      bodiesOf(node).forEach(body => body.outputs.forEach(value => returned.add(value)))
    );
    const roots = new Map(
      this._model.graph.weights.map(({ value, weight }) => [value.name, weight] as const)
    );
    const values = new Set([
      ...this._graph.weights.map(({ value }) => value),
      ...this._uses.keys()
    ]);
    for (const root of values) {
      const weight = roots.get(root.name);
      if (weight === undefined) {
        continue;
      }
      const usage = usages.get(storageOf(weight))!;
      const pending = [root];
      while (pending.length > 0) {
        const value = pending.pop()!;
        if (usage.values.has(value)) {
          continue;
        }
        usage.values.add(value);
        usage.mutator ??= aliases.mutatorOf(value);
        if (returned.has(value)) {
          usage.others.push('returned by the program');
        }
        for (const use of this._uses.get(value) ?? []) {
          this._follow(usage, value, use, value !== root, aliases.mutatorOf).forEach(next =>
            pending.push(next)
          );
        }
      }
    }
    return usages;
  }

  /** Note one use; returns the values that hold the elements of the weight, arranged anew or as they are. */
  private _follow(
    usage: IUsage,
    value: IValue,
    { node, index }: IUse,
    isArranged: boolean,
    mutatorOf: (value: IValue) => INode | null
  ): IValue[] {
    if (READS_NO_ELEMENTS.has(node.op)) {
      return [];
    }
    if (!this._outermost.has(node)) {
      usage.others.push(`used by ${describeNode(node)} in a nested graph`);
      return [];
    }
    const to = castTarget(node);
    if (index === 0 && to !== null && changesDtype(node)) {
      usage.casts.push({ value, node, to, isArranged });
      usage.mutator ??= node.outputs[0] === null ? null : mutatorOf(node.outputs[0]);
      return [];
    }
    if (index === 0 && isArrangement(node)) {
      return node.outputs.filter(output => output !== null);
    }
    usage.others.push(`used as ${value.dtype} by ${describeNode(node)}`);
    // A cast to the dtype the weight has (`weight.float()`): the elements are its own still, and casts behind it are casts of it.
    return index === 0 && to !== null ? node.outputs.filter(output => output !== null) : [];
  }

  private _decide(storage: string, usage: IUsage): void {
    const cast = new Set(usage.casts.map(({ value }) => this._weightOf(usage, value)));
    const leave = (reason: string): void => {
      cast.forEach(weight => this._left.push({ weight, reason }));
    };
    const [{ dtype: from }] = usage.weights;
    const targets = [...new Set(usage.casts.map(({ to }) => to))];
    const [to] = targets;
    for (const weight of usage.weights) {
      for (const name of weight.names) {
        const reason = this._pinned.get(name);
        if (reason !== undefined) {
          return leave(reason);
        }
      }
    }
    if (usage.mutator !== null) {
      return leave(`written to in place by ${describeNode(usage.mutator)}`);
    }
    for (const { node } of usage.casts) {
      const reach = this._castsInside.get(node) ?? 'as-given';
      if (reach !== 'as-given') {
        const [user] = this._uses.get(node.outputs[0]!) ?? [];
        return leave(`${BEFORE_CAST[reach]} before the cast inside ${describeNode(user.node)}`);
      }
    }
    if (targets.length > 1) {
      return leave(`cast to several dtypes: ${targets.join(', ')}`);
    }
    if (!isFloating(from)) {
      return leave(`a cast of ${from} is no rounding of a weight`);
    }
    if (!isLowPrecision(to) || DTYPES[to].bits >= DTYPES[from].bits) {
      return leave(`stored in ${from} already; kept in ${to} it would take more space`);
    }
    if (!canCast(from, to)) {
      return leave(`castlens cannot cast ${from} to ${to}`);
    }
    if ([...usage.weights].some(weight => weight.dtype !== from)) {
      return leave('its bytes are also used as another dtype');
    }
    if (!isWhole(usage.weights)) {
      return leave('its storage holds no whole number of elements');
    }
    if (usage.others.length === 0) {
      this._convert(storage, usage, from, to);
    } else if (this._mixed === 'leave') {
      leave(`also ${usage.others[0]}`);
    } else {
      this._copy(usage, to);
    }
  }

  private _convert(storage: string, usage: IUsage, from: DType, to: DType): void {
    this._storages.set(storage, { weights: [...usage.weights], from, to });
    usage.values.forEach(({ name }) => this._dtypes.set(name, to));
    usage.casts.forEach(({ node }) => this._removeCast(node));
  }

  /** Give the casts of a weight a second weight as their operand. */
  private _copy(usage: IUsage, to: DType): void {
    const arranged = new Set<IWeight>();
    for (const { value, node, isArranged } of usage.casts) {
      const weight = this._weightOf(usage, value);
      if (isArranged) {
        arranged.add(weight);
        continue;
      }
      const key = `${value.name}>${to}`;
      let index = this._copyIndex.get(key);
      if (index === undefined) {
        index = this._copies.length;
        this._copies.push({ value: value.name, weight, to });
        this._copyIndex.set(key, index);
      }
      // A cast of the file takes the copy itself; one that a region implies is not in the file, its users take the copy.
      const takers = this._fileNodes.has(node.name)
        ? [node]
        : (this._uses.get(node.outputs[0]!) ?? []).map(use => use.node);
      for (const { name } of takers) {
        const operands = this._operands.get(name) ?? new Map<string, number>();
        operands.set(value.name, index);
        this._operands.set(name, operands);
      }
      this._removeCast(node);
    }
    for (const weight of arranged) {
      this._left.push({
        weight,
        reason: `also ${usage.others[0]}, and cast behind another operator`
      });
    }
  }

  private _removeCast(node: INode): void {
    if (REMOVABLE.has(node.op) && this._fileNodes.has(node.name)) {
      this._casts.add(node.name);
    }
  }

  /** The weight a value of a usage comes from; any of the storage where it is arranged. */
  private _weightOf(usage: IUsage, value: IValue): IWeight {
    this._weightByValue ??= new Map(
      this._model.graph.weights.map(entry => [entry.value.name, entry.weight] as const)
    );
    return this._weightByValue.get(value.name) ?? [...usage.weights][0];
  }

  private readonly _castsInside: ReadonlyMap<INode, Reach>;
  private readonly _graph: IGraph;
  private readonly _outermost: ReadonlySet<INode>;
  private readonly _uses: Map<IValue, IUse[]>;
  private readonly _fileNodes: ReadonlySet<string>;
  private _weightByValue: Map<string, IWeight> | null = null;
  private readonly _storages = new Map<string, IStorageConversion>();
  private readonly _dtypes = new Map<string, DType>();
  private readonly _casts = new Set<string>();
  private readonly _copies: IPlannedCopy[] = [];
  private readonly _copyIndex = new Map<string, number>();
  private readonly _operands = new Map<string, Map<string, number>>();
  private readonly _left: { weight: IWeight; reason: string }[] = [];
}

/** What composite operators do with an operand as it is stored. */
const BEFORE_CAST: Readonly<Record<Exclude<Reach, 'as-given'>, string>> = {
  computed: 'summed or multiplied',
  checked: 'must have the dtype of the other operands'
};

/** Casts that mean nothing once their operand has the dtype. Those of training IR may alias their operand: they stay. */
const REMOVABLE: ReadonlySet<string> = new Set([
  'aten._to_copy.default',
  'prims.convert_element_type.default',
  'onnx.Cast'
]);

/** Operators that look at the shape of a tensor, or at its dtype in a way that is edited along with it. */
const READS_NO_ELEMENTS: ReadonlySet<string> = new Set([
  'aten._assert_tensor_metadata.default',
  'aten.sym_numel.default',
  'aten.sym_size.int',
  'aten.sym_stride.int',
  'onnx.Shape',
  'onnx.Size'
]);

/** Whether the storage of some weights of one dtype is a whole number of elements. */
function isWhole(weights: Iterable<IWeight>): boolean {
  const [{ data, dtype }] = weights;
  return data.kind !== 'range' || (data.range.length * 8) % DTYPES[dtype].bits === 0;
}

function describeNode(node: INode): string {
  return node.source === null ? node.op : `${node.op} (${node.source.file}:${node.source.line})`;
}
