/**
 * Which weights a repaired file stores in a lower precision, and why not the others.
 *
 * @packageDocumentation
 */
import type { IExplicitGraph } from '../autocast';
import type { IFollowedUse } from '../dataflow';
import { Destinations, findAliases } from '../dataflow';
import type { DType, IExportedModel, IGraph, INode, IValue, IWeight, Reach } from '../model';
import {
  bodiesOf,
  castTarget,
  DTYPES,
  forEachNode,
  graphsOf,
  isFloating,
  ownResults
} from '../model';
import { canCast } from '../numerics';
import type { MixedWeights } from '../protocol';
import type { IFileLimits } from './fixlimits';

/** A stored run of bytes that is converted as a whole. */
export interface IStorageConversion {
  readonly weights: readonly IWeight[];
  readonly from: DType;
  readonly to: DType;
}

/** A second weight beside one that is used in both precisions. */
export interface IPlannedCopy {
  /** The value that stands for the original in the graph. */
  readonly value: IValue;
  readonly weight: IWeight;
  readonly to: DType;
}

/**
 * What becomes of the weights of a model. Values and nodes are those of the graph that was judged: of the model itself for ONNX, else of
 * the explicit graph, which names them as the model does.
 */
export interface IFixPlan {
  /** By storage, see `storageOf`. */
  readonly storages: ReadonlyMap<string, IStorageConversion>;
  /** Values that get another dtype: the converted weights and what only arranges them or hands them on. */
  readonly dtypes: ReadonlyMap<IValue, DType>;
  /** Casts of the file that have nothing left to do. */
  readonly casts: ReadonlySet<INode>;
  readonly copies: readonly IPlannedCopy[];
  /** By node of the file, the operands that become a copy: value to index in `copies`. */
  readonly operands: ReadonlyMap<INode, ReadonlyMap<IValue, number>>;
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
  readonly node: INode;
  readonly to: DType;
  /** The value of the weight in its graph; null where layout operators stand between it and the cast. */
  readonly root: IValue | null;
}

/** How the tensors of one storage are used. */
interface IUsage {
  readonly weights: Set<IWeight>;
  readonly casts: IWeightUse[];
  /** What else uses them, for the reader. */
  readonly others: string[];
  /** The weights, what only arranges them and what they are handed on as. */
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
 */
export function planFix(
  explicit: IExplicitGraph,
  model: IExportedModel,
  mixed: MixedWeights,
  limits: IFileLimits
): IFixPlan {
  return new FixPlanner(explicit, model, mixed, limits).plan();
}

class FixPlanner {
  constructor(
    explicit: IExplicitGraph,
    private readonly _model: IExportedModel,
    private readonly _mixed: MixedWeights,
    private readonly _limits: IFileLimits
  ) {
    // Dead nodes are still in the file: what they do with a weight counts.
    this._graph =
      _model.dialect === 'ONNX'
        ? _model.graph
        : { ...explicit.graph, nodes: [...explicit.graph.nodes, ...explicit.dropped] };
    this._destinations = new Destinations(this._graph);
    this._roots = this._findRoots();
    this._fileNodes = new Set(
      graphsOf(_model.graph).flatMap(({ nodes }) => nodes.map(({ name }) => name))
    );
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
    const { mutatorOf } = findAliases(this._graph);
    forEachNode(this._graph, node => {
      for (const body of bodiesOf(node)) {
        ownResults(node, body).forEach(value => this._returned.add(value));
      }
    });
    const outputs = new Set(this._graph.outputs);
    for (const [root, weight] of this._roots) {
      const usage = usages.get(storageOf(weight))!;
      const unarranged = new Set([root]);
      this._destinations.follow(
        [root],
        use => this._noteUse(usage, use, unarranged, root, mutatorOf),
        value => {
          usage.values.add(value);
          usage.mutator ??= mutatorOf(value);
          if (outputs.has(value)) {
            usage.others.push('returned by the program');
          }
          if (this._returned.has(value)) {
            usage.others.push('returned by a nested graph');
          }
        }
      );
    }
    return usages;
  }

  /** The values that stand for weights, in nested graphs too, and in nodes that no output needs. */
  private _findRoots(): Map<IValue, IWeight> {
    if (this._graph === this._model.graph) {
      return new Map(
        graphsOf(this._graph).flatMap(({ weights }) =>
          weights.map(({ value, weight }) => [value, weight] as const)
        )
      );
    }
    const weights = new Map(
      this._model.graph.weights.map(({ value, weight }) => [value.name, weight] as const)
    );
    const values = [
      ...this._graph.weights.map(({ value }) => value),
      ...this._destinations.values()
    ];
    return new Map(
      values.flatMap(value => {
        const weight = weights.get(value.name);
        return weight === undefined ? [] : [[value, weight] as const];
      })
    );
  }

  /**
   * Note one use of a weight.
   *
   * @param unarranged - the values that are the weight itself.
   *
   * @returns whether the results hold the elements of the weight, arranged anew or as they are.
   */
  private _noteUse(
    usage: IUsage,
    { value, node, step, results }: IFollowedUse,
    unarranged: Set<IValue>,
    root: IValue,
    mutatorOf: (value: IValue) => INode | null
  ): boolean {
    if (READS_NO_ELEMENTS.has(node.op)) {
      return false;
    }
    const isUnarranged = unarranged.has(value);
    switch (step) {
      case 'handed on':
        results.forEach(given => isUnarranged && unarranged.add(given));
        return true;
      case 'cast':
        usage.casts.push({
          value,
          node,
          to: castTarget(node)!,
          root: isUnarranged ? root : null
        });
        usage.mutator ??= node.outputs[0] === null ? null : mutatorOf(node.outputs[0]);
        return false;
      case 'arranged':
        return true;
      case 'same':
      case null:
        usage.others.push(`used as ${value.dtype} by ${describeNode(node)}`);
        // A cast to the dtype the weight has (`weight.float()`): the elements are its own still, and casts behind it are casts of it.
        return step === 'same';
    }
  }

  private _decide(storage: string, usage: IUsage): void {
    const cast = new Set(usage.casts.map(cast => this._weightOf(usage, cast)));
    const leave = (reason: string): void => {
      cast.forEach(weight => this._left.push({ weight, reason }));
    };
    const [{ dtype: from }] = usage.weights;
    const targets = [...new Set(usage.casts.map(({ to }) => to))];
    const [to] = targets;
    if (usage.mutator !== null) {
      return leave(`written to in place by ${describeNode(usage.mutator)}`);
    }
    for (const { node } of usage.casts) {
      const { reach } = node;
      if (reach !== undefined) {
        const [user] = this._destinations.of(node.outputs[0]!);
        return leave(`${INSIDE[reach]} ${describeNode(user.node)}`);
      }
    }
    if (usage.casts.some(cast => this._returnsOperand(cast))) {
      return leave(
        'a nested graph returns its cast, which may be no other name of what it was given'
      );
    }
    if (targets.length > 1 && this._mixed === 'leave') {
      return leave(`cast to several dtypes: ${targets.join(', ')}`);
    }
    if (!isFloating(from)) {
      return leave(`a cast of ${from} is no rounding of a weight`);
    }
    for (const target of targets) {
      if (!isFloating(target)) {
        return leave(`cast to ${target}, which is no lower precision`);
      }
      if (DTYPES[target].bits >= DTYPES[from].bits) {
        return leave(`stored in ${from} already; kept in ${target} it would take more space`);
      }
      if (!canCast(from, target)) {
        return leave(`castlens cannot cast ${from} to ${target}`);
      }
    }
    if ([...usage.weights].some(weight => weight.dtype !== from)) {
      return leave('its bytes are also used as another dtype');
    }
    if (!isWhole(usage.weights)) {
      return leave('its storage holds no whole number of elements');
    }
    for (const target of targets) {
      const pinned = this._limits.pinned(usage.weights, usage.values, target);
      if (pinned !== null) {
        return leave(pinned);
      }
    }
    if (targets.length > 1) {
      this._copy(usage);
    } else if (usage.others.length === 0) {
      this._convert(storage, usage, from, to);
    } else if (this._mixed === 'leave') {
      leave(`also ${usage.others[0]}`);
    } else {
      this._copy(usage);
    }
  }

  private _convert(storage: string, usage: IUsage, from: DType, to: DType): void {
    this._storages.set(storage, { weights: [...usage.weights], from, to });
    usage.values.forEach(value => this._dtypes.set(value, to));
    usage.casts.forEach(({ node }) => this._removeCast(node));
  }

  /**
   * Whether a nested graph would return what it was given once a cast has nothing to do: `aten.to` hands on its operand then, which PyTorch
   * refuses of branches and bodies.
   */
  private _returnsOperand({ node }: IWeightUse): boolean {
    if (!node.op.startsWith('aten.to.')) {
      return false;
    }
    const results = node.outputs.filter(value => value !== null);
    const reached = this._destinations.follow(
      results,
      ({ step }) => step === 'arranged' || step === 'same'
    );
    return [...reached].some(value => this._returned.has(value));
  }

  /** Give the casts of a weight a second weight as their operand, one per dtype. */
  private _copy(usage: IUsage): void {
    const left = new Map<IWeight, string>();
    for (const cast of usage.casts) {
      const { value, node, root } = cast;
      const weight = this._weightOf(usage, cast);
      // A cast of the file takes the copy itself; one that a region implies is not in the file, its users take the copy.
      const takers = this._fileNodes.has(node.name)
        ? [node]
        : this._destinations.of(node.outputs[0]!).map(use => use.node);
      const [fixed] = takers.flatMap(taker => this._limits.fixedOperands(taker) ?? []);
      if (root === null) {
        left.set(weight, 'cast behind another operator');
      } else if (fixed !== undefined) {
        left.set(weight, fixed);
      } else {
        this._redirect(takers, value, this._copyOf(root, weight, cast.to));
        this._removeCast(node);
      }
    }
    left.forEach((reason, weight) =>
      this._left.push({
        weight,
        reason: `${usage.others.length > 0 ? `also ${usage.others[0]}` : 'cast to several dtypes'}, and ${reason}`
      })
    );
  }

  /** Index of the copy of a value. */
  private _copyOf(value: IValue, weight: IWeight, to: DType): number {
    const indices = this._copyIndices.get(value) ?? new Map<DType, number>();
    this._copyIndices.set(value, indices);
    let index = indices.get(to);
    if (index === undefined) {
      index = this._copies.length;
      this._copies.push({ value, weight, to });
      indices.set(to, index);
    }
    return index;
  }

  private _redirect(takers: readonly INode[], value: IValue, index: number): void {
    for (const node of takers) {
      const operands = this._operands.get(node) ?? new Map<IValue, number>();
      operands.set(value, index);
      this._operands.set(node, operands);
    }
  }

  private _removeCast(node: INode): void {
    if (REMOVABLE.has(node.op) && this._fileNodes.has(node.name)) {
      this._casts.add(node);
    }
  }

  /** The weight that is cast; any of the storage where it is arranged. */
  private _weightOf({ weights }: IUsage, { root }: IWeightUse): IWeight {
    return (root === null ? undefined : this._roots.get(root)) ?? [...weights][0];
  }

  private readonly _graph: IGraph;
  private readonly _destinations: Destinations;
  private readonly _roots: ReadonlyMap<IValue, IWeight>;
  private readonly _fileNodes: ReadonlySet<string>;
  /** What nested graphs return. */
  private readonly _returned = new Set<IValue>();
  private readonly _storages = new Map<string, IStorageConversion>();
  private readonly _dtypes = new Map<IValue, DType>();
  private readonly _casts = new Set<INode>();
  private readonly _copies: IPlannedCopy[] = [];
  private readonly _copyIndices = new Map<IValue, Map<DType, number>>();
  private readonly _operands = new Map<INode, Map<IValue, number>>();
  private readonly _left: { weight: IWeight; reason: string }[] = [];
}

/**
 * Why the cast inside of a composite operator cannot be done ahead: the operator does something with the operand as it is stored, or
 * `run_decompositions()` leaves the casts of all operands out, and the other ones would be of another dtype then.
 */
const INSIDE: Readonly<Record<Reach, string>> = {
  computed: 'summed or multiplied before the cast inside',
  checked: 'must have the dtype of the other operands before the cast inside',
  'as-given': 'decomposing the program loses the cast inside'
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
