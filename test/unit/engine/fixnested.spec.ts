/**
 * Repaired `.onnx` files whose weights are cast in the bodies of If, Loop and Scan, run by onnxruntime itself and by castlens.
 *
 * @jest-environment ./test/support/ortenvironment.cjs
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';

import { Engine } from '../../../src/engine/service';
import type { IFixResult, IVariant, MixedWeights } from '../../../src/protocol';
import type { Field } from '../formats/proto';
import { attribute, graph, model, node, port, tensor, TYPES } from '../formats/proto';
import { temporaryFolder } from '../formats/samples';
import { body, loopBody, number, product, truth, weight, X, Y } from './nestedmodels';

const folder = temporaryFolder();
const engine = new Engine();
const MODES = (['off', 'autocast', 'folded', 'frozen'] as const).map((cache): IVariant => ({
  cache,
  passes: [],
  device: 'cpu'
}));
const FLAG = port('flag', TYPES.bool, []);
const W = port('', TYPES.float, [4, 4]);
const LOW = port('', TYPES.bfloat16, [4, 4]);
let files = 0;

const named = (name: string, [, type]: readonly Field[]): Field[] => [[1, name], type];

function branch(nodes: readonly Field[][], initializers: readonly Field[][] = []): Field[] {
  return graph({ nodes, initializers, outputs: [port('r', TYPES.float, [2, 4])] });
}

/** `y` is what one of the branches makes of `x`. */
function choice(inThen: Field[], inElse: Field[], result = 'y'): Field[] {
  const branches = [body('then_branch', inThen), body('else_branch', inElse)];
  return node('If', ['flag'], [result], ...branches);
}

function loop(inside: Field[], result = 'y', from = 'x'): Field[] {
  return node('Loop', ['three', 'yes', from], [result], body('body', inside));
}

/** A model of some weights, `x` and `flag`. */
function make(
  initializers: readonly Field[][],
  nodes: readonly Field[][],
  ...more: readonly Field[]
): string {
  const path = join(folder, `model${files++}.onnx`);
  const parts = {
    inputs: [X, FLAG],
    outputs: [Y],
    initializers: [...initializers, number('three', 3n), truth('yes', true)],
    nodes
  };
  fs.writeFileSync(path, model(parts, ...more));
  return path;
}

async function fix(path: string, mixed?: MixedWeights): Promise<IFixResult> {
  const output = path.replace('.onnx', `.fixed${mixed === undefined ? '' : '.both'}.onnx`);
  return (await engine.handle('fix', { path, output, mixed }, {})).result;
}

/** Bits of `y` as onnxruntime computes them from a file, with its optimisations and without. */
async function bitsOf(path: string): Promise<string[]> {
  const bits: string[] = [];
  for (const graphOptimizationLevel of ['all', 'disabled'] as const) {
    for (const flag of [true, false]) {
      const session = await ort.InferenceSession.create(path, {
        graphOptimizationLevel,
        logSeverityLevel: 3
      });
      const x = Float32Array.from({ length: 8 }, (_, i) => Math.cos(i));
      const { y } = await session.run({
        x: new ort.Tensor('float32', x, [2, 4]),
        flag: new ort.Tensor('bool', [flag], [])
      });
      bits.push(Buffer.from((y.data as Float32Array).buffer).toString('hex'));
      await session.release();
    }
  }
  return bits;
}

/** Executed casts of weights, once what castlens planned has been found to be possible. */
async function casts(path: string): Promise<number> {
  const { result } = await engine.handle(
    'compare',
    { path, variants: MODES, runs: 1, warmup: 0, inputs: {} },
    {}
  );
  for (const { findings, bitIdenticalToOff } of result.variants) {
    expect(findings.map(({ code }) => code)).not.toContain('executed-differs-from-planned');
    expect(bitIdenticalToOff).toBe(true);
  }
  const [off, , folded, frozen] = result.variants;
  expect([folded.plannedWeightCasts, frozen.executedWeightCasts]).toEqual([0, 0]);
  return off.executedWeightCasts!;
}

/** A function that casts its operand inside, twice; for `make(..., lowFunction, localSet)`. */
const lowFunction: Field = [
  25,
  [
    [1, 'Low'],
    [4, 'of'],
    [5, 'low'],
    [5, 'again'],
    [7, node('Cast', ['of'], ['low'], attribute('to', 2, [3, TYPES.bfloat16]))],
    [7, node('Cast', ['of'], ['again'], attribute('to', 2, [3, TYPES.bfloat16]))],
    [
      9,
      [
        [1, ''],
        [2, 21]
      ]
    ],
    [10, 'local']
  ]
];
const localSet: Field = [
  8,
  [
    [1, 'local'],
    [2, 1]
  ]
];
const call = (operand: string, result: string): Field[] =>
  node('Low', [operand], ['first', result], [7, 'local']);
const up = (operand: string, result: string): Field[] =>
  node('Cast', [operand], [result], attribute('to', 2, [3, TYPES.float]));

const stateful = graph({
  inputs: [
    port('i', TYPES.int64, []),
    port('go', TYPES.bool, []),
    port('state', TYPES.float, [2, 4]),
    named('given', W)
  ],
  nodes: [
    ...product('state', 'given', 'next'),
    node('Identity', ['go'], ['again']),
    node('Identity', ['given'], ['handed'])
  ],
  outputs: [port('again', TYPES.bool, []), port('next', TYPES.float, [2, 4]), named('handed', W)]
});

const scanned = graph({
  inputs: [port('state', TYPES.float, [2, 4]), port('row', TYPES.float, [4])],
  nodes: [...product('state', 'w', 'p'), node('Add', ['p', 'row'], ['next'])],
  outputs: [port('next', TYPES.float, [2, 4])]
});

const constant = (result: string): Field[] =>
  node('Constant', [], [result], attribute('value', 4, [5, weight('')]));

/** float16 elements in the field for integers, which are not the bytes of the file. */
const halves = (name: string, first: number): Field[] =>
  tensor(
    name,
    TYPES.float16,
    [4, 4],
    ...Array.from({ length: 16 }, (_, i): Field => [5, first + 37 * i])
  );

describe('weights cast in nested graphs', () => {
  it.each([
    ['a loop', make([weight('w')], [loop(loopBody('w'))]), ['w']],
    ['a loop that holds the weight', make([], [loop(loopBody('inner'))]), ['inner']],
    [
      'a loop and the graph around it',
      make([weight('w')], [...product('x', 'w', 'h'), loop(loopBody('w'), 'y', 'h')]),
      ['w']
    ],
    [
      'a branch in a loop, two levels down',
      make(
        [weight('w'), weight('v', 5)],
        [
          loop(
            loopBody('w', [
              choice(
                branch(product('state', 'w', 'r')),
                branch([...product('state', 'v', 'h'), ...product('h', 'w', 'r')]),
                'next'
              )
            ])
          )
        ]
      ),
      ['w', 'v']
    ],
    [
      'branches that call different weights by one name',
      make(
        [],
        [
          choice(
            branch(product('x', 'v', 'r'), [weight('v')]),
            branch(product('x', 'v', 'r'), [weight('v', 5)])
          )
        ]
      ),
      ['v', 'v']
    ],
    [
      'a loop that is given the weight and hands it on',
      make(
        [weight('w')],
        [node('Loop', ['three', 'yes', 'x', 'w'], ['y', 'last'], body('body', stateful))]
      ),
      ['w']
    ],
    [
      'a loop, by a cast outside of the loop it was given to',
      make(
        [weight('w')],
        [
          node('Loop', ['three', 'yes', 'x', 'w'], ['h', 'last'], body('body', stateful)),
          ...product('h', 'last', 'y')
        ]
      ),
      ['w']
    ],
    [
      'a scan',
      make(
        [weight('w'), weight('rows', 5)],
        [
          node(
            'Scan',
            ['x', 'rows'],
            ['y'],
            body('body', scanned),
            attribute('num_scan_inputs', 2, [3, 1])
          )
        ]
      ),
      ['w']
    ],
    [
      'a body, behind a layout operator',
      make(
        [weight('w')],
        [
          node('Transpose', ['w'], ['turned']),
          loop(
            loopBody('w', [
              node('Transpose', ['turned'], ['back']),
              ...product('state', 'back', 'h'),
              ...product('h', 'turned', 'next')
            ])
          )
        ]
      ),
      ['w']
    ],
    [
      'Constant nodes, outside and in a body',
      make(
        [],
        [
          constant('outer'),
          ...product('x', 'outer', 'h'),
          loop(loopBody('c', [constant('c'), ...product('state', 'c', 'next')]), 'y', 'h')
        ]
      ),
      ['outer', 'c']
    ],
    [
      'a function that a body calls',
      make(
        [weight('w')],
        [
          loop(
            loopBody('w', [
              call('w', 'low'),
              up('low', 'high'),
              node('MatMul', ['state', 'high'], ['next'])
            ])
          )
        ],
        lowFunction,
        localSet
      ),
      ['w']
    ]
  ])('should be stored as they are used: %s', async (_, path, weights) => {
    expect(await casts(path)).toBeGreaterThan(0);
    const result = await fix(path);
    expect(result.converted).toEqual(
      weights.map(name => ({ weight: name, from: 'float32', to: 'bfloat16' }))
    );
    expect(result.left).toEqual([]);
    expect(await bitsOf(result.output)).toEqual(await bitsOf(path));
    // What is left is the way back to float32 for the product, which the runtime has no kernel for in bfloat16.
    expect(result.weightCastsBefore).toBe(2 * result.weightCastsAfter);
    await casts(result.output);
    const { result: census } = await engine.handle('census', { path: result.output }, {});
    expect(census.weightCasts.map(({ from, to }) => `${from} to ${to}`)).not.toContain(
      'float32 to bfloat16'
    );
    expect((await fix(result.output)).converted).toEqual([]);
  });

  it.each<[string, string, string, string[]]>([
    [
      'used as stored in another body',
      make(
        [weight('w')],
        [choice(branch(product('x', 'w', 'r')), branch([node('MatMul', ['x', 'w'], ['r'])]))]
      ),
      'also used as float32 by onnx.MatMul',
      ['w_bfloat16']
    ],
    [
      'used as stored by the graph around, while the name of a copy is taken in the body',
      make(
        [weight('w')],
        [
          node('MatMul', ['x', 'w'], ['h']),
          loop(
            loopBody('w', [
              node('Neg', ['state'], ['w_bfloat16']),
              ...product('w_bfloat16', 'w', 'next')
            ]),
            'y',
            'h'
          )
        ]
      ),
      'also used as float32 by onnx.MatMul',
      ['w_bfloat16_1']
    ],
    [
      'gone over by rows',
      make(
        [weight('w')],
        [
          node(
            'Scan',
            ['x', 'w'],
            ['y'],
            body('body', scanned),
            attribute('num_scan_inputs', 2, [3, 1])
          )
        ]
      ),
      'also used as float32 by onnx.Scan',
      ['w_bfloat16']
    ],
    [
      'used as stored by a loop that is given it',
      make(
        [weight('w')],
        [
          node('Loop', ['three', 'yes', 'x', 'w'], ['h', 'last'], body('body', stateful)),
          node('MatMul', ['h', 'last'], ['y'])
        ]
      ),
      'also used as float32 by onnx.MatMul',
      ['w_bfloat16']
    ],
    [
      'held by a Constant node of a body',
      make(
        [],
        [
          loop(
            loopBody('c', [
              constant('c'),
              ...product('state', 'c', 'h'),
              node('MatMul', ['h', 'c'], ['next'])
            ])
          )
        ]
      ),
      'also used as float32 by onnx.MatMul',
      ['c_bfloat16']
    ]
  ])(
    'should be left where another use needs them, and kept twice on demand: %s',
    async (_, path, reason, copies) => {
      const left = await fix(path);
      expect(left.converted).toEqual([]);
      expect(left.left).toEqual([{ weight: copies[0].split('_')[0], reason }]);
      const both = await fix(path, 'keep-both');
      expect(both.left).toEqual([]);
      expect(both.converted.map(({ copy }) => copy)).toEqual(copies);
      expect(await bitsOf(both.output)).toEqual(await bitsOf(path));
      await casts(both.output);
      const { result: census } = await engine.handle('census', { path: both.output }, {});
      expect(census.weightCasts.map(({ from, to }) => [from, to])).toEqual([
        ['bfloat16', 'float32']
      ]);
    }
  );

  it('should be left, with the reason, where a branch returns them or the cast', async () => {
    const returning = (result: string, type: Field[], nodes: readonly Field[][]): Field[] =>
      graph({ nodes, outputs: [named(result, type)] });
    const path = make(
      [weight('w'), weight('v', 5)],
      [
        choice(
          returning('r', W, [node('Identity', ['w'], ['r'])]),
          returning('r', W, [node('Identity', ['v'], ['r'])]),
          'one'
        ),
        choice(
          returning('l', LOW, [
            node('Cast', ['w'], ['l'], attribute('to', 2, [3, TYPES.bfloat16]))
          ]),
          returning('l', LOW, [
            node('Cast', ['v'], ['l'], attribute('to', 2, [3, TYPES.bfloat16]))
          ]),
          'low'
        ),
        up('low', 'high'),
        node('MatMul', ['x', 'high'], ['h']),
        node('MatMul', ['h', 'one'], ['y'])
      ]
    );
    const { left, converted } = await fix(path);
    const reason = 'also returned by a nested graph';
    expect(converted).toEqual([]);
    expect(left).toEqual(['w', 'v'].map(name => ({ weight: name, reason })));
    // The casts have to make the results of their branches, and cast nothing any more.
    const both = await fix(path, 'keep-both');
    expect(both.converted.map(({ copy }) => copy)).toEqual(['w_bfloat16', 'v_bfloat16']);
    expect(await bitsOf(both.output)).toEqual(await bitsOf(path));
    await casts(both.output);
  });

  it('should be left where only a function could take the copy', async () => {
    const path = make(
      [weight('w')],
      [
        loop(
          loopBody('w', [
            call('w', 'low'),
            up('low', 'high'),
            node('MatMul', ['state', 'high'], ['h']),
            node('MatMul', ['h', 'w'], ['next'])
          ])
        )
      ],
      lowFunction,
      localSet
    );
    const { converted, left, output } = await fix(path, 'keep-both');
    expect(converted).toEqual([]);
    expect(left).toEqual([
      {
        weight: 'w',
        reason: 'also used as float32 by onnx.MatMul, and cast in a function of the model'
      }
    ]);
    expect(fs.readFileSync(output).equals(fs.readFileSync(path))).toBe(true);
  });

  it('should not be taken for one another where bodies name them alike and bytes are not in the file', async () => {
    const widened = (initializers: Field[][]): Field[] =>
      branch([up('v', 'high'), node('MatMul', ['x', 'high'], ['r'])], initializers);
    const path = make([], [choice(widened([halves('v', 0x3000)]), widened([halves('v', 0x3400)]))]);
    await casts(path);
    const { result: census } = await engine.handle('census', { path }, {});
    expect(census.weightCasts).toHaveLength(2);
  });

  it.each([
    ['float16', TYPES.float16, []],
    ['bfloat16', TYPES.bfloat16, ['onnx.SplitToSequence of operator set 21 takes no bfloat16']]
  ])(
    'should be stored in %s only where the operators that arrange them take it',
    async (_, type, reasons) => {
      const path = make(
        [weight('w'), number('first', 0n)],
        [
          loop(
            graph({
              inputs: [
                port('i', TYPES.int64, []),
                port('go', TYPES.bool, []),
                port('state', TYPES.float, [2, 4])
              ],
              nodes: [
                node('SplitToSequence', ['w'], ['parts'], attribute('keepdims', 2, [3, 1])),
                node('SequenceAt', ['parts', 'first'], ['part']),
                node('Cast', ['part'], ['low'], attribute('to', 2, [3, type])),
                up('low', 'high'),
                node('Mul', ['state', 'high'], ['next']),
                node('Identity', ['go'], ['again'])
              ],
              outputs: [port('again', TYPES.bool, []), port('next', TYPES.float, [2, 4])],
              valueInfos: [
                [
                  [1, 'parts'],
                  [2, [[4, [[1, port('', TYPES.float, [1, 4])[1][1] as Field[]]]]]]
                ],
                named('part', port('', TYPES.float, [1, 4]))
              ]
            })
          )
        ]
      );
      const { left, output } = await fix(path);
      expect(left.map(({ reason }) => reason)).toEqual(reasons);
      expect(await bitsOf(output)).toEqual(await bitsOf(path));
    }
  );

  it('should be left where a nested graph has another value of their name', async () => {
    // onnxruntime takes the types of both for one.
    const path = make(
      [weight('w')],
      [
        node('Cast', ['w'], ['low'], attribute('to', 2, [3, TYPES.bfloat16])),
        choice(
          branch(
            [up('low', 'high'), node('MatMul', ['x', 'high'], ['h']), ...product('h', 'w', 'r')],
            [weight('w', 5)]
          ),
          branch(product('x', 'w', 'r'))
        )
      ]
    );
    const { left, converted } = await fix(path, 'keep-both');
    expect(converted).toEqual([]);
    expect(left).toEqual(
      Array(2).fill({ weight: 'w', reason: 'a nested graph has another value of the name w' })
    );
    await casts(path);
  });
});
