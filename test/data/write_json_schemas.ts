/** Writes docs/json from the contract: `npm run docs:json`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

import { OUTPUT_NAMES, outputSchema, schemaFile } from '../../src/cli/outputs';

for (const output of OUTPUT_NAMES) {
  const file = schemaFile(output);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(outputSchema(output), null, 2)}\n`);
}
