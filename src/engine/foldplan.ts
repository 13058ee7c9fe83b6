/**
 * Which computed weights a repaired file stores, and why not the others.
 *
 * @packageDocumentation
 */
import type { IExplicitGraph } from '../autocast';
import { countCasts, inexactness } from '../autocast';
import type { IAliases } from '../dataflow';
import { Destinations, findAliases, Makers, WeightFlows } from '../dataflow';
import type { ICountedCast } from '../autocast';
import type { DType, IExportedModel, IGraph, INode, IValue, IWeight } from '../model';
import {
  DTYPES,
  elementCount,
  graphsOf,
  isFloating,
  sweepDeadNodes,
  sizeInBytes,
  staticShape
} from '../model';
import { formatBytes } from '../protocol';
import type { IFoldLimits } from './fixlimits';
import { storageOf } from './fixplan';

/** The result of casts of one computed value to one dtype, stored as a weight. */
export interface IFoldedWeight {
  /** What the census calls it. */
  readonly name: string;
  /** The value that is cast. */
  readonly operand: IValue;
  /** The casts of the graph: they have equal results. */
  readonly casts: readonly INode[];
  readonly to: DType;
  /** Null where the file does not say, as some `.onnx` files do not. */
  readonly shape: readonly number[] | null;
  /** In elements, as PyTorch lays the result out; row by row where the file does not say. */
  readonly strides: readonly number[];
  /** What computes the result, in order; ends with the first of `casts`. */
  readonly nodes: readonly INode[];
  /** The weights that it is computed from, by the values that stand for them. */
  readonly roots: ReadonlyMap<IValue, IWeight>;
  readonly sizeBytes: number;
}

/** What becomes of the computed weights of a model. */
export interface IFoldPlan {
  readonly folded: readonly IFoldedWeight[];
  /** What may be stored once its sizes are known. */
  readonly unsized: readonly IFoldedWeight[];
  /** Nodes that nobody needs any more, casts that a region implies among them. */
  readonly removed: ReadonlySet<INode>;
  /** Weights that nobody uses any more, by the value that stands for them. */
  readonly freed: ReadonlyMap<IValue, IWeight>;
  /** Bytes of these weights. */
  readonly freedBytes: number;
  /** By node of the file, the operands that become a folded weight: value to index in `folded`. */
  readonly operands: ReadonlyMap<INode, ReadonlyMap<IValue, number>>;
  /** Computed weights that stay, by name, with the reason. */
  readonly left: ReadonlyMap<string, string>;
}

/** What is known of computed weights beyond the file, by `foldKey`. */
export interface IFoldFindings {
  /** Why they cannot be stored. */
  readonly refused: ReadonlyMap<string, string>;
  /** Sizes that the file does not tell. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
}

/** Casts of one value to one dtype. */
interface IGroup {
  readonly operand: IValue;
  readonly to: DType;
  readonly casts: INode[];
  /** What the census calls it. */
  readonly name: string;
}

/** Key of a computed weight and the dtype it is cast to. */
export function foldKey({ name, to }: Pick<IFoldedWeight, 'name' | 'to'>): string {
  return `${name} ${to}`;
}

/** One that can be folded, as far as its bits are concerned. */
type ICandidate = IFoldedWeight;

/**
 * Decide which results of casts of computed weights are stored.
 *
 * A result is stored where every runtime computes the same bits for it (`inexactness`), and where it takes no more space than the weights
 * that are no longer needed then. Computed weights with a node in common are judged together. A weight that several of these need counts
 * for the last of them. From the front, the largest result of the first that take more space is left, and the rest is judged anew.
 *
 * #### Complexity
 * Linear in operands, times the number of computed weights that are left for their size.
 *
 * @param repaired - dtypes that weights get where nothing is folded, by storage: what they would take then is what counts.
 * @param found - what computing them has told.
 */
export function planFolding(
  explicit: IExplicitGraph,
  model: IExportedModel,
  limits: IFoldLimits,
  repaired: ReadonlyMap<string, DType>,
  found: IFoldFindings
): IFoldPlan {
  return new FoldPlanner(explicit, model, limits, repaired, found).plan();
}

class FoldPlanner {
  constructor(
    explicit: IExplicitGraph,
    model: IExportedModel,
    private readonly _limits: IFoldLimits,
    private readonly _repaired: ReadonlyMap<string, DType>,
    private readonly _found: IFoldFindings
  ) {
    // Dead nodes are still in the file: they use weights too.
    this._graph =
      model.dialect === 'ONNX'
        ? model.graph
        : { ...explicit.graph, nodes: [...explicit.graph.nodes, ...explicit.dropped] };
    this._live = model.dialect === 'ONNX' ? { ...model.graph } : explicit.graph;
    if (model.dialect === 'ONNX') {
      sweepDeadNodes(this._live, { keepsBodies: true });
    }
    this._destinations = new Destinations(this._graph);
    this._makers = new Makers(this._graph);
    this._flows = new WeightFlows(this._graph);
    this._aliases = findAliases(this._graph);
    this._graph.nodes.forEach((node, i) => this._order.set(node, i));
    this._fileNodes = new Set(
      graphsOf(model.graph).flatMap(({ nodes }) => nodes.map(({ name }) => name))
    );
    for (const one of graphsOf(this._graph)) {
      one.outputs.forEach(value => this._returned.add(value));
    }
    const weights = new Map(
      model.graph.weights.map(({ value, weight }) => [value.name, weight] as const)
    );
    for (const value of [
      ...this._graph.weights.map(one => one.value),
      ...this._destinations.values()
    ]) {
      const weight = this._makers.of(value) !== null ? undefined : weights.get(value.name);
      if (weight !== undefined) {
        this._roots.set(value, weight);
      }
    }
  }

  plan(): IFoldPlan {
    const candidates: ICandidate[] = [];
    for (const group of this._groups()) {
      const found = this._found.refused.get(foldKey(group)) ?? this._judge(group);
      if (typeof found === 'string') {
        this._left.set(group.name, found);
      } else if (found.shape === null) {
        this._unsized.push(found);
      } else {
        candidates.push(found);
      }
    }
    let clusters = this._clustersOf(candidates);
    for (;;) {
      const state = this._remove(clusters.flat());
      const rest = this._rejectFirst(clusters, state);
      if (rest === null) {
        return this._planOf(state);
      }
      clusters = rest;
    }
  }

  /** Casts of computed weights and of integers, those of one value to one dtype together. */
  private _groups(): Iterable<IGroup> {
    const groups = new Map<string, IGroup>();
    const ids = new Map<IValue, number>();
    for (const cast of countCasts(this._live).weightCasts) {
      const { node, to, weight } = cast;
      if (!isOfComputed(cast)) {
        continue;
      }
      const operand = node.inputs[0]!;
      const id = ids.get(operand) ?? ids.size;
      ids.set(operand, id);
      // Results of casts of the file may be arranged, or placed, in several ways.
      const [result] = node.outputs;
      const place =
        result && this._isInFile(node)
          ? (this._limits.stridesOf(result, staticShape(result.shape) ?? [])?.join() ?? '?')
          : '';
      const key = `${id} ${to} ${place} ${result?.device ?? ''}`;
      const group = groups.get(key);
      if (group === undefined) {
        groups.set(key, { operand, to, casts: [node], name: weight.names[0] });
      } else {
        group.casts.push(node);
      }
    }
    return groups.values();
  }

  /** A candidate, or why the bits or the file forbid it. */
  private _judge({ operand, to, casts, name }: IGroup): ICandidate | string {
    const [first] = casts;
    if (casts.some(cast => !this._order.has(cast))) {
      return 'cast in a branch or the body of a loop';
    }
    if (casts.some(({ origin }) => origin === 'runtime')) {
      return 'PyTorch refuses the call that uses it';
    }
    if (casts.some(({ reach }) => reach !== undefined)) {
      return 'cast inside of a composite operator';
    }
    const results = casts.flatMap(cast => cast.outputs).filter(value => value !== null);
    if (results.some(value => this._returned.has(value))) {
      return 'returned by the program';
    }
    if (casts.some(cast => this._isInFile(cast) && !this._limits.isEditable(cast))) {
      return 'cast in a function of the model';
    }
    const mutated = [operand, ...results].find(value => this._aliases.mutatorOf(value) !== null);
    if (mutated !== undefined) {
      return 'written to in place';
    }
    const shape =
      staticShape(results[0]?.shape ?? null) ??
      this._found.shapes.get(foldKey({ name, to })) ??
      null;
    const cone = this._coneOf(first);
    if (typeof cone === 'string') {
      return cone;
    }
    if (casts.some(cast => this._isTakenOtherwise(cast, casts))) {
      return 'one call uses it in several dtypes';
    }
    const strides = this._limits.stridesOf(
      this._isInFile(first) ? results[0] : operand,
      shape ?? []
    );
    if (strides === null) {
      return 'it is not known how its elements lie in memory';
    }
    return {
      operand,
      to,
      casts,
      name,
      shape,
      strides,
      nodes: cone.nodes,
      roots: cone.roots,
      sizeBytes: sizeInBytes(to, elementCount(shape ?? []))
    };
  }

  /** What computes the result of a cast, or why its bits are not determined. */
  private _coneOf(
    cast: INode
  ): { readonly nodes: INode[]; readonly roots: Map<IValue, IWeight> } | string {
    let problem: string | null = null;
    const roots = new Map<IValue, IWeight>();
    const nodes = this._makers.coneOf(
      [cast],
      operand => {
        const weight = this._roots.get(operand);
        if (weight !== undefined) {
          roots.set(operand, weight);
          return null;
        }
        const maker = this._makers.of(operand);
        problem ??= this._whyNotMade(operand, maker);
        return problem === null ? maker : null;
      },
      node => {
        problem ??= this._order.has(node)
          ? inexactness(node, node === cast)
          : 'computed in a branch or the body of a loop';
      }
    );
    return problem ?? { nodes, roots };
  }

  /** Why what makes a value cannot be computed once; null where it can. */
  private _whyNotMade(value: IValue, maker: INode | null): string | null {
    if (maker === null || this._flows.of(value) === null) {
      return 'computed from more than weights';
    }
    if (this._aliases.mutatorOf(value) !== null) {
      return 'written to in place on the way';
    }
    return !this._limits.isEditable(maker) && this._isInFile(maker)
      ? 'computed in a function of the model'
      : null;
  }

  /** Whether a call that takes the result of an implied cast takes its operand in another dtype as well. */
  private _isTakenOtherwise(cast: INode, casts: readonly INode[]): boolean {
    const [operand] = cast.inputs;
    const [result] = cast.outputs;
    if (this._isInFile(cast) || !result) {
      return false;
    }
    return this._takersOf(result).some(({ inputs }) =>
      inputs.some(value => {
        const maker = value === null ? null : this._makers.of(value);
        return (
          value === operand ||
          (maker !== null &&
            maker.inputs[0] === operand &&
            !this._isInFile(maker) &&
            !casts.includes(maker))
        );
      })
    );
  }

  /** Calls of the file that take a value, where need be through casts that regions imply. */
  private _takersOf(value: IValue): INode[] {
    const takers: INode[] = [];
    this._destinations.follow([value], ({ node }) => {
      const isInFile = this._isInFile(node);
      if (isInFile) {
        takers.push(node);
      }
      return !isInFile;
    });
    return takers;
  }

  /** Candidates that are judged together: those with a node in common that computes something. */
  private _clustersOf(candidates: readonly ICandidate[]): ICandidate[][] {
    const clusters = new Map<ICandidate, ICandidate[]>(candidates.map(one => [one, [one]]));
    const owners = new Map<INode, ICandidate>();
    for (const candidate of candidates) {
      for (const node of candidate.nodes) {
        const isShared = node.outputs.some(
          value => value !== null && this._flows.of(value)?.kind === 'computed'
        );
        const owner = owners.get(node);
        if (!isShared) {
          continue;
        }
        if (owner === undefined) {
          owners.set(node, candidate);
        } else if (clusters.get(owner) !== clusters.get(candidate)) {
          const joined = [...clusters.get(owner)!, ...clusters.get(candidate)!];
          joined.forEach(one => clusters.set(one, joined));
        }
      }
    }
    return [...new Set(clusters.values())];
  }

  /** The graph without what only these need. */
  private _remove(candidates: readonly ICandidate[]): IRemoval {
    const removed = new Set<INode>();
    const isUnused = (value: IValue): boolean =>
      !this._returned.has(value) &&
      this._destinations.of(value).every(({ node }) => removed.has(node) || CHECKS.has(node.op));
    const computing = new Set<INode>();
    for (const { casts, nodes } of candidates) {
      casts.forEach(cast => removed.add(cast));
      nodes.forEach(node => computing.add(node));
    }
    const order = [...computing].sort((a, b) => this._order.get(b)! - this._order.get(a)!);
    for (const node of order) {
      if (node.outputs.every(value => value === null || isUnused(value))) {
        removed.add(node);
      }
    }
    const byStorage = new Map<string, { value: IValue; weight: IWeight }[]>();
    for (const [value, weight] of this._roots) {
      const key = storageOf(weight);
      const list = byStorage.get(key) ?? [];
      list.push({ value, weight });
      byStorage.set(key, list);
    }
    const touched = new Set(candidates.flatMap(({ roots }) => [...roots.values()].map(storageOf)));
    const freed = new Map<IValue, IWeight>();
    for (const storage of touched) {
      const users = byStorage.get(storage)!;
      if (
        users.every(
          ({ value, weight }) => isUnused(value) && this._limits.isRemovable(value, weight)
        )
      ) {
        users.forEach(({ value, weight }) => freed.set(value, weight));
      }
    }
    for (const value of [...[...removed].flatMap(({ outputs }) => outputs), ...freed.keys()]) {
      const uses = value === null ? [] : this._destinations.of(value);
      uses.forEach(({ node }) => CHECKS.has(node.op) && removed.add(node));
    }
    // A cast on the way to another one that is stored is needed no more itself.
    const needed = new Set(
      candidates.filter(({ casts }) =>
        casts.some(({ outputs }) => outputs.some(value => value !== null && !isUnused(value)))
      )
    );
    return { removed, freed, needed };
  }

  /** The clusters without the largest of the first that takes more space than it frees; null where none does. */
  private _rejectFirst(
    clusters: readonly ICandidate[][],
    { freed, needed }: IRemoval
  ): ICandidate[][] | null {
    const last = new Map<string, ICandidate[]>();
    for (const cluster of clusters) {
      for (const { roots } of cluster) {
        for (const [value, weight] of roots) {
          if (freed.has(value)) {
            last.set(storageOf(weight), cluster);
          }
        }
      }
    }
    const credit = new Map<ICandidate[], number>();
    const sizes = storageSizes(freed.values(), this._repaired);
    for (const [storage, cluster] of last) {
      credit.set(cluster, (credit.get(cluster) ?? 0) + sizes.get(storage)!);
    }
    for (const cluster of clusters) {
      const stored = cluster.filter(one => needed.has(one));
      const takes = stored.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
      const gives = credit.get(cluster) ?? 0;
      if (takes > gives) {
        const [largest] = [...stored].sort((a, b) => b.sizeBytes - a.sizeBytes);
        this._left.set(
          largest.name,
          `stored in ${largest.to} it would take ${formatBytes(takes)}, where ${formatBytes(gives)} of weights would no longer be needed`
        );
        const rest = cluster.filter(one => one !== largest);
        return clusters.flatMap(one => (one !== cluster ? [one] : rest.length === 0 ? [] : [rest]));
      }
    }
    return null;
  }

  private _planOf({ removed, freed, needed }: IRemoval): IFoldPlan {
    const ordered = [...needed].sort(
      (a, b) => this._order.get(a.casts[0])! - this._order.get(b.casts[0])!
    );
    const operands = new Map<INode, Map<IValue, number>>();
    const redirect = (taker: INode, value: IValue, index: number): void => {
      if (!removed.has(taker)) {
        const redirects = operands.get(taker) ?? new Map<IValue, number>();
        redirects.set(value, index);
        operands.set(taker, redirects);
      }
    };
    ordered.forEach(({ casts, operand }, index) => {
      for (const cast of casts) {
        const [result] = cast.outputs;
        if (result !== null && result !== undefined) {
          const value = this._isInFile(cast) ? result : operand;
          this._takersOf(result).forEach(taker => redirect(taker, value, index));
        }
      }
    });
    const freedBytes = [...storageSizes(freed.values(), new Map()).values()].reduce(
      (a, b) => a + b,
      0
    );
    const unsized = this._unsized;
    return { folded: ordered, unsized, removed, freed, freedBytes, operands, left: this._left };
  }

  private _isInFile(node: INode): boolean {
    return this._fileNodes.has(node.name);
  }

  private readonly _graph: IGraph;
  /** Without what no output needs. */
  private readonly _live: IGraph;
  private readonly _destinations: Destinations;
  private readonly _makers: Makers;
  private readonly _flows: WeightFlows;
  private readonly _aliases: IAliases;
  /** Nodes of the outermost graph, by position. */
  private readonly _order = new Map<INode, number>();
  private readonly _fileNodes: ReadonlySet<string>;
  private readonly _returned = new Set<IValue>();
  private readonly _roots = new Map<IValue, IWeight>();
  private readonly _unsized: ICandidate[] = [];
  private readonly _left = new Map<string, string>();
}

interface IRemoval {
  readonly removed: ReadonlySet<INode>;
  readonly freed: ReadonlyMap<IValue, IWeight>;
  /** The candidates whose results are used by what stays. */
  readonly needed: ReadonlySet<ICandidate>;
}

/** Checks of a tensor that return nothing: they go with what they look at. */
const CHECKS: ReadonlySet<string> = new Set(['aten._assert_tensor_metadata.default']);

/** Casts that no repair of a single weight can do ahead: of what is computed, and of integers. */
function isOfComputed({ kind, from, weight }: ICountedCast): boolean {
  return kind === 'computed' || !isFloating(from) || !isFloating(weight.dtype);
}

/** Bytes by storage, of those that are to be stored in another dtype then. */
function storageSizes(
  weights: Iterable<IWeight>,
  repaired: ReadonlyMap<string, DType>
): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const weight of weights) {
    const { data, dtype, shape } = weight;
    const key = storageOf(weight);
    const sizeBytes =
      data.kind === 'range' ? data.range.length : sizeInBytes(dtype, elementCount(shape));
    const to = repaired.get(key) ?? dtype;
    sizes.set(key, (sizeBytes / DTYPES[dtype].bits) * DTYPES[to].bits);
  }
  return sizes;
}
