/** Writes docs/operators.md: `npm run docs:operators`. */
import { writeFileSync } from 'node:fs';

import { operatorsPage } from '../unit/lowering/operatorspage';

writeFileSync('docs/operators.md', operatorsPage());
