/**
 * `dtype-not-checked`: operators whose result dtypes castlens takes from the file.
 *
 * @packageDocumentation
 */
import type { INode } from '../../model';
import { forEachNode } from '../../model';
import type { FindingRule } from './finding';
import { count, places, some } from './finding';

/** Operators without a dtype rule, in files with regions. */
export const dtypeNotChecked: FindingRule = ({ model, explicit }) => {
  const { unchecked } = explicit;
  if (unchecked.size === 0 || model.dialect !== 'TRAINING') {
    return [];
  }
  const calls = [...unchecked.values()].reduce((a, b) => a + b, 0);
  const nodes: INode[] = [];
  forEachNode(explicit.graph, node => {
    if (unchecked.has(node.op)) {
      nodes.push(node);
    }
  });
  return [
    {
      code: 'dtype-not-checked',
      severity: 'info',
      message:
        `The result dtypes of ${count(calls, 'operator call')} are taken from the file and were not checked: ` +
        `${some([...unchecked.keys()], 6)}.`,
      ...places(nodes)
    }
  ];
};
