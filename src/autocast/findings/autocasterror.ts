/**
 * `autocast-error`: calls that PyTorch refuses under their region.
 *
 * @packageDocumentation
 */
import type { IFinding } from '../../protocol';
import type { IFindingContext } from './finding';
import { count, places } from './finding';

/** Operator calls that raise when the program is run under its regions. */
export const autocastError = ({ explicit }: Pick<IFindingContext, 'explicit'>): IFinding[] => {
  const { conflicts } = explicit;
  if (conflicts.length === 0) {
    return [];
  }
  const [first] = conflicts;
  return [
    {
      code: 'autocast-error',
      severity: 'error',
      message:
        `PyTorch refuses ${count(conflicts.length, 'operator call')} under the regions, first ${first.node.name} ` +
        `(${first.node.op}): ${first.reason}. Here it runs on ${first.instead}.`,
      ...places(conflicts.map(conflict => conflict.node)),
      remedy: 'Move the call out of the region, or convert its operands first.'
    }
  ];
};
