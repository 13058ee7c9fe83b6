/**
 * `mixed-precision-weight`: weights that are used both cast and uncast.
 *
 * @packageDocumentation
 */
import type { INode, IWeight } from '../../model';
import { forEachNode } from '../../model';
import { formatBytes } from '../../protocol';
import { asWeightCast, storedBytes, weightKey } from '../weightcasts';
import { Destinations, weightLineage } from '../../dataflow';
import type { FindingRule } from './finding';
import { count, places, some } from './finding';

/** Weights with uses in their stored dtype beside uses that cast them: a tied embedding and output layer, for instance. */
export const mixedPrecisionWeight: FindingRule = ({ explicit, casts }) => {
  const castKeys = new Map(casts.map(cast => [weightKey(cast.weight), cast]));
  const lineages = weightLineage(explicit.graph);
  const destinations = new Destinations(explicit.graph);
  const mixed = new Map<string, { weight: IWeight; node: INode }>();
  forEachNode(explicit.graph, node => {
    if (asWeightCast(node, lineages) !== null || node.role !== undefined) {
      return;
    }
    node.inputs.forEach((value, index) => {
      const lineage = value === null ? undefined : lineages.get(value);
      if (
        lineage === undefined ||
        lineage.isCast ||
        destinations.stepAt({ node, index }) !== null
      ) {
        return;
      }
      const key = weightKey(lineage.weight);
      if (castKeys.has(key) && !mixed.has(key)) {
        mixed.set(key, { weight: lineage.weight, node });
      }
    });
  });
  if (mixed.size === 0) {
    return [];
  }
  const entries = [...mixed.values()];
  const bytes = entries.reduce((sum, { weight }) => sum + storedBytes(weight), 0);
  return [
    {
      code: 'mixed-precision-weight',
      severity: 'info',
      message:
        `${count(mixed.size, 'weight')} (${formatBytes(bytes)}) ${mixed.size === 1 ? 'is' : 'are'} used both cast and as ` +
        `stored: ${some(
          [...mixed].map(
            ([key, { weight, node }]) =>
              `${weight.names[0]} (cast to ${castKeys.get(key)!.to}, and ${weight.dtype} in ${node.op})`
          )
        )}. Cast ahead of time, both copies are kept.`,
      weights: entries.map(({ weight }) => weight.names[0]),
      ...places(entries.map(({ node }) => node)),
      remedy:
        'Do not convert such a weight before export: its other uses would lose precision. Modes folded and frozen keep a copy ' +
        'for each use.'
    }
  ];
};
