/** Models with external data, made from models without. */
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

const MODEL_GRAPH = 7;
const GRAPH_INITIALIZER = 5;
const TENSOR_RAW_DATA = 9;
const TENSOR_EXTERNAL_DATA = 13;
const TENSOR_DATA_LOCATION = 14;

/**
 * Write `model.onnx` with the raw data of its initializers in `weights.bin`.
 *
 * @returns path of the model.
 */
export function writeExternalOnnx(source: string, folder: string): Promise<string> {
  const data = openSync(join(folder, 'weights.bin'), 'w');
  let offset = 0;
  const tensor = (bytes: Uint8Array): Uint8Array =>
    rewrite(bytes, (field, value, writer) => {
      if (field !== TENSOR_RAW_DATA) {
        return false;
      }
      writeSync(data, value);
      const entries = {
        location: 'weights.bin',
        offset: String(offset),
        length: String(value.length)
      };
      for (const [key, text] of Object.entries(entries)) {
        writer.tag(TENSOR_EXTERNAL_DATA, WireType.LengthDelimited).fork();
        writer.tag(1, WireType.LengthDelimited).string(key);
        writer.tag(2, WireType.LengthDelimited).string(text);
        writer.join();
      }
      writer.tag(TENSOR_DATA_LOCATION, WireType.Varint).int32(1);
      offset += value.length;
      return true;
    });
  const nested =
    (wanted: number, change: (bytes: Uint8Array) => Uint8Array) =>
    (field: number, value: Uint8Array, writer: BinaryWriter): boolean => {
      if (field !== wanted) {
        return false;
      }
      writer.tag(field, WireType.LengthDelimited).bytes(change(value));
      return true;
    };
  const graph = (bytes: Uint8Array): Uint8Array =>
    rewrite(bytes, nested(GRAPH_INITIALIZER, tensor));
  const path = join(folder, 'model.onnx');
  writeFileSync(path, rewrite(readFileSync(source), nested(MODEL_GRAPH, graph)));
  closeSync(data);
  return Promise.resolve(path);
}

/** Copy a message but for the length-delimited fields that `change` writes itself. */
function rewrite(
  bytes: Uint8Array,
  change: (field: number, value: Uint8Array, writer: BinaryWriter) => boolean
): Uint8Array {
  const reader = new BinaryReader(bytes);
  const writer = new BinaryWriter();
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (type === WireType.LengthDelimited) {
      const value = reader.bytes();
      if (!change(field, value, writer)) {
        writer.tag(field, type).bytes(value);
      }
    } else {
      writer.tag(field, type).raw(reader.skip(type));
    }
  }
  return writer.finish();
}
