import * as fs from 'node:fs';
import fc from 'fast-check';

import { readByteRange, readModel, writeOnnx } from '../../../src/formats';
import type { Attr, DType, IGraph, INode, IValue, IWeight } from '../../../src/model';
import { contiguousStrides, elementCount, makeValue, sizeInBytes } from '../../../src/model';
import { fixture, temporaryFolder } from './samples';

const folder = temporaryFolder();

function weightOf(
  name: string,
  dtype: DType,
  shape: readonly number[],
  data: IWeight['data'],
  more: Partial<IWeight> = {}
): IWeight {
  return {
    storage: `test:${name}`,
    names: [name],
    kind: 'initializer',
    dtype,
    shape,
    strides: contiguousStrides(shape),
    storageOffset: 0,
    requiresGrad: null,
    data,
    ...more
  };
}

function nodeOf(op: string, inputs: (IValue | null)[], outputs: (IValue | null)[]): INode {
  return {
    name: `${op}_${outputs[0]?.name}`,
    op,
    inputs,
    attrs: {},
    outputs,
    region: null,
    module: null,
    source: null
  };
}

function graphOf(parts: Partial<IGraph>): IGraph {
  return {
    name: 'g',
    inputs: [],
    outputs: [],
    nodes: [],
    weights: [],
    opsets: { '': 20 },
    ...parts
  };
}

async function readBack(graph: IGraph): Promise<Awaited<ReturnType<typeof readModel>>> {
  const file = `${folder}/written.onnx`;
  fs.writeFileSync(file, writeOnnx(graph, { producerVersion: '1.2' }));
  return readModel(file);
}

const FLOAT = (name: string): IValue => makeValue(name, 'float32', [2]);

describe('writeOnnx()', () => {
  it('should write inputs, outputs and symbolic sizes', async () => {
    const x = makeValue('x', 'float32', [
      { kind: 'symbol', name: 'batch' },
      {
        kind: 'call',
        fn: 'mul',
        args: [2, { kind: 'symbol', name: 'batch' }]
      },
      3
    ]);
    const y = makeValue('y', 'bfloat16', null);
    const cast = nodeOf('onnx.Cast', [x], [y]);
    cast.attrs.to = { kind: 'dtype', value: 'bfloat16' };
    const model = await readBack(graphOf({ inputs: [x], outputs: [y], nodes: [cast] }));
    expect(model.producer).toBe('castlens 1.2');
    expect(model.inputs.map(({ name, dtype, shape }) => [name, dtype, shape])).toEqual([
      ['x', 'float32', [{ kind: 'symbol', name: 'batch' }, { kind: 'symbol', name: '2*batch' }, 3]]
    ]);
    expect(model.outputs.map(({ name, dtype }) => [name, dtype])).toEqual([['y', 'bfloat16']]);
    expect(model.graph.nodes[0].attrs.to).toEqual({ kind: 'dtype', value: 'bfloat16' });
  });

  it('should leave out operands and results that are left out', async () => {
    const x = FLOAT('x');
    const y = FLOAT('y');
    const clip = nodeOf('onnx.Clip', [x, null, FLOAT('high'), null], [y, null]);
    const graph = graphOf({ inputs: [x, clip.inputs[2]!], outputs: [y], nodes: [clip] });
    const [node] = (await readBack(graph)).graph.nodes;
    expect(node.inputs.map(value => value?.name ?? null)).toEqual(['x', null, 'high']);
    expect(node.outputs).toHaveLength(1);
  });

  it('should refer to weights by their place in the file, slices too', async () => {
    const file = `${folder}/weights.bin`;
    const bytes = Uint8Array.from({ length: 2048 }, (_, i) => i);
    fs.writeFileSync(file, bytes);
    const data = { kind: 'range' as const, range: { file, offset: 8, length: 56 } };
    const floats = { kind: 'range' as const, range: { file, offset: 8, length: 2000 } };
    const slice = weightOf('slice', 'float32', [2, 150], floats, { storageOffset: 3 });
    const shape = weightOf('shape', 'int64', [2], data);
    const inline = weightOf('inline', 'float16', [3], {
      kind: 'inline',
      bytes: Uint8Array.of(1, 2, 3, 4, 5, 6)
    });
    const weights = [slice, shape, inline].map(weight => ({
      value: makeValue(weight.names[0], weight.dtype, weight.shape),
      weight
    }));
    const written = Buffer.from(writeOnnx(graphOf({ weights }))).toString('latin1');
    expect(written).toContain(file.slice(1));
    expect(written).not.toContain(file);
    // A model beside the root reads its weights anywhere: that is what the runtime is told.
    expect(externalOf(written)).toEqual({ offset: '20', length: '1200' });
    expect(written).toContain(Buffer.from(bytes.subarray(8, 24)).toString('latin1'));
  });

  it('should embed floats that runtimes may look into while they load, and keep large ones out', () => {
    const file = `${folder}/scales.bin`;
    fs.writeFileSync(file, new Uint8Array(8192));
    const written = (op: string, count: number): string => {
      const data = { kind: 'range' as const, range: { file, offset: 0, length: 4 * count } };
      const x = makeValue('x', 'float32', [1, 2]);
      const scales = makeValue('scales', 'float32', [count]);
      const weight = weightOf('scales', 'float32', [count], data);
      const y = makeValue('y', 'float32', [2, 4]);
      const nodes = [nodeOf(op, [x, null, scales], [y])];
      const graph = graphOf({
        inputs: [x],
        weights: [{ value: scales, weight }],
        nodes,
        outputs: [y]
      });
      return Buffer.from(writeOnnx(graph)).toString('latin1');
    };
    // Without such an operator nobody looks into them.
    expect(written('onnx.Where', 4)).toContain(file.slice(1));
    expect(written('onnx.Resize', 1024)).not.toContain(file.slice(1));
  });

  it('should write every kind of attribute', async () => {
    const attrs: Record<string, Attr> = {
      int: { kind: 'int', value: -9223372036854775808n },
      bool: { kind: 'bool', value: true },
      float: { kind: 'float', value: -0 },
      string: { kind: 'string', value: 'grün' },
      ints: { kind: 'list', items: [1, 2].map(value => ({ kind: 'int', value })) },
      floats: { kind: 'list', items: [0.5, Infinity].map(value => ({ kind: 'float', value })) },
      strings: { kind: 'list', items: ['a', ''].map(value => ({ kind: 'string', value })) },
      empty: { kind: 'list', items: [] },
      none: { kind: 'none' },
      tensor: {
        kind: 'tensor',
        value: weightOf('t', 'bool', [2], { kind: 'inline', bytes: Uint8Array.of(1, 0) })
      }
    };
    const node = { ...nodeOf('my.domain.Op', [], [FLOAT('y')]), attrs };
    const graph = graphOf({ nodes: [node], opsets: { '': 20, 'my.domain': 3 } });
    const model = await readBack(graph);
    const { none, tensor, ...same } = attrs;
    delete same.bool;
    expect(none.kind).toBe('none');
    expect(model.graph.nodes[0].op).toBe('my.domain.Op');
    expect(model.graph.opsets).toEqual({ '': 20, 'my.domain': 3 });
    expect(model.graph.nodes[0].attrs).toMatchObject({ ...same, bool: { kind: 'int', value: 1 } });
    expect(model.graph.nodes[0].attrs.none).toBeUndefined();
    expect(tensor.kind === 'tensor' && model.graph.nodes[0].attrs.tensor).toMatchObject({
      kind: 'tensor',
      value: { dtype: 'bool', shape: [2] }
    });
  });

  it('should rename values of nested graphs that share a name with others', async () => {
    const flag = makeValue('flag', 'bool', []);
    const [x, y, inner, late] = ['x', 'y', 'same', 'same'].map(FLOAT);
    const body = graphOf({ outputs: [inner], nodes: [nodeOf('onnx.Neg', [x], [inner])] });
    const branch = nodeOf('onnx.If', [flag], [y]);
    branch.attrs.then_branch = { kind: 'graph', value: body };
    const other = graphOf({
      outputs: [FLOAT('e')],
      nodes: []
    });
    other.nodes.push(nodeOf('onnx.Abs', [x], [other.outputs[0]]));
    branch.attrs.else_branch = { kind: 'graph', value: other };
    const graph = graphOf({
      inputs: [flag, x],
      outputs: [late],
      nodes: [branch, nodeOf('onnx.Relu', [y], [late])]
    });
    const model = await readBack(graph);
    expect(model.outputs[0].name).toBe('same');
    const then = model.graph.nodes[0].attrs.then_branch;
    expect(then.kind === 'graph' && then.value.outputs[0].name).toBe('same_2');
  });

  it('should copy what a nested graph returns twice', async () => {
    const flag = makeValue('flag', 'bool', []);
    const [x, y, z, inner] = ['x', 'y', 'z', 'inner'].map(FLOAT);
    const branch = nodeOf('onnx.If', [flag], [y, z]);
    const body = graphOf({
      outputs: [inner, inner],
      nodes: [nodeOf('onnx.Neg', [x], [inner])]
    });
    branch.attrs.then_branch = { kind: 'graph', value: body };
    const model = await readBack(graphOf({ inputs: [flag, x], outputs: [y, z], nodes: [branch] }));
    const then = model.graph.nodes[0].attrs.then_branch;
    const { nodes, outputs } = (then as { readonly value: IGraph }).value;
    expect(nodes.map(({ op }) => op)).toEqual(['onnx.Neg', 'onnx.Identity']);
    expect(new Set(outputs).size).toBe(2);
  });

  it('should make initializers of constants that lie in a file', async () => {
    const model = await readModel(fixture('seed-mlp/model.onnx'));
    const { weight } = model.graph.weights[0];
    const constant = nodeOf('onnx.Constant', [], [makeValue('c', weight.dtype, weight.shape)]);
    constant.attrs.value = { kind: 'tensor', value: weight };
    const text = Buffer.from(writeOnnx(graphOf({ nodes: [constant] }))).toString('latin1');
    expect(text).not.toContain('Constant');
    expect(externalOf(text)).toEqual({ offset: '6625', length: '131072' });
  });

  const x = FLOAT('x');
  const w = FLOAT('w');
  const range = { file: `${folder}/none`, offset: 0, length: 8 };
  const held = weightOf('w', 'float32', [2], { kind: 'range', range });
  const refused: readonly (readonly [string, Partial<IGraph>, RegExp])[] = [
    [
      'operators that are not lowered',
      { inputs: [x], nodes: [nodeOf('aten.relu.default', [x], [w])] },
      /no operator set/
    ],
    [
      'values nothing makes',
      { nodes: [nodeOf('onnx.Relu', [x], [w])] },
      /before anything makes it/
    ],
    [
      'values used before they are made',
      { nodes: [nodeOf('onnx.Relu', [w], [x]), nodeOf('onnx.Neg', [x], [w])] },
      /before anything makes it/
    ],
    ['two values of one name', { inputs: [x, FLOAT('x')] }, /two values are called 'x'/],
    ['values without a name', { inputs: [FLOAT('')] }, /has no name/],
    ['inputs without a dtype', { inputs: [makeValue('x', null, null)] }, /has no dtype/],
    ['dtypes ONNX does not have', { inputs: [makeValue('x', 'complex32', [])] }, /complex32/],
    ['outputs returned twice', { inputs: [x], outputs: [x, x] }, /returned twice/],
    [
      'derived weights',
      {
        weights: [
          { value: w, weight: { ...held, data: { kind: 'derived', source: held, steps: [] } } }
        ]
      },
      /derived/
    ],
    [
      'strided weights',
      { weights: [{ value: w, weight: { ...held, shape: [2, 2], strides: [1, 2] } }] },
      /not contiguous/
    ],
    [
      'weights larger than their bytes',
      { weights: [{ value: w, weight: { ...held, shape: [3], strides: [1] } }] },
      /8 bytes, 12 are needed/
    ],
    [
      'attributes that are not ONNX',
      {
        inputs: [x],
        nodes: [
          { ...nodeOf('onnx.Relu', [x], [w]), attrs: { a: { kind: 'device', value: 'cpu' } } }
        ]
      },
      /of kind device/
    ]
  ];

  it.each(refused)('should refuse %s', (_, parts, message) => {
    expect(() => writeOnnx(graphOf(parts))).toThrow(message);
  });

  it('should write what the reader reads, for any chain of operators', async () => {
    const dtype = fc.constantFrom<DType>('float32', 'float16', 'bfloat16', 'int64', 'bool', 'int4');
    const shape = fc.array(fc.nat(5), { maxLength: 3 });
    const operand = fc.record({ dtype, shape, cast: dtype, pick: fc.nat() });
    await fc.assert(
      fc.asyncProperty(fc.array(operand, { minLength: 1, maxLength: 12 }), async operands => {
        const graph = graphOf({});
        const values: IValue[] = [];
        operands.forEach(({ dtype, shape, cast, pick }, i) => {
          const bytes = new Uint8Array(sizeInBytes(dtype, elementCount(shape))).fill(i);
          const value = makeValue(`w${i}`, dtype, shape);
          graph.weights.push({
            value,
            weight: weightOf(value.name, dtype, shape, { kind: 'inline', bytes })
          });
          values.push(value);
          const source = values[pick % values.length];
          const result = makeValue(`c${i}`, cast, source.shape);
          const node = nodeOf('onnx.Cast', [source], [result]);
          node.attrs.to = { kind: 'dtype', value: cast };
          graph.nodes.push(node);
          values.push(result);
        });
        graph.outputs.push(values.at(-1)!);
        const model = await readBack(graph);
        expect(plain(model.graph)).toEqual(plain(graph));
        for (const [i, { weight }] of model.graph.weights.entries()) {
          const { data } = weight;
          const bytes = data.kind === 'range' ? await readByteRange(data.range) : new Uint8Array(0);
          expect(bytes.every(byte => byte === i)).toBe(true);
        }
      }),
      { numRuns: 60 }
    );
  });
});

/** A graph without identities, to be compared. */
function plain(graph: IGraph): unknown {
  const valueOf = (value: IValue | null): unknown =>
    value && [value.name, value.dtype, value.shape];
  return {
    nodes: graph.nodes.map(({ name, op, attrs, inputs, outputs }) => [
      name,
      op,
      attrs,
      inputs.map(valueOf),
      outputs.map(valueOf)
    ]),
    weights: graph.weights.map(({ value, weight }) => [valueOf(value), weight.dtype, weight.shape]),
    outputs: graph.outputs.map(valueOf)
  };
}

/** Offset and length of the first external tensor in a model. */
function externalOf(model: string): Record<string, string> {
  const entry = (key: string): string =>
    new RegExp(`${key}\x12[\x01-\x20](\\d+)`).exec(model)?.[1] ?? '';
  return { offset: entry('offset'), length: entry('length') };
}
