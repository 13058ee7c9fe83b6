/**
 * Which casts of a graph are weight casts.
 *
 * @packageDocumentation
 */
import type { DType, IGraph, INode, IValue, IWeight } from '../model';
import {
  castTarget,
  changesDtype,
  elementCount,
  forEachNode,
  isFloating,
  sizeInBytes,
  staticShape
} from '../model';
import type { WeightCastKind } from '../protocol';
import type { ILineage } from '../dataflow';
import { asComputedWeight, lineageOf, weightLineage, WeightFlows } from '../dataflow';
import type { IExecutions } from './executions';
import { ExecutionCounts } from './executions';

/** A dtype-changing cast whose operand depends on one weight alone. */
export interface IWeightCastNode {
  readonly node: INode;
  readonly weight: IWeight;
  readonly lineage: ILineage;
  /** dtype of the operand: that of the weight, or of the cast before this one. */
  readonly from: DType;
  readonly to: DType;
  /** Elements cast: of the operand, which may be a slice or an expansion of the weight. */
  readonly elements: number;
  /** Bytes read plus bytes written by one run. */
  readonly bytesPerRun: number;
}

/** A weight cast, and how often it runs in one forward. */
export interface ICountedCast extends IWeightCastNode {
  /** Whether a weight of the file is cast, or what is computed from weights alone; `weight` then stands for the value. */
  readonly kind: WeightCastKind;
  /** For computed weights: the weights they come from. */
  readonly sources: readonly IWeight[];
  readonly executions: IExecutions;
  /** Bytes read plus bytes written in one forward, by as many runs as are counted. */
  readonly bytesMoved: number;
}

/**
 * Identity of a tensor that is stored in a file: its storage and its place in it. Tied weights have one key.
 */
export function weightKey(weight: IWeight): string {
  return [
    weight.storage,
    weight.dtype,
    weight.storageOffset,
    weight.shape.join('x'),
    weight.strides.join('x')
  ].join('|');
}

/** Bytes of a weight as stored, without gaps. */
export function storedBytes(weight: IWeight): number {
  return sizeInBytes(weight.dtype, elementCount(weight.shape));
}

/**
 * The weight casts of a graph, nested graphs included, in order. Works on every dialect and on lowered graphs.
 *
 * #### Notes
 * Casts that lowering added (`role`) do not count; a weight cast behind one still does.
 */
export function weightCastsOf(graph: IGraph): ICountedCast[] {
  return countCasts(graph).weightCasts;
}

/** The casts of a graph in one forward. */
export interface ICastCounts {
  /** See {@link weightCastsOf}. */
  readonly weightCasts: ICountedCast[];
  /** Runs of every other dtype-changing cast, nested graphs included; casts that lowering added are left out. */
  readonly activationCasts: number;
}

/** All casts of a graph, in one go. Linear in nodes. */
export function countCasts(graph: IGraph, counts = new ExecutionCounts(graph)): ICastCounts {
  const lineage = weightLineage(graph);
  const flows = new WeightFlows(graph);
  const weightCasts: ICountedCast[] = [];
  let activationCasts = 0;
  forEachNode(graph, node => {
    if (node.role !== undefined || !changesDtype(node)) {
      return;
    }
    const executions = counts.of(node);
    const stored = asWeightCast(node, lineage);
    const cast = stored === null ? asComputedCast(node, flows) : { ...stored, ...STORED };
    if (cast === null) {
      activationCasts += executions.count;
    } else {
      weightCasts.push({ ...cast, executions, bytesMoved: executions.count * cast.bytesPerRun });
    }
  });
  return { weightCasts, activationCasts };
}

const STORED = { kind: 'stored', sources: [] } as const;

/** A cast of what depends on weights alone, but is no floating-point weight of the file: an integer one, or a computed one. */
function asComputedCast(
  node: INode,
  flows: WeightFlows
): Omit<ICountedCast, 'executions' | 'bytesMoved'> | null {
  const source = node.inputs[0]!;
  const flow = flows.of(source);
  const result = node.outputs[0];
  // The result is none where it, or the weight, is written to in place, or a composite operator casts what it computed.
  if (flow === null || flow.kind === 'constant' || (result && flows.of(result) === null)) {
    return null;
  }
  if (flow.kind === 'stored') {
    return { ...describeCast(node, flow.lineage), ...STORED };
  }
  const weight = asComputedWeight(source);
  return {
    ...describeCast(node, lineageOf(source, weight)),
    kind: 'computed',
    sources: flows.sourcesOf(source)
  };
}

/** `node` as a cast of a floating-point weight of the file, or null where it is none. */
export function asWeightCast(
  node: INode,
  lineages: ReadonlyMap<IValue, ILineage>
): IWeightCastNode | null {
  if (node.role !== undefined || !changesDtype(node)) {
    return null;
  }
  const source = node.inputs[0]!;
  const from = source.dtype!;
  const lineage = lineages.get(source);
  const result = node.outputs[0];
  // The result of a cast has a lineage unless the weight was written before, or something was made of it.
  if (lineage === undefined || !isFloating(from) || (result && !lineages.has(result))) {
    return null;
  }
  return describeCast(node, lineage);
}

function describeCast(node: INode, lineage: ILineage): IWeightCastNode {
  const source = node.inputs[0]!;
  const from = source.dtype!;
  const to = castTarget(node)!;
  const shape = staticShape(source.shape) ?? staticShape(node.outputs[0]?.shape ?? null);
  const elements = elementCount(shape ?? lineage.weight.shape) * (lineage.batch ?? 1);
  return {
    node,
    weight: lineage.weight,
    lineage,
    from,
    to,
    elements,
    bytesPerRun: sizeInBytes(from, elements) + sizeInBytes(to, elements)
  };
}
