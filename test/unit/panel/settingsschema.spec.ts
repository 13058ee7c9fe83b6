import plugin from '../../../schema/plugin.json';
import { DEFAULT_SETTINGS } from '../../../src/panel/settings';
import { CACHE_MODES, MAX_FORWARDS, PASSES, RUNTIMES } from '../../../src/protocol';

describe('schema/plugin.json', () => {
  const { properties } = plugin;

  it('should offer the words of the contract', () => {
    expect(properties.cacheMode.enum).toEqual([...CACHE_MODES]);
    expect(properties.deployment.enum).toEqual(['auto', ...RUNTIMES]);
    expect(properties.passes.items.enum).toEqual([...PASSES]);
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
