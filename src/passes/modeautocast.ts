/**
 * The cache mode `autocast`.
 *
 * @packageDocumentation
 */
import type { Attr, IExportedModel, IGraph, INode, IValue } from '../model';
import { makeValue } from '../model';
import type { ICachedCasts, ICacheVerdict, ICountedCast, RegionStates } from '../autocast';
import { cachedCasts, cacheVerdict, weightCastsOf } from '../autocast';
import { findAliases, GraphEditor, outputsOf } from '../dataflow';

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
    this._editor = new GraphEditor(_graph);
  }

  run(): number {
    this._groups.forEach((groups, home) => this._fill(home, groups));
    const spared = this._editor.replaced;
    // Names of tied weights that only casts used go with them.
    this._editor.finish();
    return spared;
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
    for (const node of home.nodes) {
      for (const group of pending.get(node) ?? []) {
        if (done.has(group)) {
          continue;
        }
        done.add(group);
        let kept = node;
        if (!group.casts.some(cast => cast.node === node)) {
          kept = this._makeCast(group.casts[0], home, weights);
          this._editor.insertBefore(node, kept);
        }
        this._spare(group, kept);
      }
    }
  }

  private _spare({ casts }: ICachedCasts<IKeptCast>, kept: INode): void {
    for (const { node } of casts) {
      const result = node.outputs[0]!;
      if (node !== kept && !this._outputs.has(result)) {
        this._editor.remove(node);
        this._editor.replace(result, kept.outputs[0]!);
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
      source = { ...value, name: this._editor.names.value(value.name) };
      home.weights.push({ value: source, weight });
    }
    const result = makeValue(this._editor.names.value(node.outputs[0]!.name), to, source.shape, {
      requiresGrad: node.outputs[0]!.requiresGrad
    });
    return {
      ...node,
      ...(node.inputs.length > 1 ? plainCast(node, to) : {}),
      name: this._editor.names.node(node.name),
      inputs: [source],
      outputs: [result]
    };
  }

  private readonly _groups = new Map<IGraph, ICachedCasts<IKeptCast>[]>();
  private readonly _editor: GraphEditor;
  private readonly _outputs: ReadonlySet<IValue>;
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
