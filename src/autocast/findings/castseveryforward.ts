/**
 * `weights-cast-every-forward`: the headline.
 *
 * @packageDocumentation
 */
import { formatBytes } from '../../protocol';
import { dependsOnValues } from '../executions';
import type { FindingRule } from './finding';
import { count, places, some, weightNames } from './finding';

/** Weights that the program as exported casts anew on every forward. */
export const weightsCastEveryForward: FindingRule = ({ casts, perForward }) => {
  const { weightCasts, bytesMoved } = perForward.off;
  if (weightCasts === 0) {
    return [];
  }
  const weights = weightNames(casts.map(cast => cast.weight));
  const computed = casts.reduce(
    (sum, { kind, executions }) => sum + (kind === 'computed' ? executions.count : 0),
    0
  );
  const isCertain = !casts.some(({ executions }) => dependsOnValues(executions));
  const left = perForward.folded.weightCasts;
  return [
    {
      code: 'weights-cast-every-forward',
      severity: 'warning',
      message:
        `Every forward runs ${count(weightCasts, 'weight cast')} of ${count(weights.length, 'weight')}` +
        (computed > 0 ? ` (${computed} of weights that are computed from others)` : '') +
        (isCertain ? '' : ', branches and loops of unknown length counted as one run,') +
        ' and moves ' +
        `${formatBytes(bytesMoved)} for them; the results are the same each time. Largest: ` +
        `${some(largest(casts))}.`,
      weights,
      ...places(casts.map(cast => cast.node)),
      cost: { bytesMoved },
      remedy:
        'Mode folded casts them once when the model is loaded, frozen ahead of time' +
        (left > 0 ? `; ${count(left, 'cast')} must stay.` : '.')
    }
  ];
};

/** Names of weights by bytes moved per forward, largest first. */
function largest(
  casts: readonly {
    readonly weight: { readonly names: readonly string[] };
    readonly bytesMoved: number;
  }[]
): string[] {
  const bytes = new Map<string, number>();
  for (const { weight, bytesMoved } of casts) {
    bytes.set(weight.names[0], (bytes.get(weight.names[0]) ?? 0) + bytesMoved);
  }
  return [...bytes]
    .sort((a, b) => b[1] - a[1])
    .map(([name, moved]) => `${name} (${formatBytes(moved)})`);
}
