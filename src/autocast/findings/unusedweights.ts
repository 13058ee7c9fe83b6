/**
 * `unused-weights`: weights stored in the file that no output depends on.
 *
 * @packageDocumentation
 */
import type { INode } from '../../model';
import { forEachNode, isFloating, weightsOf } from '../../model';
import { formatBytes } from '../../protocol';
import { storedBytes } from '../weightcasts';
import type { FindingRule } from './finding';
import { count, operators, places, some, weightNames } from './finding';

/** Floating-point weights that only dropped operators use, or nothing at all. */
export const unusedWeights: FindingRule = ({ model, explicit }) => {
  const live = new Set([...weightsOf(explicit.graph)].map(weight => weight.storage));
  const unused = model.weights.filter(
    weight => isFloating(weight.dtype) && !live.has(weight.storage)
  );
  if (unused.length === 0) {
    return [];
  }
  const storages = new Set(unused.map(weight => weight.storage));
  const values = new Set(
    model.graph.weights
      .filter(({ weight }) => storages.has(weight.storage))
      .map(({ value }) => value)
  );
  const readers: INode[] = [];
  forEachNode(model.graph, node => {
    if (node.inputs.some(value => value !== null && values.has(value))) {
      readers.push(node);
    }
  });
  const bytes = unused.reduce((sum, weight) => sum + storedBytes(weight), 0);
  const names = weightNames(unused);
  return [
    {
      code: 'unused-weights',
      severity: 'info',
      message:
        `${count(names.length, 'weight')} (${formatBytes(bytes)}) ${names.length === 1 ? 'reaches' : 'reach'} no output: ` +
        `${some(names)}.` +
        (readers.length > 0
          ? ` Export recorded ${count(readers.length, 'operator call')} that read them (${operators(readers)}), but no output ` +
            'needs the results: such calls are dropped, as PyTorch drops them.'
          : ''),
      weights: names,
      ...places(readers),
      remedy: 'Leave what is not used out of the module before export: the file becomes smaller.'
    }
  ];
};
