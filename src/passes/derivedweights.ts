/**
 * Weights that are cast ahead of the forward.
 *
 * @packageDocumentation
 */
import { weightKey } from '../autocast';
import type { DType, GraphNames, IGraph, IValue, IWeight, IWeightValue } from '../model';
import { contiguousStrides, graphsOf, makeValue } from '../model';

/**
 * The weights of a graph, and what is derived from them by casts. There is one derived weight per (stored tensor, steps).
 *
 * #### Notes
 * In a row of casts each may derive a weight that only the next one asks for. So derived weights are written down last, once it is known
 * which of them are used: only those have a name and a list of steps.
 */
export class DerivedWeights {
  constructor(private readonly _graph: IGraph) {
    for (const one of graphsOf(_graph)) {
      for (const entry of one.weights) {
        this._stored.set(entry.value, entry);
      }
    }
  }

  /** Whether a value is a weight, stored or derived. */
  has(value: IValue): boolean {
    return this._stored.has(value) || this._derived.has(value);
  }

  /**
   * A weight with one more step; the same one for the same stored tensor and steps. It is a weight of the outermost graph.
   *
   * @param weight - must be a weight, see `has`.
   */
  derive(weight: IValue, to: DType): IValue {
    const from = this._derived.get(weight) ?? null;
    const root = from === null ? this._stored.get(weight)! : from.root;
    // As many as there are dtypes, at most.
    const siblings = from === null ? this._firstSteps(root) : from.next;
    let derived = siblings.find(one => one.to === to);
    if (derived === undefined) {
      const value = makeValue('', to, root.weight.shape, { requiresGrad: false });
      derived = { value, root, from, to, next: [] };
      siblings.push(derived);
      this._derived.set(value, derived);
      this._graph.weights.push({ value, weight: root.weight });
    }
    return derived.value;
  }

  /** Write down the derived weights that are still in the graph, in the order in which they were derived. */
  finish(names: GraphNames): void {
    this._graph.weights = this._graph.weights.map(entry => {
      const derived = this._derived.get(entry.value);
      return derived === undefined ? entry : written(derived, names);
    });
  }

  /** What has been derived from a stored weight by one step. Tied weights are one. */
  private _firstSteps({ value, weight }: IWeightValue): IDerived[] {
    let steps = this._byValue.get(value);
    if (steps === undefined) {
      const { source, steps: before } = originOf(weight);
      const key = [weightKey(source), ...before].join('>');
      steps = this._byKey.get(key) ?? [];
      this._byKey.set(key, steps);
      this._byValue.set(value, steps);
    }
    return steps;
  }

  private readonly _stored = new Map<IValue, IWeightValue>();
  private readonly _derived = new Map<IValue, IDerived>();
  private readonly _byValue = new Map<IValue, IDerived[]>();
  private readonly _byKey = new Map<string, IDerived[]>();
}

/** A weight that is derived from another one by one step. */
interface IDerived {
  readonly value: IValue;
  /** The weight that the graph has. */
  readonly root: IWeightValue;
  /** What it is derived from; null where that is `root`. */
  readonly from: IDerived | null;
  readonly to: DType;
  /** What is derived from this one. */
  readonly next: IDerived[];
}

/** The tensor of the file, and what is done to it to get `weight`. */
function originOf(weight: IWeight): { source: IWeight; steps: readonly DType[] } {
  return weight.data.kind === 'derived' ? weight.data : { source: weight, steps: [] };
}

function written(derived: IDerived, names: GraphNames): IWeightValue {
  const { root, value, to } = derived;
  const own: DType[] = [];
  for (let one: IDerived | null = derived; one !== null; one = one.from) {
    own.push(one.to);
  }
  const { source, steps: before } = originOf(root.weight);
  const steps = [...before, ...own.reverse()];
  value.name = names.value(`${root.value.name}_${own.join('_')}`);
  const weight: IWeight = {
    storage: [weightKey(source), ...steps].join('->'),
    names: source.names.map(name => [name, ...steps].join('->')),
    kind: source.kind,
    dtype: to,
    shape: source.shape,
    strides: contiguousStrides(source.shape),
    storageOffset: 0,
    requiresGrad: false,
    data: { kind: 'derived', source, steps },
    ...(source.isUpdated === true ? { isUpdated: true } : {})
  };
  return { value, weight };
}
