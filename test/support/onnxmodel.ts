/** Small ONNX models for tests, written field by field: independent of castlens' own writer. */
import { BinaryWriter } from '@bufbuild/protobuf/wire';

export const ONNX_TYPES: Readonly<Record<string, number>> = {
  float32: 1,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  bfloat16: 16
};

export interface ITestNode {
  readonly op: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Integer attributes. */
  readonly ints?: Readonly<Record<string, number>>;
}

export interface ITestPort {
  readonly name: string;
  readonly dtype: string;
  /** Sizes; text for symbolic ones. */
  readonly shape: readonly (number | string)[];
}

export interface ITestInitializer extends ITestPort {
  readonly shape: readonly number[];
  /** Bytes in the model, or in a file. */
  readonly data: Uint8Array | { location: string; offset: number; length: number };
}

export interface ITestModel {
  readonly nodes: readonly ITestNode[];
  readonly inputs: readonly ITestPort[];
  readonly outputs: readonly ITestPort[];
  readonly initializers?: readonly ITestInitializer[];
}

/** Serialised model, opset 21. */
export function onnxModel(model: ITestModel): Uint8Array {
  const writer = new BinaryWriter().uint32(8).int64(10);
  writer.uint32(tag(7)).fork();
  for (const node of model.nodes) {
    writer.uint32(tag(1)).fork();
    node.inputs.forEach(name => writer.uint32(tag(1)).string(name));
    node.outputs.forEach(name => writer.uint32(tag(2)).string(name));
    writer.uint32(tag(3)).string(node.name).uint32(tag(4)).string(node.op);
    for (const [name, value] of Object.entries(node.ints ?? {})) {
      writer.uint32(tag(5)).fork();
      writer
        .uint32(tag(1))
        .string(name)
        .uint32(24)
        .int64(value)
        .uint32(20 << 3)
        .int32(2)
        .join();
    }
    writer.join();
  }
  writer.uint32(tag(2)).string('test');
  for (const { name, dtype, shape, data } of model.initializers ?? []) {
    writer.uint32(tag(5)).fork();
    shape.forEach(size => writer.uint32(8).int64(size));
    writer.uint32(16).int32(ONNX_TYPES[dtype]).uint32(tag(8)).string(name);
    if (data instanceof Uint8Array) {
      writer.uint32(tag(9)).bytes(data);
    } else {
      for (const [key, value] of Object.entries(data)) {
        writer.uint32(tag(13)).fork();
        writer.uint32(tag(1)).string(key).uint32(tag(2)).string(String(value)).join();
      }
      writer.uint32(14 << 3).int32(1);
    }
    writer.join();
  }
  model.inputs.forEach(port => writePort(writer, 11, port));
  model.outputs.forEach(port => writePort(writer, 12, port));
  writer.join();
  writer.uint32(tag(8)).fork().uint32(tag(1)).string('').uint32(16).int64(21).join();
  return writer.finish();
}

/** Tag of a length-delimited field. */
function tag(field: number): number {
  return (field << 3) | 2;
}

function writePort(writer: BinaryWriter, field: number, { name, dtype, shape }: ITestPort): void {
  writer.uint32(tag(field)).fork().uint32(tag(1)).string(name);
  writer.uint32(tag(2)).fork().uint32(tag(1)).fork().uint32(8).int32(ONNX_TYPES[dtype]);
  writer.uint32(tag(2)).fork();
  for (const size of shape) {
    writer.uint32(tag(1)).fork();
    if (typeof size === 'number') {
      writer.uint32(8).int64(size);
    } else {
      writer.uint32(tag(2)).string(size);
    }
    writer.join();
  }
  writer.join().join().join().join();
}
