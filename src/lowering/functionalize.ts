/**
 * Writes through views, made functional.
 *
 * `out[:, 0] = y` is, in training IR, a `copy_` into a `select` of `out`. It becomes a `select_scatter` into `out`, and what reads
 * `out` or a view of it afterwards reads the new tensor. Writes into inputs and weights are the same for what is read later in the
 * forward; the next forward starts from what the file holds.
 *
 * @packageDocumentation
 */
import { GraphNames, makeValue } from '../model';
import type { Attr, IGraph, INode, IValue } from '../model';
import { inPlaceConflicts, lastUses } from '../dataflow';
import { intsAttr, loweredOperator, mayShareMemory, writesInPlace } from '../operators';
import { asViews, inversePermutation } from './views';

/**
 * The graph without writes that only make sense through shared memory. Graphs that have none are returned as they are, and so
 * are graphs with one that cannot be proven right: their operators are then refused by name.
 *
 * #### Complexity
 * Linear in nodes, plus the length of the chain of views for each write.
 */
export function functionalize(graph: IGraph): IGraph {
  const writes = graph.nodes.filter(writesInPlace);
  if (writes.length === 0) {
    return graph;
  }
  const needed =
    writes.some(node => loweredOperator(node.op) === null) || inPlaceConflicts(graph).size > 0;
  return needed ? (new Functional(graph).run() ?? graph) : graph;
}

/** A name of a piece of memory: how it is made from the name it is a view of. */
interface IAlias {
  readonly root: IValue;
  /**
   * The operator with this one result, whose first operand is the value this is a view of; null for the root and for other names
   * of one value, `unclear` where it may be a copy as well.
   */
  readonly view: INode | 'unclear' | null;
  readonly parent: IValue | null;
  /** The value that holds its elements now, and after how many writes to the memory that was so. */
  current: IValue;
  version: number;
}

class Functional {
  constructor(private readonly _graph: IGraph) {
    this._names = GraphNames.forOnnx(_graph);
    this._lastUses = lastUses(_graph);
    const names = new Map<string, number>();
    for (const { weight } of _graph.weights) {
      names.set(weight.storage, (names.get(weight.storage) ?? 0) + 1);
    }
    this._shared = new Set(
      _graph.weights
        .filter(({ weight }) => names.get(weight.storage)! > 1)
        .map(({ value }) => value)
    );
  }

  /** The functional graph, or null where it cannot be proven right. */
  run(): IGraph | null {
    for (const [index, node] of this._graph.nodes.entries()) {
      const inputs: (IValue | null)[] = [];
      for (const value of node.inputs) {
        const current = value === null ? null : this._read(value);
        if (value !== null && current === null) {
          return null;
        }
        inputs.push(current);
      }
      if (writesInPlace(node)) {
        if (!this._write(node, inputs)) {
          return null;
        }
        continue;
      }
      this._nodes.push({ ...node, inputs });
      const operand = node.inputs[0];
      if (operand && mayShareMemory(node)) {
        this._share(node, operand, index);
      }
    }
    const outputs = this._graph.outputs.map(value => this._read(value));
    return outputs.includes(null)
      ? null
      : { ...this._graph, nodes: this._nodes, outputs: outputs as IValue[] };
  }

  /** Take note of results that are views of an operand, or may be. */
  private _share(node: INode, operand: IValue, index: number): void {
    const { root } = this._aliasOf(operand);
    const views = asViews(node);
    if (views === null && !this._shared.has(root) && this._lastRead(root) <= index) {
      // View or copy: nobody can tell, since no other name of the memory is read from here on.
      return;
    }
    const version = this._versions.get(root) ?? 0;
    node.outputs.forEach((value, i) => {
      if (value !== null) {
        const view = views === null ? 'unclear' : views[i]!;
        this._addName(value, { root, view, parent: operand, current: value, version });
      }
    });
  }

  private _addName(value: IValue, alias: IAlias): void {
    const { root } = alias;
    this._aliases.set(value, alias);
    this._lastReads.set(root, Math.max(this._lastRead(root), this._lastUses.get(value) ?? -1));
  }

  /** When the memory is last read under one of the names it has so far. */
  private _lastRead(root: IValue): number {
    return this._lastReads.get(root) ?? this._lastUses.get(root) ?? -1;
  }

  /** The value to read instead: views of memory that was written since are made anew. Null where that is not possible. */
  private _read(value: IValue): IValue | null {
    const chain: IAlias[] = [];
    let alias = this._aliasOf(value);
    const version = this._versions.get(alias.root) ?? 0;
    while (alias.version !== version) {
      if (alias.parent === null) {
        return null;
      }
      chain.push(alias);
      alias = this._aliasOf(alias.parent);
    }
    let { current } = alias;
    for (const next of chain.reverse()) {
      if (next.view === 'unclear') {
        return null;
      }
      if (next.view !== null) {
        current = this._again(next.view, current);
      }
      next.current = current;
      next.version = version;
    }
    return current;
  }

  /** Emit the operator out of place, and put its result where the operand is a view of. */
  private _write(node: INode, inputs: (IValue | null)[]): boolean {
    const op = node.op.replace(/_(\.\w+)$/, '$1');
    const operand = node.inputs[0];
    if (!operand || loweredOperator(op) === null) {
      return false;
    }
    let alias = this._aliasOf(operand);
    if (this._shared.has(alias.root)) {
      return false;
    }
    const { root } = alias;
    const version = (this._versions.get(root) ?? 0) + 1;
    const result = this._like(operand);
    this._nodes.push({ ...node, op, inputs, outputs: [result] });
    let current = result;
    for (;;) {
      const { parent, view } = alias;
      if (parent === null) {
        break;
      }
      const whole = this._read(parent);
      alias.current = current;
      alias.version = version;
      if (view !== null) {
        const put =
          whole === null || view === 'unclear'
            ? null
            : this._put(view, parent, whole, current, node);
        if (put === null) {
          return false;
        }
        current = put;
      }
      alias = this._aliasOf(parent);
    }
    alias.current = current;
    alias.version = version;
    this._versions.set(root, version);
    for (const value of node.outputs) {
      if (value !== null) {
        this._addName(value, { root, view: null, parent: operand, current: result, version });
      }
    }
    return true;
  }

  /** The view of another value. */
  private _again(view: INode, of: IValue): IValue {
    const result = this._like(view.outputs[0]!);
    this._nodes.push({
      ...view,
      name: this._names.node(view.name),
      inputs: [of, ...view.inputs.slice(1)],
      outputs: [result]
    });
    return result;
  }

  /** `whole` with `part` where the view is; null where that is not known. */
  private _put(
    view: INode,
    parent: IValue,
    whole: IValue,
    part: IValue,
    from: INode
  ): IValue | null {
    const emit = (op: string, inputs: IValue[], attrs: Record<string, Attr>): IValue => {
      const result = this._like(parent);
      const { region, module, source } = from;
      const name = this._names.node(`${from.name}_put`);
      this._nodes.push({ name, op, inputs, attrs, outputs: [result], region, module, source });
      return result;
    };
    const self: Attr = { kind: 'input', index: 0 };
    const src: Attr = { kind: 'input', index: 1 };
    /** The arguments of the view; sizes computed when the model runs stand behind `whole` and `part`. */
    const scatter = (op: string): IValue =>
      emit(op, [whole, part, ...(view.inputs.slice(1) as IValue[])], {
        ...Object.fromEntries(
          Object.entries(view.attrs).map(([name, attr]) => [
            name,
            attr.kind === 'input' ? { kind: 'input', index: attr.index + 1 } : attr
          ])
        ),
        self,
        src
      });
    switch (view.op) {
      case 'aten.alias.default':
      case 'aten.detach.default':
        return part;
      case 'aten.slice.Tensor':
        return scatter('aten.slice_scatter.default');
      case 'aten.select.int':
        return scatter('aten.select_scatter.default');
      case 'aten.transpose.int':
      case 'aten.t.default':
        return emit(view.op, [part], { ...view.attrs, self });
      case 'aten.permute.default': {
        const back = inversePermutation(view);
        return back === null ? null : emit(view.op, [part], { self, dims: intsAttr(back) });
      }
      case 'aten.expand.default':
        // Several elements in one place: PyTorch refuses such a write.
        return null;
      default:
        // Order-preserving: the elements in the shape of the whole.
        return emit('aten.view_as.default', [part, whole], { self, other: src });
    }
  }

  private _like(value: IValue): IValue {
    return makeValue(this._names.value(`${value.name}_written`), value.dtype, value.shape);
  }

  private _aliasOf(value: IValue): IAlias {
    let alias = this._aliases.get(value);
    if (!alias) {
      alias = { root: value, view: null, parent: null, current: value, version: 0 };
      this._aliases.set(value, alias);
    }
    return alias;
  }

  private readonly _names: GraphNames;
  private readonly _nodes: INode[] = [];
  /** Weights whose memory has other names too. */
  private readonly _shared: ReadonlySet<IValue>;
  private readonly _aliases = new Map<IValue, IAlias>();
  private readonly _versions = new Map<IValue, number>();
  private readonly _lastUses: ReadonlyMap<IValue, number>;
  /** By root, once it has other names. */
  private readonly _lastReads = new Map<IValue, number>();
}
