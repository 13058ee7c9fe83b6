/**
 * The words of the settings in schema/plugin.json, as the contract has them.
 *
 * @packageDocumentation
 */
import { CACHE_MODES, PASSES, RUNTIMES } from '../../src/protocol';

/** Words of a setting, by its name. */
export const SETTING_WORDS: Readonly<Record<string, readonly string[]>> = {
  cacheMode: CACHE_MODES,
  deployment: ['auto', ...RUNTIMES],
  passes: PASSES
};

/** The text of the schema with the words of its settings written anew. Throws where a setting has none. */
export function withSettingWords(schema: string): string {
  return Object.entries(SETTING_WORDS).reduce((text, [name, words]) => {
    const setting = new RegExp(`("${name}": \\{[^]*?"enum": )\\[[^\\]]*\\]`);
    if (!setting.test(text)) {
      throw new Error(`the schema has no words for the setting ${name}`);
    }
    return text.replace(setting, (_, before: string) => `${before}${JSON.stringify(words)}`);
  }, schema);
}
