/**
 * `unknown-autocast-device`: enabled regions for a device type without a policy table.
 *
 * @packageDocumentation
 */
import type { INode } from '../../model';
import { forEachNode } from '../../model';
import { DEVICE_POLICIES } from '../policy';
import { actingRegions } from '../regions';
import type { FindingRule } from './finding';
import { linesOf, some } from './finding';

/** Regions whose casts castlens cannot know. */
export const unknownAutocastDevice: FindingRule = ({ model, explicit }) => {
  const ids = new Set<string>();
  const inside: INode[] = [];
  forEachNode(explicit.graph, node => {
    const acting =
      node.region === null ? [] : actingRegions(explicit.regions.get(node.region), node);
    const foreign = acting.filter(({ active }) => active.policies === null);
    if (foreign.length > 0) {
      inside.push(node);
      foreign.forEach(({ active }) => ids.add(active.region.id));
    }
  });
  if (ids.size === 0) {
    return [];
  }
  const unknown = model.regions.filter(region => ids.has(region.id));
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
