/**
 * Completion of names, properties and model files.
 *
 * @packageDocumentation
 */
import { readdirSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import type { ICompletions } from '../evaluatormessages';
import { Model } from './api/castlens';
import type { InspectorSession } from './inspectorsession';
import { chainBefore } from './names';
import { completeOption } from './optioncompletion';

/** Continuations at `cursor`. Evaluates nothing that has side effects. */
export function complete(session: InspectorSession, code: string, cursor: number): ICompletions {
  const path = OPEN_PATH.exec(code.slice(0, cursor));
  if (path) {
    return completePath(path[1], cursor);
  }
  const option = completeOption(code, cursor, expression => {
    const found = session.peek(expression);
    return found === null || found.value instanceof Model;
  });
  if (option !== null) {
    return option;
  }
  const { object, prefix, start } = chainBefore(code, cursor);
  if (object === null && code[start - 1] === '.') {
    return { matches: [], start, end: cursor, types: [] };
  }
  const candidates = new Map<string, string>();
  if (object !== null) {
    for (const { name, type } of session.propertiesOf(object)) {
      if (IDENTIFIER.test(name) && !candidates.has(name)) {
        candidates.set(name, type);
      }
    }
  } else {
    for (const name of session.lexicalNames()) {
      candidates.set(name, 'variable');
    }
    for (const { name, type } of session.propertiesOf('globalThis')) {
      candidates.set(name, type);
    }
    for (const name of prefix === '' ? [] : KEYWORDS.split(' ')) {
      candidates.set(name, 'keyword');
    }
  }
  const found = [...candidates]
    .filter(([name]) => name.startsWith(prefix) && (prefix !== '' || !name.startsWith('_')))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    matches: found.map(([name]) => name),
    types: found.map(([, type]) => type),
    start,
    end: cursor
  };
}

/** Directories and models that continue a path. */
function completePath(path: string, cursor: number): ICompletions {
  const name = path.endsWith('/') || path === '' ? '' : basename(path);
  const folder = resolve(path === '' ? '.' : path.endsWith('/') ? path : dirname(path));
  const start = cursor - name.length;
  try {
    const entries = readdirSync(folder, { withFileTypes: true })
      .filter(entry => entry.name.startsWith(name) && (name !== '' || !entry.name.startsWith('.')))
      .filter(entry => entry.isDirectory() || /\.(pt2|onnx)$/.test(entry.name))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    return {
      matches: entries.map(entry => (entry.isDirectory() ? `${entry.name}/` : entry.name)),
      types: entries.map(() => 'path'),
      start,
      end: cursor
    };
  } catch {
    // No such directory: nothing continues the path.
    return { matches: [], types: [], start, end: cursor };
  }
}

/** A string that is being typed as the file of `open`. */
const OPEN_PATH = /\bcastlens\.open\(\s*['"`]([^'"`\n]*)$/;

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

const KEYWORDS =
  'async await break case catch class const continue debugger default delete do else export extends false finally for ' +
  'function if import in instanceof interface let new null of return static super switch this throw true try type typeof ' +
  'undefined var void while with yield';
