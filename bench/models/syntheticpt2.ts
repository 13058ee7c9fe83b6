/**
 * Synthetic models as torch.export writes them.
 *
 * @packageDocumentation
 */
import type { IArchiveRecord } from '../../src/formats';
import type { Json } from './exportjson';
import {
  asTensor,
  NO_SYMBOLS,
  programJson,
  programRecords,
  SCALAR_TYPES,
  tensorMeta
} from './exportjson';
import type { ISyntheticModel, ISyntheticWeight, SyntheticStep } from './syntheticmodel';

const LOW = SCALAR_TYPES.bfloat16;
const FLOAT = SCALAR_TYPES.float32;

/** Rows of the input. */
const INPUT_ROWS = 1;

/** The records of a program but its weights, which are `data/weights/weight_0` and so on. */
export function syntheticProgram(
  root: string,
  format: 'training' | 'aten',
  model: ISyntheticModel
): IArchiveRecord[] {
  const table = Object.fromEntries(
    model.weights.map((weight, i) => [
      weight.name,
      {
        path_name: `weight_${i}`,
        is_param: true,
        use_pickle: false,
        tensor_meta: weightMeta(weight)
      }
    ])
  );
  const graph = format === 'training' ? trainingGraph(model) : atenGraph(model);
  const program = programJson({
    dialect: format === 'training' ? 'TRAINING' : 'ATEN',
    graph: GRAPH_MARK as unknown as Json,
    signature: signatureOf(model),
    modules: []
  });
  // Graphs nest deeper than JSON.stringify can follow: they come as text.
  const text = JSON.stringify(program).replace(JSON.stringify(GRAPH_MARK), () => graph);
  return programRecords(root, table, text);
}

const GRAPH_MARK = '(graph)';

function signatureOf({ weights, steps }: ISyntheticModel): Json {
  const used = usedWeights(steps);
  return {
    input_specs: [
      ...[...used].map(i => ({
        parameter: { arg: { name: `w${i}` }, parameter_name: weights[i].name }
      })),
      { user_input: { arg: asTensor('x') } }
    ],
    output_specs: [{ user_output: { arg: asTensor(steps[steps.length - 1].output) } }]
  };
}

/** Weights by index, in order of first use. */
function usedWeights(steps: readonly SyntheticStep[]): Set<number> {
  return new Set(steps.flatMap(step => (step.op === 'matmul' ? [step.weight] : [])));
}

function weightMeta({ width }: ISyntheticWeight): Json {
  return tensorMeta([width, width], FLOAT, true);
}

/** Regions in regions: each holds the steps of its depth and, last, the next region. */
function trainingGraph(model: ISyntheticModel): string {
  const { steps } = model;
  const result = steps[steps.length - 1].output;
  const starts = steps.flatMap(({ depth }, i) =>
    i === 0 || depth !== steps[i - 1].depth ? [i] : []
  );
  const weights = [...usedWeights(steps)];
  let inner = '';
  for (let level = starts.length - 1; level >= 0; level--) {
    const own = steps.slice(starts[level], starts[level + 1]);
    const input = starts[level] === 0 ? 'x' : steps[starts[level] - 1].output;
    const nodes = own.map(step => JSON.stringify(operator(step)));
    const body = graphText(
      [...weights.map(i => `w${i}`), input],
      result,
      inner === '' ? nodes : [...nodes, inner],
      tableOf(model, input, own)
    );
    inner = regionNode(`submod_${level + 1}`, body, [...weights.map(i => `w${i}`), input], result);
  }
  const table = { ...tableOf(model, 'x', []), ...entryOf(model, steps[steps.length - 1]) };
  return graphText([...weights.map(i => `w${i}`), 'x'], result, [inner], table);
}

function regionNode(
  name: string,
  graph: string,
  operands: readonly string[],
  result: string
): string {
  const unnamed = (arg: Json): string => JSON.stringify({ name: '', arg, kind: 1 });
  const inputs = [
    { as_string: 'cpu' },
    { as_scalar_type: LOW },
    { as_bool: true },
    { as_bool: false }
  ].map(unnamed);
  inputs.push(`{"name":"","arg":{"as_graph":{"name":"${name}","graph":${graph}}},"kind":1}`);
  inputs.push(...operands.map(operand => unnamed(asTensor(operand))));
  const rest = JSON.stringify({
    outputs: [asTensor(result)],
    metadata: metadataOf(undefined),
    is_hop_single_tensor_return: false,
    name
  });
  return `{"target":"torch.ops.higher_order.wrap_with_autocast","inputs":[${inputs.join()}],${rest.slice(1)}`;
}

/** One graph with every cast written out, as `run_decompositions` leaves it. */
function atenGraph(model: ISyntheticModel): string {
  const { steps } = model;
  const weights = [...usedWeights(steps)].map(i => `w${i}`);
  const nodes: string[] = [];
  const table: Record<string, unknown> = tableOf(model, 'x', steps);
  const cast = (source: string, name: string, shape: readonly number[]): string => {
    const arg = { name: 'dtype', arg: { as_scalar_type: LOW }, kind: 2 };
    const made = node('_to_copy', name, [tensorArgument('self', source), arg], undefined);
    nodes.push(JSON.stringify(made));
    table[name] = tensorMeta(shape, LOW, false);
    return name;
  };
  for (const step of steps) {
    if (step.op === 'matmul') {
      const { width } = model;
      const weight = cast(`w${step.weight}`, `${step.output}_w`, [width, width]);
      const input =
        step.inputs[0] === 'x'
          ? cast('x', `${step.output}_x`, [INPUT_ROWS, width])
          : step.inputs[0];
      nodes.push(JSON.stringify(product(step, input, weight)));
    } else {
      nodes.push(JSON.stringify(operator(step)));
    }
  }
  return graphText([...weights, 'x'], steps[steps.length - 1].output, nodes, table);
}

function operator(step: SyntheticStep): Json {
  switch (step.op) {
    case 'relu':
      return node('relu', step.output, [tensorArgument('self', step.inputs[0])], step.module);
    case 'matmul':
      return product(step, step.inputs[0], `w${step.weight}`);
    case 'concat': {
      const tensors = { as_tensors: step.inputs.map(name => ({ name })) };
      return node('cat', step.output, [{ name: 'tensors', arg: tensors, kind: 1 }], step.module);
    }
  }
}

function product(step: SyntheticStep, input: string, weight: string): Json {
  const operands = [tensorArgument('self', input), tensorArgument('mat2', weight)];
  return node('mm', step.output, operands, step.module);
}

function tensorArgument(name: string, value: string): Json {
  return { name, arg: asTensor(value), kind: 1 };
}

function node(
  op: 'relu' | 'mm' | 'cat' | '_to_copy',
  name: string,
  inputs: readonly Json[],
  module: string | undefined
): Json {
  return {
    target: `torch.ops.aten.${op}.default`,
    inputs,
    outputs: [asTensor(name)],
    metadata: metadataOf(module),
    is_hop_single_tensor_return: null,
    name
  };
}

function metadataOf(module: string | undefined): Json {
  const root = 'L__self__,,__main__.Synthetic';
  return {
    stack_trace: 'File "bench/models/synthetic.ts", line 1, in forward\n    return x',
    nn_module_stack:
      module === undefined ? root : `${root};L__self__${module},${module},__main__.Layer`
  };
}

function tableOf(
  model: ISyntheticModel,
  input: string,
  steps: readonly SyntheticStep[]
): Record<string, unknown> {
  const own = model.steps.find(({ output }) => output === input);
  return {
    ...(own === undefined
      ? { [input]: tensorMeta([INPUT_ROWS, model.width], FLOAT, false) }
      : entryOf(model, own)),
    ...Object.fromEntries(
      [...usedWeights(model.steps)].map(i => [`w${i}`, weightMeta(model.weights[i])])
    ),
    ...Object.fromEntries(steps.flatMap(step => Object.entries(entryOf(model, step))))
  };
}

function entryOf({ width }: ISyntheticModel, step: SyntheticStep): Record<string, unknown> {
  return { [step.output]: tensorMeta([step.rows, width], LOW, false) };
}

function graphText(
  inputs: readonly string[],
  output: string,
  nodes: readonly string[],
  table: Json
): string {
  const ends = JSON.stringify({ inputs: inputs.map(asTensor), outputs: [asTensor(output)] });
  const rest = JSON.stringify({ tensor_values: table, ...NO_SYMBOLS });
  return `${ends.slice(0, -1)},"nodes":[${nodes.join()}],${rest.slice(1)}`;
}
