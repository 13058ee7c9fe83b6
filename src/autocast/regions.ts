/**
 * What each autocast region means for the operators in it, once nesting, defaults, device types and overrides are taken into account.
 *
 * @packageDocumentation
 */
import type { DType, IAutocastRegion, IExportedModel, INode, IValue } from '../model';
import { forEachNode } from '../model';
import type { RegionOverrides } from '../protocol';
import type { PolicyLookup } from './policy';
import { defaultAutocastDtype, policiesOf } from './policy';

/** A region as operators see it while it is enabled. */
export interface IActiveRegion {
  readonly region: IAutocastRegion;
  /** Lower-precision dtype, the device's default where the file leaves it open. */
  readonly dtype: DType;
  /** Null for a device type without a policy table: nothing is cast then. */
  readonly policies: PolicyLookup | null;
  /** Device type of the tensors it acts on; null where it acts on all, see `resolveRegions`. */
  readonly device: string | null;
}

/** Region facts by id. */
export interface IRegionState {
  readonly region: IAutocastRegion;
  /** Id of the outermost region around it (its own where it is outermost): the life time of the eager cache. */
  readonly outermost: string;
  /** Enabled regions in force for operators directly in this one, at most one per device type, innermost first. */
  readonly enabled: readonly IActiveRegion[];
  /** What this region would do if it were enabled. */
  readonly own: IActiveRegion;
}

/** A region that acts on an operator call. */
export interface IActingRegion {
  readonly active: IActiveRegion;
  /** Positions in `node.inputs` of the tensors it acts on. */
  readonly operands: ReadonlySet<number>;
}

/** States of all regions of a model, by id. */
export type RegionStates = ReadonlyMap<string, IRegionState>;

/**
 * Work out the states of all regions. Linear in regions and operands.
 *
 * #### Notes
 * Autocast keeps one state per device type, and acts on tensors of that type alone. So a region for one device type says nothing
 * about another: a disabled `cuda` region inside an enabled `cpu` region leaves the `cpu` policy in force for tensors on the CPU.
 *
 * A region that is recorded as disabled and holds no tensor of its device type was exported without the device. What it would do
 * if it were switched on is asked about the device it is meant for: it is taken to act on all tensors.
 *
 * Regions that name a parent which does not exist count as outermost ones.
 */
export function resolveRegions(
  model: Pick<IExportedModel, 'regions' | 'graph' | 'torchVersion'>,
  options: { readonly overrides?: RegionOverrides; readonly disableAll?: boolean } = {}
): RegionStates {
  const { regions } = model;
  const byId = new Map(regions.map(region => [region.id, region]));
  const devices = regions.every(region => region.enabled) ? null : devicesWithin(model);
  const lookups = new Map<string, PolicyLookup | null>();
  const states = new Map<string, IRegionState>();
  // Innermost region per device type, innermost first.
  const stacks = new Map<string, readonly IActiveRegion[]>();

  const resolve = (region: IAutocastRegion): void => {
    const parent = region.parent === null ? undefined : states.get(region.parent);
    if (!lookups.has(region.device)) {
      lookups.set(region.device, policiesOf(region.device, model.torchVersion));
    }
    const override = options.overrides?.[region.id];
    const isAway = !region.enabled && devices?.get(region.id)?.has(region.device) !== true;
    const own: IActiveRegion = {
      region,
      dtype: override?.dtype ?? region.dtype ?? defaultAutocastDtype(region.device),
      policies: lookups.get(region.device)!,
      device: isAway ? null : region.device
    };
    const around = parent ? stacks.get(parent.region.id)! : [];
    const stack = [own, ...around.filter(other => other.region.device !== region.device)];
    stacks.set(region.id, stack);
    const isEnabled = (one: IAutocastRegion): boolean =>
      !options.disableAll && (options.overrides?.[one.id]?.enabled ?? one.enabled);
    states.set(region.id, {
      region,
      outermost: parent?.outermost ?? region.id,
      enabled: stack.filter(one => isEnabled(one.region)),
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

/** Whether a region acts on a tensor, as far as its device goes. One whose device the file does not say is taken to be on the region's. */
export function actsOn({ device }: IActiveRegion, value: IValue | null): boolean {
  return (
    value !== null &&
    value.kind === 'tensor' &&
    (device === null || value.device === undefined || value.device === device)
  );
}

/** The region that acts on a tensor where it is an operand in a region; null where none does. */
export function regionActingOn(
  state: IRegionState | undefined,
  value: IValue | null
): IActiveRegion | null {
  return state?.enabled.find(active => actsOn(active, value)) ?? null;
}

/**
 * The regions that act on a call, in the order in which PyTorch dispatches to them.
 *
 * PyTorch takes the autocast keys of all tensor operands, whatever their dtypes, and casts operands of the key's own device type; the
 * call inside is dispatched again without that key (`WrapFunction_` in autocast_mode.h, `DispatchKey.h`). So a tensor without
 * dimensions on the CPU among others on CUDA is a matter of the `cpu` region, and a call without tensors one of no region.
 */
export function actingRegions(state: IRegionState | undefined, node: INode): IActingRegion[] {
  if (state === undefined || state.enabled.length === 0) {
    return [];
  }
  const operands = new Map<IActiveRegion, Set<number>>();
  node.inputs.forEach((value, index) => {
    const active = regionActingOn(state, value);
    if (active !== null) {
      operands.set(active, (operands.get(active) ?? new Set()).add(index));
    }
  });
  return [...operands]
    .map(([active, indices]) => ({ active, operands: indices }))
    .sort((a, b) => precedence(a.active.region.device) - precedence(b.active.region.device));
}

/** Device types from the highest autocast key to the lowest (c10/core/DispatchKey.h, 2.15.0). */
const KEY_ORDER: readonly string[] = [
  'privateuseone',
  'cuda',
  'mps',
  'xla',
  'hpu',
  'ipu',
  'xpu',
  'maia',
  'mtia',
  'cpu'
];

function precedence(device: string): number {
  return KEY_ORDER.indexOf(device);
}

/** Device types of the tensors that operators take in each region, those nested in it included; a null for one that is not known. */
function devicesWithin({
  regions,
  graph
}: Pick<IExportedModel, 'regions' | 'graph'>): ReadonlyMap<string, ReadonlySet<string>> {
  const parents = new Map(regions.map(region => [region.id, region.parent]));
  const devices = new Map<string, Set<string>>(regions.map(({ id }) => [id, new Set()]));
  forEachNode(graph, ({ region, inputs }) => {
    if (region === null) {
      return;
    }
    for (const value of inputs) {
      if (value?.device === undefined) {
        continue;
      }
      let id: string | null | undefined = region;
      // Where it is known, it is known of the regions around too.
      while (typeof id === 'string' && devices.get(id)?.has(value.device) === false) {
        devices.get(id)!.add(value.device);
        id = parents.get(id);
      }
    }
  });
  return devices;
}
