/**
 * What a synthetic model is, whatever it is written as.
 *
 * @packageDocumentation
 */

/** A square float32 matrix. */
export interface ISyntheticWeight {
  readonly name: string;
  readonly width: number;
  /** Its bytes; zeros, which take no space on disk, where left out. */
  readonly data?: Uint8Array;
}

/** One operator. Values are named by what makes them; `x` is the input, [rows, width] in float32. */
export type SyntheticStep = {
  readonly output: string;
  /** Rows of the result. */
  readonly rows: number;
  /** Autocast regions around it, in training IR: 1 or more, never less than the step before. */
  readonly depth: number;
  /** Path of the module it belongs to; the root where left out. */
  readonly module?: string;
} & (
  | { readonly op: 'relu'; readonly inputs: readonly [string] }
  /** Along the rows. */
  | { readonly op: 'concat'; readonly inputs: readonly string[] }
  /** Under autocast: both operands are cast where they are float32. */
  | { readonly op: 'matmul'; readonly inputs: readonly [string]; readonly weight: number }
);

/** A model. Its output is the result of the last step. */
export interface ISyntheticModel {
  readonly weights: readonly ISyntheticWeight[];
  readonly width: number;
  readonly steps: readonly SyntheticStep[];
  /** Bytes ahead of the weights that belong to nothing, in an archive or a file beside the model. A hole; none where left out. */
  readonly gapBytes?: number;
}
