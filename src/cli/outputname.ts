/**
 * Names and version of the outputs of `--json`; docs/json holds their schemas.
 *
 * @packageDocumentation
 */

/**
 * Version of all outputs. It changes where a field is removed, renamed or comes to mean something else; fields may be added without.
 */
export const OUTPUT_VERSION = 1;

/** What can be printed as JSON. */
export type OutputName =
  | 'census'
  | 'check'
  | 'package'
  | 'run'
  | 'compare'
  | 'weight-stats'
  | 'activation-stats'
  | 'fix'
  | 'code'
  | 'explain'
  | 'doctor';

/** What an output says of itself in its field `schema`: `castlens/census/1`. */
export function schemaName(output: OutputName): string {
  return `castlens/${output}/${OUTPUT_VERSION}`;
}
