/**
 * Why values have other dtypes than the file records: each difference traced back to the call that it starts at.
 *
 * @packageDocumentation
 */
import type { DType, IValue } from '../../model';
import { isFloating, isLowPrecision } from '../../model';
import type { IDtypeMismatch } from '../explicit';
import { DEVICE_POLICIES, policiesOf } from '../policy';
import { actingRegions } from '../regions';
import type { IFindingContext } from './finding';

/** What a difference of dtypes comes from. */
export type DtypeCause =
  /** Autocast acted at export where the file has no region. */
  | 'ambient'
  /** A region is enabled that export did not enter while it recorded dtypes. */
  | 'not-entered'
  /** Autocast acts inside of the operator when it runs, of which export only records the dtype without. */
  | 'inside'
  | 'unknown';

/** Differences that come from one cause. */
export interface IDtypeDifferences {
  /** All of them, in order. */
  readonly all: readonly IDtypeMismatch[];
  /** Those that do not just follow from another one: of an ambient autocast, all calls that it acted on. */
  readonly roots: readonly IDtypeMismatch[];
}

/**
 * The differences between computed and recorded dtypes, by cause. A difference at a call whose operands differ already
 * is taken to follow from them.
 *
 * #### Complexity
 * Linear in differences and their operands.
 */
export function dtypeDifferences(context: IFindingContext): Map<DtypeCause, IDtypeDifferences> {
  const causes = new Map<IValue, DtypeCause>();
  const composites = new Set(context.explicit.composites);
  const differences = new Map<DtypeCause, { all: IDtypeMismatch[]; roots: IDtypeMismatch[] }>();
  for (const mismatch of context.explicit.mismatches) {
    const inherited = mismatch.node.inputs
      .map(value => (value === null ? undefined : causes.get(value)))
      .find(cause => cause !== undefined);
    const cause =
      inherited ?? (composites.has(mismatch.node) ? 'inside' : causeOf(mismatch, context));
    causes.set(mismatch.value, cause);
    let entry = differences.get(cause);
    if (entry === undefined) {
      entry = { all: [], roots: [] };
      differences.set(cause, entry);
    }
    entry.all.push(mismatch);
    if (inherited === undefined || (cause === 'ambient' && causeOf(mismatch, context) === cause)) {
      entry.roots.push(mismatch);
    }
  }
  return differences;
}

function causeOf(
  { node, declared, computed }: IDtypeMismatch,
  { model, explicit }: IFindingContext
): DtypeCause {
  const state = node.region === null ? undefined : explicit.regions.get(node.region);
  if (
    isLowPrecision(computed) &&
    !isLowPrecision(declared) &&
    actingRegions(state, node).length > 0
  ) {
    return 'not-entered';
  }
  if (state === undefined && isAutocastResult(node.op, declared, model.torchVersion)) {
    return 'ambient';
  }
  return 'unknown';
}

/** Whether autocast for some device type would give the operator's result this dtype. */
function isAutocastResult(op: string, dtype: DType, torchVersion: string | null): boolean {
  if (!isFloating(dtype)) {
    return false;
  }
  for (const device of DEVICE_POLICIES.keys()) {
    switch (policiesOf(device, torchVersion)?.get(op)?.policy) {
      case 'lower_precision_fp':
        if (isLowPrecision(dtype)) {
          return true;
        }
        break;
      case 'fp32':
      case 'fp32_set_opt_dtype':
      case 'fp32_append_dtype':
        if (dtype === 'float32') {
          return true;
        }
        break;
      case 'promote':
      case 'banned':
      case undefined:
        break;
    }
  }
  return false;
}
