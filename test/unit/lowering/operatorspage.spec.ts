import { readFileSync } from 'node:fs';

import { operatorsPage } from './operatorspage';

describe('docs/operators.md', () => {
  it('is what `npm run docs:operators` writes', () => {
    expect(readFileSync('docs/operators.md', 'utf8')).toBe(operatorsPage());
  });
});
