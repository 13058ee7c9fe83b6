/**
 * What only shows when a variant has run.
 *
 * @packageDocumentation
 */
import type { IRunRange } from '../autocast';
import { count, dependsOnValues, places, some, typeErrorText } from '../autocast';
import type { CastlensError, IGraph, INode, IPort } from '../model';
import { producersOf, usesOf } from '../model';
import type { OnnxTypeError } from '../operators';
import type { IFinding } from '../protocol';
import { formatBytes } from '../protocol';
import type { IExecutedCasts, IInsertedCast } from '../runtime';
import type { IPreparedVariant } from './variant';

const EXECUTED_DIFFERS = 'executed-differs-from-planned';
const COUNTED_PER_BODY = 'casts-counted-per-body';
const EXPORTED_REFUSED = 'exported-graph-refused';
const RUNTIME_CASTS = 'runtime-casts';
const NOT_SHOWN = 'outputs-not-shown';

/** Codes of the findings that only show in a run; docs/findings has a page for each. */
export const EXECUTION_FINDING_CODES: readonly string[] = [
  EXECUTED_DIFFERS,
  RUNTIME_CASTS,
  EXPORTED_REFUSED,
  NOT_SHOWN
];

/** Outputs of the model that a variant leaves out, since they are no tensors that can be handed on. */
export function outputsNotShown(
  ports: readonly IPort[],
  { outputs }: IPreparedVariant['legal']
): IFinding[] {
  const shown = new Set(outputs.map(({ index }) => index));
  const missing = ports.filter((_, i) => !shown.has(i));
  return missing.length === 0
    ? []
    : [
        {
          code: NOT_SHOWN,
          severity: 'info',
          message: `${count(missing.length, 'output')} ${missing.length === 1 ? 'is' : 'are'} not shown: ${missing
            .map(({ name, type, dtype }) => `${name}: ${type ?? dtype ?? 'unknown type'}`)
            .join(', ')}.`
        }
      ];
}

/** What runs in place of a graph that the runtime refuses. */
const INSTEAD =
  "the reference ran the graph castlens made legal, with the runtime's default optimisations.";

/** The runtime would not load an `.onnx` file as it is, so that the reference ran a graph made legal by castlens. */
export function exportedGraphRefused(error: CastlensError): IFinding {
  return {
    code: EXPORTED_REFUSED,
    severity: 'warning',
    message: `onnxruntime refuses the graph as exported; ${INSTEAD} ${error.message}`,
    nodes: error.details.entry === undefined ? [] : [error.details.entry],
    remedy:
      'Run the file on a device with kernels for its dtypes, or use a cache mode: castlens holds low precision in float32 where ' +
      'the device has none.'
  };
}

/** The types of an `.onnx` file are wrong, so that no device could load it as it is. */
export function invalidGraphRefused(errors: readonly OnnxTypeError[]): IFinding {
  return {
    code: EXPORTED_REFUSED,
    severity: 'warning',
    message:
      'onnxruntime cannot run the graph as exported on any device, since its types break the specification (invalid-types); ' +
      `${INSTEAD} ${typeErrorText(errors[0])}`,
    ...places(errors.flatMap(({ node }) => node ?? [])),
    remedy: 'Repair the types as invalid-types tells, or use a cache mode.'
  };
}

/** Where the casts that ran are not those that were planned, and what the runtime added. */
export function executionFindings(
  prepared: IPreparedVariant,
  executed: IExecutedCasts
): IFinding[] {
  return [...plannedThatDiffer(prepared, executed), ...runtimeCasts(prepared, executed)];
}

function plannedThatDiffer(prepared: IPreparedVariant, executed: IExecutedCasts): IFinding[] {
  const { variant, forward, legal, weightCastNodes, possibleRuns } = prepared;
  const { planned, runs } = executed;
  const differing = new Set<string>();
  for (const [node, range] of weightCastNodes) {
    if (!isWithin(runs.get(node) ?? 0, range)) {
      differing.add(node);
    }
  }
  if (differing.size === 0 && isWithin(planned, possibleRuns)) {
    return planned === forward.weightCasts ? [] : [countedPerBody(prepared, planned)];
  }
  // The reference is there to show what the runtime does by itself; everywhere else a difference is a defect of the plan.
  const isReference = variant.cache === 'onnxruntime';
  const missing = [...differing].filter(node => !runs.get(node)).length;
  const nodes: INode[] = [];
  for (const node of producersOf(legal.graph).values()) {
    if (differing.has(node.name)) {
      nodes.push(node);
    }
  }
  return [
    {
      code: EXECUTED_DIFFERS,
      severity: isReference ? 'info' : 'warning',
      message:
        `${variant.cache}: ${count(forward.weightCasts, 'weight cast')} planned, ${planned} of them executed` +
        (dependsOnValues(possibleRuns) ? ` where ${rangeText(possibleRuns)} can run` : '') +
        (missing === 0
          ? '.'
          : `: ${missing} never ran, since the runtime folded, merged or dropped ${missing === 1 ? 'it' : 'them'}.`),
      ...places(nodes),
      ...(isReference
        ? {}
        : { remedy: 'Do not rely on the figures of this variant, and report the model.' })
    }
  ];
}

/** Why a forward ran another number of casts than the plan counts, where both are right. */
function countedPerBody(
  { variant, forward, legal, weightCastNodes, possibleRuns }: IPreparedVariant,
  planned: number
): IFinding {
  const nodes: INode[] = [];
  for (const node of producersOf(legal.graph).values()) {
    const range = weightCastNodes.get(node.name);
    if (range !== undefined && dependsOnValues(range)) {
      nodes.push(node);
    }
  }
  return {
    code: COUNTED_PER_BODY,
    severity: 'info',
    message:
      `${variant.cache}: ${count(forward.weightCasts, 'weight cast')} planned, those in branches and in loops of unknown length ` +
      `once per body; with these inputs ${planned} ran. Possible in a forward: ${rangeText(possibleRuns)}.`,
    ...places(nodes)
  };
}

function isWithin(runs: number, { least, most }: IRunRange): boolean {
  return least <= runs && runs <= most;
}

function rangeText({ least, most }: IRunRange): string {
  if (most === Infinity) {
    return `${least} or more`;
  }
  return least === most ? String(least) : `${least} to ${most}`;
}

function runtimeCasts(
  { variant, legal }: IPreparedVariant,
  { insertedCasts }: IExecutedCasts
): IFinding[] {
  if (insertedCasts.length === 0) {
    return [];
  }
  const onWeights = insertedCasts.filter(({ isWeight }) => isWeight);
  const onActivations = insertedCasts.filter(({ isWeight }) => !isWeight);
  const bytesMoved = insertedCasts.reduce((sum, cast) => sum + cast.bytesMoved, 0);
  const weights = weightsOf(onWeights, legal.graph);
  const kinds = [
    ...(onWeights.length > 0
      ? [`${executions(onWeights)} of weights${weights.length > 0 ? ` (${some(weights)})` : ''}`]
      : []),
    ...(onActivations.length > 0 ? [`${executions(onActivations)} of activations`] : [])
  ];
  return [
    {
      code: RUNTIME_CASTS,
      severity: variant.cache === 'onnxruntime' ? 'info' : 'warning',
      message:
        `${variant.cache}: onnxruntime inserted casts of its own, which run in each forward: ${kinds.join(' and ')}, ` +
        `${formatBytes(bytesMoved)} moved. The provider has no kernel for these operators in their dtype.`,
      weights,
      ...places(operatorsAt(insertedCasts, legal.graph)),
      cost: { bytesMoved },
      remedy:
        'Run the file on a device with kernels for its dtypes, or use a cache mode: castlens then makes every cast itself, and ' +
        'converts weights before the forward.'
    }
  ];
}

function executions(casts: readonly IInsertedCast[]): number {
  return casts.reduce((sum, { perForward }) => sum + perForward, 0);
}

/** Names of the weights that casts read, where the graph knows them: the optimised graph has values of its own. */
function weightsOf(casts: readonly IInsertedCast[], graph: IGraph): string[] {
  const names = new Map(graph.weights.map(({ value, weight }) => [value.name, weight.names[0]]));
  return casts.flatMap(({ value }) => names.get(value) ?? []);
}

/** The operators that make the values concerned; those that use them where nothing in the graph does. */
function operatorsAt(casts: readonly IInsertedCast[], graph: IGraph): INode[] {
  const values = new Set(casts.map(({ value }) => value));
  const nodes: INode[] = [];
  const made = new Set<string>();
  for (const [{ name }, node] of producersOf(graph)) {
    if (values.has(name)) {
      made.add(name);
      nodes.push(node);
    }
  }
  for (const [{ name }, uses] of usesOf(graph)) {
    if (values.has(name) && !made.has(name)) {
      nodes.push(...uses.map(({ node }) => node));
    }
  }
  return nodes;
}
