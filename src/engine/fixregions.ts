/**
 * Overridden regions of a program, written into its file.
 *
 * @packageDocumentation
 */
import type { IExplicitGraph } from '../autocast';
import { findOverrideErrors } from '../autocast';
import type { DType, IExportedModel } from '../model';
import { bodiesOf, CastlensError } from '../model';
import type { IRegionOverride, RegionOverrides } from '../protocol';
import { formatOverrides } from '../protocol';

/** What changes in a file whose regions are overridden. */
export interface IRegionEdits {
  /** By region id. */
  readonly regions: ReadonlyMap<string, IRegionOverride>;
  /** Recorded dtypes that no longer hold, by name of the value, and what they become. */
  readonly dtypes: ReadonlyMap<string, DType>;
}

/**
 * Decide what to write for overridden regions. A file records the dtype of every value beside its regions: those that come out
 * otherwise under the overrides are changed along.
 *
 * @param overrides - in normal form.
 * @param explicit - the graph under the overrides.
 * @param recorded - the graph without.
 * @throws CastlensError('bad-argument') where PyTorch would refuse the program, or it holds branches or loops, whose values
 *   cannot be followed in the file.
 */
export function planRegionEdits(
  model: IExportedModel,
  overrides: RegionOverrides | undefined,
  explicit: IExplicitGraph,
  recorded: IExplicitGraph
): IRegionEdits {
  if (overrides === undefined) {
    return { regions: new Map(), dtypes: new Map() };
  }
  const refuse = (reason: string, hint: string): never => {
    throw new CastlensError(
      'bad-argument',
      `no file is written with ${formatOverrides(overrides)}: ${reason}`,
      { file: model.path, hint }
    );
  };
  const [error] = findOverrideErrors(explicit);
  if (error !== undefined) {
    refuse(error.message, 'Export the model with the regions wanted.');
  }
  if (model.graph.nodes.some(node => bodiesOf(node).length > 0)) {
    refuse('the program holds branches or loops', 'Export the model with the regions wanted.');
  }
  // What the file records wrongly for its own regions stays as it is.
  const before = new Map(
    recorded.mismatches.map(({ value, computed }) => [value.name, computed] as const)
  );
  const dtypes = new Map<string, DType>();
  for (const { value, computed } of explicit.mismatches) {
    if (before.get(value.name) !== computed) {
      dtypes.set(value.name, computed);
    }
  }
  return { regions: new Map(Object.entries(overrides)), dtypes };
}
