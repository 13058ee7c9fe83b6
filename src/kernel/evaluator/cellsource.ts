/**
 * From what is in a cell to what V8 can evaluate: types are stripped, imports become calls.
 *
 * Positions are kept wherever possible, so that traces fit the cell without a source map: types are replaced by spaces, and
 * import expressions by a name of the same length. TypeScript that has code of its own (enums, parameter properties) is
 * transformed and comes with a source map.
 *
 * @packageDocumentation
 */
import type { SourceMapPayload } from 'node:module';
import { SourceMap } from 'node:module';
import type { ImportDeclaration, ImportExpression, Program } from 'acorn';
import { parse } from 'acorn';
import { simple } from 'acorn-walk';
import { transformSync } from 'amaro';
import type { Completeness } from '../evaluatormessages';

/** Global function that stands for `import`; as long as the keyword. */
export const IMPORT_NAME = '_imprt';

/** Code for V8. */
export interface ICellSource {
  readonly code: string;
  /** Characters put before the first line. */
  readonly shift: number;
  /** From lines and columns of `code` to those of the cell; null where they are the same. */
  readonly map: SourceMap | null;
  /** What is wrong with it as TypeScript; V8 may still accept it as JavaScript. */
  readonly problem: ISyntaxProblem | null;
}

/** A syntax error. */
export interface ISyntaxProblem {
  readonly message: string;
  /** Null where it is not known. */
  readonly place: IPlace | null;
}

/** A place in a cell. */
export interface IPlace {
  /** Counted from 1. */
  readonly line: number;
  /** Counted from 0. */
  readonly column: number;
}

/** Prepare the code of a cell. Does not throw: a problem is part of the answer. */
export function prepareCell(code: string): ICellSource {
  const asObject = Private.looksLikeObject(code) ? Private.strip(`(${code}\n)`) : null;
  if (asObject && !asObject.problem) {
    return { ...asObject, code: Private.rewriteImports(asObject.code), shift: 1 };
  }
  const stripped = Private.strip(code);
  return stripped.problem
    ? { ...stripped, shift: 0 }
    : { ...stripped, code: Private.rewriteImports(stripped.code), shift: 0 };
}

/** Whether code can be run, needs more lines, or is wrong however it goes on; with the indentation of the next line. */
export function completenessOf(code: string): { status: Completeness; indent: string } {
  const asObject = Private.looksLikeObject(code) ? Private.strip(`(${code}\n)`) : null;
  if (asObject && !asObject.problem) {
    return { status: 'complete', indent: '' };
  }
  const { problem } = Private.strip(code);
  if (!problem) {
    return { status: 'complete', indent: '' };
  }
  const { place } = problem;
  const atEnd = place !== null && Private.offsetOf(code, place) >= code.trimEnd().length;
  if (atEnd || /^Unterminated (template|block comment)/.test(problem.message)) {
    const last = code.trimEnd().split('\n').at(-1) ?? '';
    const indent = /^\s*/.exec(last)![0] + (/[{([]$/.test(last) ? '  ' : '');
    return { status: 'incomplete', indent };
  }
  return { status: 'invalid', indent: '' };
}

/**
 * The namespace for module statics.
 */
namespace Private {
  /** Whether code starts and ends like an object literal, which as a statement would be a block. */
  export function looksLikeObject(code: string): boolean {
    const trimmed = code.trim();
    return trimmed.startsWith('{') && trimmed.endsWith('}');
  }

  /** JavaScript with the positions of the TypeScript; the code itself where it is not valid. */
  export function strip(code: string): Omit<ICellSource, 'shift'> {
    try {
      return { code: transformSync(code, { mode: 'strip-only' }).code, map: null, problem: null };
    } catch (error) {
      if (isAmaroError(error) && error.code === 'UnsupportedSyntax') {
        return transform(code);
      }
      return { code, map: null, problem: problemOf(error) };
    }
  }

  /** JavaScript for TypeScript that is more than types. */
  function transform(code: string): Omit<ICellSource, 'shift'> {
    try {
      const made = transformSync(code, { mode: 'transform', sourceMap: true });
      const payload = JSON.parse(made.map ?? '{}') as SourceMapPayload;
      return { code: made.code, map: new SourceMap(payload), problem: null };
    } catch (error) {
      return { code, map: null, problem: problemOf(error) };
    }
  }

  /** Index into `code` of a place. */
  export function offsetOf(code: string, place: IPlace): number {
    let offset = 0;
    for (let line = 1; line < place.line; line++) {
      const next = code.indexOf('\n', offset);
      if (next < 0) {
        break;
      }
      offset = next + 1;
    }
    return offset + place.column;
  }

  /**
   * `import(x)` becomes a call of {@link IMPORT_NAME}, import declarations become declarations of constants, and `export` goes.
   *
   * #### Notes
   * Code evaluated through the inspector has no module to resolve imports from, so V8 refuses them there.
   */
  export function rewriteImports(code: string): string {
    if (!/\b(import|export)\b/.test(code)) {
      return code;
    }
    let program: Program;
    try {
      program = parse(code, {
        ecmaVersion: 'latest',
        sourceType: 'module',
        allowAwaitOutsideFunction: true,
        allowHashBang: true
      });
    } catch {
      // Newer syntax than acorn knows: V8 has the last word.
      return code;
    }
    const edits: { start: number; end: number; text: string }[] = [];
    for (const statement of program.body) {
      if (statement.type === 'ImportDeclaration') {
        const replaced = code.slice(statement.start, statement.end);
        const lines = replaced.split('\n').length - 1;
        edits.push({
          start: statement.start,
          end: statement.end,
          text: declarationOf(statement, code) + '\n'.repeat(lines)
        });
      } else if (statement.type === 'ExportNamedDeclaration' && statement.declaration) {
        const { start } = statement;
        edits.push({ start, end: start + 'export'.length, text: ' '.repeat('export'.length) });
      }
    }
    simple(program, {
      ImportExpression(node: ImportExpression) {
        const end = node.start + 'import'.length;
        edits.push({ start: node.start, end, text: IMPORT_NAME });
      }
    });
    edits.sort((a, b) => b.start - a.start);
    return edits.reduce(
      (text, edit) => text.slice(0, edit.start) + edit.text + text.slice(edit.end),
      code
    );
  }

  /** The constants that an import declaration stands for. */
  function declarationOf(node: ImportDeclaration, code: string): string {
    const attributes = node.attributes.map(
      ({ key, value }) => `${code.slice(key.start, key.end)}: ${code.slice(value.start, value.end)}`
    );
    const options = attributes.length > 0 ? `, { with: { ${attributes.join(', ')} } }` : '';
    const loaded = `await ${IMPORT_NAME}(${node.source.raw}${options})`;
    const named: string[] = [];
    let namespace: string | null = null;
    for (const specifier of node.specifiers) {
      const local = specifier.local.name;
      switch (specifier.type) {
        case 'ImportNamespaceSpecifier':
          namespace = local;
          break;
        case 'ImportDefaultSpecifier':
          named.push(`default: ${local}`);
          break;
        case 'ImportSpecifier': {
          const imported = code.slice(specifier.imported.start, specifier.imported.end);
          named.push(imported === local ? local : `${imported}: ${local}`);
          break;
        }
      }
    }
    const pattern = `{ ${named.join(', ')} }`;
    if (namespace !== null) {
      const more = named.length > 0 ? `, ${pattern} = ${namespace}` : '';
      return `const ${namespace} = ${loaded}${more};`;
    }
    return node.specifiers.length > 0 ? `const ${pattern} = ${loaded};` : `${loaded};`;
  }

  /** The plain objects that amaro throws. */
  interface IAmaroError {
    readonly code: string;
    readonly message: string;
    readonly startLine: number;
    readonly startColumn: number;
  }

  function isAmaroError(error: unknown): error is IAmaroError {
    return typeof error === 'object' && error !== null && 'code' in error && 'startLine' in error;
  }

  function problemOf(error: unknown): ISyntaxProblem {
    if (isAmaroError(error)) {
      const place = { line: error.startLine, column: error.startColumn };
      return { message: error.message, place };
    }
    return { message: error instanceof Error ? error.message : String(error), place: null };
  }
}
