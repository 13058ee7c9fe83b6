import * as fs from 'node:fs';

import { readByteRange, readModel } from '../../../src/formats';
import type { IExportedModel, IGraph, IValue, IWeight } from '../../../src/model';
import { bodiesOf } from '../../../src/model';
import type { Field } from './proto';
import { attribute, encode, external, graph, model, node, port, tensor, TYPES } from './proto';
import { temporaryFolder } from './samples';

const folder = temporaryFolder();
let count = 0;

function open(bytes: Uint8Array): Promise<IExportedModel> {
  const path = `${folder}/model${count++}.onnx`;
  fs.writeFileSync(path, bytes);
  return readModel(path);
}

/** The bytes of a weight, wherever they are. */
async function bytesOf({ data }: IWeight): Promise<number[]> {
  if (data.kind === 'derived') {
    throw new Error('readers make no derived weights');
  }
  return [...(data.kind === 'inline' ? data.bytes : await readByteRange(data.range))];
}

function floats(...values: number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}

describe('tensors of ONNX files', () => {
  const cases: readonly (readonly [string, number, number[], Field[], string, number[]])[] = [
    ['raw_data', TYPES.float, [2], [[9, floats(1, 2)]], 'range', [...floats(1, 2)]],
    ['packed float_data', TYPES.float, [2], [[4, floats(1, 2)]], 'range', [...floats(1, 2)]],
    [
      'float_data element by element',
      TYPES.float,
      [2],
      [
        [4, { float: 1 }],
        [4, { float: 2 }]
      ],
      'inline',
      [...floats(1, 2)]
    ],
    [
      'double_data',
      TYPES.double,
      [1],
      [[10, new Uint8Array(Float64Array.of(0.1).buffer)]],
      'range',
      [...new Uint8Array(Float64Array.of(0.1).buffer)]
    ],
    [
      'packed int64_data',
      TYPES.int64,
      [2],
      [[7, Uint8Array.of(1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1)]],
      'inline',
      [1, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255]
    ],
    ['int32_data', TYPES.int32, [1], [[5, -2]], 'inline', [254, 255, 255, 255]],
    [
      'bfloat16 in int32_data',
      TYPES.bfloat16,
      [2],
      [
        [5, 0x3f80],
        [5, 0xbf80]
      ],
      'inline',
      [0x80, 0x3f, 0x80, 0xbf]
    ],
    ['float16 in int32_data', TYPES.float16, [1], [[5, 0x3c00]], 'inline', [0x00, 0x3c]],
    [
      'bool in int32_data',
      TYPES.bool,
      [3],
      [
        [5, 1],
        [5, 0],
        [5, 1]
      ],
      'inline',
      [1, 0, 1]
    ],
    ['uint64_data', TYPES.uint64, [1], [[11, -1]], 'inline', new Array<number>(8).fill(255)],
    [
      'int4, two in a byte',
      TYPES.int4,
      [3],
      [[9, Uint8Array.of(0x21, 0x03)]],
      'range',
      [0x21, 0x03]
    ],
    [
      'string_data',
      TYPES.string,
      [2],
      [
        [6, 'a'],
        [6, 'bc']
      ],
      'inline',
      [1, 0, 0, 0, 97, 2, 0, 0, 0, 98, 99]
    ],
    ['no elements', TYPES.float, [0, 3], [], 'inline', []],
    ['a scalar', TYPES.uint8, [], [[9, Uint8Array.of(7)]], 'range', [7]]
  ];

  it.each(cases)('should read %s', async (_, type, dims, data, kind, bytes) => {
    const read = await open(model({ initializers: [tensor('w', type, dims, ...data)] }));
    const [weight] = read.weights;
    expect(weight.shape).toEqual(dims);
    expect(weight.data.kind).toBe(kind);
    expect(await bytesOf(weight)).toEqual(bytes);
  });

  it('should find external data', async () => {
    fs.mkdirSync(`${folder}/weights`, { recursive: true });
    fs.writeFileSync(
      `${folder}/weights/a.bin`,
      Uint8Array.from({ length: 64 }, (_, i) => i)
    );
    const location = 'weights/a.bin';
    const read = await open(
      model({
        initializers: [
          tensor('w', TYPES.uint8, [4], ...external({ location, offset: '16', length: '4' })),
          tensor('whole', TYPES.uint8, [64], ...external({ location })),
          tensor('tied', TYPES.uint8, [4], ...external({ location, offset: '16', length: '4' }))
        ]
      })
    );
    expect(read.weights.map(weight => weight.names)).toEqual([['w', 'tied'], ['whole']]);
    expect(await bytesOf(read.weights[0])).toEqual([16, 17, 18, 19]);
    expect(read.graph.weights.map(({ value }) => value.name)).toEqual(['w', 'whole', 'tied']);
    expect(read.files.map(({ path, sizeBytes }) => [path.endsWith('a.bin'), sizeBytes])).toEqual([
      [false, fs.statSync(read.path).size],
      [true, 64]
    ]);
  });

  it.each([
    [3, 'a weight', ['x']],
    [4, 'an input with a default', ['x', 'w']]
  ])(
    'should take an initializer that is listed as input of IR version %d for %s',
    async (version, _, names) => {
      const read = await open(
        model(
          {
            inputs: [port('x', TYPES.float, ['batch', 2]), port('w', TYPES.float, [2])],
            initializers: [tensor('w', TYPES.float, [2], [9, floats(1, 2)])],
            nodes: [node('Add', ['x', 'w'], ['y'])],
            outputs: [port('y', TYPES.float, ['batch', 2])]
          },
          [1, version]
        )
      );
      expect(read.inputs.map(({ name }) => name)).toEqual(names);
      expect(read.inputs[0].shape).toEqual([{ kind: 'symbol', name: 'batch' }, 2]);
      expect(read.graph.weights).toHaveLength(names.length === 1 ? 1 : 0);
    }
  );
});

describe('nodes of ONNX files', () => {
  it('should read every kind of attribute', async () => {
    const read = await open(
      model(
        {
          nodes: [
            node(
              'Custom',
              [],
              ['y'],
              [7, 'my.domain'],
              attribute('f', 1, [2, { float: 0.5 }]),
              attribute('i', 2, [3, -1]),
              attribute('s', 3, [4, 'text']),
              attribute('t', 4, [5, tensor('', TYPES.uint8, [1], [9, Uint8Array.of(5)])]),
              attribute('floats', 6, [7, { float: 1 }], [7, { float: 2 }]),
              attribute('ints', 7, [8, 1], [8, 9223372036854775807n]),
              attribute('packed', 7, [8, Uint8Array.of(1, 2, 3)]),
              attribute('strings', 8, [9, 'a'], [9, 'b']),
              attribute('empty', 7),
              [
                5,
                [
                  [1, 'untyped'],
                  [3, 4]
                ]
              ]
            )
          ]
        },
        [
          8,
          [
            [1, 'my.domain'],
            [2, 1]
          ]
        ]
      )
    );
    const [custom] = read.graph.nodes;
    expect(custom.op).toBe('my.domain.Custom');
    expect(custom.attrs).toMatchObject({
      f: { kind: 'float', value: 0.5 },
      i: { kind: 'int', value: -1 },
      s: { kind: 'string', value: 'text' },
      t: { kind: 'tensor', value: { dtype: 'uint8', shape: [1], data: { kind: 'inline' } } },
      floats: { kind: 'list', items: [{ value: 1 }, { value: 2 }] },
      ints: { kind: 'list', items: [{ value: 1 }, { value: 9223372036854775807n }] },
      packed: { kind: 'list', items: [{ value: 1 }, { value: 2 }, { value: 3 }] },
      strings: { kind: 'list', items: [{ value: 'a' }, { value: 'b' }] },
      empty: { kind: 'list', items: [] },
      untyped: { kind: 'int', value: 4 }
    });
  });

  it('should read Constant nodes as weights where they are large or cast', async () => {
    const constant = (result: string, type: number, ...sizes: number[]): Field[] =>
      node(
        'Constant',
        [],
        [result],
        attribute('value', 4, [
          5,
          tensor('', type, sizes, [9, new Uint8Array(4 * (sizes[0] ?? 1))])
        ])
      );
    const toHalf = attribute('to', 2, [3, TYPES.float16]);
    const branch = graph({
      nodes: [constant('inside', TYPES.float, 2), node('Cast', ['inside'], ['r'], toHalf)],
      outputs: [port('r', TYPES.float16, [2])]
    });
    const read = await open(
      model({
        inputs: [port('flag', TYPES.bool, [])],
        nodes: [
          constant('large', TYPES.float, 2000),
          constant('cast', TYPES.float, 2),
          constant('viewed', TYPES.float, 2),
          constant('number', TYPES.float, 2),
          constant('index', TYPES.int32, 2),
          constant('scalar', TYPES.float),
          node('Cast', ['cast'], ['a'], toHalf),
          node('Identity', ['viewed'], ['view']),
          node('Cast', ['view'], ['b'], toHalf),
          node('Neg', ['number'], ['c']),
          node('Cast', ['index'], ['d'], toHalf),
          node('Cast', ['scalar'], ['f'], toHalf),
          node(
            'If',
            ['flag'],
            ['e'],
            attribute('then_branch', 5, [6, branch]),
            attribute('else_branch', 5, [6, branch])
          )
        ]
      })
    );
    const { nodes, weights } = read.graph;
    expect(weights.map(({ value, weight }) => [value.name, weight.names, weight.kind])).toEqual([
      ['large', ['large'], 'constant'],
      ['cast', ['cast'], 'constant'],
      ['viewed', ['viewed'], 'constant'],
      ['index', ['index'], 'constant']
    ]);
    expect(weights[0].weight.data).toMatchObject({ kind: 'range', range: { length: 8000 } });
    expect(
      nodes.flatMap(({ op, outputs }) => (op === 'onnx.Constant' ? outputs : []))
    ).toMatchObject([{ name: 'number' }, { name: 'scalar' }]);
    const bodies = bodiesOf(nodes.at(-1)!);
    expect(bodies.map(body => body.weights.map(({ value }) => value.name))).toEqual([
      ['inside'],
      ['inside']
    ]);
    expect(read.weights).toHaveLength(6);
  });

  it('should sort nodes that are not in order, keeping those that are', async () => {
    const read = await open(
      model({
        inputs: [port('x', TYPES.float, [1])],
        nodes: [
          node('Relu', ['x'], ['a']),
          node('Add', ['c', 'a'], ['d']),
          node('Neg', ['b'], ['c']),
          node('Abs', ['x'], ['b']),
          node('Exp', ['d'], ['e'])
        ],
        outputs: [port('e', TYPES.float, [1])]
      })
    );
    expect(read.graph.nodes.map(({ op }) => op)).toEqual([
      'onnx.Relu',
      'onnx.Abs',
      'onnx.Neg',
      'onnx.Add',
      'onnx.Exp'
    ]);
  });

  it('should give nodes without a name one, and no two the same', async () => {
    const nameless = (output: string): Field[] => [
      [1, 'x'],
      [2, output],
      [4, 'Relu']
    ];
    const read = await open(
      model({
        inputs: [port('x', TYPES.float, [1])],
        nodes: [nameless('a'), nameless('b'), [...nameless('c'), [3, 'Relu_0']]]
      })
    );
    expect(read.graph.nodes.map(({ name }) => name)).toEqual(['Relu_0', 'Relu_1', 'Relu_0_2']);
  });

  it('should name nodes of nested graphs so that no two of the model are alike', async () => {
    const branch = (): Field[] =>
      graph({ nodes: [node('Neg', ['x'], ['y'])], outputs: [port('y', TYPES.float, [2])] });
    const read = await open(
      model({
        inputs: [port('flag', TYPES.bool, []), port('x', TYPES.float, [2])],
        nodes: [
          node(
            'If',
            ['flag'],
            ['r'],
            attribute('then_branch', 5, [6, branch()]),
            attribute('else_branch', 5, [6, branch()])
          ),
          node('Neg', ['r'], ['y'])
        ],
        outputs: [port('y', TYPES.float, [2])]
      })
    );
    const names = (nodes: readonly { name: string }[]): string[] => nodes.map(({ name }) => name);
    expect(names(read.graph.nodes)).toEqual(['If_of_r', 'Neg_of_y']);
    expect(bodiesOf(read.graph.nodes[0]).map(body => names(body.nodes))).toEqual([
      ['Neg_of_y_2'],
      ['Neg_of_y_3']
    ]);
  });

  it('should let nested graphs use values around them', async () => {
    const branch = (type: string): Field[] =>
      graph({
        nodes: [node(type, ['x', 'w'], ['r'])],
        outputs: [port('r', TYPES.float, [2])],
        initializers: type === 'Mul' ? [tensor('w', TYPES.float, [2], [9, floats(3, 4)])] : []
      });
    const read = await open(
      model({
        inputs: [port('flag', TYPES.bool, []), port('x', TYPES.float, [2])],
        initializers: [tensor('w', TYPES.float, [2], [9, floats(1, 2)])],
        nodes: [
          node(
            'If',
            ['flag'],
            ['y'],
            attribute('then_branch', 5, [6, branch('Add')]),
            attribute('else_branch', 5, [6, branch('Mul')])
          )
        ],
        outputs: [port('y', TYPES.float, [2])]
      })
    );
    const [branches] = [bodiesOf(read.graph.nodes[0])];
    const outer = read.graph.weights[0].value;
    expect(branches.map(body => body.nodes[0].inputs[0])).toEqual([
      read.graph.inputs[1],
      read.graph.inputs[1]
    ]);
    expect(branches[0].nodes[0].inputs[1]).toBe(outer);
    expect(branches[1].nodes[0].inputs[1]).toBe(branches[1].weights[0].value);
    expect(read.weights).toHaveLength(2);
    expect(read.graph.nodes[0].outputs[0]!.dtype).toBe('float32');
  });

  it('should replace calls of local functions by their bodies', async () => {
    const imports: Field = [
      9,
      [
        [1, ''],
        [2, 21]
      ]
    ];
    // Scale(a) -> b: b = LeakyRelu(Half(a), alpha), and a once more.
    const scale: Field[] = [
      [1, 'Scale'],
      [4, 'a'],
      [5, 'b'],
      [5, 'a'],
      [6, 'slope'],
      [7, node('Half', ['a'], ['h'], [7, 'local'])],
      [
        7,
        node(
          'LeakyRelu',
          ['h'],
          ['b'],
          [
            5,
            [
              [1, 'alpha'],
              [21, 'slope'],
              [20, 1]
            ]
          ]
        )
      ],
      [10, 'local'],
      imports
    ];
    const half: Field[] = [
      [1, 'Half'],
      [4, 'x'],
      [5, 'y'],
      [7, node('Cast', ['x'], ['low'], attribute('to', 2, [3, TYPES.float16]))],
      [7, node('Cast', ['low'], ['y'], attribute('to', 2, [3, TYPES.float]))],
      [10, 'local'],
      imports
    ];
    const read = await open(
      model(
        {
          inputs: [port('x', TYPES.float, [1])],
          nodes: [
            node(
              'Scale',
              ['x'],
              ['p', 'q'],
              [7, 'local'],
              attribute('slope', 1, [2, { float: 0.5 }])
            ),
            node('Scale', ['p'], ['y'], [7, 'local'])
          ],
          outputs: [port('y', TYPES.float, [1]), port('q', TYPES.float, [1])]
        },
        [
          8,
          [
            [1, 'local'],
            [2, 1]
          ]
        ],
        [25, scale],
        [25, half]
      )
    );
    expect(
      read.graph.nodes.map(({ op, inputs, outputs }) => [op, inputs[0]!.name, outputs[0]!.name])
    ).toEqual([
      ['onnx.Cast', 'x', 'Scale_of_p_q/Half_of_h/low'],
      ['onnx.Cast', 'Scale_of_p_q/Half_of_h/low', 'Scale_of_p_q/h'],
      ['onnx.LeakyRelu', 'Scale_of_p_q/h', 'p'],
      ['onnx.Identity', 'x', 'q'],
      ['onnx.Cast', 'p', 'Scale_of_y/Half_of_h/low'],
      ['onnx.Cast', 'Scale_of_y/Half_of_h/low', 'Scale_of_y/h'],
      ['onnx.LeakyRelu', 'Scale_of_y/h', 'y']
    ]);
    expect(read.graph.nodes[2].attrs).toEqual({ alpha: { kind: 'float', value: 0.5 } });
    expect(read.graph.nodes[6].attrs).toEqual({});
    expect(read.graph.opsets).toEqual({ '': 21 });
    expect(new Set(read.graph.nodes.map(({ name }) => name)).size).toBe(7);
    expect(read.warnings).toEqual([]);
  });

  it('should rename what the graphs nested in a function use', async () => {
    const branch = graph({
      nodes: [node('Neg', ['a'], ['r'])],
      outputs: [port('r', TYPES.float, [1])]
    });
    const pick: Field[] = [
      [1, 'Pick'],
      [4, 'flag'],
      [4, 'a'],
      [5, 'b'],
      [
        7,
        node(
          'If',
          ['flag'],
          ['b'],
          attribute('then_branch', 5, [6, branch]),
          attribute('else_branch', 5, [6, branch])
        )
      ],
      [10, 'local']
    ];
    const read = await open(
      model(
        {
          inputs: [port('f', TYPES.bool, []), port('x', TYPES.float, [1])],
          nodes: [node('Pick', ['f', 'x'], ['y'], [7, 'local'])],
          outputs: [port('y', TYPES.float, [1])]
        },
        [25, pick]
      )
    );
    const [then] = bodiesOf(read.graph.nodes[0]);
    expect(then.nodes[0].inputs[0]).toBe(read.graph.inputs[1]);
    expect(then.outputs[0].name).toBe('Pick_of_y/r');
    expect(read.outputs[0].dtype).toBe('float32');
  });

  it('should spell the default domain in one way', async () => {
    const bytes = encode([
      [1, 8],
      [
        7,
        graph({
          nodes: [node('Constant', [], ['c'], [7, 'ai.onnx'], attribute('value_int', 2, [3, 1]))]
        })
      ],
      [
        8,
        [
          [1, 'ai.onnx'],
          [2, 13]
        ]
      ]
    ]);
    const read = await open(bytes);
    expect(read.graph.opsets).toEqual({ '': 13 });
    expect(read.graph.nodes[0].op).toBe('onnx.Constant');
  });
});

describe('dtypes of ONNX values', () => {
  const half = port('h', TYPES.float16, [2]);
  const index = port('i', TYPES.int64, [2]);
  const bool = port('b', TYPES.bool, [2]);
  const cases: readonly (readonly [string, string[], Field[], (string | null)[]])[] = [
    ['Relu', ['h'], [], ['float16']],
    ['Gather', ['h', 'i'], [], ['float16']],
    ['Where', ['b', 'h', 'h'], [], ['float16']],
    ['Equal', ['h', 'h'], [], ['bool']],
    ['Shape', ['h'], [], ['int64']],
    ['TopK', ['h', 'i'], [], ['float16', 'int64']],
    ['Cast', ['h'], [attribute('to', 2, [3, TYPES.bfloat16])], ['bfloat16']],
    ['CastLike', ['h', 'i'], [], ['int64']],
    ['Constant', [], [attribute('value_floats', 6, [7, { float: 1 }])], ['float32']],
    ['ConstantOfShape', ['i'], [], ['float32']],
    [
      'ConstantOfShape',
      ['i'],
      [attribute('value', 4, [5, tensor('', TYPES.bool, [1], [9, Uint8Array.of(1)])])],
      ['bool']
    ],
    ['LayerNormalization', ['h', 'h'], [], ['float16', 'float32', 'float32']],
    ['Dropout', ['h'], [], ['float16', 'bool']],
    ['MaxPool', ['h'], [], ['float16', 'int64']],
    ['DequantizeLinear', ['i', 'h'], [], ['float16']],
    ['DynamicQuantizeLinear', ['h'], [], ['uint8', 'float32', 'uint8']],
    ['EyeLike', ['i'], [attribute('dtype', 2, [3, TYPES.double])], ['float64']],
    ['RandomNormal', [], [], ['float32']],
    ['OneHot', ['i', 'i', 'h'], [], ['float16']],
    ['SplitToSequence', ['h'], [], ['float16']]
  ];

  it.each(cases)('should infer %s of %j', async (type, inputs, attributes, dtypes) => {
    const outputs = dtypes.map((_, i) => `y${i}`);
    const read = await open(
      model({ inputs: [half, index, bool], nodes: [node(type, inputs, outputs, ...attributes)] })
    );
    expect(read.graph.nodes[0].outputs.map(value => value!.dtype)).toEqual(dtypes);
  });

  it('should follow sequences into the body of a loop and out of it', async () => {
    const untyped = (name: string): Field[] => [[1, name]];
    const body = graph({
      inputs: [untyped('n'), untyped('go'), untyped('parts')],
      nodes: [
        node('Identity', ['go'], ['more']),
        node('SequenceInsert', ['parts', 'h'], ['longer']),
        node('Identity', ['longer'], ['next'])
      ],
      outputs: [untyped('more'), untyped('next')]
    });
    const read = await open(
      model({
        inputs: [half],
        nodes: [
          node('SequenceEmpty', [], ['none'], attribute('dtype', 2, [3, TYPES.float16])),
          node('Loop', ['', '', 'none'], ['all'], attribute('body', 5, [6, body]))
        ]
      })
    );
    const [, loop] = read.graph.nodes;
    const { value } = loop.attrs.body as { value: IGraph };
    const kinds = (values: readonly (IValue | null)[]): string[] => values.map(v => v!.kind);
    expect(kinds(value.inputs)).toEqual(['tensor', 'tensor', 'other']);
    expect(kinds(value.outputs)).toEqual(['tensor', 'other']);
    expect(kinds(loop.outputs)).toEqual(['other']);
    expect(loop.outputs[0]!.dtype).toBe('float16');
  });

  it('should type the body of a loop from its operands', async () => {
    const untyped = (name: string): Field[] => [[1, name]];
    const body = graph({
      inputs: [untyped('n'), untyped('go'), untyped('state')],
      nodes: [node('Identity', ['go'], ['more']), node('Neg', ['state'], ['next'])],
      outputs: [untyped('more'), untyped('next')]
    });
    const read = await open(
      model({
        inputs: [half],
        nodes: [node('Loop', ['', '', 'h'], ['final'], attribute('body', 5, [6, body]))],
        outputs: [untyped('final')]
      })
    );
    const loop = read.graph.nodes[0];
    expect(loop.inputs.map(value => value?.dtype ?? null)).toEqual([null, null, 'float16']);
    expect(bodiesOf(loop)[0].inputs.map(({ dtype }) => dtype)).toEqual([
      'int64',
      'bool',
      'float16'
    ]);
    expect(loop.outputs[0]!.dtype).toBe('float16');
  });
});
