/**
 * `cached-in-eager-only`: casts that eager PyTorch keeps and the exported program repeats.
 *
 * @packageDocumentation
 */
import { formatBytes } from '../../protocol';
import type { FindingRule } from './finding';
import { count, places, weightNames } from './finding';

/** The difference between a forward with PyTorch's own cache and one of the exported program. */
export const cachedInEagerOnly: FindingRule = ({ model, casts, perForward }) => {
  const saved = perForward.off.weightCasts - perForward.autocast.weightCasts;
  if (saved <= 0) {
    return [];
  }
  const repeated = casts.filter(({ isRepeated }) => isRepeated);
  const bytes = perForward.off.bytesMoved - perForward.autocast.bytesMoved;
  const isOff = model.regions.some(region => region.enabled && region.cacheEnabled === false);
  return [
    {
      code: 'cached-in-eager-only',
      severity: 'info',
      message:
        `Eager PyTorch with its autocast cache does ${count(perForward.autocast.weightCasts, 'weight cast')} per forward, ` +
        `the exported program ${perForward.off.weightCasts}: ${saved} more, ${formatBytes(bytes)}.` +
        (isOff
          ? ' Tracing switches the cache off, so export records cache_enabled=False and nothing turns it on again.'
          : ''),
      weights: weightNames(repeated.map(cast => cast.weight)),
      ...places(repeated.map(cast => cast.node)),
      cost: { bytesMoved: bytes },
      remedy: 'Mode autocast gives back what eager PyTorch does; folded and frozen do better.'
    }
  ];
};
