/**
 * Which values of a model can be summarised, and where each is found in the graphs that run.
 *
 * @packageDocumentation
 */
import {
  bodiesOf,
  castTarget,
  DTYPES,
  forEachNode,
  isFloating,
  isLosslessCast,
  isLowPrecision
} from '../model';
import { Makers } from '../dataflow';
import { keepsOrder } from '../operators';
import type { DType, IGraph, INode, IValue } from '../model';

/** A value that is computed from the inputs. */
export interface IProbedValue {
  /** As the planned graph calls it. */
  readonly name: string;
  /** Its own dtype; the device may hold it in float32. */
  readonly dtype: DType;
  /** Path of the module that computes it, `''` where that is not known. */
  readonly module: string;
  /** What it is called in the graph that runs. */
  readonly place: string;
  /** What its counterpart is called in the reference that runs; null where it has none. */
  readonly reference: string | null;
  /** The low-precision dtype that it is computed in or cast to; null where there is none. */
  readonly limit: DType | null;
}

/** A value that cannot be summarised, and why. */
export interface ISkippedValue {
  readonly name: string;
  readonly reason: string;
}

/** A graph as planned, and as the device runs it. Values that both have share their names. */
export interface IPlannedPair {
  readonly planned: IGraph;
  readonly legal: IGraph;
}

/**
 * The values of a variant that depend on the model's inputs, in the order of the planned graph. Those of nested graphs are skipped: one
 * forward computes them never, once or many times.
 *
 * @param explicit - the model with its casts explicit, whatever the variant made of them: it says what dtype a value is meant for.
 * @param reference - the `float32` program, or null.
 *
 * #### Notes
 * A value's counterpart in the reference is the value of the same name: the graphs of all variants are made from one file and keep
 * its names. The result of a cast has the counterpart of what it casts. Where lowering left a cast or view out, the value is found
 * where its operand is, which has the same elements.
 */
export function probedValues(
  variant: IPlannedPair,
  explicit: IGraph,
  reference: IPlannedPair | null
): { values: IProbedValue[]; skipped: ISkippedValue[] } {
  const limits = limitsOf(explicit);
  const places = new Places(variant);
  const counterparts = reference && new Places(reference);
  const makers = new Makers(variant.planned);
  const values: IProbedValue[] = [];
  const skipped: ISkippedValue[] = [];
  for (const { node, value, outermost } of computedFromInputs(variant.planned)) {
    const { name, dtype } = value;
    if (value.kind !== 'tensor') {
      continue;
    }
    const reason =
      outermost === node ? reasonAgainst(value, places.of(value)) : reasonInside(outermost);
    if (reason !== null) {
      skipped.push({ name, reason });
      continue;
    }
    values.push({
      name,
      dtype: dtype!,
      module: node.module ?? '',
      place: places.of(value)!,
      reference: isFloating(dtype!) ? counterpartOf(value, makers, counterparts) : null,
      limit: limits.get(name) ?? (isLowPrecision(dtype!) ? dtype : null)
    });
  }
  return { values, skipped };
}

function reasonAgainst({ dtype }: IValue, place: string | null): string | null {
  if (dtype === null) {
    return 'its dtype is not known';
  }
  const { kind, bits } = DTYPES[dtype];
  if (kind === 'complex' || kind === 'string' || bits === 4) {
    return `there are no statistics of ${dtype}`;
  }
  return place === null ? 'it is not computed by itself in this variant' : null;
}

function reasonInside({ op }: INode): string {
  return `it is computed in the body of ${op.replace(/^onnx\./, '')}, as often as that runs`;
}

/** A result of a node, and the node of the graph itself that computes it: the same, or one with nested graphs. */
interface IComputedValue {
  readonly node: INode;
  readonly value: IValue;
  readonly outermost: INode;
}

/** Results of nodes that need an input of the graph, each followed by those inside its nested graphs. */
function computedFromInputs(graph: IGraph): IComputedValue[] {
  const dependent = new Set<IValue>(graph.inputs);
  const found: IComputedValue[] = [];
  for (const outermost of graph.nodes) {
    forEachNode({ ...graph, nodes: [outermost] }, node => {
      if (operands(node).some(value => dependent.has(value))) {
        bodiesOf(node).forEach(body => body.inputs.forEach(value => dependent.add(value)));
        for (const value of node.outputs) {
          if (value !== null) {
            dependent.add(value);
            found.push({ node, value, outermost });
          }
        }
      }
    });
  }
  return found;
}

/** What the elements of a node's results depend on; nested graphs included. */
function operands(node: INode): IValue[] {
  if (castTarget(node) !== null) {
    // Of another operand, a cast takes the dtype alone.
    return node.inputs.slice(0, 1).filter(value => value !== null);
  }
  const found: IValue[] = [];
  const stack = [node];
  while (stack.length > 0) {
    const current = stack.pop()!;
    found.push(...current.inputs.filter(value => value !== null));
    for (const body of bodiesOf(current)) {
      found.push(...body.outputs);
      stack.push(...body.nodes);
    }
  }
  return found;
}

/** The low-precision dtype of every value that is computed in one or cast to one, by name. */
function limitsOf(explicit: IGraph): Map<string, DType> {
  const limits = new Map<string, DType>();
  for (const node of explicit.nodes) {
    const target = castTarget(node);
    const source = node.inputs[0];
    if (target !== null && isLowPrecision(target) && source && !limits.has(source.name)) {
      limits.set(source.name, target);
    }
    for (const value of node.outputs) {
      if (value?.dtype && isLowPrecision(value.dtype)) {
        limits.set(value.name, value.dtype);
      }
    }
  }
  return limits;
}

/** Where the values of a planned graph are found in the graph that runs. */
class Places {
  constructor({ planned, legal }: IPlannedPair) {
    for (const node of planned.nodes) {
      const [result] = node.outputs;
      const source = result ? sameElements(node, result) : null;
      if (result && source) {
        this._sources.set(result, source);
        this._copies.set(source, result);
      }
    }
    for (const node of [{ outputs: planned.inputs }, ...planned.nodes]) {
      for (const value of node.outputs) {
        if (value !== null) {
          this._values.set(value.name, value);
        }
      }
    }
    for (const node of [{ outputs: legal.inputs }, ...legal.nodes]) {
      for (const value of node.outputs) {
        if (value !== null) {
          this._names.add(value.name);
        }
      }
    }
  }

  /** The value called `name` in the planned graph. */
  named(name: string): IValue | undefined {
    return this._values.get(name);
  }

  /** The name of a value of the graph that runs which has the elements of `value`. */
  of(value: IValue): string | null {
    let current: IValue | null = value;
    while (current !== null && !this._names.has(current.name)) {
      current = this._sources.get(current) ?? null;
    }
    if (current !== null) {
      return current.name;
    }
    // The graph calls its outputs as the model does: what an output was cast from is found there.
    current = value;
    while (current !== null && !this._names.has(current.name)) {
      current = this._copies.get(current) ?? null;
    }
    return current?.name ?? null;
  }

  /** Values with the same elements, that of the operand by that of the result, and the other way round. */
  private readonly _sources = new Map<IValue, IValue>();
  private readonly _copies = new Map<IValue, IValue>();
  private readonly _values = new Map<string, IValue>();
  private readonly _names = new Set<string>();
}

/** The operand of a node whose result has the same elements in the same order; null for all others. */
function sameElements(node: INode, result: IValue): IValue | null {
  const [source] = node.inputs;
  if (!source?.dtype || !result.dtype) {
    return null;
  }
  const isSame =
    castTarget(node) === null
      ? keepsOrder(node) && sameShape(source, result)
      : isLosslessCast(source.dtype, result.dtype);
  return isSame ? source : null;
}

function sameShape(a: IValue, b: IValue): boolean {
  return (
    a.shape !== null && b.shape !== null && JSON.stringify(a.shape) === JSON.stringify(b.shape)
  );
}

function counterpartOf(value: IValue, makers: Makers, reference: Places | null): string | null {
  let current: IValue | null = value;
  while (reference !== null && current !== null) {
    const same = reference.named(current.name);
    if (same) {
      return reference.of(same);
    }
    const maker = makers.of(current);
    current = maker !== null && castTarget(maker) !== null ? (maker.inputs[0] ?? null) : null;
  }
  return null;
}
