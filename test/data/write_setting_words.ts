/** Writes the words of the settings in schema/plugin.json: `npm run docs:settings`. */
import { readFileSync, writeFileSync } from 'node:fs';

import { withSettingWords } from '../support/settingswords';

const schema = 'schema/plugin.json';
writeFileSync(schema, withSettingWords(readFileSync(schema, 'utf8')));
