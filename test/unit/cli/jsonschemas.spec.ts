import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { OUTPUT_NAMES, outputSchema, schemaFile } from '../../../src/cli/outputs';

const root = join(__dirname, '..', '..', '..');

describe('docs/json', () => {
  it.each(OUTPUT_NAMES)('should hold the schema of %s as it is: npm run docs:json', name => {
    const text = readFileSync(join(root, schemaFile(name)), 'utf8');
    expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(outputSchema(name))));
  });

  it('should hold no others', () => {
    const files = readdirSync(join(root, dirname(schemaFile('census'))));
    expect(files.sort()).toEqual(OUTPUT_NAMES.map(name => `${name}.schema.json`).sort());
  });
});
