/**
 * Synthetic models as ONNX files, with weights inside or beside.
 *
 * @packageDocumentation
 */
import { basename } from 'node:path';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

import { SparseFile } from './sparsefile';
import type { ISyntheticModel, ISyntheticWeight } from './syntheticmodel';

/** Field numbers of onnx.proto3. */
const MODEL = { irVersion: 1, producerName: 2, graph: 7, opsetImport: 8 } as const;
const GRAPH = { node: 1, name: 2, initializer: 5, input: 11, output: 12 } as const;
const NODE = { input: 1, output: 2, name: 3, opType: 4, attribute: 5 } as const;
const TENSOR = {
  dims: 1,
  dataType: 2,
  name: 8,
  rawData: 9,
  externalData: 13,
  location: 14
} as const;
const FLOAT = 1;
const BFLOAT16 = 16;
const INT_ATTRIBUTE = 2;

/** Weights beside the model start at multiples of this, so that they can be mapped. */
const ALIGNMENT = 4096;

/** Bytes to write, or that many zeros. */
type Piece = Uint8Array | number;

/** Write a model of opset 21, and its weights to `PATH.data` where `external`. */
export function writeSyntheticOnnx(path: string, model: ISyntheticModel, external: boolean): void {
  const graph: Piece[] = [nodesOf(model)];
  const data = external ? new SparseFile(`${path}.data`) : null;
  const file = new SparseFile(path);
  try {
    data?.skip(model.gapBytes ?? 0);
    for (const weight of model.weights) {
      graph.push(...initializer(weight, `${basename(path)}.data`, data));
    }
    graph.push(
      message(writer => {
        port(writer, GRAPH.input, 'x', FLOAT, [1, model.width]);
        const last = model.steps[model.steps.length - 1];
        port(writer, GRAPH.output, last.output, BFLOAT16, [last.rows, model.width]);
      })
    );
    file.append(
      message(writer => {
        writer.tag(MODEL.irVersion, WireType.Varint).int64(10);
        text(writer, MODEL.producerName, 'castlens bench');
        nested(writer, MODEL.opsetImport, () => {
          text(writer, 1, '');
          writer.tag(2, WireType.Varint).int64(21);
        });
        writer.tag(MODEL.graph, WireType.LengthDelimited);
        lengthOf(writer, graph);
      })
    );
    writePieces(file, graph);
  } finally {
    file.close();
    data?.close();
  }
}

function nodesOf({ weights, steps }: ISyntheticModel): Uint8Array {
  return message(writer => {
    text(writer, GRAPH.name, 'synthetic');
    const node = (op: string, inputs: readonly string[], output: string, attr?: [string, number]) =>
      nested(writer, GRAPH.node, () => {
        inputs.forEach(name => text(writer, NODE.input, name));
        text(writer, NODE.output, output);
        text(writer, NODE.name, `node_${output}`);
        text(writer, NODE.opType, op);
        if (attr !== undefined) {
          nested(writer, NODE.attribute, () => {
            text(writer, 1, attr[0]);
            writer.tag(3, WireType.Varint).int64(attr[1]);
            writer.tag(20, WireType.Varint).int32(INT_ATTRIBUTE);
          });
        }
      });
    for (const step of steps) {
      const { inputs, output } = step;
      switch (step.op) {
        case 'relu':
          node('Relu', inputs, output);
          break;
        case 'concat':
          node('Concat', inputs, output, ['axis', 0]);
          break;
        case 'matmul': {
          node('Cast', [weights[step.weight].name], `${output}_w`, ['to', BFLOAT16]);
          let [input] = inputs;
          if (input === 'x') {
            input = `${output}_x`;
            node('Cast', ['x'], input, ['to', BFLOAT16]);
          }
          node('MatMul', [input, `${output}_w`], output);
          break;
        }
      }
    }
  });
}

/** Pieces of the field `initializer`. */
function initializer(weight: ISyntheticWeight, file: string, data: SparseFile | null): Piece[] {
  const sizeBytes = weight.width * weight.width * Float32Array.BYTES_PER_ELEMENT;
  const bytes: Piece = weight.data ?? sizeBytes;
  const head = message(writer => {
    writer.tag(TENSOR.dims, WireType.Varint).int64(weight.width);
    writer.tag(TENSOR.dims, WireType.Varint).int64(weight.width);
    writer.tag(TENSOR.dataType, WireType.Varint).int32(FLOAT);
    text(writer, TENSOR.name, weight.name);
    if (data === null) {
      writer.tag(TENSOR.rawData, WireType.LengthDelimited);
      writeLength(writer, sizeBytes);
    } else {
      data.skip((ALIGNMENT - (data.position % ALIGNMENT)) % ALIGNMENT);
      const entries = { location: file, offset: data.position, length: sizeBytes };
      for (const [key, value] of Object.entries(entries)) {
        nested(writer, TENSOR.externalData, () => {
          text(writer, 1, key);
          text(writer, 2, String(value));
        });
      }
      writer.tag(TENSOR.location, WireType.Varint).int32(1);
    }
  });
  if (data !== null) {
    writePieces(data, [bytes]);
  }
  const tensor = data === null ? [head, bytes] : [head];
  const field = message(writer => {
    writer.tag(GRAPH.initializer, WireType.LengthDelimited);
    lengthOf(writer, tensor);
  });
  return [field, ...tensor];
}

function port(
  writer: BinaryWriter,
  field: number,
  name: string,
  type: number,
  shape: readonly number[]
): void {
  nested(writer, field, () => {
    text(writer, 1, name);
    nested(writer, 2, () =>
      nested(writer, 1, () => {
        writer.tag(1, WireType.Varint).int32(type);
        nested(writer, 2, () =>
          shape.forEach(size => nested(writer, 1, () => writer.tag(1, WireType.Varint).int64(size)))
        );
      })
    );
  });
}

function message(write: (writer: BinaryWriter) => void): Uint8Array {
  const writer = new BinaryWriter();
  write(writer);
  return writer.finish();
}

function nested(writer: BinaryWriter, field: number, write: () => void): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  write();
  writer.join();
}

function text(writer: BinaryWriter, field: number, value: string): void {
  writer.tag(field, WireType.LengthDelimited).string(value);
}

function lengthOf(writer: BinaryWriter, pieces: readonly Piece[]): void {
  writeLength(
    writer,
    pieces.reduce<number>(
      (total, piece) => total + (typeof piece === 'number' ? piece : piece.length),
      0
    )
  );
}

/** A length as a varint. It may be beyond 32 bits. */
function writeLength(writer: BinaryWriter, length: number): void {
  writer.uint64(length);
}

function writePieces(file: SparseFile, pieces: readonly Piece[]): void {
  for (const piece of pieces) {
    if (typeof piece === 'number') {
      file.skip(piece);
    } else {
      file.append(piece);
    }
  }
}
