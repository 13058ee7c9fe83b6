import plugin from '../../../schema/plugin.json';
import { DEFAULT_SETTINGS } from '../../../src/panel/settings';
import { MAX_FORWARDS, PASSES } from '../../../src/protocol';
import { withSettingWords } from '../../support/settingswords';

describe('schema/plugin.json', () => {
  const { properties } = plugin;

  it('should offer the words that `npm run docs:settings` writes', () => {
    expect(JSON.parse(withSettingWords(JSON.stringify(plugin, null, 2)))).toEqual(plugin);
    expect(properties.passes.items.enum).toEqual([...PASSES]);
    const other = JSON.stringify(plugin, null, 2).replace('"share-casts",', '');
    expect(JSON.parse(withSettingWords(other))).toEqual(plugin);
  });

  it('should allow no more forwards than a request takes', () => {
    expect(properties.runs.maximum).toBeLessThanOrEqual(MAX_FORWARDS);
    expect(properties.warmup.maximum).toBeLessThanOrEqual(MAX_FORWARDS);
  });

  it('should have the defaults that the panel has', () => {
    const defaults = Object.fromEntries(
      Object.entries(properties).map(([name, { default: value }]) => [name, value])
    );
    expect(defaults).toEqual({ ...DEFAULT_SETTINGS, toolbar: [] });
  });
});
