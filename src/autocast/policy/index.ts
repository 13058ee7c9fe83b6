/**
 * Autocast policies by device type, operator overload and torch version.
 *
 * @packageDocumentation
 */
import { synonymsOf } from '../../operators';
import type { DType } from '../../model';
import { MPS, XPU } from './accelerators';
import { CPU } from './cpu';
import { CUDA } from './cuda';
import type { AutocastPolicy, IDevicePolicies } from './table';

export { contractedOperands } from './einsum';
export { innerOperator, operandsCastInside } from './inner';
export type { AutocastPolicy, IDevicePolicies, IPolicyList } from './table';

/** Tables known, by device type. */
export const DEVICE_POLICIES: ReadonlyMap<string, IDevicePolicies> = new Map(
  [CPU, CUDA, MPS, XPU].map(table => [table.device, table])
);

/** The policy of an operator. */
export interface IPolicy {
  readonly policy: AutocastPolicy;
  /** Whether it comes from operators inside this composite one; see `IDevicePolicies.composites`. */
  readonly composite: boolean;
}

/** Policies of one device type in one release of torch, by operator as graphs name it (`aten.linear.default`). */
export type PolicyLookup = ReadonlyMap<string, IPolicy>;

/**
 * Policies of a device type.
 *
 * @param torchVersion - release that exported the program, `2.13.0+cpu`; null where not known, then the newest tables hold.
 * @returns the policies, or null for a device type without a table.
 */
export function policiesOf(device: string, torchVersion: string | null): PolicyLookup | null {
  const table = DEVICE_POLICIES.get(device);
  if (table === undefined) {
    return null;
  }
  const lookup = new Map<string, IPolicy>();
  for (const composite of [true, false]) {
    for (const list of composite ? table.composites : table.lists) {
      if (list.since === undefined || isAtLeast(torchVersion, list.since)) {
        for (const name of list.operators) {
          const op = graphName(name);
          lookup.set(op, { policy: list.policy, composite });
          // None is registered itself: the policy acts on the call inside.
          synonymsOf(op).forEach(other => {
            lookup.set(other, { policy: list.policy, composite: true });
          });
        }
      }
    }
  }
  return lookup;
}

/**
 * Operators of a device type in which autocast acts in ways that casts of their arguments cannot stand for, as graphs name
 * them. Empty for a device type without a table.
 */
export function opaqueOperators(device: string): ReadonlySet<string> {
  return new Set((DEVICE_POLICIES.get(device)?.opaque ?? []).map(graphName));
}

/**
 * Lower-precision dtype of a region that leaves it open: bfloat16 on cpu, xla and hpu, float16 elsewhere
 * (`torch.get_autocast_dtype`, 2.13.0).
 */
export function defaultAutocastDtype(device: string): DType {
  const table = DEVICE_POLICIES.get(device);
  if (table !== undefined) {
    return table.dtypes[0];
  }
  return device === 'xla' || device === 'hpu' ? 'bfloat16' : 'float16';
}

/** `softmax.int` is `aten.softmax.int` in graphs, `linear` is `aten.linear.default`. */
function graphName(name: string): string {
  return name.includes('.') ? `aten.${name}` : `aten.${name}.default`;
}

/** Whether `version` is `minimum` or newer; an unknown version counts as the newest. */
function isAtLeast(version: string | null, minimum: string): boolean {
  if (version === null) {
    return true;
  }
  const have = version.split(/[^0-9]+/).map(Number);
  const want = minimum.split('.').map(Number);
  for (let i = 0; i < want.length; i++) {
    const part = have[i] ?? 0;
    if (part !== want[i]) {
      return part > want[i];
    }
  }
  return true;
}
