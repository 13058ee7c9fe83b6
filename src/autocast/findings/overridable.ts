/**
 * `overridable-weights`: initializers that callers may override.
 *
 * @packageDocumentation
 */
import type { FindingRule } from './finding';
import { count, some } from './finding';

/** Initializers that are inputs of the model too: they are no constants. */
export const overridableWeights: FindingRule = ({ model }) => {
  const names = [...(model.defaults?.keys() ?? [])];
  return names.length === 0
    ? []
    : [
        {
          code: 'overridable-weights',
          severity: 'info',
          message:
            `${count(names.length, 'initializer')} ${names.length === 1 ? 'is an input' : 'are inputs'} too, which callers may give: ` +
            `${some(names)}. No runtime may take them for constants, so their casts are not counted as weight casts, and fix leaves them.`,
          weights: names,
          remedy:
            'Export without initializers among the inputs (keep_initializers_as_inputs=False), where no caller overrides them.'
        }
      ];
};
