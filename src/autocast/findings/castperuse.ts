/**
 * `weight-cast-per-use`: weights cast more than once in one forward.
 *
 * @packageDocumentation
 */
import type { IGraph } from '../../model';
import { formatBytes } from '../../protocol';
import { weightKey } from '../weightcasts';
import type { FindingRule, IJudgedCast } from './finding';
import { bytesMovedBy, count, places, some } from './finding';

/** Weights whose cast to one dtype is repeated within a forward, because each use got a cast of its own. */
export const weightCastPerUse: FindingRule = ({ casts }) => {
  const byGraph = new Map<IGraph, Map<string, IJudgedCast[]>>();
  for (const cast of casts) {
    // Two parts of one weight are not the same cast; two casts of one view of it are.
    const { isView, isCast } = cast.lineage;
    const part = isView || isCast ? cast.node.inputs[0]!.name : '';
    const key = `${cast.to}|${weightKey(cast.weight)}|${part}`;
    // Of two branches one runs, and a body cannot use what another makes.
    const { graph } = cast.executions;
    const groups = byGraph.get(graph) ?? new Map<string, IJudgedCast[]>();
    byGraph.set(graph, groups);
    const group = groups.get(key);
    if (group === undefined) {
      groups.set(key, [cast]);
    } else {
      group.push(cast);
    }
  }
  // Views are told apart by value, so equal views made twice are not counted here.
  const repeated = [...byGraph.values()].flatMap(groups =>
    [...groups.values()].filter(group => group.length > 1)
  );
  if (repeated.length === 0) {
    return [];
  }
  const extra = repeated.flatMap(group => group.slice(1));
  const extraBytes = bytesMovedBy(extra);
  repeated.sort((a, b) => b.length - a.length);
  return [
    {
      code: 'weight-cast-per-use',
      severity: 'warning',
      message:
        `${count(repeated.length, 'weight')} ${repeated.length === 1 ? 'is' : 'are'} cast more than once per forward: ` +
        `${some(repeated.map(group => `${group[0].weight.names[0]} (${group.length} times)`))}. ` +
        `${count(extra.length, 'cast')} and ${formatBytes(extraBytes)} per forward repeat what was done already.`,
      weights: repeated.map(group => group[0].weight.names[0]),
      ...places(repeated.flat().map(cast => cast.node)),
      cost: { bytesMoved: extraBytes },
      remedy:
        'The pass share-casts does each once per forward; modes folded and frozen do none per forward.'
    }
  ];
};
