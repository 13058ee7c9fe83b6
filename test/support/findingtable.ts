/**
 * The table of findings in docs/findings/README.md, from the first line of each page.
 *
 * @packageDocumentation
 */
import { FINDING_CODES } from '../../src/autocast';
import { EXECUTION_FINDING_CODES } from '../../src/engine/executionfindings';
import { findingPage } from '../../src/engine/findingpages';
import { PACKAGE_FINDING_CODES } from '../../src/engine/packagefindings';
import { STATS_FINDING_CODES } from '../../src/engine/weightfindings';

/** Codes of the census, those that only show in a run, and those that only show in values. */
export const ALL_FINDING_CODES: readonly string[] = [
  ...FINDING_CODES,
  ...EXECUTION_FINDING_CODES,
  ...STATS_FINDING_CODES,
  ...PACKAGE_FINDING_CODES
];

/** The page with its table of findings written anew. Throws where a finding's page does not say in its first line what was found. */
export function withFindingTable(page: string): string {
  const rows = ALL_FINDING_CODES.map(code => {
    const summary = /^# .*\n\n> (.+)\n/.exec(findingPage(code))?.[1];
    if (summary === undefined) {
      throw new Error(
        `docs/findings/${code}.md does not start with "# ${code}" and "> what was found"`
      );
    }
    return `| [${code}](${code}.md) | ${summary} |\n`;
  });
  const table = /^\| code \| what was found \|\n(?:\|.*\n)+/m;
  if (!table.test(page)) {
    throw new Error('the page has no table of findings');
  }
  return page.replace(table, () => `| code | what was found |\n|---|---|\n${rows.join('')}`);
}
