/**
 * `autocast-error`: calls that PyTorch refuses under their region.
 *
 * @packageDocumentation
 */
import type { FindingRule } from './finding';
import { count, places } from './finding';

/** Operator calls that raise when the program is run under its regions. */
export const autocastError: FindingRule = ({ explicit }) => {
  const { conflicts } = explicit;
  if (conflicts.length === 0) {
    return [];
  }
  return [
    {
      code: 'autocast-error',
      severity: 'error',
      message:
        `PyTorch refuses ${count(conflicts.length, 'operator call')} under the regions, first ${conflicts[0].node.name} ` +
        `(${conflicts[0].node.op}): ${conflicts[0].reason}. Here they run on their operands as they are.`,
      ...places(conflicts.map(conflict => conflict.node)),
      remedy: 'Move the call out of the region, or convert its operands first.'
    }
  ];
};
