/**
 * ATen graphs to ONNX graphs, operator by operator.
 *
 * @packageDocumentation
 */
import { BATCH_DIM, CastlensError, GraphNames, bodiesOf, forEachNode, handedOn } from '../model';
import type { Attr, IErrorDetails, IGraph, INode, ISourceLocation, IValue } from '../model';
import {
  Arguments,
  Call,
  dtypeAttr,
  markPicks,
  NodeBuilder,
  onnxSince,
  loweredOperator,
  UnsupportedCall,
  writesInPlace
} from '../operators';
import { inPlaceConflicts, stepOf } from '../dataflow';
import type { Lowered, LoweredOperator } from '../operators';
import { functionalize } from './functionalize';

/** An operator that castlens cannot lower, or not with these arguments. */
export interface IUnsupported {
  /** `aten.fft_rfft.default` */
  readonly op: string;
  readonly count: number;
  /** Name of the first one. */
  readonly node: string;
  /** Where the first one stands in the user's source, where recorded. */
  readonly source: ISourceLocation | null;
  /** What is not supported, where the operator itself is known. */
  readonly reason?: string;
}

const UNSUPPORTED_HINT = 'Replace them and export again; all but running the model works as it is.';

/** Operator set of lowered graphs. */
export const LOWERED_OPSET = 20;

/** Domains besides `ai.onnx` whose operators onnxruntime has; `nchwc` and `nhwc` in models that it has optimised. */
const RUNTIME_DOMAINS: ReadonlySet<string> = new Set([
  'ai.onnx.ml',
  'ai.onnx.preview',
  'ai.onnx.preview.training',
  'ai.onnx.training',
  'com.microsoft',
  'com.microsoft.experimental',
  'com.microsoft.nchwc',
  'com.ms.internal.nhwc'
]);

/**
 * Operators with no rule, or whose arguments their rule does not support, in order of first appearance. Works on ATen and ONNX
 * graphs (for the latter: operators of domains the runtime does not know, and those that `ai.onnx` has not, or not in the operator
 * set of the model). Linear in the graph.
 */
export function unsupportedOperators(graph: IGraph): IUnsupported[] {
  return isAtenGraph(graph) ? unsupportedAten(functionalize(graph)) : unsupportedOnnx(graph);
}

function unsupportedAten(graph: IGraph): IUnsupported[] {
  const found = new Refusals();
  // Branches are added as they are met.
  const pending: IGraph[] = [graph];
  for (const current of pending) {
    const conflicts = inPlaceConflicts(current);
    let used: Set<IValue> | null = null;
    const isUsed = (value: IValue): boolean => (used ??= usedValues(current)).has(value);
    for (const node of current.nodes) {
      if (node.op === COND) {
        const bodies = bodiesOf(node);
        const given = new Set(handedOn(node).map(({ value }) => value));
        if (bodies.some(({ inputs }) => inputs.some(value => !given.has(value)))) {
          found.add(node, 'operands that are literals');
        } else if (bodies.some(({ outputs }) => outputs.length !== node.outputs.length)) {
          found.add(node, 'branches that return literals');
        }
        pending.push(...bodies);
        continue;
      }
      const rule = loweredOperator(node.op);
      if (rule === null) {
        found.add(node, VMAP.has(node.op) ? AFTER_DECOMPOSITION : undefined);
        continue;
      }
      const reason = conflicts.get(node) ?? refusal(rule, node, isUsed);
      if (reason !== null) {
        found.add(node, reason);
      }
    }
  }
  return found.list();
}

function unsupportedOnnx(graph: IGraph): IUnsupported[] {
  const found = new Refusals();
  const opset = graph.opsets[''] ?? 1;
  forEachNode(graph, node => {
    const reason = refusalOf(node.op, opset);
    if (reason !== null) {
      found.add(node, reason);
    }
  });
  return found.list();
}

/** What onnxruntime has in ai.onnx besides: operators of its early days, and those its own optimizer makes. */
const RUNTIME_OPERATORS: ReadonlySet<string> = new Set([
  'Affine',
  'Crop',
  'DynamicSlice',
  'GRUUnit',
  'GivenTensorFill',
  'ImageScaler',
  'MemcpyFromHost',
  'MemcpyToHost',
  'ParametricSoftplus',
  'Scale',
  'ScaledTanh',
  'SimplifiedLayerNormalization'
]);

const VMAP: ReadonlySet<string> = new Set(Object.values(BATCH_DIM));

/** Batch rules are PyTorch's own: a program that was decomposed has gone through them. */
const AFTER_DECOMPOSITION = 'part of torch.vmap; program.run_decompositions({}) has none';

/** Why the runtime has no such ONNX operator, or null. */
function refusalOf(op: string, opset: number): string | null {
  const domain = op.slice(0, op.lastIndexOf('.'));
  if (domain !== 'onnx') {
    return RUNTIME_DOMAINS.has(domain) ? null : 'onnxruntime knows no such domain';
  }
  const name = op.slice(domain.length + 1);
  const since = onnxSince(name);
  if (since === null) {
    return RUNTIME_OPERATORS.has(name) ? null : 'ai.onnx has no such operator';
  }
  return since > opset ? `in ai.onnx since operator set ${since}, the model is of ${opset}` : null;
}

/** Collects calls that cannot be lowered, by operator and reason. */
class Refusals {
  add(node: INode, reason?: string): void {
    const key = `${node.op}|${reason ?? ''}`;
    const entry = this._found.get(key);
    if (entry) {
      entry.count++;
      entry.source ??= node.source;
    } else {
      const { op, name, source } = node;
      this._found.set(key, { op, count: 1, node: name, source, ...(reason ? { reason } : {}) });
    }
  }

  /** In order of first appearance. */
  list(): IUnsupported[] {
    return [...this._found.values()];
  }

  private readonly _found = new Map<
    string,
    { op: string; count: number; node: string; source: ISourceLocation | null; reason?: string }
  >();
}

/**
 * Lower an ATen graph. The graph must have explicit casts and the dtype of every tensor. Graphs of ONNX operators are returned
 * as they are, if the runtime has their operators.
 *
 * The result has logical dtypes: bfloat16 stays bfloat16. Intermediate results of one operator are float32 where the operator's
 * own result is narrower (`IValue.accumulates`). Values that were results of ATen operators keep their names; nodes are named
 * `<ATen node>/<ONNX operator>`, casts as the ATen node.
 *
 * #### Complexity
 * Linear in nodes, operands and sizes.
 *
 * @param file - of the graph, for the error.
 *
 * @throws CastlensError('unsupported-operator') that lists all of {@link unsupportedOperators}, or names the argument.
 */
export function lowerToOnnx(given: IGraph, file?: string): IGraph {
  const isAten = isAtenGraph(given);
  const graph = isAten ? functionalize(given) : given;
  const unsupported = isAten ? unsupportedAten(graph) : unsupportedOnnx(graph);
  if (unsupported.length > 0) {
    throw unsupportedError(unsupported, { file, hint: UNSUPPORTED_HINT });
  }
  if (!isAten) {
    return graph;
  }
  const values = new Map<IValue, IValue>();
  const keep = (value: IValue): IValue => {
    const copy: IValue = { ...value };
    if (copy.kind !== 'tensor' && copy.kind !== 'other') {
      copy.dtype = copy.kind === 'int' ? 'int64' : copy.kind === 'bool' ? 'bool' : 'float64';
      copy.shape = [];
      copy.kind = 'tensor';
    }
    values.set(value, copy);
    return copy;
  };
  const inputs = graph.inputs.map(keep);
  const weights = graph.weights.map(({ value, weight }) => ({ value: keep(value), weight }));
  // Values keep their names, nodes get new ones.
  const builder = new NodeBuilder(GraphNames.forOtherNodes(graph));
  const named = new Set(values.values());
  const lowered = (value: IValue): IValue => {
    const result = values.get(value);
    if (!result) {
      throw new CastlensError('bad-file', `value ${value.name} is used before it is made`, {
        entry: value.name
      });
    }
    return result;
  };
  const state: ILowering = { values, lowered, named };
  for (const node of graph.nodes) {
    lowerNode(node, builder, state);
  }
  return {
    name: graph.name,
    inputs,
    outputs: graph.outputs.map(lowered),
    nodes: builder.nodes,
    weights,
    opsets: { '': LOWERED_OPSET }
  };
}

/** One error for the reader that lists every unsupported operator with its count and source line, or the name of the first call. */
export function unsupportedError(
  unsupported: readonly IUnsupported[],
  details: Pick<IErrorDetails, 'file' | 'hint' | 'cause'> = {}
): CastlensError {
  const lines = unsupported.map(({ op, count, node, source, reason }) => {
    const where = source ? ` (${source.file}:${source.line})` : ` (node '${node}')`;
    return `${count} x ${op}${reason ? `: ${reason}` : ''}${where}`;
  });
  return new CastlensError(
    'unsupported-operator',
    `the model has operators that cannot be run: ${lines.join('; ')}`,
    details
  );
}

/** What is known of values while a graph is lowered. */
interface ILowering {
  readonly values: Map<IValue, IValue>;
  readonly lowered: (value: IValue) => IValue;
  /** Values whose names are taken by graph ends or earlier results. */
  readonly named: Set<IValue>;
}

/** `torch.cond`: a condition, and a graph for either case. */
const COND = 'higher_order.cond';

/** Lower one operator and bind its results. */
function lowerNode(node: INode, builder: NodeBuilder, state: ILowering): void {
  const { values, lowered, named } = state;
  let made: Lowered;
  if (node.op === COND) {
    made = lowerBranches(node, builder, state);
  } else {
    const rule = loweredOperator(node.op)!;
    const before = builder.nodes.length;
    made = rule.lower(new Call(node, rule.schema, builder, lowered));
    if (node.inputs[0] && stepOf(node) === 'arranged') {
      markPicks(builder.nodes, before, lowered(node.inputs[0]));
    }
  }
  const results = Array.isArray(made) ? (made as (IValue | null)[]) : [made as IValue];
  for (const [i, logical] of node.outputs.entries()) {
    const value = results[i] ?? null;
    // A result that no rule makes is refused where it is used.
    if (logical === null || value === null) {
      continue;
    }
    if (!named.has(value) && !builder.isConstant(value)) {
      value.name = logical.name;
      value.declaredDtype = logical.declaredDtype;
      value.requiresGrad = logical.requiresGrad;
      if (logical.kind === 'tensor' && node.op !== COND) {
        value.dtype = logical.dtype ?? value.dtype;
        value.shape = logical.shape ?? value.shape;
        delete value.accumulates;
      }
      named.add(value);
    }
    values.set(logical, value);
  }
  const [operand] = node.inputs;
  const [result] = results;
  if (operand && result && node.outputs[0] && writesInPlace(node)) {
    // From here on the operand's name stands for what was written.
    values.set(operand, result);
  }
}

/**
 * `If`: branches use outer values in place of the operands they are given. What they return has the dtype that both compute, which
 * the file need not record: export does not enter the regions of branches. Where they differ it is the recorded one.
 */
function lowerBranches(node: INode, builder: NodeBuilder, state: ILowering): IValue[] {
  for (const { value, operand } of handedOn(node)) {
    state.values.set(value, state.lowered(operand));
  }
  const [left, right] = bodiesOf(node).map(body => {
    const inner = new NodeBuilder(builder.names);
    body.nodes.forEach(one => lowerNode(one, inner, state));
    return { body, inner, results: body.outputs.map(state.lowered) };
  });
  const types = node.outputs.map((value, i) => {
    const both = [left, right].map(({ results }) => results[i].dtype);
    const dtype = both[0] === both[1] ? both[0] : (value?.dtype ?? null);
    return { dtype, shape: value?.shape ?? null };
  });
  const branch = ({ body, inner, results }: typeof left): Attr => {
    // Values of its own: a branch may return an outer value, or one twice.
    const outputs = results.map((value, i) => {
      const { dtype } = types[i];
      const type = { dtype, shape: value.shape };
      const name = `${node.name}/${body.name}_${i}`;
      return dtype === null || dtype === value.dtype
        ? inner.emit('onnx.Identity', name, [value], {}, [type], node)[0]
        : inner.emit('onnx.Cast', name, [value], { to: dtypeAttr(dtype) }, [type], node, 'hold')[0];
    });
    const opsets = { '': LOWERED_OPSET };
    return { kind: 'graph', value: { ...body, inputs: [], outputs, nodes: inner.nodes, opsets } };
  };
  return builder.emit(
    'onnx.If',
    `${node.name}/If`,
    [state.lowered(node.inputs[0]!)],
    { then_branch: branch(left), else_branch: branch(right) },
    types,
    node
  );
}

/** What a rule does not support of a call, or null. */
function refusal(
  rule: LoweredOperator,
  node: INode,
  isUsed: (value: IValue) => boolean
): string | null {
  for (let i = rule.makes ?? Infinity; i < node.outputs.length; i++) {
    const value = node.outputs[i];
    if (value !== null && isUsed(value)) {
      return `its result ${i}`;
    }
  }
  try {
    const args = new Arguments(node, rule.schema);
    for (const { refuse } of rule.limits ?? []) {
      const reason = refuse(args);
      if (reason !== null) {
        return reason;
      }
    }
    return null;
  } catch (error) {
    if (error instanceof UnsupportedCall) {
      return error.reason;
    }
    if (error instanceof CastlensError && error.code === 'unsupported-operator') {
      return error.summary;
    }
    throw error;
  }
}

function usedValues(graph: IGraph): Set<IValue> {
  const used = new Set(graph.outputs);
  forEachNode(graph, node => {
    for (const value of node.inputs) {
      if (value !== null) {
        used.add(value);
      }
    }
    bodiesOf(node).forEach(body => body.outputs.forEach(value => used.add(value)));
  });
  return used;
}

/** ATen graphs are written against no ONNX operator set. */
function isAtenGraph(graph: IGraph): boolean {
  return Object.keys(graph.opsets).length === 0;
}
