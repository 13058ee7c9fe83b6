/**
 * The text of an error. No other place puts its parts together, and none takes them apart.
 *
 * @packageDocumentation
 */
import type { IErrorInfo } from './info';

/** `file: entry: summary; expected ...; found .... hint` */
export function errorMessage(info: Omit<IErrorInfo, 'code'>): string {
  const { file, entry, summary, expected, found, hint } = info;
  const where = [file, entry].filter(part => part !== undefined).join(': ');
  const parts = [where ? `${where}: ${summary}` : summary];
  if (expected !== undefined) {
    parts.push(`expected ${expected}`);
  }
  if (found !== undefined) {
    parts.push(`found ${found}`);
  }
  const text = parts.join('; ');
  // Texts of libraries may bring a full stop of their own.
  return hint ? `${text.replace(/\.+$/, '')}. ${hint}` : text;
}
