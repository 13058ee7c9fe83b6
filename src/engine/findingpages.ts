/**
 * The pages of docs/findings, which the bundle carries along.
 *
 * @packageDocumentation
 */
import PAGES from '../../docs/findings/README.md?pages';
import { CastlensError } from '../model';

/** Codes that have a page. */
export const EXPLAINED_CODES: readonly string[] = Object.keys(PAGES);

/**
 * What a finding means, why it happens and what to do, as Markdown.
 *
 * @throws CastlensError('bad-argument') for a code that is not known.
 */
export function findingPage(code: string): string {
  if (!Object.hasOwn(PAGES, code)) {
    throw new CastlensError('bad-argument', `there is no finding "${code}"`, {
      expected: EXPLAINED_CODES.join(', ')
    });
  }
  return PAGES[code];
}
