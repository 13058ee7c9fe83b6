/**
 * `dtype-not-checked`: operators whose result dtypes castlens takes from the file.
 *
 * @packageDocumentation
 */
import type { FindingRule } from './finding';
import { count, some } from './finding';

/** Operators without a dtype rule, in files with regions. */
export const dtypeNotChecked: FindingRule = ({ model, explicit }) => {
  const { unchecked } = explicit;
  if (unchecked.size === 0 || model.dialect !== 'TRAINING') {
    return [];
  }
  const calls = [...unchecked.values()].reduce((a, b) => a + b, 0);
  return [
    {
      code: 'dtype-not-checked',
      severity: 'info',
      message:
        `The result dtypes of ${count(calls, 'operator call')} are taken from the file and were not checked: ` +
        `${some([...unchecked.keys()], 6)}.`
    }
  ];
};
