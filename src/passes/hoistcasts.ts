/**
 * The pass `hoist-casts`.
 *
 * @packageDocumentation
 */
import type { DType, IGraph, INode, IValue } from '../model';
import {
  castTarget,
  elementCount,
  forEachNode,
  GraphNames,
  graphsOf,
  isTransparent,
  makeValue,
  staticShape
} from '../model';
import { addressesMemory, cutsOut, isArrangement } from '../operators';
import type { IAliases, ILineage } from '../dataflow';
import { dropDeadNodes, findAliases, weightLineage } from '../dataflow';
import { asWeightCast } from '../autocast';
import type { IDecline, IPass, IPassResult } from './pass';
import { copyArrangement, count, outputsOf, Replacements } from './rewriting';

/** Layout operators followed upwards from one cast; bounds the work and the size of the result. */
const MOST_STEPS = 8;

/**
 * Weight casts behind layout-only operators move up to the weight: `cast(layout(w))` becomes `layout(cast(w))`.
 *
 * A cast changes each element by itself and a layout-only operator changes none, so the two commute bit by bit. What is
 * gained: casts of one weight through several views sit on the same value and can be shared, and folded to a weight that is
 * used as it is. By the number of elements:
 *
 * 1. Same number (transpose, permute, view, reshape, ...): moved.
 * 2. More behind the operator than before it (expand, repeat): moved, the cast gets smaller.
 * 3. Fewer behind the operator (slice, select, split, ...): not moved, since more would be cast than is used; except where
 *    the casts behind the cuts of one value together cast at least as much as the value holds. Then one cast of the value
 *    replaces them all.
 *
 * #### Notes
 * Declines, with the operator to blame: case 3; `as_strided`, which looks at memory rather than at elements; memory
 * that is written to in place; a static size that is not known; more than 8 operators in between. A cast that is stopped on
 * its way moves up as far as it can. Activation casts are not touched: moving them saves nothing.
 */
export const hoistCasts: IPass = {
  name: 'hoist-casts',
  run(graph: IGraph): IPassResult {
    const lineage = weightLineage(graph);
    const graphs = graphsOf(graph);
    const isNeeded = graphs.some(one =>
      one.nodes.some(node => asWeightCast(node, lineage)?.lineage.isView === true)
    );
    return isNeeded ? new Hoisting(graph, lineage).run() : NOTHING_TO_HOIST;
  }
};

const NOTHING_TO_HOIST: IPassResult = {
  modified: false,
  applied: 0,
  declined: [],
  summary: 'no weight cast stands behind a layout operator it could pass'
};

/** One layout operator between a weight and a cast. */
interface IStep {
  readonly node: INode;
  /** Which of its results leads to the cast. */
  readonly result: IValue;
}

/** A cast that can move. */
interface ICandidate {
  readonly cast: INode;
  /** Operators between weight and cast, nearest to the weight first. */
  readonly steps: readonly IStep[];
  /** Index of the first operator the cast can pass; equals the number of steps where it can pass none. */
  readonly from: number;
  /** Why it cannot pass the operator before that; null where it reaches the weight. */
  readonly stop: { readonly reason: string; readonly cutOf: IValue | null } | null;
}

/** Casts behind cuts of one value, to one dtype. */
interface ICutGroup {
  readonly value: IValue;
  readonly to: DType;
  elements: number;
  /** The cast of the whole value, once made. */
  whole: IValue | null;
  /** Copies of the cutting operators, by original. */
  readonly cuts: Map<INode, INode>;
}

class Hoisting {
  constructor(graph: IGraph, lineage: ReadonlyMap<IValue, ILineage>) {
    this._graph = graph;
    this._lineage = lineage;
    this._names = GraphNames.of(graph);
    this._aliases = findAliases(graph);
    this._outputs = outputsOf(graph);
    forEachNode(graph, node => {
      const [operand] = node.inputs;
      const [result] = node.outputs;
      if (operand && result && isTransparent(node)) {
        this._origins.set(result, operand);
      } else if (isArrangement(node)) {
        for (const value of node.outputs) {
          if (value !== null) {
            this._arrangements.set(value, node);
          }
        }
      }
    });
  }

  run(): IPassResult {
    for (const one of graphsOf(this._graph)) {
      this._runOn(one);
    }
    if (this._applied === 0) {
      return { ...NOTHING_TO_HOIST, declined: this._declined };
    }
    this._replacements.apply(this._graph);
    dropDeadNodes(this._graph);
    return {
      modified: true,
      applied: this._applied,
      declined: this._declined,
      summary: `${count(this._applied, 'weight cast')} moved up through layout operators`
    };
  }

  private _runOn(graph: IGraph): void {
    const candidates = new Map<INode, ICandidate>();
    const groups = new Map<IValue, Map<DType, ICutGroup>>();
    for (const node of graph.nodes) {
      const cast = asWeightCast(node, this._lineage);
      if (cast === null || !cast.lineage.isView) {
        continue;
      }
      const candidate = this._candidate(node);
      if (candidate === null) {
        continue;
      }
      candidates.set(node, candidate);
      const cutOf = candidate.stop?.cutOf ?? null;
      if (cutOf !== null && this._canJoin(candidate)) {
        const byDtype = groups.get(cutOf) ?? new Map<DType, ICutGroup>();
        groups.set(cutOf, byDtype);
        const group = byDtype.get(cast.to) ?? {
          value: cutOf,
          to: cast.to,
          elements: 0,
          whole: null,
          cuts: new Map<INode, INode>()
        };
        byDtype.set(cast.to, group);
        group.elements += cast.elements;
      }
    }
    if (candidates.size === 0) {
      return;
    }
    const nodes: INode[] = [];
    for (const node of graph.nodes) {
      const candidate = candidates.get(node);
      if (candidate === undefined) {
        nodes.push(node);
        continue;
      }
      const cutOf = candidate.stop?.cutOf ?? null;
      const group = cutOf === null ? undefined : groups.get(cutOf)?.get(castTarget(node)!);
      const whole = group === undefined ? null : elementsOf(group.value);
      if (
        group !== undefined &&
        whole !== null &&
        group.elements >= whole &&
        this._canJoin(candidate)
      ) {
        this._moveWhole(candidate, group, nodes);
        this._applied++;
        continue;
      }
      if (candidate.stop !== null) {
        this._declined.push({ node: node.name, reason: candidate.stop.reason });
      }
      if (candidate.from < candidate.steps.length) {
        this._move(candidate, nodes);
        this._applied++;
      } else {
        nodes.push(node);
      }
    }
    graph.nodes = nodes;
  }

  /** What stands between a cast and its weight, and how far the cast can move. Null where nothing does. */
  private _candidate(cast: INode): ICandidate | null {
    const steps: IStep[] = [];
    let value = this._origins.resolve(cast.inputs[0]!);
    let from = -1;
    let stop: ICandidate['stop'] = null;
    for (;;) {
      const node = this._arrangements.get(value);
      if (node === undefined) {
        break;
      }
      if (steps.length === MOST_STEPS) {
        if (stop === null) {
          from = steps.length;
          stop = { reason: `more than ${MOST_STEPS} layout operators in between`, cutOf: null };
        }
        break;
      }
      if (stop === null) {
        stop = this._obstacle(node, value, cast);
        if (stop !== null) {
          from = steps.length;
        }
      }
      steps.push({ node, result: value });
      value = this._origins.resolve(node.inputs[0]!);
    }
    if (steps.length === 0) {
      return null;
    }
    // Counted from the cast so far; the list is wanted from the weight.
    steps.reverse();
    return { cast, steps, from: stop === null ? 0 : steps.length - from, stop };
  }

  /** Why a cast cannot pass an operator; null where it can. */
  private _obstacle(node: INode, result: IValue, cast: INode): ICandidate['stop'] {
    const operand = node.inputs[0]!;
    const blame = (reason: string): ICandidate['stop'] => ({ reason, cutOf: null });
    const mutator =
      this._aliases.mutatorOf(operand) ??
      this._aliases.mutatorOf(result) ??
      this._aliases.mutatorOf(cast.outputs[0]!);
    if (mutator !== null) {
      return blame(`${mutator.name} writes to it in place`);
    }
    if (addressesMemory(node.op)) {
      return blame(`${node.name} (${node.op}) depends on the layout in memory`);
    }
    const before = elementsOf(operand);
    const after = elementsOf(result);
    if (before === null) {
      return blame(`the size of ${operand.name} is not known`);
    }
    if (after === null) {
      // A symbolic result of a static operand: expansions to sizes of the input grow, cuts shrink.
      return cuts(node)
        ? {
            reason: `${node.name} (${node.op}) cuts out a part whose size is not known`,
            cutOf: null
          }
        : null;
    }
    if (after < before) {
      return {
        reason: `above ${node.name} (${node.op}) it would cast ${before} elements instead of ${after}`,
        cutOf: operand
      };
    }
    return null;
  }

  /** Whether nothing but the one cut keeps a candidate from its weight, and its result can be replaced. */
  private _canJoin(candidate: ICandidate): boolean {
    if (this._outputs.has(candidate.cast.outputs[0]!)) {
      return false;
    }
    return candidate.steps
      .slice(0, candidate.from - 1)
      .every(({ node, result }) => this._obstacle(node, result, candidate.cast) === null);
  }

  /** Put the cast above the steps it can pass. */
  private _move({ cast, steps, from }: ICandidate, nodes: INode[]): void {
    const source = this._origins.resolve(steps[from].node.inputs[0]!);
    const result = cast.outputs[0]!;
    const moved = makeValue(
      this._names.value(`${result.name}_hoisted`),
      result.dtype,
      source.shape,
      {
        requiresGrad: result.requiresGrad
      }
    );
    nodes.push({ ...cast, inputs: [source, ...cast.inputs.slice(1)], outputs: [moved] });
    this._repeat(steps.slice(from), moved, result, nodes);
  }

  /** Put one cast of the whole value above all cuts of it. */
  private _moveWhole(candidate: ICandidate, group: ICutGroup, nodes: INode[]): void {
    const { cast, steps, from } = candidate;
    const result = cast.outputs[0]!;
    const cutIndex = from - 1;
    if (group.whole === null) {
      const top = this._origins.resolve(steps[0].node.inputs[0]!);
      const above = steps.slice(0, cutIndex);
      const made = makeValue(this._names.value(`${result.name}_whole`), result.dtype, top.shape);
      nodes.push({ ...cast, inputs: [top, ...cast.inputs.slice(1)], outputs: [made] });
      group.whole = above.length === 0 ? made : this._repeat(above, made, null, nodes);
    }
    const cut = steps[cutIndex];
    let copy = group.cuts.get(cut.node);
    if (copy === undefined) {
      copy = copyArrangement(cut.node, group.whole, this._names, group.to);
      group.cuts.set(cut.node, copy);
      nodes.push(copy);
    }
    const part = copy.outputs[cut.node.outputs.indexOf(cut.result)]!;
    const below = steps.slice(from);
    if (below.length > 0) {
      this._repeat(below, part, result, nodes);
    } else {
      this._replacements.set(result, part);
    }
  }

  /** Arrange `value` as the steps do. The last result is `last` where given. */
  private _repeat(
    steps: readonly IStep[],
    value: IValue,
    last: IValue | null,
    nodes: INode[]
  ): IValue {
    let current = value;
    steps.forEach((step, index) => {
      const position = step.node.outputs.indexOf(step.result);
      const results =
        last !== null && index === steps.length - 1
          ? new Map<number, IValue>([[position, last]])
          : undefined;
      const copy = copyArrangement(
        step.node,
        current,
        this._names,
        current.dtype ?? 'copy',
        results
      );
      nodes.push(copy);
      current = copy.outputs[position]!;
    });
    return current;
  }

  private readonly _graph: IGraph;
  private readonly _lineage: ReadonlyMap<IValue, ILineage>;
  private readonly _names: GraphNames;
  private readonly _aliases: IAliases;
  /** Layout operators by result. */
  private readonly _arrangements = new Map<IValue, INode>();
  /** The values that casts to the dtype they have already hand on. */
  private readonly _origins = new Replacements();
  private readonly _declined: IDecline[] = [];
  private readonly _outputs: ReadonlySet<IValue>;
  private readonly _replacements = new Replacements();
  private _applied = 0;
}

/** Number of elements of a value, null where it is not static. */
function elementsOf(value: IValue): number | null {
  const shape = staticShape(value.shape);
  return shape === null ? null : elementCount(shape);
}

/** Whether the result of a node holds fewer elements than its operand. */
function cuts(node: INode): boolean {
  return cutsOut(node);
}
