/** The text of docs/operators.md, from the table of rules and the cases that test them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { LOWERED_OPSET, loweredOperators, lowerToOnnx } from '../../../src/lowering';
import { ruleFor } from '../../../src/operators/aten/registry';
import { anyArguments } from '../../../src/operators/aten/rule';
import { CastlensError, forEachNode } from '../../../src/model';
import { callGraph } from './atencases';
import type { CaseArgument, IAtenCase } from './atencases';

const TRAINING = 'outside training only';
const FIRST_ONLY = 'first result only';
const STATIC_SIZE = 'the size of the dimension is static';
const STATIC_SIZES = 'sizes are static';
const STRIDED =
  'strides are recorded and static, elements of the operand only; sizes are static, or all elements are taken and the outermost size is not';
const STATIC_OR_ONE = 'sizes are static, unless every result is one element';
const SMALL_SHIFTS = 'shifts of 0 to 30';
const REAL_NUMBERS = 'real numbers';
const CLASS_TARGETS = 'targets with one dimension less than the input';
const HAS_DIMENSIONS = 'tensors with at least one dimension';

/** What a rule refuses, in words; by operator name, for all of its overloads. */
const LIMITS: Readonly<Record<string, string>> = {
  __lshift__: SMALL_SHIFTS,
  __rshift__: SMALL_SHIFTS,
  _adaptive_avg_pool2d: STATIC_OR_ONE,
  _adaptive_avg_pool3d: STATIC_OR_ONE,
  _cdist_forward: 'p is positive',
  _embedding_bag: `vectors of indices, ${FIRST_ONLY}`,
  _embedding_bag_forward_only: `vectors of indices, ${FIRST_ONLY}`,
  _native_batch_norm_legit: FIRST_ONLY,
  _native_batch_norm_legit_functional: 'in training only',
  _native_batch_norm_legit_no_training: FIRST_ONLY,
  adaptive_avg_pool1d: STATIC_OR_ONE,
  adaptive_avg_pool2d: STATIC_OR_ONE,
  adaptive_avg_pool3d: STATIC_OR_ONE,
  adaptive_max_pool1d: `${STATIC_SIZES}, ${FIRST_ONLY}`,
  adaptive_max_pool2d: `${STATIC_SIZES}, ${FIRST_ONLY}`,
  adaptive_max_pool3d: `${STATIC_SIZES}, ${FIRST_ONLY}`,
  argsort: HAS_DIMENSIONS,
  as_strided: STRIDED,
  as_strided_copy: STRIDED,
  avg_pool2d: 'no divisor_override together with ceil_mode',
  avg_pool3d: 'no divisor_override together with ceil_mode',
  bitwise_left_shift: SMALL_SHIFTS,
  bitwise_right_shift: SMALL_SHIFTS,
  broadcast_tensors: STATIC_SIZES,
  cdist: 'p is positive',
  chunk: STATIC_SIZE,
  conj: REAL_NUMBERS,
  conj_physical: REAL_NUMBERS,
  cross_entropy_loss: 'targets with as many dimensions as the input, or one less',
  cumprod: STATIC_SIZE,
  diag: STATIC_SIZES,
  diag_embed: STATIC_SIZE,
  diagonal: 'the sizes of both dimensions are static',
  dropout: TRAINING,
  dropout_: TRAINING,
  dsplit: STATIC_SIZE,
  embedding_bag: `vectors of indices, ${FIRST_ONLY}`,
  feature_dropout: TRAINING,
  floordiv: 'integers',
  gru: `${TRAINING}, no projections, not in float64`,
  histc: 'min and max are given',
  hsplit: STATIC_SIZE,
  im2col: STATIC_SIZES,
  instance_norm: 'channels are static',
  kron: STATIC_SIZES,
  kthvalue: HAS_DIMENSIONS,
  linalg_matrix_norm: 'the Frobenius norm',
  linalg_norm: 'norms of vectors, and of whole tensors',
  linspace: 'ends are numbers',
  logcumsumexp: STATIC_SIZE,
  lstm: `${TRAINING}, no projections, not in float64`,
  max: HAS_DIMENSIONS,
  mean: 'floating-point results',
  median: STATIC_SIZES,
  min: HAS_DIMENSIONS,
  mod: 'integers',
  multi_margin_loss: CLASS_TARGETS,
  nanmean: 'floating-point results',
  nansum: 'floating-point results',
  native_dropout: `${TRAINING}, ${FIRST_ONLY}`,
  native_group_norm: FIRST_ONLY,
  nll_loss: CLASS_TARGETS,
  nll_loss2d: CLASS_TARGETS,
  nll_loss2d_forward: `${CLASS_TARGETS}, ${FIRST_ONLY}`,
  nll_loss_forward: `${CLASS_TARGETS}, ${FIRST_ONLY}`,
  nll_loss_nd: CLASS_TARGETS,
  one_hot: 'num_classes is given',
  pad: 'modes constant, reflect, replicate and circular',
  pairwise_distance: 'p is positive',
  pixel_unshuffle: 'channels are static',
  pow: 'integers',
  quantile: `linear interpolation, ${STATIC_SIZES}`,
  real: REAL_NUMBERS,
  resolve_conj: REAL_NUMBERS,
  resolve_neg: REAL_NUMBERS,
  rnn_relu: `${TRAINING}, no projections, not in float64`,
  rnn_tanh: `${TRAINING}, no projections, not in float64`,
  roll: 'shifts are static',
  rrelu: TRAINING,
  rrelu_with_noise_functional: `${TRAINING}, ${FIRST_ONLY}`,
  scaled_dot_product_attention: 'no dropout; with enable_gqa the numbers of heads are static',
  scatter_reduce: 'integers with sum only',
  searchsorted: 'no sorter',
  sort: HAS_DIMENSIONS,
  split: STATIC_SIZE,
  tensor_split: STATIC_SIZE,
  topk: HAS_DIMENSIONS,
  trace: STATIC_SIZES,
  triplet_margin_loss: 'p is positive',
  unbind: STATIC_SIZE,
  unsafe_chunk: STATIC_SIZE,
  unsafe_split: STATIC_SIZE,
  vsplit: STATIC_SIZE
};

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
    '<!-- Written by `npm run docs:operators` from the table of rules. -->',
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

/** Overloads whose rule has a check, or leaves out results, and no entry in the table of limits. */
export function overloadsWithoutLimits(): string[] {
  return loweredOperators().filter(op => {
    const rule = ruleFor(op)!;
    const limited = rule.check !== anyArguments || rule.results !== Infinity;
    return limited && limitsOf(op) === '';
  });
}

/** Entries of the table of limits whose operator has no rule with a check. */
export function staleLimits(): string[] {
  const limited = new Set(
    loweredOperators()
      .filter(op => limitsOf(op) !== '')
      .map(op => op.split('.')[1])
  );
  return Object.keys(LIMITS).filter(name => !limited.has(name));
}

function limitsOf(op: string): string {
  const rule = ruleFor(op)!;
  const limited = rule.check !== anyArguments || rule.results !== Infinity;
  return limited ? (LIMITS[op.split('.')[1]] ?? '') : '';
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
  for (const arg of ruleFor(op)!.schema.args) {
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
