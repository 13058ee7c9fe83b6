/** The text of docs/operators.md, from the records of operators and the cases that test them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { LOWERED_OPSET, loweredOperators, lowerToOnnx } from '../../../src/lowering';
import { loweredOperator } from '../../../src/operators';
import { CastlensError, forEachNode } from '../../../src/model';
import { callGraph } from './atencases';
import type { CaseArgument, IAtenCase } from './atencases';

/** The page as docs/operators.md should be. */
export function operatorsPage(): string {
  const operators = loweredOperators();
  const aten = operators.filter(op => op.startsWith('aten.'));
  const others = operators.filter(op => !op.startsWith('aten.'));
  const cases = readCases();
  const row = (op: string): string =>
    `| \`${op}\` | ${onnxOperators(op, cases.get(op) ?? [])} | ${limitsOf(op)} |`;
  const table = (list: readonly string[]): string[] => [
    '| overload | ONNX operators | limits |',
    '|---|---|---|',
    ...list.map(row)
  ];
  return [
    '# Operators',
    '',
    '<!-- Written by `npm run docs:operators` from the records of operators. -->',
    '',
    'castlens reads, explains and repairs models with any operators. To *run* a `.pt2` model it lowers every ATen operator to ONNX',
    `operators (opset ${LOWERED_OPSET}). An operator that is not listed here, or whose arguments are outside the limits, keeps the model`,
    'from being run: one message lists every such operator with its count, the reason and a source line. Nothing is approximated.',
    '',
    `${aten.length} ATen overloads are lowered. The middle column lists what the rule emits over all of its test cases; *nothing* means`,
    'that the result is the operand itself, or that there is no result. Every rule is compared with values that PyTorch computed, with',
    'sizes known and, where the rule takes them, with sizes known only at run time.',
    '',
    '- Casts that autocast regions imply are explicit before lowering; `Cast` below is type promotion inside of an operator.',
    '- Operators with bfloat16 or float16 results compute in float32 and round once at their end.',
    '- In-place overloads (`add_`, `copy_`, `fill_`, …) are computed out of place. Writes through slices, selects and other views go',
    '  into the tensor they are views of, and what reads it afterwards sees them. Writes into inputs and',
    '  weights hold for the rest of the forward. Refused with a reason: writing into a weight whose memory has another name, and into what',
    '  may be a view or a copy (`reshape`, `contiguous`, `to`, …) while another name of its memory is read afterwards.',
    '- `torch.cond` (`higher_order.cond`) becomes an `If`; loops (`while_loop`, `scan`) are read and counted, but not run.',
    '- Arguments left out in the file have the defaults of their ATen schema.',
    '',
    '## ATen',
    '',
    ...table(aten),
    '',
    '## Sizes and other namespaces',
    '',
    ...table(others),
    '',
    '## ONNX',
    '',
    '`.onnx` models need no lowering: their operators are those of the runtime, in its operator sets. Operators of `ai.onnx`, `ai.onnx.ml`,',
    '`com.microsoft` and onnxruntime’s other domains pass through, and the model’s own functions are replaced by their bodies. Operators of',
    'domains that onnxruntime does not know, and those that `ai.onnx` does not have, or not in the operator set of the model, are reported as',
    'unsupported, all in one message, with their calls and where the first one stands. Two things are done to the graph for a device that',
    'lacks kernels for bfloat16 or float16:',
    '',
    '- each value of such a dtype is held in float32 after an explicit round trip, see [concepts](concepts.md);',
    '- products with weights are turned so that the weight stands on the left, see [architecture](architecture.md).',
    ''
  ].join('\n');
}

/** What is supported, in the words of the record. */
function limitsOf(op: string): string {
  const { limits = [], makes } = loweredOperator(op)!;
  return [
    ...limits.map(({ words }) => words),
    ...(makes === undefined
      ? []
      : [makes === 1 ? 'first result only' : `first ${makes} results only`])
  ].join(', ');
}

function readCases(): Map<string, IAtenCase[]> {
  const { cases } = JSON.parse(
    readFileSync(join(process.cwd(), 'test/data/aten_cases.json'), 'utf8')
  ) as { cases: IAtenCase[] };
  const byOp = new Map<string, IAtenCase[]>();
  for (const one of cases) {
    byOp.set(one.op, [...(byOp.get(one.op) ?? []), one]);
  }
  return byOp;
}

/** ONNX operators of all cases, in order of first appearance. */
function onnxOperators(op: string, cases: readonly IAtenCase[]): string {
  const found = new Set<string>();
  for (const one of cases.length > 0 ? cases : [madeUp(op)]) {
    for (const symbolic of [false, true]) {
      for (const name of emitted(one, symbolic)) {
        found.add(name);
      }
    }
  }
  return found.size === 0 ? '*nothing*' : [...found].join(', ');
}

function emitted(one: IAtenCase, symbolic: boolean): string[] {
  const names: string[] = [];
  try {
    const { graph } = callGraph(one, symbolic);
    const call = graph.nodes[graph.nodes.length - 1].name;
    forEachNode(lowerToOnnx(graph), node => {
      if (node.op !== 'onnx.Constant' && node.name.split('/')[0] === call) {
        names.push(node.op.replace(/^onnx\./, ''));
      }
    });
  } catch (error) {
    if (!symbolic || !(error instanceof CastlensError)) {
      throw error;
    }
  }
  return names;
}

/** A call of an operator that has no case: sizes and checks. */
function madeUp(op: string): IAtenCase {
  const args: Record<string, CaseArgument> = {};
  for (const arg of loweredOperator(op)!.schema.args) {
    if (arg.default === null) {
      args[arg.name] = arg.type.startsWith('str')
        ? { string: '' }
        : arg.name === 'dim'
          ? { int: 0 }
          : op.startsWith('aten.')
            ? { tensor: { dtype: 'int64', shape: [2], data: [1, 2] } }
            : { tensor: { dtype: 'int64', shape: [], data: [1] } };
    }
  }
  const nothing = /assert|constrain/.test(op);
  return {
    op,
    args,
    results: nothing ? [] : [{ dtype: 'int64', shape: [], data: [] }]
  };
}
