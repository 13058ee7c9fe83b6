/**
 * A weight-bound model for measurements: linear layers in one autocast region, as `torch.export.save` writes it.
 *
 * The file is what exporting mlp.py gives (the structure is compared in test/unit/bench), made without PyTorch and with random
 * weights that are the same everywhere.
 *
 * @packageDocumentation
 */
import { basename } from 'node:path';

import type { IArchiveRecord } from '../../src/formats';
import { writePt2Archive } from '../../src/formats';
import { bytesOf, uniform } from '../../src/numerics';
import type { Json } from './exportjson';
import {
  asTensor,
  NO_SYMBOLS,
  programJson,
  programRecords,
  SCALAR_TYPES,
  tensorMeta
} from './exportjson';

/** Sizes of the model. */
export interface IMlpOptions {
  /** Linear layers, with ReLU between them. */
  readonly layers: number;
  /** Size of the input, and of every second layer's output. */
  readonly width: number;
  /** Size of the other layers' outputs. */
  readonly hidden: number;
  readonly batch: number;
  /** Dtype of the autocast region. */
  readonly dtype: 'bfloat16' | 'float16';
  /** Seed of the weights; 0 where left out. */
  readonly seed?: number;
}

/** The model of `npm run bench`: 8 weights of 1024 x 4096, 134 MB in float32. */
export const WEIGHT_BOUND: IMlpOptions = {
  layers: 8,
  width: 1024,
  hidden: 4096,
  batch: 4,
  dtype: 'bfloat16'
};

/** Write the model to a `.pt2` file. Memory does not grow with the model. */
export async function writeMlp(path: string, options: IMlpOptions): Promise<void> {
  await writePt2Archive(path, mlpRecords(basename(path).replace(/\.pt2$/, ''), options));
}

/** The records of the archive, in torch's order. */
export function mlpRecords(root: string, options: IMlpOptions): IArchiveRecord[] {
  const layers = layerShapes(options);
  return [
    ...layers.map((shape, i): IArchiveRecord => ({
      name: `${root}/data/weights/weight_${i}`,
      source: {
        kind: 'stream',
        sizeBytes: shape[0] * shape[1] * Float32Array.BYTES_PER_ELEMENT,
        open: () => randomWeight(shape, (options.seed ?? 0) * 1000 + i)
      }
    })),
    ...programRecords(root, weightsConfig(layers), JSON.stringify(exportedProgram(options)))
  ];
}

/** Where the operators stand in mlp.py, by line. */
const SOURCE_LINES = {
  relu: { line: 25, code: 'x = torch.relu(x)' },
  linear: { line: 26, code: 'x = layer(x)' }
} as const;

/** Weight shapes, output size first. */
function layerShapes({ layers, width, hidden }: IMlpOptions): [number, number][] {
  return Array.from({ length: layers }, (_, i) =>
    i % 2 === 0 ? [hidden, width] : [width, hidden]
  );
}

/** Uniform in +-sqrt(6 / inputs), in pieces: with ReLU between, activations keep their size from layer to layer. */
async function* randomWeight(
  [outputs, inputs]: [number, number],
  seed: number
): AsyncGenerator<Uint8Array> {
  const random = uniform(seed);
  const limit = Math.sqrt(6 / inputs);
  const piece = new Float32Array(1 << 18);
  for (let left = outputs * inputs; left > 0; left -= piece.length) {
    const part = piece.subarray(0, Math.min(left, piece.length));
    for (let i = 0; i < part.length; i++) {
      part[i] = (2 * random() - 1) * limit;
    }
    yield bytesOf(part);
  }
}

function weightsConfig(layers: readonly [number, number][]): Json {
  return Object.fromEntries(
    layers.map((shape, i) => [
      `layers.${i}.weight`,
      {
        path_name: `weight_${i}`,
        is_param: true,
        use_pickle: false,
        tensor_meta: tensorMeta(shape, SCALAR_TYPES.float32, true)
      }
    ])
  );
}

function exportedProgram(options: IMlpOptions): Json {
  const layers = layerShapes(options);
  const input = [options.batch, options.width];
  const output = [options.batch, layers[layers.length - 1][0]];
  const weights = layers.map((_, i) => `p_layers_${i}_weight`);
  const low = SCALAR_TYPES[options.dtype];
  const float = SCALAR_TYPES.float32;
  const graph = {
    inputs: [...weights, 'x'].map(asTensor),
    outputs: [asTensor('getitem')],
    nodes: [regionNode(options, weights)],
    tensor_values: {
      ...Object.fromEntries(weights.map((name, i) => [name, tensorMeta(layers[i], float, true)])),
      x: tensorMeta(input, float, false),
      getitem: tensorMeta(output, low, false)
    },
    ...NO_SYMBOLS
  };
  return programJson({
    dialect: 'TRAINING',
    graph,
    signature: {
      input_specs: [
        ...weights.map((name, i) => ({
          parameter: { arg: { name }, parameter_name: `layers.${i}.weight` }
        })),
        { user_input: { arg: asTensor('x') } }
      ],
      output_specs: [{ user_output: { arg: asTensor('getitem') } }]
    },
    modules: ['layers', ...layers.map((_, i) => `layers.${i}`)]
  });
}

function regionNode(options: IMlpOptions, weights: readonly string[]): Json {
  const unnamed = (arg: Json): Json => ({ name: '', arg, kind: 1 });
  return {
    target: 'torch.ops.higher_order.wrap_with_autocast',
    inputs: [
      { as_string: 'cpu' },
      { as_scalar_type: SCALAR_TYPES[options.dtype] },
      { as_bool: true },
      { as_bool: false },
      { as_graph: { name: 'submod_1', graph: regionGraph(options) } },
      asTensor('x'),
      ...weights.map(asTensor)
    ].map(unnamed),
    outputs: [asTensor('getitem')],
    metadata: {
      nn_module_stack: MODULE_STACK,
      torch_fn: 'wrap_with_autocast;WrapWithAutocast.wrap_with_autocast'
    },
    is_hop_single_tensor_return: false,
    name: resultName('linear', options.layers - 1)
  };
}

function regionGraph(options: IMlpOptions): Json {
  const layers = layerShapes(options);
  const low = SCALAR_TYPES[options.dtype];
  const float = SCALAR_TYPES.float32;
  const x = `arg${layers.length}_1`;
  const nodes: Json[] = [];
  const results: [string, Json][] = [];
  let current = x;
  layers.forEach((shape, i) => {
    if (i > 0) {
      const relu = resultName('relu', i - 1);
      nodes.push(operatorNode('relu', i - 1, null, [['self', current]]));
      results.push([relu, tensorMeta([options.batch, shape[1]], low, false)]);
      current = relu;
    }
    const operands: [string, string][] = [
      ['input', current],
      ['weight', `arg${i}_1`]
    ];
    const linear = resultName('linear', i);
    nodes.push(operatorNode('linear', i, `layers.${i}`, operands));
    results.push([linear, tensorMeta([options.batch, shape[0]], low, false)]);
    current = linear;
  });
  return {
    inputs: [x, ...layers.map((_, i) => `arg${i}_1`)].map(asTensor),
    outputs: [asTensor(current)],
    nodes,
    tensor_values: {
      [x]: tensorMeta([options.batch, options.width], float, false),
      ...Object.fromEntries(
        layers.map((shape, i) => [`arg${i}_1`, tensorMeta(shape, float, true)])
      ),
      ...Object.fromEntries(results)
    },
    ...NO_SYMBOLS
  };
}

const MODULE_STACK = 'L__self__,,__main__.MLP';

function operatorNode(
  op: 'linear' | 'relu',
  index: number,
  module: string | null,
  operands: readonly [string, string][]
): Json {
  const { line, code } = SOURCE_LINES[op];
  const calls = [`File "bench/models/mlp.py", line ${line}, in forward\n    ${code}`];
  if (op === 'linear') {
    calls.push(
      'File "torch/nn/modules/linear.py", line 134, in forward\n    return F.linear(input, self.weight, self.bias)'
    );
  }
  return {
    target: `torch.ops.aten.${op}.default`,
    inputs: operands.map(([name, value]) => ({ name, arg: asTensor(value), kind: 1 })),
    outputs: [asTensor(resultName(op, index))],
    metadata: {
      stack_trace: calls.join('\n  '),
      nn_module_stack:
        module === null
          ? MODULE_STACK
          : `${MODULE_STACK};L__self__${module},${module},torch.nn.modules.linear.Linear`,
      torch_fn: `${op}_${index + 1};builtin_function_or_method.${op}`
    },
    is_hop_single_tensor_return: null,
    name: resultName(op, index)
  };
}

/** torch numbers repeated results from the second one on: `relu`, `relu_1`, ... */
function resultName(op: string, index: number): string {
  return index === 0 ? op : `${op}_${index}`;
}
