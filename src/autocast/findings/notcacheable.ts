/**
 * `weight-not-cacheable`: weights PyTorch's own cache would not keep.
 *
 * @packageDocumentation
 */
import { formatBytes } from '../../protocol';
import type { IFinding } from '../../protocol';
import type { CacheRefusal } from '../eagercache';
import { describeRefusal } from '../eagercache';
import { storedBytes } from '../weightcasts';
import type { FindingRule, IJudgedCast } from './finding';
import { bytesMovedBy, count, places, some, weightNames } from './finding';

/** Weight casts outside the reach of `torch.autocast(cache_enabled=True)`; one finding per reason. */
export const weightNotCacheable: FindingRule = ({ casts }) => {
  const byReason = new Map<CacheRefusal, IJudgedCast[]>();
  for (const cast of casts) {
    const { refusal } = cast.verdict;
    if (refusal !== null) {
      const list = byReason.get(refusal);
      if (list === undefined) {
        byReason.set(refusal, [cast]);
      } else {
        list.push(cast);
      }
    }
  }
  return [...byReason].map(([refusal, refused]): IFinding => {
    const weights = new Set(refused.map(cast => cast.weight));
    const names = weightNames(weights);
    const bytes = [...weights].reduce((sum, weight) => sum + storedBytes(weight), 0);
    return {
      code: 'weight-not-cacheable',
      severity: 'info',
      message:
        `PyTorch's autocast cache would not keep ${count(names.length, 'weight')} (${formatBytes(bytes)}), which ` +
        `${count(refused.length, 'cast')} per forward read: ${describeRefusal(refusal)}. Concerned: ${some(names)}.`,
      weights: names,
      ...places(refused.map(cast => cast.node)),
      cost: { bytesMoved: bytesMovedBy(refused) },
      remedy:
        refusal === 'mutated'
          ? 'A cast of a weight that changes during the forward cannot be kept; only the program itself can avoid it.'
          : 'Modes folded and frozen do not depend on the rules of that cache.'
    };
  });
};
