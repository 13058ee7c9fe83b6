/**
 * Help about a name: what it is, what it holds, what it does.
 *
 * @packageDocumentation
 */
import { inspect } from 'node:util';
import type { MimeBundle } from '../message';
import { documentation } from './documentation';
import type { InspectorSession } from './inspectorsession';
import { nameAt } from './names';

/**
 * What is known about the name at `cursor`; null where nothing is, or where finding out would have side effects.
 *
 * @param detail - 1 asks for the source of functions as well.
 */
export function inspectName(
  session: InspectorSession,
  code: string,
  cursor: number,
  detail: number
): MimeBundle | null {
  const name = nameAt(code, cursor);
  const found = name === null ? null : session.peek(name);
  if (name === null || !found) {
    return null;
  }
  const { value } = found;
  const parts = [`${name}: ${typeName(value)}`];
  const isObject = typeof value === 'function' || (typeof value === 'object' && value !== null);
  const help = isObject ? documentation.get(value) : undefined;
  if (help !== undefined) {
    parts.push(help);
  }
  if (typeof value !== 'function') {
    parts.push(inspect(value, { depth: 1, maxArrayLength: 20, maxStringLength: 500 }));
  } else if (help === undefined || detail > 0) {
    const source = String(value);
    parts.push(detail > 0 ? source : (source.split('\n')[0] ?? ''));
  }
  return { 'text/plain': parts.join('\n\n') };
}

function typeName(value: unknown): string {
  if (value === null) {
    return 'null';
  }
  if (typeof value === 'object') {
    const made = (value as { constructor?: { name?: unknown } }).constructor?.name;
    return typeof made === 'string' && made !== '' ? made : 'object';
  }
  return typeof value;
}
