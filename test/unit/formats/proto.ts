/** ONNX messages for tests, written field by field: independent of castlens' own writer. */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** A field: number and value. Numbers are varints, lists are messages. */
export type Field = readonly [
  number,
  string | number | bigint | Uint8Array | { float: number } | readonly Field[]
];

export function encode(fields: readonly Field[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const [field, value] of fields) {
    if (typeof value === 'string') {
      writer.tag(field, WireType.LengthDelimited).string(value);
    } else if (typeof value === 'number' || typeof value === 'bigint') {
      writer.tag(field, WireType.Varint).int64(value);
    } else if (Array.isArray(value)) {
      writer.tag(field, WireType.LengthDelimited).bytes(encode(value as readonly Field[]));
    } else if ('float' in value) {
      writer.tag(field, WireType.Bit32).float(value.float);
    } else {
      writer.tag(field, WireType.LengthDelimited).bytes(value as Uint8Array);
    }
  }
  return writer.finish();
}

/** `TensorProto.DataType`. */
export const TYPES = {
  float: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  double: 11,
  uint64: 13,
  bfloat16: 16,
  float8: 17,
  int4: 22,
  float4: 23
} as const;

/** ValueInfoProto. */
export function port(name: string, type: number, shape: readonly (number | string)[]): Field[] {
  const dims = shape.map((size): Field => [1, [[typeof size === 'number' ? 1 : 2, size]]]);
  return [
    [1, name],
    [
      2,
      [
        [
          1,
          [
            [1, type],
            [2, dims]
          ]
        ]
      ]
    ]
  ];
}

/** TensorProto; `data` are its data fields. */
export function tensor(
  name: string,
  type: number,
  dims: readonly number[],
  ...data: readonly Field[]
): Field[] {
  return [...dims.map((size): Field => [1, size]), [2, type], [8, name], ...data];
}

/** `external_data` of a tensor. */
export function external(entries: Readonly<Record<string, string>>): Field[] {
  return [
    ...Object.entries(entries).map(([key, value]): Field => [
      13,
      [
        [1, key],
        [2, value]
      ]
    ]),
    [14, 1]
  ];
}

/** NodeProto; further fields (attributes, domain) as they are. */
export function node(
  type: string,
  inputs: readonly string[],
  outputs: readonly string[],
  ...more: readonly Field[]
): Field[] {
  return [
    ...inputs.map((name): Field => [1, name]),
    ...outputs.map((name): Field => [2, name]),
    [3, `${type}_of_${outputs.join('_')}`],
    [4, type],
    ...more
  ];
}

/** Attribute field of a node: type (`AttributeProto.AttributeType`) and value field. */
export function attribute(name: string, type: number, ...fields: readonly Field[]): Field {
  return [5, [[1, name], ...fields, [20, type]]];
}

/** Parts of a GraphProto. */
export interface IGraphParts {
  readonly nodes?: readonly (readonly Field[])[];
  readonly inputs?: readonly (readonly Field[])[];
  readonly outputs?: readonly (readonly Field[])[];
  readonly initializers?: readonly (readonly Field[])[];
  readonly valueInfos?: readonly (readonly Field[])[];
}

export function graph({
  nodes = [],
  inputs = [],
  outputs = [],
  initializers = [],
  valueInfos = []
}: IGraphParts): Field[] {
  return [
    ...nodes.map((item): Field => [1, item]),
    [2, 'test'],
    ...initializers.map((item): Field => [5, item]),
    ...inputs.map((item): Field => [11, item]),
    ...outputs.map((item): Field => [12, item]),
    ...valueInfos.map((item): Field => [13, item])
  ];
}

/** ModelProto of opset 21; further fields (functions, imports) as they are. */
export function model(parts: IGraphParts, ...more: readonly Field[]): Uint8Array {
  return encode([
    [1, 10],
    [2, 'test'],
    [7, graph(parts)],
    [
      8,
      [
        [1, ''],
        [2, 21]
      ]
    ],
    ...more
  ]);
}
