/**
 * Operators that the runtime knows by name and still cannot run: which ones, all of them.
 *
 * @packageDocumentation
 */
import { writeOnnx } from '../formats';
import type { IUnsupported } from '../lowering';
import { unsupportedError } from '../lowering';
import type { IGraph, INode, IValue } from '../model';
import { bodiesOf, CastlensError, forEachNode } from '../model';
import type { Refusal, RuntimeSession as Session } from '../runtime';
import { formatDevice, OrtError, RuntimeSession } from '../runtime';
import type { LoadedModel } from './modelstore';
import { sessionOptions } from './sessionoptions';
import type { IPreparedVariant } from './variant';

/**
 * Say why onnxruntime refused a graph. It names the first call it cannot run, in its own words, and none where the call comes
 * out of a function it inlined; here it is asked again about every different call of the graph, each in a model of its own.
 *
 * #### Notes
 * No list of kernels could say the same: whether a call runs depends on functions the runtime inlines and on casts it inserts.
 *
 * @returns one error that lists every such call, or the error given where it is about something else.
 */
export async function explainRefusal(
  error: unknown,
  { legal, variant }: IPreparedVariant,
  { model, explicit }: LoadedModel
): Promise<unknown> {
  if (!(error instanceof OrtError) || error.code !== 'runtime') {
    return error;
  }
  const newer = error.newerOpset;
  if (newer !== null) {
    return new CastlensError('unsupported-operator', 'onnxruntime does not know the operator set', {
      file: model.path,
      expected: `${newer.domain} up to ${newer.newest}`,
      found: `${newer.domain} ${newer.wanted}`,
      hint: `Export with opset_version=${newer.newest}, or convert the model with onnx.version_converter`,
      cause: error
    });
  }
  if (error.refusal === null) {
    return error;
  }
  const refused = await refusedCalls(legal.graph, explicit.graph, sessionOptions(variant));
  return refused.length === 0
    ? error
    : unsupportedError(refused, { file: model.path, hint: HINT, cause: error });
}

const HINT =
  'Have these operators compute in another dtype, most often float32, or replace them, and export again; all but running the model works as it is.';

/**
 * Calls that the runtime has no operator or no kernel for, one entry per operator and element types, in order of first appearance.
 *
 * @param source - the graph in the dialect of the file, for names the user knows.
 */
async function refusedCalls(
  graph: IGraph,
  source: IGraph,
  options: Session.IOptions
): Promise<IUnsupported[]> {
  const calls = new Map<string, INode[]>();
  forEachNode(graph, node => {
    // Nodes in the bodies of others are visited as well; what holds them computes nothing itself.
    if (bodiesOf(node).length === 0) {
      const key = `${node.op}|${typesOf(node)}`;
      const same = calls.get(key);
      if (same) {
        same.push(node);
      } else {
        calls.set(key, [node]);
      }
    }
  });
  const named = new Map<string, INode>();
  forEachNode(source, node => named.set(node.name, node));
  const refused: IUnsupported[] = [];
  for (const nodes of calls.values()) {
    const [first] = nodes;
    const refusal = await refusalOf(first, graph.opsets, options);
    if (refusal === null) {
      continue;
    }
    // Lowered nodes are called `<node of the program>/<operator>`.
    const origin = named.get(first.name) ?? named.get(first.name.split('/')[0]) ?? first;
    const lowered = origin.op === first.op ? '' : `${first.op}: `;
    refused.push({
      op: origin.op,
      count: nodes.length,
      node: origin.name,
      source: origin.source,
      reason: `${lowered}${reasonText(refusal, first, graph, options)}`
    });
  }
  return refused;
}

/**
 * Whether the runtime refuses a call on its own.
 *
 * #### Notes
 * Operands of unknown type stand behind an operator that castlens does not know: of their user no more can be told than
 * whether there is such an operator.
 */
async function refusalOf(
  node: INode,
  opsets: IGraph['opsets'],
  options: Session.IOptions
): Promise<Refusal | null> {
  const inputs = new Map<IValue, IValue>();
  for (const value of node.inputs) {
    if (value !== null) {
      inputs.set(value, { ...value, dtype: value.dtype ?? 'float32' });
    }
  }
  const isTyped = [...inputs.keys()].every(({ dtype }) => dtype !== null);
  const call = { ...node, inputs: node.inputs.map(value => value && inputs.get(value)!) };
  const model = writeOnnx({
    name: 'call',
    inputs: [...inputs.values()],
    outputs: node.outputs.filter(value => value !== null),
    nodes: [call],
    weights: [],
    opsets
  });
  try {
    const session = await RuntimeSession.create(model, { ...options, profile: false });
    await session.dispose();
    return null;
  } catch (error) {
    const refusal = error instanceof OrtError ? error.refusal : null;
    return isTyped || refusal === 'operator' ? refusal : null;
  }
}

function reasonText(
  refusal: Refusal,
  node: INode,
  { opsets }: IGraph,
  options: Session.IOptions
): string {
  const domain = node.op.slice(0, node.op.lastIndexOf('.'));
  const name = domain === 'onnx' ? 'ai.onnx' : domain;
  const version = opsets[domain === 'onnx' ? '' : domain];
  switch (refusal) {
    case 'kernel':
      return `onnxruntime has no kernel for ${typesOf(node)} on ${formatDevice(options.device)}`;
    case 'operator':
      return `onnxruntime has no such operator in operator set ${version ?? 1} of ${name}`;
    case 'types':
      return `the operator is not defined for ${typesOf(node)} in operator set ${version ?? 1} of ${name}`;
  }
}

/** `(float64, float64) -> float64` */
function typesOf({ inputs, outputs }: INode): string {
  const types = (values: readonly (IValue | null)[]): string =>
    values
      .filter(value => value !== null)
      .map(({ dtype }) => dtype ?? '?')
      .join(', ');
  return `(${types(inputs)}) -> ${types(outputs)}`;
}
