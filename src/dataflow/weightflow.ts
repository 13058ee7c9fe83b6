/**
 * What depends on weights alone.
 *
 * @packageDocumentation
 */
import type { IGraph, INode, IValue, IWeight } from '../model';
import { bodiesOf, contiguousStrides, staticShape } from '../model';
import { isRandom, writesInPlace } from '../operators';
import type { IAliases } from './aliasing';
import { findAliases } from './aliasing';
import type { ILineage } from './lineage';
import { lineageAfter, lineageOf } from './lineage';
import { Makers } from './makers';
import { goForward } from './steps';

/**
 * What a value that no forward changes is.
 *
 * - `constant`: made of literals, such as `arange` of a number.
 * - `stored`: a weight, arranged or cast.
 * - `computed`: computed from weights, constants and nothing else.
 */
export type WeightFlow =
  | { readonly kind: 'constant' }
  | { readonly kind: 'stored'; readonly lineage: ILineage }
  | { readonly kind: 'computed' };

const CONSTANT: WeightFlow = { kind: 'constant' };
const COMPUTED: WeightFlow = { kind: 'computed' };

/** After so many passes nothing that is written to counts as computed any more. */
const MOST_PASSES = 4;

/** How many values are looked at, at most, to name the weights that one is computed from. */
const MOST_VALUES = 1000;

/**
 * Every value of a graph, and of those nested in it, that depends on weights and literals alone.
 *
 * #### Notes
 * Left out is what draws random numbers, what shares memory with a weight that is written to or with a value that anything else is
 * written into, and results of nodes that hold graphs.
 *
 * #### Complexity
 * Linear in operands.
 */
export class WeightFlows {
  constructor(private readonly _graph: IGraph) {
    this._aliases = findAliases(_graph);
    // What is written shows in values that were computed before: those are looked at anew then.
    for (let pass = 0, before = -1; before !== this._lost.size + this._filled.size; pass++) {
      before = this._lost.size + this._filled.size;
      this._losesAllWritten = pass >= MOST_PASSES;
      this._follow();
    }
  }

  /** How a value depends on weights; null where it depends on anything else. */
  of(value: IValue): WeightFlow | null {
    return this._flows.get(value) ?? null;
  }

  /** The weights that a value is computed from, the nearest first; of very many, the first ones. */
  sourcesOf(value: IValue): IWeight[] {
    this._makers ??= new Makers(this._graph);
    const pending = [value];
    const seen = new Set(pending);
    const sources = new Set<IWeight>();
    for (const current of pending) {
      const flow = this._flows.get(current);
      if (flow?.kind === 'stored') {
        sources.add(flow.lineage.weight);
        continue;
      }
      for (const operand of this._makers.of(current)?.inputs ?? []) {
        if (operand !== null && !seen.has(operand) && seen.size < MOST_VALUES) {
          seen.add(operand);
          pending.push(operand);
        }
      }
    }
    return [...sources];
  }

  /** Go through the graph once. */
  private _follow(): void {
    this._flows.clear();
    goForward(this._graph, {
      begin: one => {
        const given = new Set(one.inputs);
        for (const { value, weight } of one.weights) {
          // A weight that the caller may replace is none, nor is one that a forward writes to.
          if (given.has(value) || weight.isUpdated === true) {
            continue;
          }
          if (this._aliases.mutatorOf(value) !== null) {
            this._lost.add(this._aliases.groupOf(value));
          }
          this._set(value, { kind: 'stored', lineage: lineageOf(value, weight) });
        }
      },
      handedOn: (value, operand) => this._set(value, this._flows.get(operand) ?? null),
      node: node => {
        const flow = this._flowOf(node);
        const [target] = node.inputs;
        if (target && flow !== CONSTANT && writesInPlace(node)) {
          const group = this._aliases.groupOf(target);
          (flow === null ? this._lost : this._filled).add(group);
        }
        node.outputs.forEach(value => value !== null && this._set(value, flow));
      }
    });
  }

  private _set(value: IValue, flow: WeightFlow | null): void {
    if (flow === null || this._isLost(value)) {
      return;
    }
    const isWritten = this._aliases.mutatorOf(value) !== null;
    const isFilled = isWritten && this._filled.has(this._aliases.groupOf(value));
    this._flows.set(value, isFilled || (isWritten && flow.kind === 'stored') ? COMPUTED : flow);
  }

  /** Whether a value shares memory with a weight that is written to, or with what something else is written into. */
  private _isLost(value: IValue): boolean {
    return (
      this._aliases.mutatorOf(value) !== null &&
      (this._losesAllWritten || this._lost.has(this._aliases.groupOf(value)))
    );
  }

  private _flowOf(node: INode): WeightFlow | null {
    if (bodiesOf(node).length > 0 || isRandom(node)) {
      return null;
    }
    let hasWeight = false;
    for (const operand of node.inputs) {
      const flow = operand === null ? CONSTANT : (this._flows.get(operand) ?? null);
      if (flow === null) {
        return null;
      }
      hasWeight ||= flow !== CONSTANT;
    }
    if (writesInPlace(node)) {
      return hasWeight ? COMPUTED : CONSTANT;
    }
    if (!hasWeight) {
      return CONSTANT;
    }
    // What a composite operator computes of a weight before it casts is no value of the graph.
    if (node.reach === 'computed') {
      return null;
    }
    const [operand] = node.inputs;
    const first = operand ? this._flows.get(operand) : undefined;
    const lineage = first?.kind === 'stored' ? lineageAfter(first.lineage, node) : null;
    return lineage === null ? COMPUTED : { kind: 'stored', lineage };
  }

  private readonly _aliases: IAliases;
  /** Representatives of the groups of values that something else than weights and literals goes into. */
  private readonly _lost = new Set<IValue>();
  /** Representatives of the groups that something computed from weights is written into. */
  private readonly _filled = new Set<IValue>();
  private _losesAllWritten = false;
  private readonly _flows = new Map<IValue, WeightFlow>();
  private _makers: Makers | null = null;
}

/** A computed value as a weight: named as the value is, without bytes. */
export function asComputedWeight(value: IValue): IWeight {
  const shape = staticShape(value.shape) ?? [];
  return {
    storage: `computed:${value.name}`,
    names: [value.name],
    kind: 'constant',
    dtype: value.dtype ?? 'float32',
    shape,
    strides: contiguousStrides(shape),
    storageOffset: 0,
    requiresGrad: null,
    data: { kind: 'inline', bytes: new Uint8Array(0) }
  };
}

/**
 * The nodes that depend on stored tensors and constants of the same forward alone: what they compute is the same in each run of the
 * graph that they stand in.
 *
 * #### Notes
 * As the runtime sees a lowered graph: weights that the caller may replace, or that a program updates, are stored tensors too.
 *
 * #### Complexity
 * Linear in operands.
 */
export function nodesOfWeights(graph: IGraph): Set<INode> {
  const found = new Set<INode>();
  const values = new Set<IValue>();
  goForward(graph, {
    begin: ({ weights }) => weights.forEach(({ value }) => values.add(value)),
    node: node => {
      const operands = node.inputs.filter(value => value !== null);
      const isOfWeights =
        node.op === 'onnx.Constant' ||
        (operands.length > 0 &&
          bodiesOf(node).length === 0 &&
          operands.every(value => values.has(value)));
      if (isOfWeights) {
        found.add(node);
        node.outputs.forEach(value => value !== null && values.add(value));
      }
    }
  });
  return found;
}
