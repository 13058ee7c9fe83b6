/**
 * `unknown-autocast-device`: enabled regions for a device type without a policy table.
 *
 * @packageDocumentation
 */
import type { INode } from '../../model';
import { forEachNode } from '../../model';
import { DEVICE_POLICIES } from '../policy';
import type { FindingRule } from './finding';
import { linesOf, some } from './finding';

/** Regions whose casts castlens cannot know. */
export const unknownAutocastDevice: FindingRule = ({ model, explicit }) => {
  const unknown = model.regions.filter(
    region => region.enabled && !DEVICE_POLICIES.has(region.device)
  );
  if (unknown.length === 0) {
    return [];
  }
  const ids = new Set(unknown.map(region => region.id));
  const inside: INode[] = [];
  forEachNode(explicit.graph, node => {
    if (node.region !== null && ids.has(node.region)) {
      inside.push(node);
    }
  });
  const sources = linesOf(unknown.map(region => region.source));
  const devices = [...new Set(unknown.map(region => region.device))];
  return [
    {
      code: 'unknown-autocast-device',
      severity: 'warning',
      message:
        `The autocast policies of ${some(devices)} are not known here, so ${unknown.length} enabled ` +
        `region${unknown.length === 1 ? '' : 's'} (${some(unknown.map(region => region.id))}) cast nothing. Known: ` +
        `${[...DEVICE_POLICIES.keys()].join(', ')}.`,
      nodes: inside.map(node => node.name),
      source: sources[0] ?? null,
      sources,
      remedy:
        'Decompose the program with run_decompositions(): the casts are then written in the file.'
    }
  ];
};
