/**
 * `dtype-mismatch`: values whose recorded dtype is not what running the program gives.
 *
 * @packageDocumentation
 */
import { isLowPrecision } from '../../model';
import { sourceRef } from '../sourceref';
import type { FindingRule, IFindingContext } from './finding';
import { count } from './finding';

/** Values whose dtype, computed by ATen's rules and the regions' policies, differs from the one the file records. */
export const dtypeMismatch: FindingRule = context => {
  const { explicit } = context;
  const { mismatches, checked } = explicit;
  if (mismatches.length === 0 || explicit.overridden) {
    return [];
  }
  const first = mismatches[0];
  return [
    {
      code: 'dtype-mismatch',
      severity: 'warning',
      message:
        `${count(mismatches.length, 'value')} of ${checked} checked would not have the dtype the file records, first ` +
        `${first.value.name} (${first.node.op}): computed ${first.computed}, recorded ${first.declared}. ` +
        explain(context),
      nodes: [...new Set(mismatches.map(mismatch => mismatch.node.name))],
      source: sourceRef(first.node.source),
      remedy:
        'Enter torch.autocast inside the forward, on the device the model runs on, and export again.'
    }
  ];
};

function explain({ model, explicit }: IFindingContext): string {
  const { node, declared, computed } = explicit.mismatches[0];
  const state = node.region === null ? undefined : explicit.regions.get(node.region);
  if (state?.active && isLowPrecision(computed) && !isLowPrecision(declared)) {
    return (
      `Region ${state.region.id} is enabled for ${state.active.region.device}, but autocast did not act when the program was ` +
      'exported: its tensors were on another device.'
    );
  }
  if (state === undefined && isLowPrecision(declared) && !isLowPrecision(computed)) {
    return (
      'No region is recorded there: the program was probably exported inside an ambient torch.autocast, which the file does ' +
      'not keep. Running it gives what is computed here.'
    );
  }
  return model.dialect === 'TRAINING'
    ? 'Running the program gives what is computed here.'
    : 'The recorded dtypes are used.';
}
