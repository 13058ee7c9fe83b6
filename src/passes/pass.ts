/**
 * What a pass is.
 *
 * @packageDocumentation
 */
import type { IGraph } from '../model';
import type { IPassReport, PassName } from '../protocol';

/** A place where a pass could have acted and did not. */
export interface IDecline {
  /** Name of the node. */
  readonly node: string;
  /** Why, for the reader. */
  readonly reason: string;
}

/** What one run of a pass did. */
export interface IPassResult {
  /** Whether the graph was changed. */
  readonly modified: boolean;
  /** Rewrites done. */
  readonly applied: number;
  readonly declined: readonly IDecline[];
  /** One line for the reader. */
  readonly summary: string;
}

/**
 * One rewrite of a graph.
 *
 * #### Notes
 * `run` changes the graph in place and leaves it valid; where it changes nothing it says so. It keeps no state between runs.
 * Every rewrite is exact: outputs keep their bits.
 */
export interface IPass {
  readonly name: PassName;
  run(graph: IGraph): IPassResult;
}

/** A result as it travels. */
export function passReport(pass: PassName, result: IPassResult): IPassReport {
  const { applied, summary, declined } = result;
  return { pass, applied, summary, declined };
}
