/**
 * What `castlens check` prints: text for a terminal, Markdown for a pull request.
 *
 * @packageDocumentation
 */
import { formatBytes, formatSizes } from '../protocol';
import type { ICheckedLimit, ICheckReport } from './check';
import { findingLines, table } from './text';

/** Weight casts that are shown; the JSON output has all. */
const SHOWN = 10;

const NAMES: Readonly<Record<ICheckedLimit['name'], string>> = {
  'weight-casts': 'weight casts of one forward',
  'bytes-moved': 'bytes moved by them',
  'activation-casts': 'activation casts of one forward',
  findings: 'findings that must not be there'
};

/** The report for a terminal. */
export function checkText(report: ICheckReport): string {
  const casts = castRows(report);
  return [
    `${report.file}: ${report.passed ? 'passed' : 'failed'}, counted in mode ${report.cache}`,
    '',
    table(['what', 'found', 'at most', ''], limitRows(report)),
    ...(casts.length === 0
      ? []
      : [
          '',
          'Weight casts in the file, largest first',
          table(CAST_COLUMNS, casts),
          ...moreCasts(report)
        ]),
    ...findingLines(report.findings),
    ...(report.passed ? [] : ['', remedyOf(report)])
  ].join('\n');
}

/** The report as Markdown (GitHub's dialect). */
export function checkMarkdown(report: ICheckReport): string {
  const casts = castRows(report);
  return [
    `### castlens: ${code(report.file)} ${report.passed ? 'passed' : 'failed'}`,
    '',
    `Counted in mode \`${report.cache}\`.`,
    '',
    ...markdownTable(['What', 'Found', 'At most', ''], limitRows(report)),
    ...(casts.length === 0
      ? []
      : [
          '',
          ...markdownTable(
            CAST_COLUMNS,
            casts.map(([name, ...rest]) => [code(name), ...rest])
          ),
          ...moreCasts(report).flatMap(line => ['', line])
        ]),
    ...(report.findings.length === 0 ? [] : ['']),
    ...report.findings.map(
      ({ severity, code: name, message, remedy }) =>
        `- **${severity}** ${code(name)}: ${prose([message, remedy].filter(Boolean).join(' '))}`
    ),
    ...(report.passed ? [] : ['', remedyOf(report)])
  ].join('\n');
}

const CAST_COLUMNS = ['weight', 'from', 'to', 'casts', 'shape', 'bytes moved'];

function limitRows({ limits }: ICheckReport): string[][] {
  return limits.map(({ name, found, limit, passed }) => {
    const figure = (value: number): string =>
      name === 'bytes-moved' ? formatBytes(value) : String(value);
    return [NAMES[name], figure(found), figure(limit), passed ? 'passed' : 'failed'];
  });
}

function castRows({ weightCasts }: ICheckReport): string[][] {
  return weightCasts
    .slice(0, SHOWN)
    .map(cast => [
      cast.weight,
      cast.from,
      cast.to,
      String(cast.uses),
      formatSizes(cast.shape),
      formatBytes(cast.bytesMoved)
    ]);
}

function moreCasts({ weightCasts }: ICheckReport): string[] {
  return weightCasts.length > SHOWN ? [`and ${weightCasts.length - SHOWN} more`] : [];
}

/** What to do about a check that failed. */
function remedyOf({ limits }: ICheckReport): string {
  return limits.some(
    ({ name, passed }) => !passed && (name === 'weight-casts' || name === 'bytes-moved')
  )
    ? 'castlens fix writes the model with its weights in the precision they are used in; castlens code shows how in PyTorch.'
    : 'castlens explain CODE says what a finding means and what to do.';
}

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)];
}

/** Text in a table: no bar and no line break ends its cell. */
function cell(text: string): string {
  return text.replace(/\|/g, '\\|').replace(/\s*\n\s*/g, ' ');
}

/** Text outside of tables: no break ends its item, and no name of a model is taken for HTML or for emphasis. */
function prose(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ').replace(/[\\<>*_`[\]|]/g, '\\$&');
}

/** A name as code, whatever backticks it holds. */
function code(text: string): string {
  const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map(run => run.length));
  const fence = '`'.repeat(longest + 1);
  return longest === 0 ? `${fence}${text}${fence}` : `${fence} ${text} ${fence}`;
}
