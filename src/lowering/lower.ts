/**
 * ATen graphs to ONNX graphs, operator by operator.
 *
 * @packageDocumentation
 */
import { CastlensError, forEachNode } from '../model';
import type { IErrorDetails, IGraph, INode, ISourceLocation, IValue } from '../model';
import { inPlaceConflicts, writesInPlace } from './aliasing';
import { Call } from './aten/call';
import { ruleFor } from './aten/registry';
import type { IRule } from './aten/rule';
import { Names, NodeBuilder } from './builder';
import { functionalize } from './functionalize';
import { ONNX_OPERATORS } from './onnxoperators';

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
export function unsupportedOperators(given: IGraph): IUnsupported[] {
  const graph = isAtenGraph(given) ? functionalize(given) : given;
  const found = new Map<
    string,
    { op: string; count: number; node: string; source: ISourceLocation | null; reason?: string }
  >();
  const add = (node: INode, reason?: string): void => {
    const key = `${node.op}|${reason ?? ''}`;
    const entry = found.get(key);
    if (entry) {
      entry.count++;
      entry.source ??= node.source;
    } else {
      const { op, name, source } = node;
      found.set(key, { op, count: 1, node: name, source, ...(reason ? { reason } : {}) });
    }
  };
  if (!isAtenGraph(graph)) {
    const opset = graph.opsets[''] ?? 1;
    forEachNode(graph, node => {
      const domain = node.op.slice(0, node.op.lastIndexOf('.'));
      if (domain !== 'onnx') {
        if (!RUNTIME_DOMAINS.has(domain)) {
          add(node, 'onnxruntime knows no such domain');
        }
        return;
      }
      const since = ONNX_OPERATORS.get(node.op.slice(domain.length + 1));
      if (since === undefined) {
        add(node, 'ai.onnx has no such operator');
      } else if (since > opset) {
        add(node, `in ai.onnx since operator set ${since}, the model is of ${opset}`);
      }
    });
    return [...found.values()];
  }
  const conflicts = inPlaceConflicts(graph);
  const dry = new NodeBuilder();
  const used = usedValues(graph);
  for (const node of graph.nodes) {
    const rule = ruleFor(node.op);
    if (rule === null) {
      add(node);
      continue;
    }
    const reason = conflicts.get(node) ?? refusal(rule, node, used, dry);
    if (reason !== null) {
      add(node, reason);
    }
  }
  return [...found.values()];
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
  const unsupported = unsupportedOperators(graph);
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
  const names = new Names();
  names.takeValues(graph);
  const builder = new NodeBuilder(names);
  const ends = new Set(values.values());
  const lowered = (value: IValue): IValue => {
    const result = values.get(value);
    if (!result) {
      throw new CastlensError('bad-file', `value ${value.name} is used before it is made`, {
        entry: value.name
      });
    }
    return result;
  };
  for (const node of graph.nodes) {
    lowerNode(node, builder, values, lowered, ends);
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

/** Lower one operator and bind its results. `named` holds values whose names are taken by graph ends or earlier results. */
function lowerNode(
  node: INode,
  builder: NodeBuilder,
  values: Map<IValue, IValue>,
  lowered: (value: IValue) => IValue,
  named: Set<IValue>
): void {
  const rule = ruleFor(node.op)!;
  const call = new Call(node, rule.schema, builder, lowered);
  const first = builder.nodes.length;
  const made = rule.lower(call);
  const results = Array.isArray(made) ? (made as (IValue | null)[]) : [made as IValue];
  const fresh = new Set<IValue>();
  for (let i = first; i < builder.nodes.length; i++) {
    if (builder.nodes[i].op === 'onnx.Constant') {
      continue;
    }
    for (const value of builder.nodes[i].outputs) {
      if (value !== null) {
        fresh.add(value);
      }
    }
  }
  node.outputs.forEach((logical, i) => {
    if (logical === null) {
      return;
    }
    const value = results[i] ?? null;
    if (value === null) {
      // A result that no rule makes: refused where it is used.
      return;
    }
    const isTensor = logical.kind === 'tensor';
    if (fresh.has(value) && !named.has(value)) {
      value.name = logical.name;
      value.declaredDtype = logical.declaredDtype;
      value.requiresGrad = logical.requiresGrad;
      if (isTensor) {
        value.dtype = logical.dtype ?? value.dtype;
        value.shape = logical.shape ?? value.shape;
        delete value.accumulates;
      }
      named.add(value);
    }
    values.set(logical, value);
    if (i === 0 && writesInPlace(node) && node.inputs[0]) {
      // From here on the operand's name stands for what was written.
      values.set(node.inputs[0], value);
    }
  });
}

/** What a rule does not support of a call, or null. */
function refusal(
  rule: IRule,
  node: INode,
  used: ReadonlySet<IValue>,
  builder: NodeBuilder
): string | null {
  const missing = node.outputs.findIndex(
    (value, i) => i >= rule.results && value !== null && used.has(value)
  );
  if (missing >= 0) {
    return `its result ${missing}`;
  }
  try {
    return rule.check(new Call(node, rule.schema, builder, value => value));
  } catch (error) {
    if (error instanceof CastlensError && error.code === 'unsupported-operator') {
      return error.summary.replace(`${node.op}: `, '');
    }
    throw error;
  }
}

function usedValues(graph: IGraph): Set<IValue> {
  const used = new Set(graph.outputs);
  for (const node of graph.nodes) {
    for (const value of node.inputs) {
      if (value !== null) {
        used.add(value);
      }
    }
  }
  return used;
}

/** ATen graphs are written against no ONNX operator set. */
function isAtenGraph(graph: IGraph): boolean {
  return Object.keys(graph.opsets).length === 0;
}
