/**
 * Holding values against the contract, where they come from outside: from a comm, from cells, from the command line.
 *
 * @packageDocumentation
 */
import { Errors } from 'typebox/schema';
import type { IErrorInfo } from '../../errors';
import type { RequestName } from '.';
import { CONTRACT } from '.';
import type { Schema } from './schema';
import { PATH_FORMAT } from './schema';

/** What is wrong with a parameter. */
export interface IParameterProblem {
  /** Where it is: `variant.passes[0]`; `params` for all of them. */
  readonly field: string;
  readonly expected: string;
  readonly found: string;
}

/**
 * The first problem of the parameters of a request; null where there is none.
 *
 * Fields that do not exist are a problem too: what is asked for with them would be passed over.
 */
export function checkParameters(method: RequestName, params: unknown): IParameterProblem | null {
  return problemOf(CONTRACT[method].params, params, 'params');
}

/**
 * The first problem of a value; null where there is none.
 *
 * @param whole - How the value itself is called. Fields of parameters are named without it.
 */
export function problemOf(schema: Schema, value: unknown, whole: string): IParameterProblem | null {
  const [, errors] = Errors(schema, ownFields(value));
  const names = Object.keys((schema as INode).properties ?? {});
  // What a closed object refuses is reported twice, the second time with its names. Fields come as they are declared, others last.
  const [error] = errors
    .filter(({ keyword }) => keyword !== 'boolean')
    .map(each => {
      const keys = keysOf(each.instancePath);
      const missing = each.keyword === 'required' ? each.params.requiredProperties[0] : '';
      const place = names.indexOf(keys[0] ?? missing);
      return { ...each, keys, place: place < 0 ? names.length : place };
    })
    .sort((one, other) => one.place - other.place);
  if (error === undefined) {
    return null;
  }
  const { keys } = error;
  let part = schema as INode;
  let found = value;
  let field = '';
  const enter = (key: string): void => {
    field = within(field, key, part.type === 'array');
    found = fieldOf(found, key);
    part = part.properties?.[key] ?? part.items ?? (part.additionalProperties as INode);
  };
  keys.forEach(enter);
  if (error.keyword === 'required') {
    enter(error.params.requiredProperties[0]);
  } else if (error.keyword === 'additionalProperties') {
    const known = Object.keys(part.properties ?? {});
    return {
      field: within(field, String(error.params.additionalProperties[0]), false),
      expected: known.length === 0 ? 'no parameters' : known.join(', '),
      found: 'a name that is none of these'
    };
  }
  return { field: field || whole, expected: describeSchema(part), found: describeValue(found) };
}

/** The error of a request with wrong parameters; null where they are right. */
export function wrongParameter(method: RequestName, params: unknown): IErrorInfo | null {
  const problem = checkParameters(method, params);
  if (problem === null) {
    return null;
  }
  const { field, expected, found } = problem;
  const summary = wrongParameterOf(method);
  return { code: 'bad-argument', summary, entry: field, expected, found };
}

/** Names from the top of a JSON pointer. */
function keysOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map(key => key.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** What is said of a wrong parameter, before its parts. */
export function wrongParameterOf(method: RequestName): string {
  return `wrong parameter of request "${method}"`;
}

/** A value that was found where another was expected, in at most a line. */
export function describeValue(value: unknown): string {
  switch (typeof value) {
    case 'string': {
      const shown = value.length > 60 ? `${value.slice(0, 60)}…` : value;
      return `"${shown}"`;
    }
    case 'object':
      if (value === null) {
        return 'null';
      }
      return Array.isArray(value) ? `a list of ${value.length}` : 'an object';
    case 'undefined':
      return 'nothing';
    case 'function':
    case 'symbol':
      return `a ${typeof value}`;
    default:
      return String(value);
  }
}

/** The parts of JSON Schema that the contract is written in. */
interface INode {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly properties?: Readonly<Record<string, INode>>;
  readonly items?: INode;
  readonly additionalProperties?: INode | boolean;
}

/** What a value has to be, in words: `true or false`, `a whole number of at least 0`. */
export function describeSchema(schema: Schema): string {
  const { type, format, minimum, maximum, minItems, ...node } = schema as INode;
  if (node.enum !== undefined) {
    return node.enum.join(', ');
  }
  switch (type) {
    case 'string':
      return format === PATH_FORMAT ? 'the path of a file' : 'text';
    case 'boolean':
      return 'true or false';
    case 'integer':
      return `a whole number${describeRange(minimum, maximum)}`;
    case 'array':
      return minItems === undefined ? 'a list' : `a list of at least ${minItems}`;
    default:
      return 'an object';
  }
}

function describeRange(least = Number.MIN_SAFE_INTEGER, most = Number.MAX_SAFE_INTEGER): string {
  if (most < Number.MAX_SAFE_INTEGER) {
    return ` from ${least} to ${most}`;
  }
  return least > Number.MIN_SAFE_INTEGER ? ` of at least ${least}` : '';
}

/** An object with its own fields alone: inherited ones do not travel. */
function ownFields(value: unknown): unknown {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? { ...value }
    : value;
}

function fieldOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

function within(field: string, name: string, isItem: boolean): string {
  const shown = name.length > 60 ? `${name.slice(0, 60)}…` : name;
  return isItem ? `${field}[${shown}]` : field === '' ? shown : `${field}.${shown}`;
}
