/**
 * `dtype-mismatch`: values whose recorded dtype is not what running the program gives.
 *
 * @packageDocumentation
 */
import type { IFinding } from '../../protocol';
import { actingRegions } from '../regions';
import type { DtypeCause, IDtypeDifferences } from './dtypecauses';
import { dtypeDifferences } from './dtypecauses';
import type { FindingRule, IFindingContext } from './finding';
import { count, places } from './finding';

/**
 * Values whose dtype, computed by ATen's rules and the regions' policies, differs from the one the file records; one finding
 * per cause. Those of an ambient autocast have a code of their own, those from inside of an operator stand in
 * `composite-diverges`.
 */
export const dtypeMismatch: FindingRule = context =>
  context.explicit.overridden
    ? []
    : [...dtypeDifferences(context)].flatMap(([cause, differences]) =>
        cause === 'ambient' || cause === 'inside' ? [] : [describe(cause, differences, context)]
      );

function describe(
  cause: Exclude<DtypeCause, 'ambient' | 'inside'>,
  { all, roots }: IDtypeDifferences,
  { model, explicit }: IFindingContext
): IFinding {
  const [first] = roots;
  const { node, value, computed, declared } = first;
  const [acting] =
    node.region === null ? [] : actingRegions(explicit.regions.get(node.region), node);
  const used =
    model.dialect === 'TRAINING'
      ? 'Running the program gives what is computed here.'
      : 'castlens uses the recorded dtypes.';
  return {
    code: 'dtype-mismatch',
    severity: 'warning',
    message:
      `${count(all.length, 'value')} of ${explicit.checked} checked would not have the dtype the file records, first ` +
      `${value.name} (${node.op}): computed ${computed}, recorded ${declared}. ` +
      (cause === 'not-entered'
        ? `Region ${acting.active.region.id} is enabled for ${acting.active.region.device}, but autocast did not act when the ` +
          'program was exported, as in a strict export, which records regions but does not enter them while it records dtypes. '
        : '') +
      used,
    ...places([...roots, ...all].map(mismatch => mismatch.node)),
    remedy: REMEDIES[cause]
  };
}

/** By cause. */
const REMEDIES: Readonly<Record<Exclude<DtypeCause, 'ambient' | 'inside'>, string>> = {
  'not-entered':
    'Export with strict=False, which records the dtypes that the program gives when it runs.',
  unknown:
    'Look at this call: re-export with the version of torch that is to run the program, or report the operator if it computes ' +
    'what the file records.'
};
