/**
 * `ambient-autocast`: the program was exported while autocast was on around the whole export.
 *
 * @packageDocumentation
 */
import { weightLineage } from '../../dataflow';
import { dtypeDifferences } from './dtypecauses';
import type { FindingRule } from './finding';
import { count, operators, places, some, weightNames } from './finding';

/**
 * Calls outside of every region whose recorded dtypes are those autocast gives.
 *
 * `torch.export` under `with torch.autocast(...)` records the dtypes autocast brought about and neither a region nor a cast
 * (seen with torch 2.13): the program that is stored runs in the dtype of its weights.
 */
export const ambientAutocast: FindingRule = context => {
  const { explicit, model } = context;
  const ambient = explicit.overridden ? undefined : dtypeDifferences(context).get('ambient');
  if (ambient === undefined) {
    return [];
  }
  const { all, roots } = ambient;
  const nodes = roots.map(({ node }) => node);
  const recorded = some([...new Set(roots.map(({ declared }) => declared))]);
  const computed = some([...new Set(roots.map(({ computed: dtype }) => dtype))]);
  const lineages = weightLineage(explicit.graph);
  const weights = new Set(
    nodes.flatMap(node =>
      node.inputs.flatMap(value => {
        const lineage = value === null ? undefined : lineages.get(value);
        return lineage === undefined ? [] : [lineage.weight];
      })
    )
  );
  return [
    {
      code: 'ambient-autocast',
      severity: 'warning',
      message:
        `The program was exported inside an ambient torch.autocast, which the file does not keep: ` +
        `${count(nodes.length, 'operator call')} outside of every region (${operators(nodes)}) ` +
        `${nodes.length === 1 ? 'is' : 'are'} recorded with ${recorded} results, but ${nodes.length === 1 ? 'gives' : 'give'} ` +
        `${computed} when the program runs; ${count(all.length, 'value')} of ${explicit.checked} differ in all. ` +
        (model.dialect === 'TRAINING'
          ? 'castlens runs what it computed, as PyTorch does.'
          : 'castlens keeps the recorded dtypes.'),
      weights: weightNames(weights),
      ...places(nodes),
      remedy:
        'Enter torch.autocast inside of the forward and export again: the file then holds a region.'
    }
  ];
};
