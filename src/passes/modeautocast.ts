/**
 * The cache mode `autocast`.
 *
 * @packageDocumentation
 */
import type { Attr, IExportedModel, IGraph, INode, IValue } from '../model';
import { GraphNames, graphsOf, makeValue } from '../model';
import type { ICachedCasts, ICacheVerdict, ICountedCast, RegionStates } from '../autocast';
import { cachedCasts, cacheVerdict, weightCastsOf } from '../autocast';
import { dropDeadNodes, findAliases } from '../dataflow';
import { outputsOf, Replacements } from './rewriting';

/** A cast that the cache keeps. */
interface IKeptCast extends ICountedCast {
  readonly verdict: ICacheVerdict;
}

/**
 * Do what eager PyTorch's own cache does: one cast per eligible weight and dtype within an outermost region, every other cast
 * as often as it is used. Changes `graph` in place.
 *
 * #### Notes
 * Which casts are kept, and for how long, is `cacheVerdict`'s to say, and in which graph they are done `cachedCasts`': the census counts
 * by the same rules. Where a nested graph comes to a cast first, it is made ahead of the node that holds that graph.
 *
 * A cast that makes an output of its graph stays besides: an output must be a value of its own.
 *
 * @returns the number of casts saved.
 */
export function applyEagerCache(
  graph: IGraph,
  model: IExportedModel,
  regions: RegionStates
): number {
  return new EagerCache(graph, keptCasts(graph, model, regions), regions).run();
}

function keptCasts(graph: IGraph, model: IExportedModel, regions: RegionStates): IKeptCast[] {
  const aliases = findAliases(graph);
  return weightCastsOf(graph)
    .filter(({ node }) => aliases.mutatorOf(node.outputs[0]!) === null)
    .map(cast => ({ ...cast, verdict: cacheVerdict(cast, model.dialect, regions, aliases) }));
}

class EagerCache {
  constructor(
    private readonly _graph: IGraph,
    casts: readonly IKeptCast[],
    regions: RegionStates
  ) {
    this._outputs = outputsOf(_graph);
    for (const group of cachedCasts(_graph, regions, casts)) {
      if (group.casts.every(({ node }) => this._outputs.has(node.outputs[0]!))) {
        // All of them stay: one more would save nothing.
        continue;
      }
      const ofHome = this._groups.get(group.home);
      if (ofHome === undefined) {
        this._groups.set(group.home, [group]);
      } else {
        ofHome.push(group);
      }
    }
    this._names = GraphNames.of(_graph);
  }

  run(): number {
    this._groups.forEach((groups, home) => this._fill(home, groups));
    for (const one of graphsOf(this._graph)) {
      one.nodes = one.nodes.filter(node => !this._spared.has(node));
    }
    if (this._spared.size > 0) {
      this._replacements.apply(this._graph);
      // Names of tied weights that only casts used.
      dropDeadNodes(this._graph);
    }
    return this._spared.size;
  }

  /** Have one cast of each group in their home, ahead of all users. */
  private _fill(home: IGraph, groups: readonly ICachedCasts<IKeptCast>[]): void {
    const pending = new Map<INode, ICachedCasts<IKeptCast>[]>();
    for (const group of groups) {
      for (const node of group.anchors) {
        const ofNode = pending.get(node);
        if (ofNode === undefined) {
          pending.set(node, [group]);
        } else {
          ofNode.push(group);
        }
      }
    }
    const weights = new Set([...this._graph.weights, ...home.weights].map(({ value }) => value));
    const done = new Set<ICachedCasts<IKeptCast>>();
    const nodes: INode[] = [];
    for (const node of home.nodes) {
      for (const group of pending.get(node) ?? []) {
        if (done.has(group)) {
          continue;
        }
        done.add(group);
        let kept = node;
        if (!group.casts.some(cast => cast.node === node)) {
          kept = this._makeCast(group.casts[0], home, weights);
          nodes.push(kept);
        }
        this._spare(group, kept);
      }
      nodes.push(node);
    }
    home.nodes = nodes;
  }

  private _spare({ casts }: ICachedCasts<IKeptCast>, kept: INode): void {
    for (const { node } of casts) {
      const result = node.outputs[0]!;
      if (node !== kept && !this._outputs.has(result)) {
        this._spared.add(node);
        this._replacements.set(result, kept.outputs[0]!);
      }
    }
  }

  /** The cast of a weight for a graph further out, and a value of the weight there if it has none. */
  private _makeCast(
    { node, to, lineage: { value, weight } }: IKeptCast,
    home: IGraph,
    known: ReadonlySet<IValue>
  ): INode {
    let source = value;
    if (!known.has(value)) {
      source = { ...value, name: this._names.value(value.name) };
      home.weights.push({ value: source, weight });
    }
    const result = makeValue(this._names.value(node.outputs[0]!.name), to, source.shape, {
      requiresGrad: node.outputs[0]!.requiresGrad
    });
    return {
      ...node,
      ...(node.inputs.length > 1 ? plainCast(node, to) : {}),
      name: this._names.node(node.name),
      inputs: [source],
      outputs: [result]
    };
  }

  private readonly _groups = new Map<IGraph, ICachedCasts<IKeptCast>[]>();
  private readonly _names: GraphNames;
  private readonly _outputs: ReadonlySet<IValue>;
  private readonly _replacements = new Replacements();
  private readonly _spared = new Set<INode>();
}

/** A cast that asks no second operand for the dtype. */
function plainCast(
  { op }: INode,
  to: IKeptCast['to']
): { readonly op: string; readonly attrs: Record<string, Attr> } {
  const dtype: Attr = { kind: 'dtype', value: to };
  return op.startsWith('onnx.')
    ? { op: 'onnx.Cast', attrs: { to: dtype } }
    : { op: 'aten._to_copy.default', attrs: { self: { kind: 'input', index: 0 }, dtype } };
}
