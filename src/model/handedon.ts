/**
 * Values that cross the border of a nested graph unchanged.
 *
 * @packageDocumentation
 */
import type { IGraph, INode, IValue } from './graph';
import { bodiesOf } from './graph';
import { mayHoldGraphs } from './operatornames';

/** A value that is another value of the graph around, under a name of its own. */
export interface IHandedOn {
  /** An input of a nested graph, or a result of the node that holds it. */
  readonly value: IValue;
  /** The operand it always is. */
  readonly operand: IValue;
  /** Position of the operand. */
  readonly index: number;
}

/**
 * What the nested graphs of a node are given, and the node returns, exactly as it is: in every run of every body.
 *
 * - `Loop`, `Scan`: state that the body returns as it got it, directly or through `Identity`. The last state is the first one then.
 * - `cond`: all operands. `while_loop`, `scan`, `map`: those that are neither carried nor gone over, which come last.
 *
 * Values that ONNX bodies use without being given them are the same values already. Linear in nodes of the bodies.
 */
export function handedOn(node: INode): readonly IHandedOn[] {
  if (!mayHoldGraphs(node.op)) {
    return NOTHING;
  }
  return HIGHER_ORDER.has(node.op)
    ? operandsOf(node)
    : constantState(node).flatMap(({ given, last, operand, index }) =>
        last === null
          ? [{ value: given, operand, index }]
          : [
              { value: given, operand, index },
              { value: last, operand, index }
            ]
      );
}

const NOTHING: readonly IHandedOn[] = [];

/** The results of a body of `node`, but for the state that it hands on as it was given it. */
export function ownResults(node: INode, body: IGraph): IValue[] {
  const constant = new Set(constantState(node).map(({ position }) => position));
  return body.outputs.filter((_, position) => !constant.has(position));
}

const HIGHER_ORDER: ReadonlySet<string> = new Set([
  'higher_order.cond',
  'higher_order.while_loop',
  'higher_order.scan',
  'higher_order.map_impl'
]);

interface IConstantState {
  readonly operand: IValue;
  readonly index: number;
  /** The input of the body. */
  readonly given: IValue;
  /** Position among the results of the body. */
  readonly position: number;
  /** The result of the node. */
  readonly last: IValue | null;
}

/** State that the body of a `Loop` or `Scan` returns as it got it. */
function constantState(node: INode): IConstantState[] {
  if (node.op !== 'onnx.Loop' && node.op !== 'onnx.Scan') {
    return [];
  }
  const [body] = bodiesOf(node) as (IGraph | undefined)[];
  if (body === undefined || (node.op === 'onnx.Scan' && !isPlainScan(node, body))) {
    return [];
  }
  // Trip count and condition come before the state of a loop; of what the body returns, the condition.
  const first = node.op === 'onnx.Loop' ? 2 : 0;
  const before = node.op === 'onnx.Loop' ? 1 : 0;
  const { num_scan_inputs: sequences } = node.attrs;
  const end = node.inputs.length - (sequences?.kind === 'int' ? Number(sequences.value) : 0);
  const identities = new Map<IValue, IValue>();
  for (const { op, inputs, outputs } of body.nodes) {
    if (op === 'onnx.Identity' && inputs[0] && outputs[0]) {
      identities.set(outputs[0], inputs[0]);
    }
  }
  const found: IConstantState[] = [];
  for (let index = first; index < end; index++) {
    const position = before + index - first;
    const operand = node.inputs[index];
    const given = body.inputs[index] as IValue | undefined;
    let returned = body.outputs[position] as IValue | undefined;
    while (returned !== undefined && identities.has(returned)) {
      returned = identities.get(returned);
    }
    if (operand && given !== undefined && returned === given) {
      found.push({ operand, index, given, position, last: node.outputs[index - first] ?? null });
    }
  }
  return found;
}

/** Before operator set 9 `Scan` has the lengths of its sequences as first operand, and a batch. */
function isPlainScan(node: INode, body: IGraph): boolean {
  return node.attrs.num_scan_inputs?.kind === 'int' && (body.opsets[''] ?? 0) >= 9;
}

/** The lists of operands of a higher-order operator are the inputs of its graphs, one after the other. */
function operandsOf(node: INode): IHandedOn[] {
  const lists = Object.values(node.attrs).flatMap(attr =>
    attr.kind === 'list' ? [attr.items] : []
  );
  const all = lists.flat();
  const constant = lists.at(-1)?.length ?? 0;
  return bodiesOf(node).flatMap(body =>
    // Literals are no inputs of the reader's graphs: where there are some, positions tell nothing.
    body.inputs.length !== all.length
      ? []
      : all.slice(all.length - constant).flatMap((item, i): IHandedOn[] => {
          const value = body.inputs[all.length - constant + i];
          const operand = item.kind === 'input' ? node.inputs[item.index] : null;
          return item.kind === 'input' && operand ? [{ value, operand, index: item.index }] : [];
        })
  );
}
