/**
 * The words that the contract is written in: JSON Schema by TypeBox, of which types are derived.
 *
 * What is taken from outside is closed: a field that does not exist would be passed over. What is answered stays open, so that fields
 * can be added to it.
 *
 * @packageDocumentation
 */
import * as Type from 'typebox';

/** What a value has to be. */
export type Schema = Type.TSchema;

/** The type that a schema describes, read-only all the way down. */
export type Of<S extends Schema> = Frozen<Type.Static<S>>;

/** A value that is not to be changed. */
export type Frozen<T> = T extends readonly (infer I)[]
  ? readonly Frozen<I>[]
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T;

/** Format of a string that names a file; relative ones start where the asking side is. */
export const PATH_FORMAT = 'castlens-path';

/** Any text. */
export const text = (about?: string) => Type.String({ ...described(about) });

/** The path of a file. Systems take no NUL in a name, and an empty one names nothing. */
export const path = (about?: string) =>
  Type.String({ pattern: '^[^\\u0000]+$', format: PATH_FORMAT, ...described(about) });

/** True or false. */
export const truth = (about?: string) => Type.Boolean({ ...described(about) });

/** Any number. */
export const figure = (about?: string) => Type.Number({ ...described(about) });

/** A whole number that a double holds exactly, from `least` to `most`. */
export const whole = (least: number, most = Number.MAX_SAFE_INTEGER, about?: string) =>
  Type.Integer({ minimum: least, maximum: most, ...described(about) });

/** How many there are. */
export const count = (about?: string) => Type.Integer({ minimum: 0, ...described(about) });

/** One of these words. */
export const oneOf = <const C extends readonly string[]>(choices: C, about?: string) =>
  Type.Unsafe<C[number]>({ type: 'string', enum: [...choices], ...described(about) });

/** A list of at least so many. */
export const listOf = <S extends Schema>(item: S, about?: string, least = 0) =>
  Type.Array(item, { ...(least === 0 ? {} : { minItems: least }), ...described(about) });

/** An object with any names, and a value of one kind for each. */
export const tableOf = <S extends Schema>(item: S, about?: string) =>
  Type.Unsafe<Record<string, Type.Static<S>>>({
    type: 'object',
    additionalProperties: item,
    ...described(about)
  });

/** What may be left out. Undefined counts as left out, null does not. */
export const optional = <S extends Schema>(schema: S) => Type.Optional(schema);

/** What is null where there is none. */
export const nullable = <S extends Schema>(schema: S, about?: string) =>
  Type.Union([schema, Type.Null()], { ...described(about) });

/** An object with these fields and no others. */
export const closed = <P extends Type.TProperties>(fields: P, about?: string) =>
  Type.Object(fields, { additionalProperties: false, ...described(about) });

/** An object with these fields, to which others may be added. */
export const open = <P extends Type.TProperties>(fields: P, about?: string) =>
  Type.Object(fields, { ...described(about) });

function described(about: string | undefined): { description?: string } {
  return about === undefined ? {} : { description: about };
}
