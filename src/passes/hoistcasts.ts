/**
 * The pass `hoist-casts`.
 *
 * @packageDocumentation
 */
import type { DType, IGraph, INode, IValue } from '../model';
import { castTarget, elementCount, graphsOf, makeValue, staticShape } from '../model';
import { addressesMemory, cutsOut } from '../operators';
import type { IAliases, IArranging, ILineage } from '../dataflow';
import { findAliases, GraphEditor, Origins, outputsOf, weightLineage } from '../dataflow';
import { asWeightCast, count } from '../autocast';
import type { IDecline, IPass, IPassResult } from './pass';

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

/** A cast that can move. */
interface ICandidate {
  readonly cast: INode;
  /** Operators between weight and cast, nearest to the weight first. */
  readonly steps: readonly IArranging[];
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
    this._editor = new GraphEditor(graph);
    this._aliases = findAliases(graph);
    this._outputs = outputsOf(graph);
    this._origins = Origins.of(graph);
  }

  run(): IPassResult {
    for (const one of graphsOf(this._graph)) {
      this._runOn(one);
    }
    if (this._applied === 0) {
      return { ...NOTHING_TO_HOIST, declined: this._declined };
    }
    return {
      modified: this._editor.finish(),
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
    for (const [node, candidate] of candidates) {
      const cutOf = candidate.stop?.cutOf ?? null;
      const group = cutOf === null ? undefined : groups.get(cutOf)?.get(castTarget(node)!);
      const whole = group === undefined ? null : elementsOf(group.value);
      if (
        group !== undefined &&
        whole !== null &&
        group.elements >= whole &&
        this._canJoin(candidate)
      ) {
        this._moveWhole(candidate, group);
        this._applied++;
        continue;
      }
      if (candidate.stop !== null) {
        this._declined.push({ node: node.name, reason: candidate.stop.reason });
      }
      if (candidate.from < candidate.steps.length) {
        this._move(candidate);
        this._applied++;
      }
    }
  }

  /** What stands between a cast and its weight, and how far the cast can move. Null where nothing does. */
  private _candidate(cast: INode): ICandidate | null {
    const steps: IArranging[] = [];
    let from = -1;
    let stop: ICandidate['stop'] = null;
    for (const step of this._origins.above(cast.inputs[0]!)) {
      if (steps.length === MOST_STEPS) {
        if (stop === null) {
          from = steps.length;
          stop = { reason: `more than ${MOST_STEPS} layout operators in between`, cutOf: null };
        }
        break;
      }
      if (stop === null) {
        stop = this._obstacle(step, cast);
        if (stop !== null) {
          from = steps.length;
        }
      }
      steps.push(step);
    }
    if (steps.length === 0) {
      return null;
    }
    // Counted from the cast so far; the list is wanted from the weight.
    steps.reverse();
    return { cast, steps, from: stop === null ? 0 : steps.length - from, stop };
  }

  /** Why a cast cannot pass an operator; null where it can. */
  private _obstacle({ node, result }: IArranging, cast: INode): ICandidate['stop'] {
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
      return cutsOut(node)
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
      .every(step => this._obstacle(step, candidate.cast) === null);
  }

  /** Put the cast above the steps it can pass. */
  private _move({ cast, steps, from }: ICandidate): void {
    const source = steps[from].operand;
    const result = cast.outputs[0]!;
    const moved = makeValue(
      this._editor.names.value(`${result.name}_hoisted`),
      result.dtype,
      source.shape,
      {
        requiresGrad: result.requiresGrad
      }
    );
    const made = { ...cast, inputs: [source, ...cast.inputs.slice(1)], outputs: [moved] };
    this._editor.insertBefore(cast, made);
    this._editor.remove(cast);
    this._repeat(steps.slice(from), moved, result, cast);
  }

  /** Put one cast of the whole value above all cuts of it. */
  private _moveWhole(candidate: ICandidate, group: ICutGroup): void {
    const { cast, steps, from } = candidate;
    const result = cast.outputs[0]!;
    const cutIndex = from - 1;
    if (group.whole === null) {
      const top = steps[0].operand;
      const above = steps.slice(0, cutIndex);
      const made = makeValue(
        this._editor.names.value(`${result.name}_whole`),
        result.dtype,
        top.shape
      );
      const moved = { ...cast, inputs: [top, ...cast.inputs.slice(1)], outputs: [made] };
      this._editor.insertBefore(cast, moved);
      group.whole = above.length === 0 ? made : this._repeat(above, made, null, cast);
    }
    const cut = steps[cutIndex];
    let copy = group.cuts.get(cut.node);
    if (copy === undefined) {
      copy = this._editor.copyOf(cut.node, group.whole, group.to);
      group.cuts.set(cut.node, copy);
      this._editor.insertBefore(cast, copy);
    }
    const part = copy.outputs[cut.node.outputs.indexOf(cut.result)]!;
    const below = steps.slice(from);
    if (below.length > 0) {
      this._repeat(below, part, result, cast);
    } else {
      this._editor.replace(result, part);
    }
    this._editor.remove(cast);
  }

  /** Arrange `value` as the steps do, in front of `cast`. The last result is `last` where given. */
  private _repeat(
    steps: readonly IArranging[],
    value: IValue,
    last: IValue | null,
    cast: INode
  ): IValue {
    let current = value;
    steps.forEach((step, index) => {
      const position = step.node.outputs.indexOf(step.result);
      const results =
        last !== null && index === steps.length - 1
          ? new Map<number, IValue>([[position, last]])
          : undefined;
      const copy = this._editor.copyOf(step.node, current, current.dtype ?? 'copy', results);
      this._editor.insertBefore(cast, copy);
      current = copy.outputs[position]!;
    });
    return current;
  }

  private readonly _graph: IGraph;
  private readonly _lineage: ReadonlyMap<IValue, ILineage>;
  private readonly _editor: GraphEditor;
  private readonly _aliases: IAliases;
  private readonly _origins: Origins;
  private readonly _declined: IDecline[] = [];
  private readonly _outputs: ReadonlySet<IValue>;
  private _applied = 0;
}

/** Number of elements of a value, null where it is not static. */
function elementsOf(value: IValue): number | null {
  const shape = staticShape(value.shape);
  return shape === null ? null : elementCount(shape);
}
