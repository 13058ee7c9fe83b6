/**
 * What only shows when a variant has run.
 *
 * @packageDocumentation
 */
import type { CastlensError } from '../model';
import type { IFinding } from '../protocol';
import type { IExecutedCasts } from '../runtime';
import type { IPreparedVariant } from './variant';

const EXECUTED_DIFFERS = 'executed-differs-from-planned';
const EXPORTED_REFUSED = 'exported-graph-refused';

/** Codes of the findings that only show in a run; docs/findings has a page for each. */
export const EXECUTION_FINDING_CODES: readonly string[] = [EXECUTED_DIFFERS, EXPORTED_REFUSED];

/** The runtime would not load an `.onnx` file as it is, so that the reference ran a graph made legal by castlens. */
export function exportedGraphRefused(error: CastlensError): IFinding {
  return {
    code: EXPORTED_REFUSED,
    severity: 'warning',
    message: `onnxruntime refuses the graph as exported; the reference ran the graph castlens made legal, with the runtime's default optimisations. ${error.message}`,
    nodes: error.details.entry === undefined ? [] : [error.details.entry]
  };
}

/** Where the casts that ran are not those that were planned. */
export function executionFindings(
  prepared: IPreparedVariant,
  executed: IExecutedCasts
): IFinding[] {
  const { variant, forward } = prepared;
  if (executed.total === forward.weightCasts) {
    return [];
  }
  const parts: string[] = [];
  if (executed.missing.length > 0) {
    parts.push(
      `${executed.missing.length} planned casts never ran (the runtime folded, merged or dropped them)`
    );
  }
  if (executed.inserted > 0) {
    parts.push(`the runtime inserted ${executed.inserted} casts of weights of its own`);
  }
  // The reference is there to show what the runtime does by itself; everywhere else a difference is a defect of the plan.
  const isReference = variant.cache === 'onnxruntime';
  return [
    {
      code: EXECUTED_DIFFERS,
      severity: isReference ? 'info' : 'warning',
      message: `${variant.cache}: ${forward.weightCasts} weight casts planned, ${executed.total} executed${parts.length > 0 ? `: ${parts.join('; ')}` : ''}`,
      nodes: executed.missing
    }
  ];
}
