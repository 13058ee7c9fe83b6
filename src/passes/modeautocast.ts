/**
 * The cache mode `autocast`.
 *
 * @packageDocumentation
 */
import type { IExportedModel, IGraph, INode } from '../model';
import type { RegionStates } from '../autocast';
import { asWeightCast, cacheVerdict, findAliases, weightLineage } from '../autocast';
import { allGraphs, outputsOf, Replacements } from './rewriting';

/**
 * Do what eager PyTorch's own cache does: one cast per eligible weight and dtype within an outermost region, every other cast
 * as often as it is used. Changes `graph` in place.
 *
 * #### Notes
 * Which casts are kept, and for how long, is `cacheVerdict`'s to say: the census counts by the same rule. Only casts of one
 * graph stand in for each other: a body may run never or many times.
 *
 * @returns the number of casts saved.
 */
export function applyEagerCache(
  graph: IGraph,
  model: IExportedModel,
  regions: RegionStates
): number {
  const lineage = weightLineage(graph);
  const aliases = findAliases(graph);
  const outputs = outputsOf(graph);
  const replacements = new Replacements();
  for (const one of allGraphs(graph)) {
    const cache = new Map<string, INode>();
    one.nodes = one.nodes.filter(node => {
      const cast = asWeightCast(node, lineage);
      if (cast === null) {
        return true;
      }
      const { key } = cacheVerdict(cast, model.dialect, regions, aliases);
      const result = node.outputs[0]!;
      if (key === null || aliases.mutatorOf(result) !== null) {
        return true;
      }
      const first = cache.get(key);
      if (first === undefined) {
        cache.set(key, node);
        return true;
      }
      if (outputs.has(result)) {
        return true;
      }
      replacements.set(result, first.outputs[0]!);
      return false;
    });
  }
  replacements.apply(graph);
  return replacements.size;
}
