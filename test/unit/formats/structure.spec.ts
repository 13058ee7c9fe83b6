/** What is wrong with the structure of a model is said once, where the file is read. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { ModelStore } from '../../../src/engine/modelstore';
import { prepareVariant } from '../../../src/engine/variant';
import { readModel } from '../../../src/formats';
import type { CastlensError } from '../../../src/model';
import { zipArchive, zipRecords } from '../../fuzz/zip';
import { attribute, graph, model, node, port, TYPES } from './proto';
import { failureOf, temporaryFolder } from './samples';

const folder = temporaryFolder();
let count = 0;

interface IProgram {
  graph_module: {
    graph: {
      inputs: unknown;
      outputs: unknown;
      nodes: { target: string; inputs: { name: string; arg: unknown }[] }[];
      tensor_values: Record<string, unknown>;
    };
  };
}

/** A fixture with its program changed. */
function damaged(name: string, change: (program: IProgram) => void): string {
  const archive = readFileSync(join(__dirname, '../../fixtures', name, 'model.core.pt2'));
  const path = join(folder, `damaged${count++}.pt2`);
  const records = zipRecords(archive).map(record => {
    if (!record.name.endsWith('models/model.json')) {
      return record;
    }
    const program = JSON.parse(Buffer.from(record.data).toString()) as IProgram;
    change(program);
    return { ...record, data: Buffer.from(JSON.stringify(program)) };
  });
  writeFileSync(path, zipArchive(records));
  return path;
}

function onnxFile(bytes: Uint8Array): string {
  const path = join(folder, `damaged${count++}.onnx`);
  writeFileSync(path, bytes);
  return path;
}

function expectComplete(error: CastlensError, path: string): void {
  const { file, entry, expected, found } = error.details;
  expect([error.code, file]).toEqual(['bad-file', path]);
  expect([typeof entry, typeof expected, typeof found]).toEqual(['string', 'string', 'string']);
}

describe('the structure of a .pt2 program', () => {
  it.each<[string, (program: IProgram) => void, string]>([
    ['outputs that are no list', p => (p.graph_module.graph.outputs = 7), 'graph.outputs'],
    ['no inputs', p => delete p.graph_module.graph.inputs, 'graph.inputs'],
    [
      'a description of a tensor that is none',
      p => {
        const { tensor_values: metas } = p.graph_module.graph;
        metas[Object.keys(metas)[0]] = 'x';
      },
      'tensor_values'
    ],
    [
      'no descriptions of tensors',
      p =>
        delete (p.graph_module.graph as Partial<IProgram['graph_module']['graph']>).tensor_values,
      'tensor_values'
    ]
  ])('should be checked: %s', async (_name, change, where) => {
    const path = damaged('seed-mlp', change);
    const error = await failureOf(readModel(path));
    expectComplete(error, path);
    expect(error.message).toContain(where);
  });

  it('should refuse a convolution of operands without dimensions', async () => {
    const path = damaged('convnet', ({ graph_module: { graph: g } }) => {
      const names = g.nodes
        .filter(({ target }) => target.includes('conv'))
        .flatMap(({ inputs }) =>
          inputs.map(({ arg }) => (arg as { as_tensor?: { name: string } }).as_tensor?.name)
        );
      for (const name of names) {
        const meta = g.tensor_values[name ?? ''] as
          { sizes: unknown[]; strides: unknown[] } | undefined;
        if (meta !== undefined && !/^[pb]_/.test(name!)) {
          meta.sizes = [];
          meta.strides = [];
        }
      }
    });
    const loaded = await new ModelStore().load({ path });
    expect(() => prepareVariant(loaded, { cache: 'off', passes: [], device: 'cpu' })).toThrow(
      'fewer dimensions'
    );
  });
});

describe('the structure of an ONNX graph', () => {
  const x = port('x', TYPES.float, [2]);
  const y = port('y', TYPES.float, [2]);

  it.each([
    ['too many inputs', node('Constant', ['x'], ['y']), '0 inputs, as Constant has'],
    ['too few inputs', node('Add', ['x'], ['y']), '2 inputs, as Add has'],
    ['too many outputs', node('Relu', ['x'], ['y', 'z']), '1 outputs, as Relu has']
  ])('should be checked: %s', async (_name, made, expected) => {
    const path = onnxFile(model({ nodes: [made], inputs: [x], outputs: [y] }));
    const error = await failureOf(readModel(path));
    expectComplete(error, path);
    expect(error.details.expected).toBe(expected);
  });

  it('should allow graphs in the operators that take them alone', async () => {
    const body = graph({
      nodes: [node('Relu', ['x'], ['z'])],
      outputs: [port('z', TYPES.float, [2])]
    });
    const made = node('Relu', ['x'], ['y'], attribute('body', 5, [6, body]));
    const path = onnxFile(model({ nodes: [made], inputs: [x], outputs: [y] }));
    const error = await failureOf(readModel(path));
    expectComplete(error, path);
    expect(error.details.found).toBe('a graph in Relu');
  });

  it('should allow optional inputs to be left out', async () => {
    const clip = node('Clip', ['x', '', ''], ['y']);
    const path = onnxFile(model({ nodes: [clip], inputs: [x], outputs: [y] }));
    expect((await readModel(path)).graph.nodes).toHaveLength(1);
  });
});
