import * as fs from 'node:fs';
import * as zlib from 'node:zlib';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

import { readByteRange, readModel, writeOnnx } from '../../../src/formats';
import type { IExportedModel, IValue } from '../../../src/model';
import {
  elementCount,
  forEachNode,
  formatShape,
  isFloating,
  sizeInBytes
} from '../../../src/model';
import { ONNX_FACTS } from './facts';
import { fixture, temporaryFolder } from './samples';

const folder = temporaryFolder();

describe('readModel() of .onnx', () => {
  describe.each(Object.entries(ONNX_FACTS))('%s', (name, facts) => {
    let model: IExportedModel;

    beforeAll(async () => {
      model = await readModel(fixture(name));
    });

    it('should read the graph', () => {
      const { nodes } = model.graph;
      expect(model).toMatchObject({ format: 'onnx', dialect: 'ONNX', regions: [], warnings: [] });
      expect(model.producer).toBe('pytorch 2.13.0+cpu');
      expect(model.torchVersion).toBe('2.13.0');
      expect(model.graph.opsets).toEqual({ '': 20 });
      expect(nodes).toHaveLength(facts.nodes);
      expect(new Set(nodes.map(node => node.op)).size).toBe(facts.operators);
      expect(nodes.filter(node => node.op === 'onnx.Cast')).toHaveLength(facts.casts);
      expect(nodes.filter(node => node.op === 'onnx.Constant')).toHaveLength(facts.constants);
    });

    it('should find the initializers in the file', async () => {
      expect(model.weights).toHaveLength(facts.weights);
      const byName = new Map(
        model.graph.weights.map(({ value, weight }) => [value.name, weight] as const)
      );
      expect(byName.size).toBe(facts.weights);
      let crc = 0;
      let bytes = 0;
      for (const key of [...byName.keys()].sort()) {
        const { data } = byName.get(key)!;
        if (data.kind !== 'range') {
          throw new Error('an initializer of these files is a byte range');
        }
        crc = zlib.crc32(await readByteRange(data.range), crc);
        bytes += data.range.length;
      }
      expect(bytes).toBe(facts.bytes);
      expect(crc).toBe(facts.crc);
    });

    it('should infer the dtypes that the exporter wrote down', () => {
      forEachNode(model.graph, node => {
        for (const value of node.outputs) {
          expect(value!.dtype).not.toBeNull();
          if (value!.declaredDtype !== null) {
            expect([node.name, value!.dtype]).toEqual([node.name, value!.declaredDtype]);
          }
        }
      });
    });

    it('should read what writeOnnx() makes of it', async () => {
      const bytes = writeOnnx(model.graph);
      // Locations are relative to the root of the file system, which is no folder to write into: point them at a copy.
      const target = `${folder}/again.onnx`;
      fs.copyFileSync(fixture(name), `${folder}/model.onnx`);
      fs.writeFileSync(target, relocated(bytes, fixture(name).slice(1), 'model.onnx'));
      const again = await readModel(target);
      expect(textOf(again)).toEqual(textOf(model));
      expect(again.inputs.map(port => ({ ...port, value: null }))).toEqual(
        model.inputs.map(port => ({ ...port, value: null }))
      );
      expect(rangesOf(again)).toEqual(rangesOf(model));
    });
  });

  it('should read casts, modules and lines', async () => {
    const model = await readModel(fixture('seed-mlp/model.onnx'));
    const last = model.graph.nodes.at(-1)!;
    expect(model.graph.nodes[0].attrs.to).toEqual({ kind: 'dtype', value: 'bfloat16' });
    expect(model.graph.nodes[0]).toMatchObject({ module: null, source: null });
    expect(last).toMatchObject({ op: 'onnx.Gemm', module: 'output', source: { line: 17 } });
    expect(model.weights[0]).toMatchObject({ kind: 'parameter', names: ['sub.linear1.weight'] });
  });

  it('should read symbolic sizes and their ranges', async () => {
    const model = await readModel(fixture('dynamic-batch/model.onnx'));
    expect(formatShape(model.inputs[0].shape!)).toBe('[s77, s27, 32]');
    expect([...model.ranges]).toEqual([
      ['s77', { min: 1, max: 64 }],
      ['s27', { min: 1, max: 128 }]
    ]);
  });
});

/** Nodes with their operands and attributes, without what names the file. */
function textOf({ graph }: IExportedModel): string[] {
  const named = (value: IValue | null): unknown => value && [value.name, value.dtype];
  return graph.nodes.map(({ name, op, attrs, inputs, outputs }) =>
    JSON.stringify(
      [name, op, attrs, inputs.map(named), outputs.map(named)],
      (key, item: unknown) =>
        key === 'storage' ? '' : typeof item === 'bigint' ? String(item) : item
    )
  );
}

/** Byte ranges of the floating-point weights; small integer ones are embedded by the writer. */
function rangesOf({ graph }: IExportedModel): unknown[] {
  return (
    graph.weights
      // Small ones are embedded.
      .filter(
        ({ weight }) =>
          isFloating(weight.dtype) && sizeInBytes(weight.dtype, elementCount(weight.shape)) > 1024
      )
      .map(({ value, weight: { data } }) =>
        data.kind === 'range' ? [value.name, data.range.offset, data.range.length] : data.kind
      )
  );
}

/** The model with another location in its external data. Lengths change, so the messages are written anew. */
function relocated(model: Uint8Array, from: string, to: string): Uint8Array {
  return rewrite(model, [7, 5, 13], entry => {
    const text = Buffer.from(entry).toString('latin1');
    if (!text.includes(from)) {
      return entry;
    }
    const writer = new BinaryWriter();
    writer.tag(1, WireType.LengthDelimited).string('location');
    writer.tag(2, WireType.LengthDelimited).string(to);
    return writer.finish();
  });
}

/** Replace the messages at a path of field numbers. */
function rewrite(
  message: Uint8Array,
  path: readonly number[],
  edit: (bytes: Uint8Array) => Uint8Array
): Uint8Array {
  if (path.length === 0) {
    return edit(message);
  }
  const writer = new BinaryWriter();
  let position = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = message[position++];
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        return value;
      }
    }
  };
  while (position < message.length) {
    const start = position;
    const tag = varint();
    if ((tag & 7) === 2) {
      const length = varint();
      const bytes = message.subarray(position, position + length);
      position += length;
      if (tag >> 3 === path[0]) {
        writer.tag(tag >> 3, WireType.LengthDelimited).bytes(rewrite(bytes, path.slice(1), edit));
        continue;
      }
    } else if ((tag & 7) === 0) {
      while (message[position++] >= 0x80) {
        continue;
      }
    } else {
      position += (tag & 7) === 5 ? 4 : 8;
    }
    writer.raw(message.subarray(start, position));
  }
  return writer.finish();
}
