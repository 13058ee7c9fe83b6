/**
 * ATen schemas as they stand in native_functions.yaml, parsed: argument names, kinds and defaults.
 *
 * Exported programs leave out arguments that have their default, so a rule needs the schema to know what was meant.
 *
 * @packageDocumentation
 */
import type { Attr } from '../../model';

/** One argument. */
export interface IArgument {
  readonly name: string;
  /** Type as written, without alias annotation: `Tensor`, `Tensor?`, `SymInt[]`, `int[2]`, ... */
  readonly type: string;
  /** Null where the argument is required. */
  readonly default: Attr | null;
}

/** A parsed schema. */
export interface ISchema {
  /** `aten.add.Tensor`; `.default` where the schema names no overload. */
  readonly op: string;
  readonly args: readonly IArgument[];
}

/**
 * Parse `add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor`.
 *
 * @throws Error where the text is no schema: a defect of the rule.
 */
export function parseSchema(text: string): ISchema {
  const match = /^([\w.:]+)\((.*)\) ->/.exec(text);
  if (!match) {
    throw new Error(`not an ATen schema: ${text}`);
  }
  const [, name, list] = match;
  const [base, overload = 'default'] = name.split('.');
  return {
    // Outside ATen the namespace is written, and an overload only where the target has one (`_operator.mul`).
    op: name.includes('::') ? name.replace('::', '.') : `aten.${base}.${overload}`,
    args: splitTopLevel(list)
      .filter(part => part !== '*')
      .map(parseArgument)
  };
}

function parseArgument(text: string): IArgument {
  const match = /^(\S+) (\w+)(?:=(.*))?$/.exec(text.replace(/\([^)]*\)/g, ''));
  if (!match) {
    throw new Error(`not an argument of an ATen schema: ${text}`);
  }
  const [, type, name, literal] = match;
  return { name, type, default: literal === undefined ? null : parseDefault(type, literal) };
}

function parseDefault(type: string, literal: string): Attr {
  if (literal === 'None') {
    return { kind: 'none' };
  }
  if (literal === 'True' || literal === 'False') {
    return { kind: 'bool', value: literal === 'True' };
  }
  if (literal.startsWith('[')) {
    const inner = literal.slice(1, -1).trim();
    return {
      kind: 'list',
      items: inner === '' ? [] : inner.split(',').map(item => parseDefault('int', item.trim()))
    };
  }
  if (type.startsWith('str')) {
    return { kind: 'string', value: literal.replace(/^["']|["']$/g, '') };
  }
  if (/^-?\d+$/.test(literal)) {
    return { kind: 'int', value: Number(literal) };
  }
  if (/^-?[\d.]+(e-?\d+)?$/.test(literal)) {
    return { kind: 'float', value: Number(literal) };
  }
  // Named constants: `contiguous_format`, `Mean`, ... No rule reads them.
  return { kind: 'string', value: literal };
}

/** Split at commas that stand in no bracket. */
function splitTopLevel(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '(' || c === '[') {
      depth++;
    } else if (c === ')' || c === ']') {
      depth--;
    } else if (c === ',' && depth === 0) {
      parts.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  const last = text.slice(start).trim();
  return last === '' ? parts : [...parts, last];
}
