/**
 * The JSON of exported programs as torch 2.13 writes it: the parts that do not depend on the operators.
 *
 * @packageDocumentation
 */
import type { IArchiveRecord } from '../../src/formats';

/** A JSON object. */
export type Json = Readonly<Record<string, unknown>>;

/** Numbers of `torch.ScalarType` in torch/_export/serde/schema.py. */
export const SCALAR_TYPES = { float16: 6, float32: 7, bfloat16: 13 } as const;

const STRIDED = 7;

/** Metadata of a contiguous tensor of two dimensions on the CPU. */
export function tensorMeta(shape: readonly number[], dtype: number, requiresGrad: boolean): Json {
  return {
    dtype,
    sizes: shape.map(size => ({ as_int: size })),
    requires_grad: requiresGrad,
    device: { type: 'cpu', index: null },
    strides: [{ as_int: shape[1] }, { as_int: 1 }],
    storage_offset: { as_int: 0 },
    layout: STRIDED
  };
}

/** A tensor argument. */
export function asTensor(name: string): Json {
  return { as_tensor: { name } };
}

/** Symbols and single results, of which there are none, as every graph lists them. */
export const NO_SYMBOLS = {
  sym_int_values: {},
  sym_bool_values: {},
  is_single_tensor_return: false,
  custom_obj_values: {},
  sym_float_values: {}
};

/** What a program of one input and one output consists of. */
export interface IProgramParts {
  readonly dialect: 'TRAINING' | 'ATEN';
  readonly graph: Json;
  readonly signature: Json;
  /** Paths of the modules but the root. */
  readonly modules: readonly string[];
}

/** The record `models/model.json`. */
export function programJson({ dialect, graph, signature, modules }: IProgramParts): Json {
  return {
    graph_module: {
      graph,
      signature,
      module_call_graph: moduleCallGraph(modules),
      metadata: {},
      treespec_namedtuple_fields: {}
    },
    opset_version: { aten: 10 },
    range_constraints: {},
    schema_version: { major: 8, minor: 20 },
    verifiers: [dialect],
    torch_version: '2.13.0+cpu',
    guards_code: []
  };
}

/** The calls of a program that takes one tensor `x` and returns one. */
function moduleCallGraph(modules: readonly string[]): Json[] {
  const leaf = '{"type": null, "context": null, "children_spec": []}';
  const tuple = (children: string): string =>
    `{"type": "builtins.tuple", "context": "null", "children_spec": [${children}]}`;
  const empty = '{"type": "builtins.dict", "context": "[]", "children_spec": []}';
  return [
    {
      fqn: '',
      signature: {
        inputs: [],
        outputs: [],
        in_spec: `[1, ${tuple(`${tuple(leaf)}, ${empty}`)}]`,
        out_spec: `[1, ${leaf}]`,
        forward_arg_names: ['x']
      }
    },
    ...modules.map(fqn => ({ fqn, signature: null }))
  ];
}

/** All records but the tensors, in torch's order. */
export function programRecords(root: string, weights: Json, program: string): IArchiveRecord[] {
  const text = (name: string, content: string): IArchiveRecord => ({
    name: `${root}/${name}`,
    source: { kind: 'text', text: content }
  });
  return [
    text('data/weights/model_weights_config.json', JSON.stringify({ config: weights })),
    text('data/constants/model_constants_config.json', JSON.stringify({ config: {} })),
    text('models/model.json', program),
    // Empty, as torch writes it for a program without sample inputs.
    text('data/sample_inputs/model.pt', ''),
    text('archive_format', 'pt2'),
    text('archive_version', '0'),
    text('.data/version', '6\n'),
    text('byteorder', 'little'),
    text('.data/serialization_id', '0'.repeat(40))
  ];
}
