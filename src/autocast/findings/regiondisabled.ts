/**
 * `region-disabled`: a region the file records as switched off although its operators would be cast.
 *
 * @packageDocumentation
 */
import type { IFinding } from '../../protocol';
import type { FindingRule } from './finding';
import { count, places, weightNames } from './finding';

/**
 * Disabled regions that hold operators with an autocast policy.
 *
 * A disabled region inside an enabled one is the usual way to keep a part in float32 and is told as information only. A
 * disabled region that stands alone is most often one for CUDA, exported on a machine without CUDA, where
 * `torch.autocast` switches itself off.
 */
export const regionDisabled: FindingRule = ({ model, explicit }) => {
  const findings: IFinding[] = [];
  for (const region of model.regions) {
    const dormant = explicit.dormant.get(region.id);
    if (region.enabled || dormant === undefined) {
      continue;
    }
    const parent = region.parent === null ? undefined : explicit.regions.get(region.parent);
    const isInside = parent?.enabled.some(({ region: { device } }) => device === region.device);
    const isCuda = region.device !== 'cpu' && !isInside;
    const weights = weightNames(dormant.weights);
    const dtype = explicit.regions.get(region.id)!.own.dtype;
    const what =
      `Region ${region.id} (${region.device}, ${dtype}) is recorded with enabled=False: ` +
      `${dormant.nodes.length === 1 ? '1 operator call in it that has a policy runs' : `${dormant.nodes.length} operator calls in it that have a policy run`} ` +
      `uncast; enabled, it would cast ` +
      `${weights.length === 0 ? 'activations alone' : count(weights.length, 'weight')}.`;
    findings.push({
      code: 'region-disabled',
      severity: isInside ? 'info' : 'warning',
      message: isInside
        ? `${what} It lies inside an enabled region: the usual way to keep a part in float32.`
        : isCuda
          ? `${what} torch.autocast('${region.device}') switches itself off where the device is missing: the model was ` +
            `probably exported on a machine without it.`
          : what,
      weights,
      ...places(dormant.nodes, region.source),
      ...(isInside
        ? {}
        : {
            remedy: isCuda
              ? `Export on a machine where ${region.device} is available, or override the region here to see what it would do.`
              : 'Export with enabled=True, or override the region here to see what it would do.'
          })
    });
  }
  return findings;
};
