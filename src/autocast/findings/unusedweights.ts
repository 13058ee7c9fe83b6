/**
 * `unused-weights`: weights stored in the file that no output depends on.
 *
 * @packageDocumentation
 */
import { isFloating } from '../../model';
import { formatBytes } from '../../protocol';
import { storedBytes } from '../weightcasts';
import type { FindingRule } from './finding';
import { count, some, weightNames } from './finding';

/** Floating-point weights that only dropped operators use, or nothing at all. */
export const unusedWeights: FindingRule = ({ model, explicit }) => {
  const live = new Set(explicit.graph.weights.map(({ weight }) => weight.storage));
  const unused = model.weights.filter(
    weight => isFloating(weight.dtype) && !live.has(weight.storage)
  );
  if (unused.length === 0) {
    return [];
  }
  const inGraph = new Set(model.graph.weights.map(({ weight }) => weight.storage));
  const byDeadCode = unused.filter(weight => inGraph.has(weight.storage)).length;
  const bytes = unused.reduce((sum, weight) => sum + storedBytes(weight), 0);
  const names = weightNames(unused);
  return [
    {
      code: 'unused-weights',
      severity: 'info',
      message:
        `${count(names.length, 'weight')} (${formatBytes(bytes)}) reach no output: ${some(names)}.` +
        (byDeadCode > 0
          ? ` ${byDeadCode} of them are used by ${count(explicit.dropped.length, 'operator call')} that export recorded ` +
            'though no output needs them; these are dropped, as PyTorch drops them.'
          : ''),
      weights: names,
      remedy: 'Leave the layers out of the module before export to make the file smaller.'
    }
  ];
};
