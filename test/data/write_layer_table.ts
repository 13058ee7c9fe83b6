/** Writes the table of layers in docs/architecture.md: `npm run docs:layers`. */
import { readFileSync, writeFileSync } from 'node:fs';

import { withLayerTable } from '../support/architecture';

const page = 'docs/architecture.md';
writeFileSync(page, withLayerTable(readFileSync(page, 'utf8')));
