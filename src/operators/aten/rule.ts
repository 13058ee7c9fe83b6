/**
 * What a lowering rule is, and the table of rules.
 *
 * @packageDocumentation
 */
import type { IValue } from '../../model';
import { parseSchema } from './schema';
import type { ISchema } from './schema';
import type { Call } from './call';

/** What a rule makes of an operator: one value, or one per result (null where it is left out). */
export type Lowered = IValue | readonly (IValue | null)[];

/** How one ATen operator becomes ONNX operators. */
export interface IRule {
  /** The schema as in native_functions.yaml; gives the exact overload, argument names and defaults. */
  readonly schema: ISchema;
  /**
   * Whether these arguments are supported. Reads arguments only, emits nothing.
   *
   * @returns null, or what is not supported, for the reader.
   */
  readonly check: (call: Call) => string | null;
  /** How many of the results the rule makes, counted from the first; the others must not be used. */
  readonly results: number;
  /** Emit the operators. Reads what the schema names; results in the order of the schema. */
  readonly lower: (call: Call) => Lowered;
}

/** The check of rules that support whatever arguments the schema allows. */
export const anyArguments = (): string | null => null;

/**
 * Make a rule.
 *
 * @param schema - text as in native_functions.yaml.
 */
export function rule(
  schema: string,
  lower: (call: Call) => Lowered,
  check: (call: Call) => string | null = anyArguments,
  results = Infinity
): IRule {
  return { schema: parseSchema(schema), check, results, lower };
}
