/**
 * Checked access to parsed JSON: every wrong type becomes an error that says where, what was expected and what was found.
 *
 * @packageDocumentation
 */
import { CastlensError } from '../model';
import { JsonNumber, parseJson } from './json';
import type { ReadBudget } from './readbudget';

/** A JSON object whose members have not been checked. */
export type JsonObject = { readonly [key: string]: unknown };

/**
 * Parses and reads one JSON record.
 *
 * #### Notes
 * Integers beyond 2^53 stay exact as `bigint`; everything else is as `JSON.parse` gives it. The paths passed around
 * (`graph_module.graph`) are for errors alone.
 */
export class JsonRecord {
  constructor(
    /** File that holds the record. */
    readonly file: string,
    /** Name of the record. */
    readonly entry: string
  ) {}

  /** Parse `text`, whose top level must be an object, within the budget of the file. */
  parse(text: string, budget: ReadBudget): JsonObject {
    return this._parse(text, budget, parseNumber);
  }

  /** The same with numbers as they stand in the text, for whoever writes the record anew. */
  parseLossless(text: string, budget: ReadBudget): JsonObject {
    return this._parse(text, budget, digits => new JsonNumber(digits));
  }

  private _parse(
    text: string,
    budget: ReadBudget,
    numberOf: (digits: string) => unknown
  ): JsonObject {
    let value: unknown;
    try {
      value = parseJson(text, numberOf, () => budget.takeItem(this.entry));
    } catch (error) {
      if (!(error instanceof SyntaxError)) {
        throw error;
      }
      throw new CastlensError('bad-file', 'the record is no valid JSON', {
        file: this.file,
        entry: this.entry,
        expected: 'JSON',
        found: String(error),
        hint: 'The file is damaged: export it again.',
        cause: error
      });
    }
    return this.object(value, 'the top level');
  }

  object(value: unknown, where: string): JsonObject {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as JsonObject;
    }
    throw this.fail(where, 'an object', value);
  }

  array(value: unknown, where: string): readonly unknown[] {
    if (Array.isArray(value)) {
      return value;
    }
    throw this.fail(where, 'a list', value);
  }

  string(value: unknown, where: string): string {
    if (typeof value === 'string') {
      return value;
    }
    throw this.fail(where, 'a string', value);
  }

  boolean(value: unknown, where: string): boolean {
    if (typeof value === 'boolean') {
      return value;
    }
    throw this.fail(where, 'true or false', value);
  }

  /** An integer of any size. */
  integer(value: unknown, where: string): number | bigint {
    if (typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value))) {
      return value;
    }
    throw this.fail(where, 'an integer', value);
  }

  /** An integer within 2^53. */
  safeInteger(value: unknown, where: string): number {
    if (typeof value === 'number' && Number.isSafeInteger(value)) {
      return value;
    }
    throw this.fail(where, 'an integer below 2^53', value);
  }

  /** A float; `"Infinity"`, `"-Infinity"` and `"NaN"` are how torch writes what JSON cannot. */
  float(value: unknown, where: string): number {
    if (typeof value === 'number') {
      return value;
    }
    if (typeof value === 'bigint') {
      return Number(value);
    }
    if (value === 'Infinity' || value === '-Infinity' || value === 'NaN') {
      return Number(value);
    }
    throw this.fail(where, 'a number, "Infinity", "-Infinity" or "NaN"', value);
  }

  /** The only member of an object such as `{"as_int": 3}`: how torch writes a union. */
  variant(value: unknown, where: string): { readonly tag: string; readonly value: unknown } {
    const object = this.object(value, where);
    const tags = Object.keys(object);
    if (tags.length !== 1) {
      throw this.fail(where, 'an object with one member', value);
    }
    return { tag: tags[0], value: object[tags[0]] };
  }

  /** The error for a value of the wrong kind. */
  fail(where: string, expected: string, found: unknown): CastlensError {
    return new CastlensError('bad-file', `${where} is not as expected`, {
      file: this.file,
      entry: this.entry,
      expected,
      found: describe(found)
    });
  }
}

function parseNumber(text: string): number | bigint {
  const value = Number(text);
  return Number.isInteger(value) && !Number.isSafeInteger(value) && /^-?\d+$/.test(text)
    ? BigInt(text)
    : value;
}

function describe(value: unknown): string {
  if (value === undefined) {
    return 'nothing';
  }
  if (value === null) {
    return 'null';
  }
  if (Array.isArray(value)) {
    return `a list of ${value.length}`;
  }
  if (typeof value === 'object') {
    const keys = Object.keys(value);
    const shown = keys.slice(0, 3).join(', ');
    return `an object with ${keys.length === 0 ? 'no members' : shown}`;
  }
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
