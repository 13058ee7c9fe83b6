/**
 * `casts-counted-per-body`: weight casts that a forward may run never or many times.
 *
 * @packageDocumentation
 */
import { dependsOnValues } from '../executions';
import type { FindingRule } from './finding';
import { count, places, some, weightNames } from './finding';

/** Weight casts in branches, and in loops whose length the file does not say. */
export const castsCountedPerBody: FindingRule = ({ casts }) => {
  const uncertain = casts.filter(({ executions }) => dependsOnValues(executions));
  if (uncertain.length === 0) {
    return [];
  }
  const weights = weightNames(uncertain.map(({ weight }) => weight));
  return [
    {
      code: 'casts-counted-per-body',
      severity: 'info',
      message:
        `${count(uncertain.length, 'weight cast')} of ${count(weights.length, 'weight')} (${some(weights)}) ` +
        `${uncertain.length === 1 ? 'stands' : 'stand'} in branches, or in loops whose length only a forward knows: all figures ` +
        'count such casts once per body, whether a forward runs them never, once or many times.',
      weights,
      ...places(uncertain.map(({ node }) => node)),
      remedy:
        'A run says how many there were with its inputs. Modes folded and frozen do none, whatever the inputs.'
    }
  ];
};
