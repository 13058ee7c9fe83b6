/**
 * Tables as HTML and as plain text, from the same rows.
 *
 * @packageDocumentation
 */
import { printable } from '../../../protocol';
import type { MimeBundle } from '../../message';

/** A table for the reader. */
export interface ITable {
  /** Lines above it. */
  readonly title: readonly string[];
  readonly columns: readonly { readonly label: string; readonly numeric?: boolean }[];
  readonly rows: readonly (readonly string[])[];
  /** Lines below it. */
  readonly notes?: readonly string[];
}

/** The table as a MIME bundle. */
export function tableBundle(given: ITable): MimeBundle {
  const table = printable(given);
  return { 'text/html': tableHtml(table), 'text/plain': tableText(table) };
}

/** HTML, styled by the notebook. */
export function tableHtml(table: ITable): string {
  const align = (column: number): string =>
    ` style="text-align: ${table.columns[column].numeric ? 'right' : 'left'}"`;
  const paragraphs = (lines: readonly string[]): string =>
    lines.map(line => `<p>${escapeHtml(line)}</p>`).join('');
  const head = table.columns
    .map(({ label }, i) => `<th scope="col"${align(i)}>${escapeHtml(label)}</th>`)
    .join('');
  const body = table.rows
    .map(
      row => `<tr>${row.map((cell, i) => `<td${align(i)}>${escapeHtml(cell)}</td>`).join('')}</tr>`
    )
    .join('');
  const grid =
    table.rows.length > 0
      ? `<table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`
      : '';
  return `<div>${paragraphs(table.title)}${grid}${paragraphs(table.notes ?? [])}</div>`;
}

/** Plain text in columns. */
export function tableText(table: ITable): string {
  const lines = [...table.title];
  if (table.rows.length > 0) {
    const widths = table.columns.map(({ label }, i) =>
      Math.max(label.length, ...table.rows.map(row => row[i].length))
    );
    const pad = (cells: readonly string[]): string =>
      cells
        .map((cell, i) =>
          table.columns[i].numeric ? cell.padStart(widths[i]) : cell.padEnd(widths[i])
        )
        .join('  ')
        .trimEnd();
    lines.push(pad(table.columns.map(({ label }) => label)));
    lines.push(widths.map(width => '-'.repeat(width)).join('  '));
    lines.push(...table.rows.map(pad));
  }
  return [...lines, ...(table.notes ?? [])].join('\n');
}

/** Text as it may stand in HTML. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
