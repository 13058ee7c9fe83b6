/** Writes the table of findings in docs/findings/README.md: `npm run docs:findings`. */
import { readFileSync, writeFileSync } from 'node:fs';

import { withFindingTable } from '../support/findingtable';

const page = 'docs/findings/README.md';
writeFileSync(page, withFindingTable(readFileSync(page, 'utf8')));
