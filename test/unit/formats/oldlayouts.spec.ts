import * as fs from 'node:fs';
import * as path from 'node:path';
import * as zlib from 'node:zlib';

import {
  openSafetensors,
  Pt2Rewriter,
  readByteRange,
  readModel,
  writePt2Archive
} from '../../../src/formats';
import type { IExportedModel, IWeight } from '../../../src/model';
import { formatShape } from '../../../src/model';
import { changedCopy, failureOf, fixture, readRecords, temporaryFolder } from './samples';

const folder = temporaryFolder();
const FIXTURES = fs
  .readdirSync(fixture(''))
  .filter(name => fs.existsSync(fixture(`${name}/model.pt2`)));

function old(layout: string): string {
  return path.join(__dirname, `../../data/pt2/nested-regions.torch${layout}.pt2`);
}

async function bytesOf(weight: IWeight): Promise<Buffer> {
  if (weight.data.kind !== 'range') {
    throw new Error(`${weight.names[0]} is no byte range`);
  }
  return Buffer.from(await readByteRange(weight.data.range));
}

/** What a model says, without where its bytes lie. */
function outline(model: IExportedModel): unknown {
  const { graph } = model;
  return {
    dialect: model.dialect,
    regions: model.regions,
    nodes: graph.nodes.map(node => [node.name, node.op, node.inputs.map(value => value?.name)]),
    bindings: graph.weights.map(({ value, weight }) => [value.name, weight.names]),
    weights: model.weights.map(weight => [weight.names, weight.kind, weight.dtype, weight.shape]),
    grad: model.weights.map(weight => weight.requiresGrad),
    inputs: model.inputs.map(port => [port.name, port.dtype]),
    warnings: model.warnings
  };
}

describe('the layouts of older torch', () => {
  it.each(['2.7', '2.8'])('should read a program of torch %s as one of today', async layout => {
    const today = await readModel(fixture('nested-regions/model.pt2'));
    const model = await readModel(old(layout));
    expect(outline(model)).toEqual(outline(today));
    for (const [i, weight] of model.weights.entries()) {
      expect(weight.data).toMatchObject({ kind: 'range', range: { file: old(layout) } });
      expect(await bytesOf(weight)).toEqual(await bytesOf(today.weights[i]));
    }
    for (const [name, sample] of today.sampleInputs!) {
      expect(await bytesOf(model.sampleInputs!.get(name)!)).toEqual(await bytesOf(sample));
    }
  });

  it('should hold the tensors of a compressed state dict in memory', async () => {
    const file = await deflatedCopy(old('2.7'), 'serialized_state_dict.pt');
    const today = await readModel(fixture('nested-regions/model.pt2'));
    const model = await readModel(file);
    expect(outline(model)).toEqual(outline(today));
    for (const [i, { data }] of model.weights.entries()) {
      const bytes = data.kind === 'inline' ? Buffer.from(data.bytes) : null;
      expect(bytes).toEqual(await bytesOf(today.weights[i]));
    }
  });

  it('should refuse other names in a state dict, and say which', async () => {
    const file = await changedCopy(old('2.8'), `${folder}/evil.pt2`, records => {
      const record = 'data/weights/model.pt';
      const bytes = Buffer.from(records.get(record)!);
      const at = bytes.indexOf('_rebuild_tensor_v2');
      bytes.write('_rebuild_tensor_vX', at, 'latin1');
      records.set(record, bytes);
    });
    const failure = await failureOf(readModel(file));
    expect(failure.code).toBe('unsupported-format');
    expect(failure.details).toMatchObject({
      file,
      entry: 'data/weights/model.pt/data.pkl',
      found: 'torch._utils._rebuild_tensor_vX'
    });
  });

  it('should refuse a tensor that is larger than its storage', async () => {
    const file = await changedCopy(old('2.8'), `${folder}/short.pt2`, records => {
      const record = 'data/weights/model.pt';
      const bytes = Buffer.from(records.get(record)!);
      // The sizes of the first matrix: BININT1 rows, BININT1 columns, TUPLE2.
      const at = bytes.indexOf(Buffer.from('\x86q', 'latin1'));
      bytes[at - 3] = 255;
      records.set(record, bytes);
    });
    const failure = await failureOf(readModel(file));
    expect(failure.code).toBe('bad-file');
    expect(failure.message).toContain('is shorter than the tensor');
  });
});

describe('Pt2Rewriter', () => {
  it.each(['2.7', '2.8'])('should refuse the layout of torch %s', async layout => {
    const failure = await failureOf(readModel(old(layout)).then(model => Pt2Rewriter.open(model)));
    expect(failure.code).toBe('unsupported-format');
    expect(failure.details.hint).toContain('torch.export.save(torch.export.load(');
  });
});

describe('sample inputs', () => {
  it.each(FIXTURES)('should be those of %s', async name => {
    const files = ['model.pt2', 'model.core.pt2'].map(file => fixture(`${name}/${file}`));
    for (const file of files.filter(fs.existsSync)) {
      const model = await readModel(file);
      const stored = await openSafetensors(fixture(`${name}/inputs.safetensors`));
      const ports = model.inputs.filter(port => port.value !== null);
      expect([...model.sampleInputs!.keys()]).toEqual(ports.map(port => port.name));
      for (const [i, port] of ports.entries()) {
        const sample = model.sampleInputs!.get(port.name)!;
        const expected = stored.get(port.name) ?? stored.get(`input_${i}`)!;
        expect([sample.dtype, formatShape(sample.shape)]).toEqual([
          expected.dtype,
          formatShape(expected.shape)
        ]);
        expect(await bytesOf(sample)).toEqual(Buffer.from(await readByteRange(expected.range)));
      }
    }
  });

  it('should be ignored with a warning where they hold other objects', async () => {
    const file = await changedCopy(fixture('seed-mlp/model.pt2'), `${folder}/odd.pt2`, records => {
      const record = 'data/sample_inputs/model.pt';
      const bytes = Buffer.from(records.get(record)!);
      bytes.write('_rebuild_tensor_vX', bytes.indexOf('_rebuild_tensor_v2'), 'latin1');
      records.set(record, bytes);
    });
    const model = await readModel(file);
    expect(model.sampleInputs).toBeUndefined();
    expect(model.warnings.join()).toContain('torch._utils._rebuild_tensor_vX');
  });

  it.each([
    ['damaged', 'PK'],
    ['no zip', 'hello']
  ])('should be ignored with a warning where they are %s', async (_, text) => {
    const file = await changedCopy(fixture('seed-mlp/model.pt2'), `${folder}/bad.pt2`, records =>
      records.set('data/sample_inputs/model.pt', Buffer.from(text))
    );
    const model = await readModel(file);
    expect(model.sampleInputs).toBeUndefined();
    expect(model.warnings).toHaveLength(1);
  });

  it('may be absent', async () => {
    const file = await changedCopy(fixture('seed-mlp/model.pt2'), `${folder}/no.pt2`, records =>
      records.delete('data/sample_inputs/model.pt')
    );
    const model = await readModel(file);
    expect([model.sampleInputs, model.warnings]).toEqual([undefined, []]);
  });
});

/** A copy of an archive without folders, one of whose records is compressed. */
async function deflatedCopy(file: string, record: string): Promise<string> {
  const target = `${folder}/deflated.pt2`;
  const records = await readRecords(file);
  const plain = records.get(record)!;
  const packed = zlib.deflateRawSync(plain);
  records.set(record, packed);
  await writePt2Archive(
    target,
    [...records].map(([name, bytes]) => ({ name, source: { kind: 'bytes', bytes } }))
  );
  // The directory says how a record is stored: method at 10, sizes at 20 and 24, name at 46.
  const bytes = fs.readFileSync(target);
  let at = bytes.indexOf('PK\x01\x02', 0, 'latin1');
  while (at >= 0) {
    const name = bytes.toString('utf8', at + 46, at + 46 + bytes.readUInt16LE(at + 28));
    if (name === record) {
      bytes.writeUInt16LE(8, at + 10);
      bytes.writeUInt32LE(plain.length, at + 24);
    }
    at = bytes.indexOf('PK\x01\x02', at + 4, 'latin1');
  }
  fs.writeFileSync(target, bytes);
  return target;
}
