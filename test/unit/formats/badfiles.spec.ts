import * as fs from 'node:fs';
import * as path from 'node:path';
import fc from 'fast-check';

import { readModel, writePt2Archive } from '../../../src/formats';
import { CastlensError } from '../../../src/model';
import type { Field } from './proto';
import { attribute, encode, external, graph, model, node, port, tensor, TYPES } from './proto';
import type { Records } from './samples';
import { changedCopy, editJson, failureOf, fixture, readRecords, temporaryFolder } from './samples';

const folder = temporaryFolder();
const PROGRAM = 'models/model.json';
const seed = fs.readFileSync(fixture('seed-mlp/model.pt2'));
const nested = fs.readFileSync(fixture('nested-regions/model.pt2'));
const nestedOnnx = fs.readFileSync(fixture('nested-regions/model.onnx'));

function write(name: string, bytes: Uint8Array | string): string {
  const file = path.join(folder, name);
  fs.writeFileSync(file, bytes);
  return file;
}

/** What every message must have: the file, and what was expected and found. */
function expectComplete(failure: CastlensError, file: string): void {
  const { details, message } = failure;
  expect(details.file).toBe(file);
  expect(details.expected).toBeTruthy();
  expect(details.found).toBeTruthy();
  expect(message.startsWith(file)).toBe(true);
  expect(message).toContain(details.expected!);
  expect(message).toContain(details.found!);
}

describe('files that are no model', () => {
  it.each([
    ['an empty file', '', '0 bytes'],
    ['text', 'hello', '68 65 6c 6c 6f'],
    ['a pickle', '\x80\x02}q\0.', '80 02'],
    ['JSON', '{"a": 1}', '7b'],
    ['a GGUF file', 'GGUF\x03\0\0\0', '47 47'],
    ['zeros', '\0\0\0\0\0\0\0\0\0\0\0\0', '00 00']
  ])('should refuse %s', async (_, text, found) => {
    const file = write('other.bin', Buffer.from(text, 'latin1'));
    const failure = await failureOf(readModel(file));
    expectComplete(failure, file);
    expect(failure.details.found).toContain(found);
  });

  it('should refuse a folder', async () => {
    const failure = await failureOf(readModel(folder));
    expectComplete(failure, folder);
    expect(failure.details.found).toBe('a directory');
  });

  it('should say that a file does not exist', async () => {
    const failure = await failureOf(readModel('/no/such/model.pt2'));
    expect(failure.code).toBe('file-not-found');
    expect(failure.message).toContain('/no/such/model.pt2');
  });

  it('should tell formats by content, not by name', async () => {
    const file = write('really.onnx', seed);
    expect((await readModel(file)).format).toBe('pt2');
  });
});

describe('damaged .pt2 files', () => {
  it.each([
    ['half of it', seed.subarray(0, seed.length / 2)],
    ['all but the last byte', seed.subarray(0, -1)],
    ['its first four bytes', seed.subarray(0, 4)],
    ['the end alone', Buffer.concat([Buffer.from('PK\x03\x04'), seed.subarray(-22)])]
  ])('should refuse %s', async (_, bytes) => {
    const file = write('truncated.pt2', bytes);
    const failure = await failureOf(readModel(file));
    expect(failure.code).toBe('bad-file');
    expectComplete(failure, file);
    expect(failure.details.entry).toBe('zip directory');
  });

  it('should refuse records that lie outside the file', async () => {
    const bytes = Buffer.from(seed);
    const entry = directoryOf(bytes);
    bytes.writeUInt32LE(0x7fffffff, entry + 20);
    bytes.writeUInt32LE(0x7fffffff, entry + 24);
    const file = write('outside.pt2', bytes);
    const failure = await failureOf(readModel(file));
    expectComplete(failure, file);
    expect(failure.details.entry).toBe('model/data/weights/weight_0');
  });

  const cases: readonly (readonly [string, string, (records: Records) => void])[] = [
    ['no model.json', PROGRAM, records => records.delete(PROGRAM)],
    ['an empty model.json', PROGRAM, records => records.set(PROGRAM, new Uint8Array(0))],
    [
      'half of model.json',
      PROGRAM,
      records => records.set(PROGRAM, records.get(PROGRAM)!.subarray(0, 4000))
    ],
    [
      'model.json in another encoding',
      PROGRAM,
      records => records.set(PROGRAM, Uint8Array.of(0xff, 0xfe))
    ],
    ['model.json that is a list', PROGRAM, records => records.set(PROGRAM, Buffer.from('[]'))],
    [
      'model.json nested too deep',
      PROGRAM,
      records => records.set(PROGRAM, Buffer.from('[{"a":'.repeat(100_000)))
    ],
    ['a schema of the future', PROGRAM, edit(value => (value.schema_version.major = 9))],
    ['a schema of the past', PROGRAM, edit(value => (value.schema_version.major = 5))],
    ['no schema', PROGRAM, edit(value => delete value.schema_version)],
    ['no graph', PROGRAM, edit(value => delete value.graph_module)],
    ['no nodes', PROGRAM, edit(value => delete value.graph_module.graph.nodes)],
    [
      'a node without target',
      PROGRAM,
      edit(value => delete value.graph_module.graph.nodes[0].target)
    ],
    [
      'a value that nothing makes',
      PROGRAM,
      edit(value => (value.graph_module.graph.nodes.at(-1).inputs[0].arg.as_tensor.name = 'nobody'))
    ],
    [
      'a use before the definition',
      PROGRAM,
      edit(value => value.graph_module.graph.nodes.reverse())
    ],
    [
      'an unknown kind of argument',
      PROGRAM,
      edit(value => (value.graph_module.graph.nodes.at(-1).inputs[0].arg = { as_riddle: 1 }))
    ],
    [
      'an unknown dtype',
      PROGRAM,
      edit(value => (value.graph_module.graph.tensor_values.x.dtype = 99))
    ],
    [
      'an unknown input',
      PROGRAM,
      edit(value =>
        value.graph_module.signature.input_specs.push({ token: { arg: { name: 'x' } } })
      )
    ],
    [
      'a custom object',
      PROGRAM,
      edit(value => {
        value.graph_module.graph.nodes[0].inputs[0].arg = {
          as_custom_obj: { name: 'q', class_fqn: 'a.B' }
        };
        value.graph_module.graph.nodes[0].target = 'torch.ops.a.b';
      })
    ],
    [
      'another archive format',
      'archive_format',
      records => records.set('archive_format', Buffer.from('pt3'))
    ],
    [
      'another archive version',
      'archive_version',
      records => records.set('archive_version', Buffer.from('1'))
    ],
    ['big-endian tensors', 'byteorder', records => records.set('byteorder', Buffer.from('big'))],
    [
      'a broken pickle of torch 2.8',
      'data/weights/model.pt',
      records => records.set('data/weights/model.pt', Buffer.from('PK'))
    ],
    [
      'an empty program of torch 2.7',
      'serialized_exported_program.json',
      records => {
        records.clear();
        records.set('serialized_exported_program.json', Buffer.from('{}'));
      }
    ],
    [
      'a compiled package',
      'data/aotinductor/model/a.so',
      records => {
        records.clear();
        records.set('archive_format', Buffer.from('pt2'));
        records.set('data/aotinductor/model/a.so', Buffer.from('ELF'));
      }
    ],
    [
      'a checkpoint',
      'data.pkl',
      records => {
        records.clear();
        records.set('data.pkl', Buffer.from('..'));
        records.set('data/0', Buffer.from('..'));
      }
    ],
    [
      'any other zip archive',
      PROGRAM,
      records => {
        records.clear();
        records.set('word/document.xml', Buffer.from('<a/>'));
      }
    ],
    [
      'a weight shorter than its tensor',
      'data/weights/weight_0',
      records => records.set('data/weights/weight_0', new Uint8Array(100))
    ],
    [
      'weights that were left out',
      'data/weights/weight_0',
      records => records.set('data/weights/weight_0', new Uint8Array(0))
    ],
    [
      'a missing weight',
      'data/weights/weight_0',
      records => records.delete('data/weights/weight_0')
    ],
    ['a pickled weight', 'data/weights/weight_0', editWeight(entry => (entry.use_pickle = true))],
    [
      'a weight of absurd size',
      'data/weights/weight_0',
      editWeight(entry => (entry.tensor_meta.sizes = [{ as_int: 2 ** 50 }, { as_int: 2 ** 50 }]))
    ],
    [
      'a weight at an absurd offset',
      'data/weights/weight_0',
      editWeight(entry => (entry.tensor_meta.storage_offset = { as_int: 2 ** 52 }))
    ],
    [
      'a weight with absurd strides',
      'data/weights/weight_0',
      editWeight(entry => (entry.tensor_meta.strides[0] = { as_int: 2 ** 52 }))
    ],
    [
      'a weight of negative size',
      'data/weights/model_weights_config.json',
      editWeight(entry => (entry.tensor_meta.sizes[0] = { as_int: -1 }))
    ],
    [
      'a sparse weight',
      'data/weights/weight_0',
      editWeight(entry => (entry.tensor_meta.layout = 1))
    ],
    [
      'a weight of another dtype than the graph says',
      PROGRAM,
      editWeight(entry => (entry.tensor_meta.dtype = 4))
    ],
    [
      'no entry for a weight',
      'data/weights/model_weights_config.json',
      records =>
        editJson(records, 'data/weights/model_weights_config.json', value => {
          delete value.config['sub.linear1.weight'];
        })
    ]
  ];

  it.each(cases)('should refuse %s', async (_, entry, change) => {
    const file = await changedCopy(fixture('seed-mlp/model.pt2'), `${folder}/changed.pt2`, change);
    const failure = await failureOf(readModel(file));
    expectComplete(failure, file);
    expect(failure.details.entry).toContain(entry);
  });

  it('should say what to do about old schemas', async () => {
    const file = `${folder}/old.pt2`;
    const source = { kind: 'text' as const, text: '{"schema_version": {"major": 7, "minor": 3}}' };
    await writePt2Archive(file, [{ name: 'serialized_exported_program.json', source }]);
    const failure = await failureOf(readModel(file));
    expect(failure.code).toBe('unsupported-format');
    expect(failure.details.hint).toContain('torch >= 2.9');
  });

  it('should refuse a zip archive without records', async () => {
    const file = `${folder}/none.pt2`;
    await writePt2Archive(file, []);
    const failure = await failureOf(readModel(file));
    expectComplete(failure, file);
    expect(failure.details.found).toBe('an empty archive');
  });
});

describe('damaged .onnx files', () => {
  const x = port('x', TYPES.float, [1]);
  const y = port('y', TYPES.float, [1]);
  const open = async (bytes: Uint8Array): Promise<CastlensError> => {
    const file = write('bad.onnx', bytes);
    const failure = await failureOf(readModel(file));
    expect(failure.details.file).toBe(file);
    return failure;
  };

  it.each([
    ['half of it', nestedOnnx.subarray(0, nestedOnnx.length / 2)],
    ['all but the last byte', nestedOnnx.subarray(0, -1)],
    ['its first byte', nestedOnnx.subarray(0, 1)]
  ])('should refuse %s', async (_, bytes) => {
    const file = write('truncated.onnx', bytes);
    const failure = await failureOf(readModel(file));
    expectComplete(failure, file);
  });

  it('should refuse a model without a graph', async () => {
    expect((await open(encode([[1, 10]]))).message).toContain('no graph');
  });

  it('should refuse a field that claims more than there is', async () => {
    const bytes = Uint8Array.of(8, 10, 0x3a, 0xff, 0xff, 0xff, 0xff, 0x7f, 0);
    expect((await open(bytes)).details.entry).toMatch(/^byte \d+$/);
  });

  it('should refuse graphs nested too deep', async () => {
    let body: Field[] = graph({});
    for (let depth = 0; depth < 60; depth++) {
      body = graph({ nodes: [node('If', [], ['a'], attribute('then_branch', 5, [6, body]))] });
    }
    const failure = await open(
      encode([
        [1, 10],
        [7, body]
      ])
    );
    expect(failure.message).toContain('nest too deep');
  });

  it('should name a node of a cycle', async () => {
    const failure = await open(
      model({
        inputs: [x],
        nodes: [node('Add', ['x', 'c'], ['b']), node('Relu', ['b'], ['c'])],
        outputs: [port('c', TYPES.float, [1])]
      })
    );
    expectComplete(failure, `${folder}/bad.onnx`);
    expect(failure.message).toMatch(/cyclic/);
    expect(failure.details.entry).toMatch(/node '(Relu_of_c|Add_of_b)'/);
  });

  it('should name a node that uses its own result', async () => {
    const failure = await open(model({ nodes: [node('Relu', ['y'], ['y'])] }));
    expect(failure.message).toMatch(/cyclic/);
  });

  it('should name a node with an input that nothing makes', async () => {
    const failure = await open(model({ inputs: [x], nodes: [node('Relu', ['z'], ['y'])] }));
    expect(failure.details).toMatchObject({ entry: "node 'Relu_of_y' (Relu)", found: "'z'" });
  });

  it('should name an output that nothing makes', async () => {
    const failure = await open(model({ inputs: [x], outputs: [y] }));
    expect(failure.details.found).toBe("'y'");
  });

  it('should name a value that is made twice', async () => {
    const twice = [node('Relu', ['x'], ['y']), node('Neg', ['x'], ['y'])];
    const failure = await open(model({ inputs: [x], nodes: twice }));
    expect(failure.details).toMatchObject({ entry: "node 'Neg_of_y' (Neg)" });
  });

  it('should find cycles through nested graphs', async () => {
    const body = graph({ nodes: [node('Relu', ['b'], ['r'])], outputs: [port('r', 1, [1])] });
    const nodes = [
      node('If', ['x'], ['a'], attribute('then_branch', 5, [6, body])),
      node('Neg', ['a'], ['b'])
    ];
    expect((await open(model({ inputs: [x], nodes }))).message).toMatch(/cyclic/);
  });

  const weight = (...data: readonly Field[]): Field[] => tensor('w', TYPES.float, [4], ...data);
  fs.writeFileSync(`${folder}/data.bin`, new Uint8Array(16));
  fs.writeFileSync(`${folder}/short.bin`, new Uint8Array(15));
  fs.mkdirSync(`${folder}/inner`, { recursive: true });

  it.each([
    ['missing external data', external({ location: 'nothing.bin' }), "'nothing.bin'"],
    ['external data without location', external({ offset: '0' }), 'no usable location'],
    ['absolute external data', external({ location: '/etc/passwd' }), '/etc/passwd'],
    ['external data on a drive', external({ location: 'C:\\data.bin' }), 'C:\\data.bin'],
    ['external data above the folder', external({ location: '../data.bin' }), '../data.bin'],
    ['a way out in the middle', external({ location: 'inner/../../x' }), 'inner/../../x'],
    ['a folder as external data', external({ location: 'inner' }), 'no regular file'],
    ['external data that is too short', external({ location: 'short.bin' }), '15 bytes'],
    ['an offset beyond the end', external({ location: 'data.bin', offset: '16' }), '16 bytes'],
    ['an absurd offset', external({ location: 'data.bin', offset: '9'.repeat(30) }), '999'],
    ['a negative offset', external({ location: 'data.bin', offset: '-4' }), '-4'],
    ['a length that does not fit', external({ location: 'data.bin', length: '8' }), 'length 8'],
    ['an oversized length', external({ location: 'data.bin', length: '1e15' }), '1e15'],
    ['raw_data that is too short', [[9, new Uint8Array(12)] as const], '12 bytes'],
    ['no data at all', [], '0 numbers'],
    ['a link that leads out', external({ location: 'link.bin' }), 'leads out']
  ])('should refuse %s', async (_, data, found) => {
    fs.rmSync(`${folder}/link.bin`, { force: true });
    fs.symlinkSync(fixture('README.md'), `${folder}/link.bin`);
    const failure = await open(model({ initializers: [weight(...data)] }));
    expectComplete(failure, `${folder}/bad.onnx`);
    expect(failure.details.entry).toBe('w');
    expect(failure.message).toContain(found);
  });

  it.each([
    ['a size below zero', tensor('w', TYPES.float, [-1], [9, new Uint8Array(4)]), '-1'],
    ['sizes beyond all bounds', tensor('w', TYPES.uint8, [2 ** 40, 2 ** 40]), '0 numbers'],
    ['an unknown element type', tensor('w', 99, [1], [9, new Uint8Array(1)]), '99']
  ])('should refuse %s', async (_, initializer, found) => {
    const failure = await open(model({ initializers: [initializer] }));
    expect(failure.message).toContain(found);
  });

  it('should refuse sparse initializers', async () => {
    const bytes = encode([
      [1, 10],
      [7, [...graph({}), [15, [[1, weight()]]]]]
    ]);
    expect((await open(bytes)).message).toContain('sparse');
  });

  it('should refuse functions that call themselves', async () => {
    const body = node('F', ['a'], ['b'], [7, 'local']);
    const made: Field[] = [
      [1, 'F'],
      [4, 'a'],
      [5, 'b'],
      [7, body],
      [10, 'local']
    ];
    const call = node('F', ['x'], ['y'], [7, 'local']);
    const failure = await open(model({ inputs: [x], nodes: [call] }, [25, made]));
    expect(failure.details.found).toBe('F calls F');
  });

  it('should refuse functions that grow without bound', async () => {
    const layers = Array.from({ length: 24 }, (_, i): Field => {
      const type = i === 0 ? 'Relu' : `F${i - 1}`;
      const domain: Field = [7, i === 0 ? '' : 'local'];
      return [
        25,
        [
          [1, `F${i}`],
          [4, 'a'],
          [5, 'c'],
          [7, node(type, ['a'], ['b'], domain)],
          [7, node(type, ['b'], ['c'], domain)],
          [10, 'local']
        ]
      ];
    });
    const call = node('F23', ['x'], ['y'], [7, 'local']);
    const failure = await open(model({ inputs: [x], nodes: [call] }, ...layers));
    expect(failure.message).toContain('grow without bound');
  });

  it('should refuse attributes that refer to those of a function', async () => {
    const reference: Field = [
      5,
      [
        [1, 'alpha'],
        [21, 'alpha'],
        [20, 1]
      ]
    ];
    const failure = await open(
      model({ inputs: [x], nodes: [node('Elu', ['x'], ['y'], reference)] })
    );
    expect(failure.details.entry).toContain("attribute 'alpha'");
  });
});

describe('files with random damage', () => {
  // Hundreds of files each: seconds on a loaded machine.
  jest.setTimeout(60_000);

  const attempt = async (name: string, bytes: Uint8Array): Promise<void> => {
    const file = write(name, bytes);
    try {
      await readModel(file);
    } catch (error) {
      if (!(error instanceof CastlensError)) {
        throw error;
      }
    }
  };

  const damage = (length: number): fc.Arbitrary<(bytes: Buffer) => Buffer> =>
    fc.oneof(
      fc.nat(length).map(end => (bytes: Buffer) => bytes.subarray(0, end)),
      fc
        .array(fc.tuple(fc.nat(length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 })
        .map(edits => (bytes: Buffer) => {
          edits.forEach(([at, byte]) => (bytes[at] = byte));
          return bytes;
        }),
      fc.tuple(fc.nat(length), fc.nat(2000)).map(
        ([at, gap]) =>
          (bytes: Buffer) =>
            Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + gap)])
      )
    );

  it('should give a model or an error for the reader: .pt2', async () => {
    await fc.assert(
      fc.asyncProperty(damage(nested.length), change =>
        attempt('random.pt2', change(Buffer.from(nested)))
      ),
      { numRuns: 200 }
    );
  });

  it('should give a model or an error for the reader: the directory of a .pt2', async () => {
    const start = directoryOf(nested);
    const tail = nested.length - start;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(tail - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        edits => {
          const bytes = Buffer.from(nested);
          edits.forEach(([at, byte]) => (bytes[start + at] = byte));
          return attempt('directory.pt2', bytes);
        }
      ),
      { numRuns: 200 }
    );
  });

  it('should give a model or an error for the reader: model.json', async () => {
    const records = await readRecords(fixture('nested-regions/model.pt2'));
    const text = Buffer.from(records.get(PROGRAM)!);
    const entries = [...records];
    await fc.assert(
      fc.asyncProperty(jsonDamage(text.toString('utf8')), async changed => {
        const file = `${folder}/json.pt2`;
        await writePt2Archive(
          file,
          entries.map(([name, bytes]) => ({
            name: `m/${name}`,
            source: name === PROGRAM ? { kind: 'text', text: changed } : { kind: 'bytes', bytes }
          }))
        );
        await attempt('json.pt2', fs.readFileSync(file));
      }),
      { numRuns: 80 }
    );
  });

  it('should give a model or an error for the reader: .onnx', async () => {
    // The weights are most of the file: damage the graph more often than them.
    const graphBytes = nestedOnnx.indexOf('a.weight');
    await fc.assert(
      fc.asyncProperty(fc.oneof(damage(nestedOnnx.length), damage(graphBytes)), change =>
        attempt('random.onnx', change(Buffer.from(nestedOnnx)))
      ),
      { numRuns: 400 }
    );
  });
});

/** JSON in which some values were replaced by others that may not fit. */
function jsonDamage(text: string): fc.Arbitrary<string> {
  const count = [...text.matchAll(/[[{"\w.-]+(?=[,\]}])/g)].length;
  const other = fc.constantFrom(
    'null',
    '-1',
    '1e400',
    '"x"',
    '[]',
    '{}',
    '[[]]',
    '{"as_int":{}}',
    'true'
  );
  return fc.array(fc.tuple(fc.nat(count), other), { minLength: 1, maxLength: 3 }).map(edits => {
    const wanted = new Map(edits);
    let index = 0;
    return text.replace(
      /("(?:[^"\\]|\\.)*"|[\w.-]+)(?=[,\]}])/g,
      match => wanted.get(index++) ?? match
    );
  });
}

/** Offset of the central directory, from the record at the end of an archive without comment. */
function directoryOf(bytes: Buffer): number {
  return bytes.readUInt32LE(bytes.length - 22 + 16);
}

type Json = ReturnType<typeof JSON.parse>;

function edit(change: (value: Json) => void): (records: Records) => void {
  return records => editJson(records, PROGRAM, change);
}

function editWeight(change: (entry: Json) => void): (records: Records) => void {
  return records =>
    editJson(records, 'data/weights/model_weights_config.json', value =>
      change(value.config['sub.linear1.weight'])
    );
}
