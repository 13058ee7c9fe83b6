/**
 * ATen schemas as PyTorch writes them, parsed: argument names, kinds, defaults, and what shares memory with what.
 *
 * Exported programs leave out arguments that have their default, so the schema is needed to know what was meant.
 *
 * @packageDocumentation
 */
import type { Attr } from '../../model';

/** One argument. */
export interface IArgument {
  readonly name: string;
  /** Type as written, without alias annotation: `Tensor`, `Tensor?`, `SymInt[]`, `int[2]`, ... */
  readonly type: string;
  /** Its alias annotation as written: `a`; `a!` where it is written to; `a -> *` where results of a list share its memory. */
  readonly alias: string | null;
  /** Null where the argument is required. */
  readonly default: Attr | null;
}

/** One result. */
export interface IResult {
  readonly type: string;
  readonly alias: string | null;
}

/** A parsed schema. */
export interface ISchema {
  /** `aten.add.Tensor`; `.default` where the schema names no overload. */
  readonly op: string;
  readonly args: readonly IArgument[];
  readonly results: readonly IResult[];
}

/** The operator that a schema is of, as graphs name it: `aten.add.Tensor` of `add.Tensor(...) -> Tensor`. */
export function operatorName(text: string): string {
  const name = text.slice(0, text.indexOf('('));
  if (name.includes('::')) {
    // Outside ATen the namespace is written, and an overload only where the target has one (`_operator.mul`).
    return name.replace('::', '.');
  }
  return name.includes('.') ? `aten.${name}` : `aten.${name}.default`;
}

/**
 * Parse `add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor`.
 *
 * @throws Error where the text is no schema: a defect of the record.
 */
export function parseSchema(text: string): ISchema {
  const match = /^[\w.:]+\((.*)\) -> (.*)$/.exec(text);
  if (!match) {
    throw new Error(`not an ATen schema: ${text}`);
  }
  const [, list, results] = match;
  return {
    op: operatorName(text),
    args: splitTopLevel(list)
      .filter(part => part !== '*')
      .map(parseArgument),
    results: splitTopLevel(results.startsWith('(') ? results.slice(1, -1) : results).map(part => {
      const { plain, alias } = withoutAlias(part);
      return { type: plain.split(' ')[0], alias };
    })
  };
}

function parseArgument(text: string): IArgument {
  const { plain, alias } = withoutAlias(text);
  const match = /^(\S+) (\w+)(?:=(.*))?$/.exec(plain);
  if (!match) {
    throw new Error(`not an argument of an ATen schema: ${text}`);
  }
  const [, type, name, literal] = match;
  return {
    name,
    type,
    alias,
    default: literal === undefined ? null : parseDefault(type, literal)
  };
}

function withoutAlias(text: string): { readonly plain: string; readonly alias: string | null } {
  const match = /\(([^)]*)\)/.exec(text);
  return match
    ? { plain: text.replace(match[0], ''), alias: match[1] }
    : { plain: text, alias: null };
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
