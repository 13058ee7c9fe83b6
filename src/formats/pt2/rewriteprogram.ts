/**
 * Edits of a `.pt2` program: weights in another dtype, casts that become unnecessary removed, regions run otherwise.
 *
 * The JSON is edited in place and only where it must be: unknown fields, big integers and the text of floats stay as they are.
 *
 * @packageDocumentation
 */
import type { DType, IAutocastRegion, IExportedModel, IGraph, INode, IValue } from '../../model';
import { bodiesOf, CastlensError, DTYPES, UniqueNames } from '../../model';
import { JsonNumber, parseJson, stringifyJson } from '../json';
import { scalarTypeOf } from './enums';

/** A JSON object that is edited. Numbers are `JsonNumber`; numbers put in may be plain. */
export type EditableJson = { [key: string]: unknown };

/** A second weight: a stored tensor in a lower precision, beside the original. */
export interface IWeightCopy {
  /** Name of the placeholder's value in the model's graph. */
  readonly value: string;
  /** Fully qualified name of the original. */
  readonly weight: string;
  readonly to: DType;
}

/** A weight that is new in a program: a stored tensor instead of what computed it. */
export interface INewWeight {
  /** Fully qualified name wanted. */
  readonly name: string;
  readonly dtype: DType;
  /** Of a dense tensor, in elements. */
  readonly strides: readonly number[];
}

/** What is to change in a program. Nodes and values are named as in the model that was read from the file. */
export interface IProgramEdits {
  /** Stored tensors that get another dtype, by fully qualified name; also those that nothing uses. */
  readonly weights: ReadonlyMap<string, DType>;
  /** Values that get another dtype: placeholders of converted weights and what only arranges them. */
  readonly dtypes: ReadonlyMap<string, DType>;
  /** Casts that are removed where nothing but the dtype makes them differ from their operand. */
  readonly casts: ReadonlySet<string>;
  readonly copies: readonly IWeightCopy[];
  /** By node, the operands that become a copy or a new weight: value to index in `copies`, followed by `added`. */
  readonly operands: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Weights to add. Each has the sizes and the device of the operand that first becomes it. */
  readonly added: readonly INewWeight[];
  /** Nodes that are taken out. */
  readonly removed: ReadonlySet<string>;
  /** Values that nothing is left of: results of these nodes, and weights that nobody uses any more. */
  readonly gone: ReadonlySet<string>;
  /** What changes of autocast regions, by id; values that get another dtype by it are among `dtypes`. */
  readonly regions: ReadonlyMap<string, IRegionEdit>;
}

/** What changes of an autocast region. Parts left out stay. */
export interface IRegionEdit {
  readonly enabled?: boolean;
  readonly dtype?: DType;
}

/** A placeholder that was added. */
export interface IAddedWeight {
  /** Of `copies`, followed by `added`. */
  readonly index: number;
  /** Its fully qualified name. */
  readonly name: string;
  /** As `tensor_values` has it. */
  readonly meta: EditableJson;
}

interface IFrame {
  readonly graph: EditableJson;
  readonly nodes: readonly EditableJson[];
  next: number;
  readonly kept: EditableJson[];
  readonly scope: Map<string, IValue>;
  /** Names of removed results, and what stands for them. */
  readonly renamed: Map<string, string>;
  /** Local names of copies. */
  readonly copies: Map<number, string>;
  /** Every name of the graph. */
  readonly names: UniqueNames;
  readonly outputs: ReadonlySet<string>;
  /** The graph of the model that the nodes belong to. */
  readonly target: ITarget;
  /** What the graph is nested in; null for the root. */
  readonly holder: IHolder | null;
}

/** An operator that holds nested graphs. */
interface IHolder {
  /** The graph around. */
  readonly frame: IFrame;
  readonly node: EditableJson;
  /** All graphs that the operator holds; their inputs are its operands. */
  readonly bodies: IFrame[];
}

/** Nodes of a graph of the model, and how many of them have been found in the file. */
interface ITarget {
  readonly nodes: readonly INode[];
  count: number;
}

const NO_EDITS: IProgramEdits = {
  weights: new Map(),
  dtypes: new Map(),
  casts: new Set(),
  copies: [],
  operands: new Map(),
  added: [],
  removed: new Set(),
  gone: new Set(),
  regions: new Map()
};

interface IPlaceholder {
  readonly name: string;
  /** Its fully qualified name. */
  readonly fqn: string;
  readonly meta: EditableJson;
}

const PREFIX = 'torch.ops.';
/** Inputs of a program that its file holds as tensors. */
const STORED_SPECS: ReadonlySet<string> = new Set(['parameter', 'buffer', 'tensor_constant']);
const WRAP_WITH_AUTOCAST = 'higher_order.wrap_with_autocast';
const INLINED: ReadonlySet<string> = new Set([
  WRAP_WITH_AUTOCAST,
  'higher_order.wrap_with_set_grad_enabled'
]);
const ASSERT_METADATA = 'aten._assert_tensor_metadata';
/** Arguments of a cast that decide nothing but the dtype, or what the strides tell. */
const CAST_ARGUMENTS: ReadonlySet<string> = new Set([
  'self',
  'a',
  'dtype',
  'memory_format',
  'non_blocking'
]);

/**
 * Apply edits to `graph_module` of a program.
 *
 * #### Notes
 * Graphs are walked exactly as the reader walks them, so that the k-th node of a graph that is no context manager is the k-th node of
 * that graph of the model, and the k-th autocast operator the k-th region. Operands of nested graphs follow by position. A copy that is
 * used in a nested graph becomes an operand of every operator on the way, and an input of all graphs these hold.
 *
 * #### Complexity
 * Linear in the JSON.
 *
 * @param graphModule - edited in place.
 * @param model - as read from the same JSON.
 * @param taken - fully qualified names in use.
 * @returns the weights added to the signature.
 * @throws CastlensError where a region is to be on that would not act on the tensors in it.
 */
export function editProgram(
  graphModule: EditableJson,
  model: IExportedModel,
  edits: IProgramEdits,
  taken: Iterable<string>
): IAddedWeight[] {
  return new ProgramEditor(graphModule, model, edits, taken).run();
}

/**
 * Visit what `tensor_values` has of every value of a program, under the name that the value has in the model; several times where
 * graphs hand it on.
 */
export function forEachValue(
  graphModule: EditableJson,
  model: IExportedModel,
  visit: (name: string, meta: EditableJson) => void
): void {
  new ProgramEditor(graphModule, model, NO_EDITS, [], visit).run();
}

class ProgramEditor {
  constructor(
    graphModule: EditableJson,
    private readonly _model: IExportedModel,
    private readonly _edits: IProgramEdits,
    taken: Iterable<string>,
    private readonly _visit?: (name: string, meta: EditableJson) => void
  ) {
    this._signature = graphModule.signature as EditableJson;
    this._root = graphModule.graph as EditableJson;
    this._weightNames = new UniqueNames(taken, 1);
    const { graph } = _model;
    for (const value of [...graph.inputs, ...graph.weights.map(weight => weight.value)]) {
      this._placeholders.set(value.name, value);
    }
  }

  run(): IAddedWeight[] {
    const target = { nodes: this._model.graph.nodes, count: 0 };
    const root = this._frame(this._root, new Map(), target, null);
    for (const name of namesOf(this._root.inputs)) {
      // The reader names the values of the root first, so that theirs are the names of the file.
      const value = name === null ? undefined : this._placeholders.get(name);
      if (name !== null && value !== undefined) {
        root.scope.set(name, value);
      }
    }
    const stack = [root];
    while (stack.length > 0) {
      const frame = stack[stack.length - 1];
      if (frame.next < frame.nodes.length) {
        // The first of several branches is gone through first.
        stack.push(...this._node(frame, frame.nodes[frame.next++]).reverse());
      } else {
        stack.pop();
        this._finish(frame);
      }
    }
    this._editPlaceholders();
    return this._added;
  }

  /** Edit a node; returns the nested graphs to go on with. */
  private _node(frame: IFrame, node: EditableJson): IFrame[] {
    const op = opOf(node);
    const args = node.inputs as EditableJson[];
    for (const { arg } of args) {
      for (const ref of tensorRefs(arg)) {
        ref.name = frame.renamed.get(ref.name) ?? ref.name;
      }
    }
    if (INLINED.has(op)) {
      frame.kept.push(node);
      if (op === WRAP_WITH_AUTOCAST) {
        this._editRegion(args, this._model.regions[this._regionCount++]);
      }
      return [this._enter(frame, node, args)];
    }
    const { target } = frame;
    const made = target.nodes[target.count++] as INode | undefined;
    if (made === undefined || made.op !== op) {
      throw new Error(`editProgram: node ${target.count - 1} is ${op}, not ${made?.op}`);
    }
    const redirects = this._edits.operands.get(made.name);
    if (redirects !== undefined) {
      for (const { arg } of args) {
        for (const ref of tensorRefs(arg)) {
          const index = redirects.get(frame.scope.get(ref.name)?.name ?? '');
          if (index !== undefined) {
            const like = (frame.graph.tensor_values as EditableJson)[ref.name];
            ref.name = this._copyIn(frame, index, like as EditableJson);
          }
        }
      }
    }
    if (op.startsWith(ASSERT_METADATA)) {
      this._editAssertion(frame, args);
    }
    namesOf(node.outputs).forEach((name, i) => {
      const value = made.outputs[i] ?? null;
      if (name !== null && value !== null) {
        frame.scope.set(name, value);
      }
    });
    if (
      this._edits.removed.has(made.name) ||
      (this._edits.casts.has(made.name) && this._removeCast(frame, node, args))
    ) {
      return [];
    }
    frame.kept.push(node);
    const bodies = bodiesOf(made);
    if (bodies.length === 0) {
      return [];
    }
    const holder: IHolder = { frame, node, bodies: [] };
    for (const { arg } of args) {
      const nested = (arg as EditableJson).as_graph as EditableJson | undefined;
      if (nested !== undefined) {
        const body = bodies[holder.bodies.length];
        holder.bodies.push(this._body(nested.graph as EditableJson, body, holder));
      }
    }
    return [...holder.bodies];
  }

  /** A branch or the body of a loop: a graph of the model as well, with inputs of its own. */
  private _body(graph: EditableJson, body: IGraph, holder: IHolder): IFrame {
    const names = namesOf(graph.inputs).filter(name => name !== null);
    const scope = new Map(names.map((name, i) => [name, body.inputs[i]] as const));
    return this._frame(graph, scope, { nodes: body.nodes, count: 0 }, holder);
  }

  /** Write what is wanted of a region into the arguments of its operator: device type, dtype, enabled, ... */
  private _editRegion(args: readonly EditableJson[], region: IAutocastRegion): void {
    const edit = this._edits.regions.get(region.id);
    if (edit === undefined) {
      return;
    }
    const [, dtype, enabled, , body] = args;
    if (edit.enabled === true) {
      const { graph } = (body.arg as EditableJson).as_graph as EditableJson;
      const found = foreignDevice((graph as EditableJson).tensor_values, region.device);
      if (found !== null) {
        throw new CastlensError(
          'bad-argument',
          `a file with this region on would not act as it does here: its tensors are on another device`,
          {
            file: this._model.path,
            entry: region.id,
            expected: `tensors on ${region.device}`,
            found,
            hint: `Export the model on ${region.device}, where the region acts.`
          }
        );
      }
    }
    if (edit.dtype !== undefined) {
      dtype.arg = { as_scalar_type: scalarTypeOf(edit.dtype) };
    }
    if (edit.enabled !== undefined) {
      enabled.arg = { as_bool: edit.enabled };
    }
  }

  /** The nested graph of a context manager, its inputs bound to the operands. */
  private _enter(frame: IFrame, node: EditableJson, args: readonly EditableJson[]): IFrame {
    const position = args.findIndex(({ arg }) => 'as_graph' in (arg as EditableJson));
    const body = (args[position].arg as EditableJson).as_graph as EditableJson;
    const holder: IHolder = { frame, node, bodies: [] };
    const inner = this._frame(body.graph as EditableJson, new Map(), frame.target, holder);
    holder.bodies.push(inner);
    const operands = namesOf(args.slice(position + 1).map(({ arg }) => arg));
    namesOf(inner.graph.inputs).forEach((name, i) => {
      const operand = operands[i];
      const value = operand === null ? undefined : frame.scope.get(operand);
      if (name !== null && value !== undefined) {
        inner.scope.set(name, value);
      }
    });
    return inner;
  }

  private _finish(frame: IFrame): void {
    frame.graph.nodes = frame.kept;
    const { holder } = frame;
    if (holder !== null && holder.frame.target === frame.target) {
      const results = namesOf(frame.graph.outputs);
      namesOf(holder.node.outputs).forEach((name, i) => {
        const result = results[i] ?? null;
        const value = result === null ? undefined : frame.scope.get(result);
        if (name !== null && value !== undefined) {
          holder.frame.scope.set(name, value);
        }
      });
    }
    const metas = frame.graph.tensor_values as EditableJson;
    for (const [name, value] of frame.scope) {
      if (this._visit !== undefined && Object.hasOwn(metas, name)) {
        this._visit(value.name, metas[name] as EditableJson);
      }
      const dtype = this._edits.dtypes.get(value.name);
      if (dtype !== undefined && Object.hasOwn(metas, name)) {
        setDtype(metas[name] as EditableJson, dtype);
      }
    }
    for (const name of frame.renamed.keys()) {
      delete metas[name];
    }
    if (this._edits.gone.size > 0) {
      this._removeGone(frame);
    }
  }

  /** Take values out that nothing is left of: of a region also among what it is given and what it returns. */
  private _removeGone({ graph, scope, kept, target, holder }: IFrame): void {
    const isGone = (name: string | null): boolean =>
      name !== null && this._edits.gone.has(scope.get(name)?.name ?? '');
    const metas = graph.tensor_values as EditableJson;
    if (holder !== null && holder.frame.target === target) {
      const { node, frame: outer } = holder;
      const operands = (node.inputs as EditableJson[]).findIndex(
        ({ arg }) => 'as_graph' in (arg as EditableJson)
      );
      const inputs = namesOf(graph.inputs).map(isGone);
      node.inputs = (node.inputs as EditableJson[]).filter((_, i) => !inputs[i - operands - 1]);
      graph.inputs = (graph.inputs as EditableJson[]).filter((_, i) => !inputs[i]);
      const outputs = namesOf(graph.outputs).map(isGone);
      node.outputs = (node.outputs as EditableJson[]).filter((_, i) => !outputs[i]);
      graph.outputs = (graph.outputs as EditableJson[]).filter((_, i) => !outputs[i]);
      if (kept.length === 0 && (graph.outputs as EditableJson[]).length === 0) {
        outer.kept.splice(outer.kept.lastIndexOf(node), 1);
      }
    } else if (holder === null) {
      graph.inputs = (graph.inputs as EditableJson[]).filter((_, i, all) => {
        const [name] = namesOf([all[i]]);
        return !isGone(name);
      });
      this._signature.input_specs = (this._signature.input_specs as EditableJson[]).filter(spec => {
        const [inner] = Object.values(spec) as EditableJson[];
        return !isGone(String((inner.arg as EditableJson | undefined)?.name));
      });
    }
    for (const name of scope.keys()) {
      if (isGone(name)) {
        delete metas[name];
      }
    }
  }

  /** Placeholders of converted weights, those that nothing uses too: the reader leaves these out. */
  private _editPlaceholders(): void {
    const metas = this._root.tensor_values as EditableJson;
    for (const spec of this._signature.input_specs as EditableJson[]) {
      const [[tag, inner]] = Object.entries(spec) as [string, EditableJson][];
      const dtype = this._edits.weights.get(String(inner[`${tag}_name`]));
      const meta = metas[String((inner.arg as EditableJson | undefined)?.name)];
      if (dtype !== undefined && isPlainObject(meta)) {
        setDtype(meta, dtype);
      }
    }
  }

  /** `_assert_tensor_metadata(w, dtype=float32)` is about the dtype the weight had. */
  private _editAssertion(frame: IFrame, args: readonly EditableJson[]): void {
    const [first] = [...tensorRefs(args[0]?.arg)];
    const dtype = this._edits.dtypes.get(frame.scope.get(first?.name ?? '')?.name ?? '');
    const recorded = args.find(argument => argument.name === 'dtype')?.arg as
      EditableJson | undefined;
    if (dtype !== undefined && recorded?.as_scalar_type !== undefined) {
      recorded.as_scalar_type = scalarTypeOf(dtype);
    }
  }

  /**
   * Let the operand of a cast stand for its result.
   *
   * @returns false where the cast does more than that: it returns to the caller, moves to another device, or arranges anew.
   */
  private _removeCast(frame: IFrame, node: EditableJson, args: readonly EditableJson[]): boolean {
    const [operand] = [...tensorRefs(args[0].arg)];
    const [result] = namesOf(node.outputs);
    if (operand === undefined || result === null || frame.outputs.has(result)) {
      return false;
    }
    const metas = frame.graph.tensor_values as { [name: string]: EditableJson | undefined };
    const before = metas[operand.name];
    const after = metas[result];
    if (before === undefined || after === undefined) {
      return false;
    }
    const isSame = ['strides', 'sizes', 'device', 'layout'].every(
      key => stringifyJson(before[key] ?? null) === stringifyJson(after[key] ?? null)
    );
    const isPlain = args.every(
      ({ name, arg }) =>
        CAST_ARGUMENTS.has(String(name)) ||
        ((name === 'device' || name === 'layout') && isSame) ||
        'as_none' in (arg as EditableJson)
    );
    if (!isSame || !isPlain) {
      return false;
    }
    frame.renamed.set(result, operand.name);
    return true;
  }

  /**
   * The local name of a copy or a new weight, handed down from the root where need be.
   *
   * @param like - what `tensor_values` has for the operand that becomes it.
   */
  private _copyIn(frame: IFrame, index: number, like: EditableJson): string {
    // From the innermost graph that has it down to this one.
    const path: IFrame[] = [];
    let current = frame;
    while (!current.copies.has(index) && current.holder !== null) {
      path.push(current);
      current = current.holder.frame;
    }
    let name = current.copies.get(index) ?? this._addPlaceholder(current, index, like);
    for (const inner of path.reverse()) {
      const { frame: outer, node, bodies } = inner.holder!;
      giveOperand(node, name);
      const meta = (outer.graph.tensor_values as EditableJson)[name];
      for (const body of bodies) {
        const local = body.names.take(name);
        (body.graph.inputs as EditableJson[]).push({ as_tensor: { name: local } });
        (body.graph.tensor_values as EditableJson)[local] = structuredCopy(meta);
        body.copies.set(index, local);
      }
      name = inner.copies.get(index)!;
    }
    return name;
  }

  /** A new placeholder and its place in the signature. */
  private _addPlaceholder(root: IFrame, index: number, like: EditableJson): string {
    const { copies, added } = this._edits;
    const made =
      index < copies.length
        ? this._copyOf(root, copies[index])
        : this._newWeight(root, added[index - copies.length], like);
    const { name, fqn, meta } = made;
    (root.graph.tensor_values as EditableJson)[name] = meta;
    this._added.push({ index, name: fqn, meta });
    root.copies.set(index, name);
    return name;
  }

  /** A copy stands right behind its original. */
  private _copyOf(root: IFrame, copy: IWeightCopy): IPlaceholder {
    const inputs = root.graph.inputs as EditableJson[];
    const specs = this._signature.input_specs as EditableJson[];
    const name = root.names.take(`${copy.value}_${copy.to}`);
    const position = namesOf(inputs).indexOf(copy.value);
    inputs.splice(position + 1, 0, { as_tensor: { name } });
    const metas = root.graph.tensor_values as EditableJson;
    const meta = structuredCopy(metas[copy.value]) as EditableJson;
    setDtype(meta, copy.to);
    const specIndex = specs.findIndex(spec => {
      const [kind] = Object.values(spec) as EditableJson[];
      return (kind.arg as EditableJson | undefined)?.name === copy.value;
    });
    const spec = structuredCopy(specs[specIndex]) as EditableJson;
    const [tag] = Object.keys(spec);
    const inner = spec[tag] as EditableJson;
    const fqn = this._weightNames.take(`${copy.weight}_${copy.to}`);
    inner.arg = { name };
    inner[`${tag}_name`] = fqn;
    specs.splice(specIndex + 1, 0, spec);
    return { name, fqn, meta };
  }

  /** A new weight is a constant of the program, the last of what the caller does not pass. */
  private _newWeight(root: IFrame, weight: INewWeight, like: EditableJson): IPlaceholder {
    const inputs = root.graph.inputs as EditableJson[];
    const specs = this._signature.input_specs as EditableJson[];
    const fqn = this._weightNames.take(weight.name);
    const name = root.names.take(`c_${fqn.replace(/\W/gu, '_')}`);
    const behind = specs.findLastIndex(spec => STORED_SPECS.has(Object.keys(spec)[0])) + 1;
    inputs.splice(behind, 0, { as_tensor: { name } });
    specs.splice(behind, 0, { tensor_constant: { arg: { name }, tensor_constant_name: fqn } });
    const meta = structuredCopy(like) as EditableJson;
    setDtype(meta, weight.dtype);
    meta.requires_grad = false;
    meta.storage_offset = { as_int: 0 };
    meta.strides = weight.strides.map(stride => ({ as_int: stride }));
    return { name, fqn, meta };
  }

  private _frame(
    graph: EditableJson,
    scope: Map<string, IValue>,
    target: ITarget,
    holder: IFrame['holder']
  ): IFrame {
    const names = new UniqueNames([], 1);
    for (const table of [
      'tensor_values',
      'sym_int_values',
      'sym_bool_values',
      'sym_float_values'
    ]) {
      Object.keys((graph[table] as EditableJson | undefined) ?? {}).forEach(name =>
        names.add(name)
      );
    }
    namesOf(graph.inputs).forEach(name => name !== null && names.add(name));
    const nodes = graph.nodes as EditableJson[];
    for (const { name } of nodes) {
      if (typeof name === 'string') {
        names.add(name);
      }
    }
    return {
      graph,
      nodes,
      next: 0,
      kept: [],
      scope,
      renamed: new Map(),
      copies: new Map(),
      names,
      outputs: new Set(namesOf(graph.outputs).filter(name => name !== null)),
      target,
      holder
    };
  }

  private readonly _root: EditableJson;
  private readonly _signature: EditableJson;
  private readonly _placeholders = new Map<string, IValue>();
  private readonly _added: IAddedWeight[] = [];
  private readonly _weightNames: UniqueNames;
  private _regionCount = 0;
}

/** A device type other than `device` that tensors of a graph are on; null where there is none. */
function foreignDevice(metas: unknown, device: string): string | null {
  for (const meta of Object.values(metas as { [name: string]: EditableJson })) {
    const type = (meta.device as EditableJson | undefined)?.type;
    if (typeof type === 'string' && type !== device) {
      return type;
    }
  }
  return null;
}

/** Write a dtype into a `TensorMeta`. */
export function setDtype(meta: EditableJson, dtype: DType): void {
  meta.dtype = scalarTypeOf(dtype);
}

/** A copy of JSON. */
export function structuredCopy(value: unknown): unknown {
  return parseJson(stringifyJson(value), digits => new JsonNumber(digits));
}

/** Bytes of a whole storage as another dtype. */
export function convertedSize(sizeBytes: number, from: DType, to: DType): number {
  return (sizeBytes / (DTYPES[from].bits / 8)) * (DTYPES[to].bits / 8);
}

/**
 * Give the nested graphs of an operator one more input, the last: context managers take operands one by one, branches and loops in a list,
 * of which the last is of values that no run changes.
 */
function giveOperand(node: EditableJson, name: string): void {
  const args = node.inputs as EditableJson[];
  if (INLINED.has(opOf(node))) {
    args.push({ name: '', arg: { as_tensor: { name } }, kind: 1 });
  } else {
    ((args.at(-1)!.arg as EditableJson).as_tensors as EditableJson[]).push({ name });
  }
}

function opOf(node: EditableJson): string {
  const target = String(node.target);
  return target.startsWith(PREFIX) ? target.slice(PREFIX.length) : target;
}

/** References to tensors in an argument, as objects that can be edited. */
function* tensorRefs(argument: unknown): Generator<{ name: string }> {
  if (Array.isArray(argument)) {
    for (const item of argument) {
      yield* tensorRefs(item);
    }
    return;
  }
  if (!isPlainObject(argument)) {
    return;
  }
  if (typeof argument.name === 'string') {
    yield argument as { name: string };
    return;
  }
  for (const tag of TENSOR_TAGS) {
    if (Object.hasOwn(argument, tag)) {
      yield* tensorRefs(argument[tag]);
    }
  }
}

const TENSOR_TAGS = [
  'as_tensor',
  'as_tensors',
  'as_optional_tensor',
  'as_optional_tensors',
  'as_nested_tensors'
];

/** Names a list of arguments introduces or uses, lists of tensors flattened, as the reader does; null for literals. */
function namesOf(list: unknown): (string | null)[] {
  const names: (string | null)[] = [];
  const one = (argument: unknown): void => {
    const [[tag, value]] = Object.entries(argument as EditableJson);
    switch (tag) {
      case 'as_tensor':
        names.push((value as { name: string }).name);
        return;
      case 'as_tensors':
        (value as unknown[]).forEach(item => one({ as_tensor: item }));
        return;
      case 'as_optional_tensor':
        one(value);
        return;
      case 'as_optional_tensors':
      case 'as_nested_tensors':
        (value as unknown[]).forEach(item =>
          one(Array.isArray(item) ? { as_tensors: item } : item)
        );
        return;
      case 'as_sym_int':
      case 'as_sym_float':
      case 'as_sym_bool': {
        const name: unknown = (value as EditableJson).as_name;
        names.push(typeof name === 'string' ? name : null);
        return;
      }
      case 'as_sym_ints':
        (value as unknown[]).forEach(item => one({ as_sym_int: item }));
        return;
      default:
        names.push(null);
    }
  };
  (list as unknown[]).forEach(one);
  return names;
}

function isPlainObject(value: unknown): value is EditableJson {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof JsonNumber)
  );
}
