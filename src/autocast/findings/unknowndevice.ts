/**
 * `unknown-autocast-device`: enabled regions for a device type without a policy table.
 *
 * @packageDocumentation
 */
import { DEVICE_POLICIES } from '../policy';
import { sourceRef } from '../sourceref';
import type { FindingRule } from './finding';
import { some } from './finding';

/** Regions whose casts castlens cannot know. */
export const unknownAutocastDevice: FindingRule = ({ model }) => {
  const unknown = model.regions.filter(
    region => region.enabled && !DEVICE_POLICIES.has(region.device)
  );
  if (unknown.length === 0) {
    return [];
  }
  const devices = [...new Set(unknown.map(region => region.device))];
  return [
    {
      code: 'unknown-autocast-device',
      severity: 'warning',
      message:
        `The autocast policies of ${some(devices)} are not known here, so ${unknown.length} enabled ` +
        `region${unknown.length === 1 ? '' : 's'} (${some(unknown.map(region => region.id))}) cast nothing. Known: ` +
        `${[...DEVICE_POLICIES.keys()].join(', ')}.`,
      source: sourceRef(unknown[0].source),
      remedy:
        'Decompose the program with run_decompositions(): the casts are then written in the file.'
    }
  ];
};
