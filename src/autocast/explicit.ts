/**
 * Autocast regions turned into explicit casts, as `run_decompositions({})` does.
 *
 * @packageDocumentation
 */
import type {
  Attr,
  CastOrigin,
  DType,
  IExportedModel,
  IGraph,
  INode,
  IValue,
  IWeight
} from '../model';
import { bodiesOf, cloneGraph, graphsOf, makeValue } from '../model';
import { dropDeadNodes, findAliases, GraphEditor } from '../dataflow';
import type { IOperandCast, IPolicyEffect } from './applypolicy';
import { policyEffect } from './applypolicy';
import { BatchedCalls, castsOfBatch, dtypeOfBatchedSum } from './batching';
import { dtypeDisagreement } from './dtypeagreement';
import { dtypeRule } from '../operators';
import { viewsByOperand } from './listviews';
import { opaqueOperators } from './policy';
import type { RegionOverrides } from '../protocol';
import type { IActingRegion, IActiveRegion, IRegionState, RegionStates } from './regions';
import { actingRegions, actsOn, resolveRegions } from './regions';

/** How regions are to be read. */
export interface IExplicitOptions {
  /** What the user wants of single regions instead of what the file records. */
  readonly regions?: RegionOverrides;
  /** Treat every region as switched off. */
  readonly disableAll?: boolean;
}

/** A value whose computed dtype is not the one the file records. */
export interface IDtypeMismatch {
  readonly value: IValue;
  readonly node: INode;
  readonly computed: DType;
  readonly declared: DType;
}

/** An operator call that PyTorch refuses: under its region, or for the dtypes of its operands. */
export interface IPolicyConflict {
  readonly node: INode;
  readonly reason: string;
  /** What it runs on here. */
  readonly instead: string;
}

/** What a region would do that does nothing: one that is disabled, or whose tensors are on another device. */
export interface IDormantRegion {
  /** Operator calls whose operands would be cast. */
  readonly nodes: INode[];
  /** Values of the original graph that would be cast and are weights. */
  readonly weights: Set<IWeight>;
  /** Device types of these operands, as far as they are known. */
  readonly devices: Set<string>;
}

/** A graph whose casts are all explicit, and what was found on the way. */
export interface IExplicitGraph {
  /** A copy of the model's graph; free to be cloned and rewritten. */
  readonly graph: IGraph;
  readonly regions: RegionStates;
  /** Where computed and recorded dtypes differ. Computed ones are in the graph for training IR, recorded ones for ATEN. */
  readonly mismatches: readonly IDtypeMismatch[];
  /** Number of values compared with the file. */
  readonly checked: number;
  /** Operators without a dtype rule, with the number of their calls; their results keep the recorded dtypes. */
  readonly unchecked: ReadonlyMap<string, number>;
  readonly conflicts: readonly IPolicyConflict[];
  /**
   * Calls under overridden regions whose results have a dtype that nobody knows: there is no rule for the operator, and what
   * the file records is about its region or its operands as they were.
   */
  readonly unknown: readonly INode[];
  /** Disabled regions that hold operators with a policy, by region id. */
  readonly dormant: ReadonlyMap<string, IDormantRegion>;
  /** Enabled regions that hold operators with a policy on tensors of other device types, by region id. */
  readonly elsewhere: ReadonlyMap<string, IDormantRegion>;
  /** Calls of composite operators that autocast acts on from the inside. */
  readonly composites: readonly INode[];
  /** Calls of composite operators whose inner casts are left out, because they are no casts of arguments. */
  readonly opaque: readonly INode[];
  /** Nodes that reach no output, dropped from the graph. */
  readonly dropped: readonly INode[];
  /** Whether regions were overridden, so that differences from the recorded dtypes are wanted. */
  readonly overridden: boolean;
}

/**
 * Make the casts that autocast regions imply explicit.
 *
 * Every tensor operand whose dtype differs from what the policy of its region asks for gets an `aten._to_copy.default` of its
 * own, right before the call (`origin: 'region'`; module, source and region of the call). The dtype of every value is computed
 * anew and compared with the recorded one. Then nodes that reach no output are dropped. ATEN and ONNX graphs have no regions
 * left: they are copied and cleaned only.
 *
 * Calls that PyTorch would refuse because their operands have several dtypes are told in `conflicts`. There the operands are
 * cast to the dtype they have in common (`origin: 'runtime'`), as the author of the model would have to do.
 *
 * #### Notes
 * In-place operators have no policy and keep their operands. Explicit casts of the program stay as they are.
 *
 * #### Complexity
 * Linear in operands.
 */
export function makeCastsExplicit(
  model: IExportedModel,
  options: IExplicitOptions = {}
): IExplicitGraph {
  const { graph } = cloneGraph(model.graph);
  const regions = resolveRegions(model, {
    overrides: options.regions,
    disableAll: options.disableAll
  });
  const recorded = options.regions === undefined ? regions : resolveRegions(model);
  const pass = new ExplicitPass(model, graph, regions, recorded);
  // Bodies of control flow after the graph that holds them: their nodes may use its values.
  const pending: IGraph[] = [graph];
  while (pending.length > 0) {
    const current = pending.pop()!;
    pass.run(current);
    for (const node of current.nodes) {
      pending.push(...bodiesOf(node));
    }
  }
  pass.finish();
  // Writes that nothing reads in this forward are read in the next one, but dropped here.
  markUpdated(graph);
  const dropped = dropDeadNodes(graph);
  return {
    graph,
    regions,
    mismatches: pass.mismatches,
    checked: pass.checked,
    unchecked: pass.unchecked,
    conflicts: pass.conflicts,
    unknown: pass.unknown,
    dormant: pass.dormant,
    elsewhere: pass.elsewhere,
    composites: pass.composites,
    opaque: pass.opaque,
    dropped,
    overridden: options.disableAll === true || Object.keys(options.regions ?? {}).length > 0
  };
}

/** Mark the weights that a graph writes to in place. */
function markUpdated(graph: IGraph): void {
  const aliases = findAliases(graph);
  if (aliases.isFunctional) {
    return;
  }
  const graphs = graphsOf(graph);
  const updated = new Set<string>();
  for (const { value, weight } of graphs.flatMap(({ weights }) => weights)) {
    if (aliases.mutatorOf(value) !== null) {
      updated.add(weight.storage);
    }
  }
  for (const one of graphs) {
    one.weights = one.weights.map(({ value, weight }) => ({
      value,
      weight: updated.has(weight.storage) ? { ...weight, isUpdated: true } : weight
    }));
  }
}

/** Puts a node in front of the one that is looked at. */
type Put = (node: INode) => void;

/** State of one run over a model. */
class ExplicitPass {
  constructor(model: IExportedModel, graph: IGraph, regions: RegionStates, recorded: RegionStates) {
    this._dialect = model.dialect;
    this._regions = regions;
    this._recorded = recorded;
    this._editor = new GraphEditor(graph);
    this._weights = new Map(graph.weights.map(({ value, weight }) => [value, weight]));
  }

  readonly mismatches: IDtypeMismatch[] = [];
  readonly unchecked = new Map<string, number>();
  readonly conflicts: IPolicyConflict[] = [];
  readonly unknown: INode[] = [];
  readonly dormant = new Map<string, IDormantRegion>();
  readonly elsewhere = new Map<string, IDormantRegion>();
  readonly composites: INode[] = [];
  readonly opaque: INode[] = [];

  /** Number of values compared with the file. */
  get checked(): number {
    return this._checked;
  }

  /** Put the casts into the graph. */
  finish(): void {
    this._editor.apply();
  }

  /** Find the casts of one graph; bodies are left to further calls. */
  run(graph: IGraph): void {
    if (this._dialect === 'ONNX') {
      return;
    }
    for (const given of graph.nodes) {
      const views = viewsByOperand(given, wanted => this._editor.names.node(wanted));
      const put = (node: INode): void => this._editor.insertBefore(given, node);
      for (const node of views) {
        this._batched.note(node);
        this._applyRegion(node, put);
        this._bringTogether(node, put);
        if (node !== given) {
          put(node);
        }
        this._computeDtypes(node);
      }
      if (!views.includes(given)) {
        this._editor.remove(given);
      }
    }
  }

  private _applyRegion(node: INode, put: Put): void {
    const state = node.region === null ? undefined : this._regions.get(node.region);
    if (state === undefined) {
      return;
    }
    const acting = actingRegions(state, node);
    this._noteIdle(node, state, acting);
    for (const one of acting) {
      this._applyPolicy(node, one, put);
    }
  }

  private _applyPolicy(node: INode, acting: IActingRegion, put: Put): void {
    const effect = policyEffect(node, acting);
    if (effect === null) {
      if (this._opaqueOn(acting.active.region.device).has(node.op)) {
        this.opaque.push(node);
      }
      return;
    }
    if (effect.error !== null) {
      this.conflicts.push({ node, reason: effect.error, instead: 'its operands as they are' });
    }
    if (effect.composite && effect.casts.length > 0) {
      this.composites.push(node);
    }
    this._castOperands(node, this._castsOf(node, effect, acting), 'region', put);
    if (effect.redispatch !== null) {
      node.op = effect.redispatch.op;
      node.attrs = { ...node.attrs, ...effect.redispatch.attrs };
    }
  }

  private _castsOf(
    node: INode,
    { casts }: IPolicyEffect,
    { active }: IActingRegion
  ): readonly IOperandCast[] {
    if (!this._batched.has(node)) {
      return casts;
    }
    const names = argumentNames(node);
    return castsOfBatch(node, casts, active.dtype, position => names[position]);
  }

  /** Give operands that PyTorch refuses together one dtype. Where a policy does that, it has been done already. */
  private _bringTogether(node: INode, put: Put): void {
    const isAsked = this._dialect === 'TRAINING' && !this._batched.has(node);
    const found = isAsked ? dtypeDisagreement(node) : null;
    if (found === null) {
      return;
    }
    const { dtypes, common, others } = found;
    this.conflicts.push({
      node,
      reason: `its operands must have one dtype, and have ${dtypes.join(' and ')}`,
      instead: `operands cast to ${common}`
    });
    const casts = others.map(index => ({ index, to: common }));
    this._castOperands(node, casts, 'runtime', put);
  }

  private _castOperands(
    node: INode,
    casts: readonly IOperandCast[],
    origin: CastOrigin,
    put: Put
  ): void {
    const names = casts.length > 0 ? argumentNames(node) : [];
    for (const { index, to, reach } of casts) {
      const cast = this._makeCast(node, index, names[index], to, origin);
      put(cast);
      if (reach !== undefined) {
        cast.reach = reach;
      }
      node.inputs[index] = cast.outputs[0];
    }
  }

  private _makeCast(
    user: INode,
    index: number,
    argument: string | undefined,
    to: DType,
    origin: CastOrigin
  ): INode {
    const source = user.inputs[index]!;
    const name = this._editor.names.node(`${user.name}_${argument ?? index}_${to}`);
    const attrs: Record<string, Attr> = {
      self: { kind: 'input', index: 0 },
      dtype: { kind: 'dtype', value: to }
    };
    return {
      name,
      op: 'aten._to_copy.default',
      inputs: [source],
      attrs,
      outputs: [
        {
          ...makeValue(name, to, source.shape, { requiresGrad: source.requiresGrad }),
          device: source.device
        }
      ],
      region: user.region,
      module: user.module,
      source: user.source,
      origin
    };
  }

  private _computeDtypes(node: INode): void {
    if (!node.outputs.some(value => value !== null && value.kind === 'tensor')) {
      return;
    }
    const rule = dtypeRule(node.op);
    const sum = this._batched.has(node) ? dtypeOfBatchedSum(node) : null;
    const computed = sum ?? (rule === null ? null : rule(node));
    let isUnknown = false;
    node.outputs.forEach((value, index) => {
      if (value === null || value.kind !== 'tensor') {
        return;
      }
      const dtype: DType | null =
        computed === null || typeof computed === 'string' ? computed : (computed[index] ?? null);
      if (dtype === null) {
        isUnknown ||= index === 0;
        return;
      }
      if (value.declaredDtype !== null) {
        this._checked++;
        if (value.declaredDtype !== dtype) {
          this.mismatches.push({ value, node, computed: dtype, declared: value.declaredDtype });
        }
      }
      if (this._dialect === 'TRAINING' || value.dtype === null) {
        value.dtype = dtype;
      }
    });
    if (isUnknown) {
      this.unchecked.set(node.op, (this.unchecked.get(node.op) ?? 0) + 1);
      if (this._regions !== this._recorded && this._isElsewise(node)) {
        this.unknown.push(node);
      }
    }
  }

  /** Whether a node runs under another policy, or on operands of other dtypes, than the file records. */
  private _isElsewise(node: INode): boolean {
    const { region, inputs } = node;
    const now = region === null ? [] : actingRegions(this._regions.get(region), node);
    const then = region === null ? [] : actingRegions(this._recorded.get(region), node);
    return (
      now.length !== then.length ||
      now.some(
        ({ active }, i) =>
          active.dtype !== then[i].active.dtype ||
          active.region.device !== then[i].active.region.device
      ) ||
      inputs.some(value => value !== null && (value.declaredDtype ?? value.dtype) !== value.dtype)
    );
  }

  /** Remember what the innermost region would cast that does not act on a call: it is disabled, or acts on other tensors. */
  private _noteIdle(node: INode, state: IRegionState, acting: readonly IActingRegion[]): void {
    const { own } = state;
    if (!state.enabled.includes(own)) {
      if (acting.length === 0) {
        this._noteDormant(this.dormant, node, own, value => actsOn(own, value));
      }
    } else if (acting.every(({ active }) => active !== own)) {
      this._noteDormant(this.elsewhere, node, own, value => value?.kind === 'tensor');
    }
  }

  private _noteDormant(
    notes: Map<string, IDormantRegion>,
    node: INode,
    active: IActiveRegion,
    isMeant: (value: IValue | null) => boolean
  ): void {
    const operands = new Set(
      node.inputs.flatMap((value, index) => (isMeant(value) ? [index] : []))
    );
    const effect = operands.size === 0 ? null : policyEffect(node, { active, operands });
    if (effect === null || effect.casts.length === 0) {
      return;
    }
    const { id } = active.region;
    let entry = notes.get(id);
    if (entry === undefined) {
      entry = { nodes: [], weights: new Set(), devices: new Set() };
      notes.set(id, entry);
    }
    entry.nodes.push(node);
    for (const { index } of effect.casts) {
      const { device } = node.inputs[index]!;
      if (device !== undefined) {
        entry.devices.add(device);
      }
      const weight = this._weights.get(node.inputs[index]!);
      if (weight !== undefined) {
        entry.weights.add(weight);
      }
    }
  }

  private _opaqueOn(device: string): ReadonlySet<string> {
    let operators = this._opaqueOperators.get(device);
    if (operators === undefined) {
      operators = opaqueOperators(device);
      this._opaqueOperators.set(device, operators);
    }
    return operators;
  }

  private readonly _dialect: IExportedModel['dialect'];
  private readonly _regions: RegionStates;
  /** Without overrides; the same object as `_regions` where nothing is overridden. */
  private readonly _recorded: RegionStates;
  private readonly _editor: GraphEditor;
  private readonly _weights: ReadonlyMap<IValue, IWeight>;
  private readonly _batched = new BatchedCalls();
  private readonly _opaqueOperators = new Map<string, ReadonlySet<string>>();
  private _checked = 0;
}

/** Schema name of the argument that each operand belongs to, with its position in a list of tensors. */
function argumentNames(node: INode): string[] {
  const names: string[] = [];
  for (const key in node.attrs) {
    const attr = node.attrs[key];
    if (attr.kind === 'input') {
      names[attr.index] ??= key;
    } else if (attr.kind === 'list') {
      attr.items.forEach((item, position) => {
        if (item.kind === 'input') {
          names[item.index] ??= `${key}_${position}`;
        }
      });
    }
  }
  return names;
}
