import * as zlib from 'node:zlib';

import { readByteRange, readModel } from '../../../src/formats';
import type { IExportedModel, INode } from '../../../src/model';
import { formatShape, forEachNode } from '../../../src/model';
import { PT2_FACTS } from './facts';
import { changedCopy, editJson, fixture, temporaryFolder } from './samples';

const folder = temporaryFolder();

function nodeOf(model: IExportedModel, name: string): INode {
  return model.graph.nodes.find(node => node.name === name)!;
}

describe('readModel() of .pt2', () => {
  describe.each(Object.entries(PT2_FACTS))('%s', (name, facts) => {
    let model: IExportedModel;

    beforeAll(async () => {
      model = await readModel(fixture(name));
    });

    it('should read the dialect and the producer', () => {
      expect(model.format).toBe('pt2');
      expect(model.dialect).toBe(facts.dialect);
      expect(model.producer).toBe('torch 2.13.0+cpu');
      expect(model.torchVersion).toBe('2.13.0');
      expect(model.warnings).toEqual([]);
    });

    it('should inline every nested graph', () => {
      expect(model.graph.nodes).toHaveLength(facts.nodes);
      expect(new Set(model.graph.nodes.map(node => node.op)).size).toBe(facts.operators);
      expect(model.graph.nodes.some(node => node.op.includes('wrap_with'))).toBe(false);
    });

    it('should read the regions', () => {
      const { regions } = model;
      expect(
        regions.map(({ device, dtype, enabled, parent }) => [
          device,
          dtype,
          enabled,
          parent === null ? null : regions.findIndex(({ id }) => id === parent)
        ])
      ).toEqual(facts.regions);
      expect(new Set(regions.map(({ id }) => id)).size).toBe(regions.length);
      for (const { cacheEnabled, source, module } of regions) {
        expect(cacheEnabled).toBe(false);
        expect(source).not.toBeNull();
        expect(module).not.toBeNull();
      }
    });

    it('should find every stored tensor without reading it', async () => {
      expect(model.weights.flatMap(weight => weight.names)).toHaveLength(facts.names);
      expect(new Set(model.weights.map(weight => weight.storage)).size).toBe(facts.storages);
      expect(new Set(model.graph.weights.map(({ weight }) => weight.storage)).size).toBe(
        facts.usedStorages
      );
      const byName = new Map(
        model.weights.flatMap(weight => weight.names.map(alias => [alias, weight] as const))
      );
      let crc = 0;
      let bytes = 0;
      for (const key of [...byName.keys()].sort()) {
        const { data } = byName.get(key)!;
        if (data.kind !== 'range') {
          throw new Error('a stored tensor is a byte range');
        }
        crc = zlib.crc32(await readByteRange(data.range), crc);
        expect(data.range.offset % 64).toBe(0);
      }
      for (const { data } of model.weights) {
        bytes += data.kind === 'range' ? data.range.length : 0;
      }
      expect(crc).toBe(facts.crc);
      expect(bytes).toBe(facts.bytes);
    });

    it('should give a graph in topological order with names used once', () => {
      const known = new Set([
        ...model.graph.inputs,
        ...model.graph.weights.map(({ value }) => value)
      ]);
      const names = new Set([...known].map(value => value.name));
      for (const node of model.graph.nodes) {
        for (const value of node.inputs) {
          expect(known).toContain(value);
        }
        for (const value of node.outputs) {
          expect(names).not.toContain(value!.name);
          names.add(value!.name);
          known.add(value!);
        }
      }
      expect(new Set(model.graph.nodes.map(node => node.name)).size).toBe(facts.nodes);
      model.graph.outputs.forEach(value => expect(known).toContain(value));
    });

    it('should refer to operands by position', () => {
      forEachNode(model.graph, node => {
        const indices: number[] = [];
        const collect = (attr: (typeof node.attrs)[string]): void => {
          if (attr.kind === 'input') {
            indices.push(attr.index);
          } else if (attr.kind === 'list') {
            attr.items.forEach(collect);
          }
        };
        Object.values(node.attrs).forEach(collect);
        expect(indices).toEqual(node.inputs.map((_, i) => i));
      });
    });

    it('should know the dtype of every tensor', () => {
      for (const node of model.graph.nodes) {
        for (const value of node.outputs) {
          if (value!.kind === 'tensor') {
            expect(value!.declaredDtype).not.toBeNull();
            expect(value!.shape).not.toBeNull();
          }
        }
      }
    });
  });

  it('should name tied weights once, the one the graph uses first', async () => {
    const model = await readModel(fixture('gpt2/model.pt2'));
    const tied = model.weights.filter(weight => weight.names.length > 1);
    expect(tied.map(weight => weight.names)).toEqual([
      ['inner.lm_head.weight', 'inner.transformer.wte.weight']
    ]);
    expect(tied[0].shape).toEqual([200, 64]);
    const uses = model.graph.nodes.filter(node =>
      node.inputs.some(value =>
        model.graph.weights.some(({ value: held, weight }) => held === value && weight === tied[0])
      )
    );
    expect(uses.map(node => node.op)).toEqual(['aten.embedding.default', 'aten.linear.default']);
  });

  it('should attribute nodes to the user, not to torch', async () => {
    const model = await readModel(fixture('seed-mlp/model.pt2'));
    expect(nodeOf(model, 'linear')).toMatchObject({
      op: 'aten.linear.default',
      region: 'submod_1',
      module: 'sub.linear1',
      source: {
        file: 'make_public.py',
        line: 12,
        code: 'x = s.linear1(x); x = torch.relu(x); x = s.linear2(x)'
      }
    });
    expect(nodeOf(model, 'linear_2')).toMatchObject({ region: null, module: 'output' });
    expect(model.regions[0]).toMatchObject({ module: 'sub', source: { line: 12 } });
    expect(model.modules).toEqual([
      { path: '', type: '__main__.Main' },
      { path: 'sub', type: '__main__.Sub' },
      { path: 'sub.linear1', type: 'torch.nn.modules.linear.Linear' },
      { path: 'sub.linear2', type: 'torch.nn.modules.linear.Linear' },
      { path: 'output', type: 'torch.nn.modules.linear.Linear' }
    ]);
  });

  it('should not invent origins that decomposition has lost', async () => {
    const model = await readModel(fixture('seed-mlp/model.core.pt2'));
    expect(nodeOf(model, '_to_copy')).toMatchObject({ module: null, source: null });
    expect(nodeOf(model, 'addmm_2')).toMatchObject({ module: 'output', source: { line: 17 } });
  });

  it('should bind operands of regions by position', async () => {
    const model = await readModel(fixture('nested-regions/model.pt2'));
    const weights = new Map(
      model.graph.weights.map(({ value, weight }) => [value, weight.names[0]])
    );
    expect(
      model.graph.nodes
        .filter(node => node.op === 'aten.linear.default')
        .map(node => [weights.get(node.inputs[1]!), node.region])
    ).toEqual([
      ['a.weight', 'submod_1'],
      ['b.weight', 'submod_1_2'],
      ['a.weight', 'submod_1']
    ]);
    expect(model.outputs).toMatchObject([{ name: 'output_0', dtype: 'float32', shape: [2, 64] }]);
  });

  it('should read symbolic sizes and their ranges', async () => {
    const model = await readModel(fixture('dynamic-batch/model.core.pt2'));
    expect(model.inputs.map(({ name, shape }) => [name, formatShape(shape!)])).toEqual([
      ['x', '[s77, s27, 32]']
    ]);
    expect(model.ranges.get('s77')).toEqual({ min: 1, max: 64 });
    expect(model.ranges.get('s27')).toEqual({ min: 1, max: 128 });
    const size = nodeOf(model, 'mul_9');
    expect(size.op).toBe('_operator.mul');
    expect(size.outputs[0]!.kind).toBe('int');
    expect(formatShape(nodeOf(model, 'view').outputs[0]!.shape!)).toBe('[s27*s77, 32]');
    expect(nodeOf(model, 'view').attrs.size).toEqual({
      kind: 'list',
      items: [
        { kind: 'input', index: 1 },
        { kind: 'int', value: 32 }
      ]
    });
  });

  it('should keep integers beyond 2^53', async () => {
    const model = await readModel(fixture('llama/model.pt2'));
    const ends = model.graph.nodes
      .filter(node => node.op === 'aten.slice.Tensor')
      .map(node => node.attrs.end);
    expect(ends).toContainEqual({ kind: 'int', value: 9223372036854775807n });
  });

  it('should name inputs as forward does, keywords too', async () => {
    const model = await readModel(fixture('bert/model.pt2'));
    expect(model.inputs.map(({ name, dtype, shape }) => [name, dtype, shape])).toEqual([
      ['a_0', 'int64', [2, 12]],
      ['attention_mask', 'int64', [2, 12]]
    ]);
  });

  it('should list the results of an operator that returns several', async () => {
    const model = await readModel(fixture('gpt2/model.pt2'));
    const split = model.graph.nodes.find(node => node.op === 'aten.split.Tensor')!;
    expect(split.outputs.map(value => value!.shape)).toEqual([
      [2, 12, 64],
      [2, 12, 64],
      [2, 12, 64]
    ]);
  });

  it('should tell the kinds of weights apart', async () => {
    const model = await readModel(fixture('convnet/model.pt2'));
    const kinds = new Map(model.weights.map(weight => [weight.names[0], weight.kind]));
    expect(kinds.get('inner.f.0.0.weight')).toBe('parameter');
    expect(kinds.get('inner.f.0.1.running_mean')).toBe('buffer');
    expect(model.weights.filter(({ kind }) => kind === 'buffer')).toHaveLength(9);
  });
});

describe('readModel() of changed .pt2 files', () => {
  const program = 'models/model.json';

  it('should read literal inputs, dictionaries and mutations', async () => {
    const file = await changedCopy(
      fixture('seed-mlp/model.pt2'),
      `${folder}/signature.pt2`,
      records =>
        editJson(records, program, value => {
          const { signature, module_call_graph: calls } = value.graph_module;
          signature.input_specs.push({
            constant_input: { name: 'scale', value: { as_none: true } }
          });
          signature.output_specs.unshift({
            buffer_mutation: { arg: { name: 'linear' }, buffer_name: 'count' }
          });
          calls[0].signature.in_spec = spec('builtins.tuple', [
            spec('builtins.tuple', [spec('builtins.dict', [leaf], ['ids'])]),
            spec('builtins.dict', [leaf], ['scale'])
          ]);
          calls[0].signature.forward_arg_names = ['batch', 'scale'];
          calls[0].signature.out_spec = spec('builtins.dict', [leaf], ['logits']);
        })
    );
    const model = await readModel(file);
    expect(model.inputs.map(({ name, literal }) => [name, literal])).toEqual([
      ['batch.ids', undefined],
      ['scale', 'None']
    ]);
    expect(model.graph.inputs).toHaveLength(1);
    expect(model.outputs.map(({ name }) => name)).toEqual(['logits']);
    expect(model.warnings).toEqual([expect.stringContaining('updates 1 buffer(s) (count)')]);
  });

  it('should read regions as strict export and decorators record them', async () => {
    const file = await changedCopy(fixture('seed-mlp/model.pt2'), `${folder}/region.pt2`, records =>
      editJson(records, program, value => {
        const region = value.graph_module.graph.nodes.find((node: { target: string }) =>
          node.target.endsWith('wrap_with_autocast')
        );
        region.inputs[1].arg = { as_none: true };
        region.inputs[3].arg = { as_none: true };
      })
    );
    expect((await readModel(file)).regions[0]).toMatchObject({ dtype: null, cacheEnabled: null });
  });

  it('should read where the operand of as_strided lay in memory', async () => {
    const read = async (change: (meta: Record<string, unknown>) => void): Promise<INode> => {
      const file = await changedCopy(
        fixture('seed-mlp/model.pt2'),
        `${folder}/strided.pt2`,
        records =>
          editJson(records, program, value => {
            const { graph } = value.graph_module;
            const node = graph.nodes.at(-1);
            node.target = 'torch.ops.aten.as_strided.default';
            change(graph.tensor_values[node.inputs[0].arg.as_tensor.name]);
          })
      );
      return (await readModel(file)).graph.nodes.at(-1)!;
    };
    const moved = await read(meta => {
      meta.strides = [{ as_int: 1 }, { as_int: 7 }];
      meta.storage_offset = { as_int: 5 };
    });
    expect(moved.memory).toEqual({ strides: [1, 7], offset: 5 });
    const sparse = await read(meta => {
      meta.layout = 1;
    });
    expect(sparse.memory).toBeUndefined();
  });

  it('should read enum names and float literals of any kind', async () => {
    const file = await changedCopy(fixture('seed-mlp/model.pt2'), `${folder}/enums.pt2`, records =>
      editJson(records, program, value => {
        const { nodes, tensor_values: values } = value.graph_module.graph;
        for (const meta of Object.values(values) as { dtype: unknown }[]) {
          meta.dtype = meta.dtype === 7 ? 'FLOAT' : 'BFLOAT16';
        }
        nodes
          .at(-1)
          .inputs.push(
            { name: 'low', arg: { as_float: '-Infinity' }, kind: 1 },
            { name: 'format', arg: { as_memory_format: 1 }, kind: 1 },
            { name: 'where', arg: { as_device: { type: 'cuda', index: 1 } }, kind: 1 }
          );
      })
    );
    const model = await readModel(file);
    expect(model.graph.inputs[0].dtype).toBe('float32');
    expect(model.graph.nodes.at(-1)!.attrs).toMatchObject({
      low: { kind: 'float', value: -Infinity },
      format: { kind: 'memory-format', value: 'contiguous_format' },
      where: { kind: 'device', value: 'cuda:1' }
    });
  });

  it('should keep other higher-order operators as nodes with graphs', async () => {
    const file = await changedCopy(fixture('seed-mlp/model.pt2'), `${folder}/cond.pt2`, records =>
      editJson(records, program, value => {
        const region = value.graph_module.graph.nodes.find((node: { target: string }) =>
          node.target.endsWith('wrap_with_autocast')
        );
        region.target = 'torch.ops.higher_order.while_loop';
      })
    );
    const model = await readModel(file);
    const node = model.graph.nodes[0];
    expect(node.op).toBe('higher_order.while_loop');
    const body = node.attrs.arg4;
    expect(body.kind === 'graph' && body.value.nodes.map(inner => inner.op)).toEqual([
      'aten.linear.default',
      'aten.relu.default',
      'aten.linear.default'
    ]);
    expect(model.regions).toEqual([]);
  });

  it('should give strided views of a shared storage their own identity', async () => {
    const config = 'data/weights/model_weights_config.json';
    const file = await changedCopy(fixture('seed-mlp/model.pt2'), `${folder}/views.pt2`, records =>
      editJson(records, config, value => {
        const whole = value.config['sub.linear1.weight'];
        const slice = (offset: number): unknown => ({
          ...whole,
          tensor_meta: {
            ...whole.tensor_meta,
            sizes: [{ as_int: 2 }, { as_int: 128 }],
            storage_offset: { as_int: offset }
          }
        });
        value.config.first = slice(0);
        value.config.second = slice(256);
        value.config.again = slice(256);
      })
    );
    const model = await readModel(file);
    const find = (name: string) => model.weights.find(({ names }) => names.includes(name))!;
    expect(find('again')).toBe(find('second'));
    expect(find('second')).toMatchObject({ storageOffset: 256, strides: [128, 1] });
    expect(new Set([find('first'), find('second'), find('sub.linear1.weight')]).size).toBe(3);
    expect(find('first').storage).not.toBe(find('second').storage);
  });
});

const leaf = { type: null, context: null, children_spec: [] };

function spec(type: string, children: unknown[], keys?: string[]): string {
  const parse = (child: unknown): unknown =>
    typeof child === 'string' ? JSON.parse(child)[1] : child;
  return JSON.stringify([
    1,
    { type, context: JSON.stringify(keys ?? null), children_spec: children.map(parse) }
  ]);
}
