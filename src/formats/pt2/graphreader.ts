/**
 * The graph of a `.pt2` program, with autocast regions inlined.
 *
 * @packageDocumentation
 */
import type {
  Attr,
  IAutocastRegion,
  IGraph,
  IMemory,
  INode,
  ISourceLocation,
  IValue
} from '../../model';
import { CastlensError, makeValue, mayHoldGraphs, perOperator, UniqueNames } from '../../model';
import { addressesMemory } from '../../operators';
import { ArgumentReader } from './arguments';
import type { JsonObject, JsonRecord } from '../jsonrecord';
import type { ITensorMeta, TensorMetaReader } from './tensormeta';
import type { IModuleFrame, IOrigin } from './trace';
import { parseModuleStack, parseStackTrace } from './trace';

/** What is read from `graph_module.graph`. */
export interface IReadGraph {
  /** Inputs and weights are left empty: the signature tells them apart. */
  readonly graph: IGraph;
  /** Values of the root graph by the name the file uses. */
  readonly scope: ReadonlyMap<string, IValue>;
  /** Regions, each before those nested in it. */
  readonly regions: readonly IAutocastRegion[];
  /** Python class of each module path that a node names. */
  readonly moduleTypes: ReadonlyMap<string, string>;
}

type RegionDraft = { -readonly [K in keyof IAutocastRegion]: IAutocastRegion[K] };

/** A graph that is being read, as deep as graphs nest. */
interface IFrame {
  readonly where: string;
  readonly json: JsonObject;
  readonly nodes: readonly unknown[];
  next: number;
  readonly scope: Map<string, IValue>;
  /** What the file says of the tensors of the graph, all of it checked: whoever edits the graph edits these too. */
  readonly metas: ReadonlyMap<string, ITensorMeta>;
  readonly region: RegionDraft | null;
  /** Where nodes go: the graph itself, or the one it is inlined into. */
  readonly target: IGraph;
  /** Called once all nodes are read. */
  readonly finish: (frame: IFrame) => void;
}

const PREFIX = 'torch.ops.';
/** The operator of a target. One text per operator, not one per node: they are compared all the time. */
const operatorOf = perOperator(target =>
  target.startsWith(PREFIX) ? target.slice(PREFIX.length) : target
);

const WRAP_WITH_AUTOCAST = 'higher_order.wrap_with_autocast';
const WRAP_WITH_SET_GRAD_ENABLED = 'higher_order.wrap_with_set_grad_enabled';

/**
 * Reads one program.
 *
 * #### Notes
 * `wrap_with_autocast` becomes a region and `wrap_with_set_grad_enabled` vanishes; operands are bound to the inputs of the
 * nested graph by position, so a weight is one value everywhere. Other higher-order operators stay nodes with graphs.
 * Nested graphs are worked off with a stack of our own: depth costs no call stack.
 *
 * #### Complexity
 * Linear in the size of the JSON.
 */
export class GraphReader {
  constructor(
    private readonly _json: JsonRecord,
    private readonly _metas: TensorMetaReader
  ) {
    this._arguments = new ArgumentReader(_json, _metas);
  }

  /** Read the root graph. */
  read(root: unknown, where: string): IReadGraph {
    const json = this._json.object(root, where);
    const graph: IGraph = {
      name: 'main',
      inputs: [],
      outputs: [],
      nodes: [],
      weights: [],
      opsets: {}
    };
    const scope = new Map<string, IValue>();
    // What it returns is told by the signature; whoever edits the graph goes by both.
    this._push(json, where, scope, null, graph, root => void this._resultsOf(root));
    const frame = this._stack[0];
    for (const input of this._inputNames(frame)) {
      if (input !== null) {
        this._define(frame, input.name, input.kind);
      }
    }
    while (this._stack.length > 0) {
      const top = this._stack[this._stack.length - 1];
      if (top.next < top.nodes.length) {
        const index = top.next++;
        this._node(top, top.nodes[index], index);
      } else {
        this._stack.pop();
        top.finish(top);
      }
    }
    return { graph, scope, regions: this._regions, moduleTypes: this._moduleTypes };
  }

  private _node(frame: IFrame, value: unknown, index: number): void {
    const json = this._json;
    const where = `${frame.where}.nodes[${index}]`;
    const node = json.object(value, where);
    const target = json.string(node.target, `${where}.target`);
    const op = operatorOf(target);
    const args = json.array(node.inputs, `${where}.inputs`);
    const origin = this._origin(node, frame);
    if (op === WRAP_WITH_AUTOCAST || op === WRAP_WITH_SET_GRAD_ENABLED) {
      this._inline(frame, op, node, args, origin, `${where} (${op})`);
      return;
    }
    const inputs: (IValue | null)[] = [];
    const attrs: Record<string, Attr> = {};
    const bodies: (() => void)[] = [];
    const context = {
      resolve: (name: string) => this._resolve(frame, name, where, op),
      graph: (name: string, body: JsonObject, bodyWhere: string): IGraph => {
        if (!mayHoldGraphs(op)) {
          throw json.fail(bodyWhere, 'an argument that is no graph', body);
        }
        const nested: IGraph = {
          name,
          inputs: [],
          outputs: [],
          nodes: [],
          weights: [],
          opsets: {}
        };
        bodies.push(() => this._pushBody(frame, nested, body, bodyWhere));
        return nested;
      }
    };
    args.forEach((item, position) => {
      const argument = json.object(item, `${where}.inputs[${position}]`);
      const given = typeof argument.name === 'string' ? argument.name : '';
      const name = given === '' ? `arg${position}` : given;
      attrs[name] = this._arguments.read(argument.arg, inputs, context, `${where} (${op}).${name}`);
    });
    const outputs = this._outputs(frame, node, where);
    const wanted =
      typeof node.name === 'string' && node.name !== ''
        ? node.name
        : (outputs.find(output => output !== null)?.name ?? op);
    const made: INode = {
      name: this._nodeNames.take(wanted),
      op,
      inputs,
      attrs,
      outputs,
      region: frame.region?.id ?? null,
      module: origin.module,
      source: origin.source
    };
    if (addressesMemory(op)) {
      const memory = this._memoryOf(frame, args);
      if (memory !== null) {
        made.memory = memory;
      }
    }
    frame.target.nodes.push(made);
    for (let i = bodies.length - 1; i >= 0; i--) {
      bodies[i]();
    }
  }

  /** Where the tensor that is the first argument lay at export; null where that is not recorded, or not in strides. */
  private _memoryOf(frame: IFrame, args: readonly unknown[]): IMemory | null {
    const first = args.slice(0, 1).map(item => (item as JsonObject).arg);
    const name = this._names(first, frame.where).at(0);
    const meta = name ? frame.metas.get(name.name) : undefined;
    return meta?.layout === 'strided' && meta.strides.length === meta.shape.length
      ? { strides: meta.strides, offset: meta.storageOffset }
      : null;
  }

  /** Continue with the nested graph of a context manager; its nodes go where the operator's would. */
  private _inline(
    frame: IFrame,
    op: string,
    node: JsonObject,
    args: readonly unknown[],
    origin: { module: string | null; source: ISourceLocation | null },
    where: string
  ): void {
    const json = this._json;
    const items = args.map((item, i) =>
      json.variant(json.object(item, where).arg, `${where}.inputs[${i}]`)
    );
    const position = items.findIndex(item => item.tag === 'as_graph');
    if (position !== (op === WRAP_WITH_AUTOCAST ? 4 : 1)) {
      throw json.fail(
        where,
        'a nested graph among its arguments',
        items.map(item => item.tag).join(', ')
      );
    }
    const body = json.object(items[position].value, where);
    const graph = json.object(body.graph, `${where}.graph`);
    const name = json.string(body.name, `${where}.graph.name`);
    let region = frame.region;
    if (op === WRAP_WITH_AUTOCAST) {
      const [device, dtype, enabled, cache] = items;
      region = {
        id: this._regionIds.take(name),
        parent: frame.region?.id ?? null,
        device: json.string(device.value, `${where}: device type`).split(':')[0],
        dtype: dtype.tag === 'as_none' ? null : this._metas.dtype(dtype.value, `${where}: dtype`),
        enabled: enabled.tag === 'as_none' || json.boolean(enabled.value, `${where}: enabled`),
        cacheEnabled:
          cache.tag === 'as_none' ? null : json.boolean(cache.value, `${where}: cache_enabled`),
        module: origin.module,
        source: null
      };
      this._regions.push(region);
      this._regionById.set(region.id, region);
      if (origin.source !== null) {
        this._locateRegions(region, origin.source);
      }
    }
    const operands: IValue[] = [];
    for (const item of items.slice(position + 1)) {
      const attr = this._arguments.read(
        { [item.tag]: item.value },
        operands,
        { resolve: operand => this._resolve(frame, operand, where, op), graph: () => frame.target },
        where
      );
      if (attr.kind !== 'input') {
        throw json.fail(where, 'tensors and symbolic numbers as operands', item.tag);
      }
    }
    const outer = this._outputNames(node, where);
    this._push(graph, `${where}.graph(${name})`, new Map(), region, frame.target, inner => {
      const results = this._resultsOf(inner);
      if (results.length !== outer.length) {
        throw json.fail(`${where}.outputs`, `${results.length} outputs`, outer.length);
      }
      outer.forEach((output, i) => {
        const result = results[i];
        if (output !== null && result !== null) {
          frame.scope.set(output.name, result);
        }
      });
    });
    const inner = this._stack[this._stack.length - 1];
    const inputs = this._inputNames(inner);
    if (inputs.length !== operands.length) {
      throw json.fail(`${where}: operands`, `${inputs.length} operands`, operands.length);
    }
    inputs.forEach((input, i) => {
      if (input !== null) {
        inner.scope.set(input.name, operands[i]);
      }
    });
  }

  /** Read a graph that stays nested (a branch or a loop body). */
  private _pushBody(frame: IFrame, nested: IGraph, graph: JsonObject, where: string): void {
    const label = `${where}.graph(${nested.name})`;
    this._push(graph, label, new Map(), frame.region, nested, inner => {
      nested.outputs = this._resultsOf(inner).filter(value => value !== null);
    });
    const inner = this._stack[this._stack.length - 1];
    for (const input of this._inputNames(inner)) {
      if (input !== null) {
        nested.inputs.push(this._define(inner, input.name, input.kind));
      }
    }
  }

  private _push(
    json: JsonObject,
    where: string,
    scope: Map<string, IValue>,
    region: RegionDraft | null,
    target: IGraph,
    finish: (frame: IFrame) => void
  ): void {
    const nodes = this._json.array(json.nodes, `${where}.nodes`);
    const table = this._json.object(json.tensor_values, `${where}.tensor_values`);
    const metas = new Map(
      Object.keys(table).map(name => [
        name,
        this._metas.tensorMeta(table[name], `${where}.tensor_values.${name}`)
      ])
    );
    this._stack.push({ where, json, nodes, next: 0, scope, metas, region, target, finish });
  }

  /** The values a graph returns; null for literals. */
  private _resultsOf(frame: IFrame): (IValue | null)[] {
    return this._names(frame.json.outputs, `${frame.where}.outputs`).map(name =>
      name === null ? null : this._resolve(frame, name.name, `${frame.where}.outputs`, 'output')
    );
  }

  private _inputNames(frame: IFrame): (IName | null)[] {
    return this._names(frame.json.inputs, `${frame.where}.inputs`);
  }

  private _outputNames(node: JsonObject, where: string): (IName | null)[] {
    return this._names(node.outputs, `${where}.outputs`);
  }

  private _outputs(frame: IFrame, node: JsonObject, where: string): (IValue | null)[] {
    return this._outputNames(node, where).map(name =>
      name === null ? null : this._define(frame, name.name, name.kind)
    );
  }

  /** Names a list of arguments introduces or returns, lists of tensors flattened; null for literals. */
  private _names(value: unknown, where: string): (IName | null)[] {
    const json = this._json;
    const names: (IName | null)[] = [];
    const optional = (argument: unknown): void => {
      if (json.variant(argument, where).tag === 'as_tensor') {
        one(argument);
      } else {
        names.push(null);
      }
    };
    const one = (argument: unknown): void => {
      const { tag, value: inner } = json.variant(argument, where);
      switch (tag) {
        case 'as_tensor':
          names.push({ name: json.string(json.object(inner, where).name, where), kind: 'tensor' });
          return;
        case 'as_tensors':
          json.array(inner, where).forEach(item => one({ as_tensor: item }));
          return;
        case 'as_optional_tensor':
          optional(inner);
          return;
        case 'as_optional_tensors':
          json.array(inner, where).forEach(optional);
          return;
        case 'as_nested_tensors':
          json.array(inner, where).forEach(item => one({ as_tensors: item }));
          return;
        case 'as_sym_int':
        case 'as_sym_float':
        case 'as_sym_bool': {
          const symbol = json.variant(inner, where);
          const kind = tag === 'as_sym_int' ? 'int' : tag === 'as_sym_float' ? 'float' : 'bool';
          names.push(
            symbol.tag === 'as_name' ? { name: json.string(symbol.value, where), kind } : null
          );
          return;
        }
        case 'as_sym_ints':
          json.array(inner, where).forEach(item => one({ as_sym_int: item }));
          return;
        case 'as_custom_obj':
          throw new CastlensError('unsupported-format', 'the program uses a custom object', {
            file: json.file,
            entry: json.entry,
            expected: 'tensors and numbers',
            found: `${where}: an object of class ${String(json.object(inner, where).class_fqn)}`,
            hint: 'Custom objects hold code and are never loaded: export the model without it.'
          });
        default:
          names.push(null);
      }
    };
    json.array(value, where).forEach(one);
    return names;
  }

  /** Make the value `name` of a graph, as its tables describe it. */
  private _define(frame: IFrame, name: string, kind: IValue['kind']): IValue {
    const made = makeValue(this._valueNames.take(name), null, null, { kind });
    if (kind === 'tensor') {
      const meta = frame.metas.get(name);
      if (meta !== undefined) {
        made.dtype = meta.dtype;
        made.declaredDtype = meta.dtype;
        made.device = meta.device ?? undefined;
        made.shape = meta.shape;
        made.requiresGrad = meta.requiresGrad;
      }
    }
    frame.scope.set(name, made);
    return made;
  }

  private _resolve(frame: IFrame, name: string, where: string, op: string): IValue {
    const value = frame.scope.get(name);
    if (value === undefined) {
      throw new CastlensError(
        'bad-file',
        `${where} (${op}) uses a value that nothing before it makes`,
        {
          file: this._json.file,
          entry: this._json.entry,
          expected: 'nodes in topological order',
          found: `no value '${name}'`
        }
      );
    }
    return value;
  }

  private _origin(
    node: JsonObject,
    frame: IFrame
  ): { module: string | null; source: ISourceLocation | null } {
    const metadata = this._json.object(node.metadata ?? {}, `${frame.where}.nodes: metadata`);
    const trace = typeof metadata.stack_trace === 'string' ? metadata.stack_trace : '';
    let origin = this._traces.get(trace);
    if (origin === undefined) {
      origin = parseStackTrace(trace);
      this._traces.set(trace, origin);
    }
    const modules = this._modulesOf(metadata.nn_module_stack);
    const innermost = modules.at(-1)?.path ?? null;
    if (origin.source !== null && frame.region !== null) {
      this._locateRegions(frame.region, origin.source);
    }
    return {
      // Inside a decomposed region only the module that entered it is left, not the one that was called.
      module: origin.generated ? null : innermost,
      source: origin.source
    };
  }

  private _modulesOf(stack: unknown): readonly IModuleFrame[] {
    if (typeof stack !== 'string' || stack === '') {
      return [];
    }
    let frames = this._moduleStacks.get(stack);
    if (frames === undefined) {
      frames = parseModuleStack(stack);
      this._moduleStacks.set(stack, frames);
      for (const frame of frames) {
        if (frame.type !== null && !this._moduleTypes.has(frame.path)) {
          this._moduleTypes.set(frame.path, frame.type);
        }
      }
    }
    return frames;
  }

  /** A region without a line of its own is where its first node is; so are the regions around it. */
  private _locateRegions(region: RegionDraft, source: ISourceLocation): void {
    let current: RegionDraft | undefined = region;
    while (current !== undefined && current.source === null) {
      current.source = source;
      current = current.parent === null ? undefined : this._regionById.get(current.parent);
    }
  }

  private readonly _arguments: ArgumentReader;
  private readonly _stack: IFrame[] = [];
  private readonly _regions: RegionDraft[] = [];
  private readonly _regionById = new Map<string, RegionDraft>();
  private readonly _regionIds = new UniqueNames();
  private readonly _valueNames = new UniqueNames();
  private readonly _nodeNames = new UniqueNames();
  private readonly _traces = new Map<string, IOrigin>();
  private readonly _moduleStacks = new Map<string, readonly IModuleFrame[]>();
  private readonly _moduleTypes = new Map<string, string>();
}

interface IName {
  readonly name: string;
  readonly kind: IValue['kind'];
}
