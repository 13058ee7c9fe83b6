/**
 * Computed weights that a repaired file stores: planned, computed, and taken out of what is planned next.
 *
 * @packageDocumentation
 */
import type { IExplicitGraph } from '../autocast';
import type { IByteRange, IExportedModel, IGraph } from '../model';
import type { IJob } from '../runtime';
import type { IFixPlan } from './fixplan';
import type { IFoldLimits } from './fixlimits';
import type { IFoldPlan } from './foldplan';
import { foldKey, planFolding } from './foldplan';
import type { FoldedValues } from './foldvalues';

/** What is stored of computed weights, and where the bytes are. */
export interface IComputedFold {
  readonly plan: IFoldPlan;
  /** By index in `plan.folded`. */
  readonly ranges: readonly IByteRange[];
}

/**
 * Plan what is stored, and compute it. What cannot be computed, or holds NaN, is left, and the rest is planned anew: a weight may then be
 * needed still.
 *
 * @param plain - what is done to weights where nothing is folded.
 */
export async function foldComputed(
  explicit: IExplicitGraph,
  model: IExportedModel,
  limits: IFoldLimits,
  plain: IFixPlan,
  values: FoldedValues,
  job: IJob
): Promise<IComputedFold> {
  const refused = new Map<string, string>();
  const shapes = new Map<string, readonly number[]>();
  const repaired = new Map([...plain.storages].map(([storage, { to }]) => [storage, to] as const));
  for (;;) {
    const plan = planFolding(explicit, model, limits, repaired, { refused, shapes });
    const ranges: IByteRange[] = [];
    const wanted = plan.unsized.length > 0 ? plan.unsized : plan.folded;
    for (const folded of wanted) {
      const computed = await values.compute(folded, job);
      if (typeof computed === 'string') {
        refused.set(foldKey(folded), computed);
      } else {
        shapes.set(foldKey(folded), computed.shape);
        ranges.push(computed.range);
      }
    }
    if (wanted === plan.folded && ranges.length === wanted.length) {
      return { plan, ranges };
    }
  }
}

/** A model without what folding takes out, to be planned with. Not to be edited: its file has it still. */
export function withoutFolded(
  { plan: { removed, freed } }: IComputedFold,
  explicit: IExplicitGraph,
  model: IExportedModel
): { readonly explicit: IExplicitGraph; readonly model: IExportedModel } {
  const names = new Set([...removed].map(({ name }) => name));
  const gone = new Set([...freed.keys()].map(({ name }) => name));
  const weights = new Set(freed.values());
  const without = (graph: IGraph): IGraph => ({
    ...graph,
    nodes: graph.nodes.filter(({ name }) => !names.has(name)),
    weights: graph.weights.filter(({ value }) => !gone.has(value.name))
  });
  return {
    explicit: {
      ...explicit,
      graph: without(explicit.graph),
      dropped: explicit.dropped.filter(({ name }) => !names.has(name))
    },
    model: {
      ...model,
      graph: without(model.graph),
      weights: model.weights.filter(weight => !weights.has(weight))
    }
  };
}
