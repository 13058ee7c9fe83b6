/**
 * `region-other-device`: an enabled region around tensors of another device type, on which it does not act.
 *
 * @packageDocumentation
 */
import type { IFinding } from '../../protocol';
import type { FindingRule } from './finding';
import { count, places, some, weightNames } from './finding';

/** Enabled regions that hold operators with a policy whose tensors are on other devices: PyTorch casts nothing there. */
export const regionOtherDevice: FindingRule = ({ model, explicit }) =>
  model.regions.flatMap((region): IFinding[] => {
    const idle = explicit.elsewhere.get(region.id);
    if (idle === undefined) {
      return [];
    }
    const { dtype } = explicit.regions.get(region.id)!.own;
    const weights = weightNames(idle.weights);
    const calls = count(idle.nodes.length, 'operator call');
    return [
      {
        code: 'region-other-device',
        severity: 'warning',
        message:
          `Region ${region.id} (${region.device}, ${dtype}) is enabled, but acts on ${region.device} tensors only, and the tensors of ` +
          `${calls} in it are on ${some([...idle.devices])}: it casts none of them. On ${region.device} it would cast ` +
          `${weights.length === 0 ? 'activations alone' : count(weights.length, 'weight')}.`,
        weights,
        ...places(idle.nodes, region.source),
        remedy:
          `Export with the tensors on ${region.device}, or with torch.autocast('${[...idle.devices][0]}') where it is to act on these ` +
          'tensors.'
      }
    ];
  });
