/**
 * What each autocast region means for the operators in it, once nesting, defaults and overrides are taken into account.
 *
 * @packageDocumentation
 */
import type { DType, IAutocastRegion } from '../model';
import type { RegionOverrides } from '../protocol';
import type { PolicyLookup } from './policy';
import { defaultAutocastDtype, policiesOf } from './policy';

/** An enabled region as operators see it. */
export interface IActiveRegion {
  readonly region: IAutocastRegion;
  /** Lower-precision dtype, the device's default where the file leaves it open. */
  readonly dtype: DType;
  /** Null for a device type without a policy table: nothing is cast then. */
  readonly policies: PolicyLookup | null;
}

/** Region facts by id. */
export interface IRegionState {
  readonly region: IAutocastRegion;
  /** Id of the outermost region around it (its own where it is outermost): the life time of the eager cache. */
  readonly outermost: string;
  /** The region whose policy acts on operators directly in this one; null where autocast is off there. */
  readonly active: IActiveRegion | null;
  /** What this region would do if it were enabled. */
  readonly own: IActiveRegion;
}

/** States of all regions of a model, by id. */
export type RegionStates = ReadonlyMap<string, IRegionState>;

/**
 * Work out the states of all regions. Linear in regions.
 *
 * #### Notes
 * Autocast keeps one state per device type. So a region for one device type says nothing about another: a disabled `cuda`
 * region inside an enabled `cpu` region leaves the `cpu` policy in force. Graphs do not record the device of every tensor;
 * the innermost enabled region, whatever its device type, is taken to act on all tensors.
 *
 * Regions that name a parent which does not exist count as outermost ones.
 */
export function resolveRegions(
  regions: readonly IAutocastRegion[],
  options: {
    readonly torchVersion: string | null;
    readonly overrides?: RegionOverrides;
    readonly disableAll?: boolean;
  }
): RegionStates {
  const byId = new Map(regions.map(region => [region.id, region]));
  const lookups = new Map<string, PolicyLookup | null>();
  const states = new Map<string, IRegionState>();
  // Innermost region per device type, outer ones first.
  const stacks = new Map<string, readonly IActiveRegion[]>();

  const resolve = (region: IAutocastRegion): void => {
    const parent = region.parent === null ? undefined : states.get(region.parent);
    if (!lookups.has(region.device)) {
      lookups.set(region.device, policiesOf(region.device, options.torchVersion));
    }
    const override = options.overrides?.[region.id];
    const own: IActiveRegion = {
      region,
      dtype: override?.dtype ?? region.dtype ?? defaultAutocastDtype(region.device),
      policies: lookups.get(region.device)!
    };
    const around = parent ? stacks.get(parent.region.id)! : [];
    const stack = [...around.filter(other => other.region.device !== region.device), own];
    stacks.set(region.id, stack);
    const isEnabled = (one: IAutocastRegion): boolean =>
      !options.disableAll && (options.overrides?.[one.id]?.enabled ?? one.enabled);
    states.set(region.id, {
      region,
      outermost: parent?.outermost ?? region.id,
      active: stack.findLast(one => isEnabled(one.region)) ?? null,
      own
    });
  };

  for (const start of regions) {
    // Parents first, whatever the order in the list.
    const pending: IAutocastRegion[] = [];
    const seen = new Set<string>();
    let current: IAutocastRegion | undefined = start;
    while (current !== undefined && !states.has(current.id) && !seen.has(current.id)) {
      seen.add(current.id);
      pending.push(current);
      current = current.parent === null ? undefined : byId.get(current.parent);
    }
    while (pending.length > 0) {
      resolve(pending.pop()!);
    }
  }
  return states;
}
