/**
 * `float64-weights`: weights in float64, which autocast leaves alone.
 *
 * @packageDocumentation
 */
import type { INode, IValue, IWeight } from '../../model';
import { forEachNode, graphsOf } from '../../model';
import type { IFinding } from '../../protocol';
import { actingRegions } from '../regions';
import type { FindingRule } from './finding';
import { count, operators, places, some, weightNames } from './finding';

/**
 * Operators in an enabled region that would run in its dtype, but for a weight in float64. Autocast casts no float64 tensor
 * (`is_eligible` in torch/include/ATen/autocast_mode.h), so such calls run in float64: the slowest dtype of all.
 */
export const float64Weights: FindingRule = ({ model, explicit }): IFinding[] => {
  const stored = new Map<IValue, IWeight>(
    graphsOf(model.graph).flatMap(graph =>
      graph.weights
        .filter(({ weight }) => weight.dtype === 'float64')
        .map(({ value, weight }) => [value, weight] as const)
    )
  );
  if (stored.size === 0) {
    return [];
  }
  const calls: INode[] = [];
  const weights = new Set<IWeight>();
  const dtypes = new Set<string>();
  forEachNode(model.graph, node => {
    const state = node.region === null ? undefined : explicit.regions.get(node.region);
    for (const { active, operands } of actingRegions(state, node)) {
      if (active.policies?.get(node.op)?.policy !== 'lower_precision_fp') {
        continue;
      }
      const left = [...operands].flatMap(index => stored.get(node.inputs[index]!) ?? []);
      if (left.length > 0) {
        calls.push(node);
        dtypes.add(active.dtype);
        left.forEach(weight => weights.add(weight));
      }
    }
  });
  if (calls.length === 0) {
    return [];
  }
  const names = weightNames(weights);
  return [
    {
      code: 'float64-weights',
      severity: 'warning',
      message:
        `${count(names.length, 'weight')} in float64 (${some(names)}) ${names.length === 1 ? 'is' : 'are'} not cast: autocast leaves ` +
        `float64 alone, so ${count(calls.length, 'operator call')} (${operators(calls)}) ${calls.length === 1 ? 'does' : 'do'} not run in ` +
        `${[...dtypes].join(' or ')}.`,
      weights: names,
      ...places(calls),
      remedy: 'Convert the model before export, with model.float(), if nothing needs float64.'
    }
  ];
};
