import { readFileSync } from 'node:fs';

import { operatorsPage, overloadsWithoutLimits, staleLimits } from './operatorspage';

describe('docs/operators.md', () => {
  it('is what `npm run docs:operators` writes', () => {
    expect(readFileSync('docs/operators.md', 'utf8')).toBe(operatorsPage());
  });

  it('tells the limits of every rule that has some', () => {
    expect(overloadsWithoutLimits()).toEqual([]);
    expect(staleLimits()).toEqual([]);
  });
});
