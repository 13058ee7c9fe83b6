/**
 * Weight casts in the bodies of If, Loop and Scan: counted as often as a forward runs them, and gone in the modes that convert.
 *
 * @jest-environment ./test/support/ortenvironment.cjs
 */
import * as fs from 'node:fs';
import { join } from 'node:path';

import { ModelStore } from '../../../src/engine/modelstore';
import { Engine } from '../../../src/engine/service';
import { prepareVariant } from '../../../src/engine/variant';
import { forEachNode } from '../../../src/model';
import type { ICompareResult } from '../../../src/protocol';
import type { Field } from '../formats/proto';
import { attribute, graph, model, node, port, TYPES } from '../formats/proto';
import { temporaryFolder } from '../formats/samples';
import { body, loopBody, lowWeight, number, product, truth, weight, X, Y } from './nestedmodels';

const folder = temporaryFolder();
const engine = new Engine();
let files = 0;

const MODES = ['off', 'autocast', 'folded', 'frozen'] as const;

function open(bytes: Uint8Array): string {
  const path = join(folder, `model${files++}.onnx`);
  fs.writeFileSync(path, bytes);
  return path;
}

function loop(trips: string, condition: string, inside: Field[], extra: Field[][] = []): string {
  return open(
    model({
      inputs: [X, ...extra],
      outputs: [Y],
      initializers: [
        weight('w'),
        number('four', 4n),
        number('two', 2n),
        number('none', 0n),
        truth('yes', true)
      ],
      nodes: [node('Loop', [trips, condition, 'x'], ['y'], body('body', inside))]
    })
  );
}

function branches(inThen: readonly Field[][], inElse: readonly Field[][]): string {
  const branch = (nodes: readonly Field[][]): Field[] =>
    graph({ nodes, outputs: [port('r', TYPES.float, [2, 4])] });
  return open(
    model({
      inputs: [X, port('flag', TYPES.bool, [])],
      outputs: [Y],
      initializers: [weight('w')],
      nodes: [
        node(
          'If',
          ['flag'],
          ['y'],
          body('then_branch', branch(inThen)),
          body('else_branch', branch(inElse))
        )
      ]
    })
  );
}

function scan(rows: number | string): string {
  const inside = graph({
    inputs: [port('state', TYPES.float, [2, 4]), port('row', TYPES.float, [2, 4])],
    nodes: [...product('state', 'w', 'p'), node('Add', ['p', 'row'], ['next'])],
    outputs: [port('next', TYPES.float, [2, 4])]
  });
  return open(
    model({
      inputs: [X, port('rows', TYPES.float, [rows, 2, 4])],
      outputs: [Y],
      initializers: [weight('w')],
      nodes: [
        node(
          'Scan',
          ['x', 'rows'],
          ['y'],
          body('body', inside),
          attribute('num_scan_inputs', 2, [3, 1])
        )
      ]
    })
  );
}

/** A weight by the type it is stored in, and a product with it. */
const STORED = {
  float: { initializer: (width: number): Field[] => weight('w', 0, width), multiply: product },
  bfloat16: {
    initializer: (width: number): Field[] => lowWeight('w', width),
    multiply: (state: string, from: string, result: string): Field[][] => [
      node('Transpose', [from], [`${result}_turned`], attribute('perm', 7, [8, 1], [8, 0])),
      node('Cast', [`${result}_turned`], [`${result}_high`], attribute('to', 2, [3, TYPES.float])),
      node('MatMul', [state, `${result}_high`], [result])
    ]
  }
};

/** A loop that is given its weight as state, hands it on as it is, and whose last state is multiplied by too. */
function stateful(trips: string, width = 4, stored: keyof typeof STORED = 'float'): string {
  const { initializer, multiply } = STORED[stored];
  const inside = graph({
    inputs: [
      port('i', TYPES.int64, []),
      port('go', TYPES.bool, []),
      port('state', TYPES.float, [2, width]),
      port('given', TYPES[stored], [width, width])
    ],
    nodes: [
      ...multiply('state', 'given', 'next'),
      node('Identity', ['go'], ['again']),
      node('Identity', ['given'], ['same']),
      node('Identity', ['same'], ['handed'])
    ],
    outputs: [
      port('again', TYPES.bool, []),
      port('next', TYPES.float, [2, width]),
      port('handed', TYPES[stored], [width, width])
    ]
  });
  return open(
    model({
      inputs: [port('x', TYPES.float, [2, width])],
      outputs: [port('y', TYPES.float, [2, width])],
      initializers: [initializer(width), number('four', 4n), truth('yes', true)],
      nodes: [node('Loop', [trips, 'yes', 'x', 'w'], ['y', ''], body('body', inside))]
    })
  );
}

async function compare(path: string, dims: Record<string, number> = {}): Promise<ICompareResult> {
  const variants = MODES.map(cache => ({ cache, passes: [], device: 'cpu' }));
  const params = { path, variants, runs: 1, warmup: 0, inputs: { dims } };
  return (await engine.handle('compare', params, {})).result;
}

describe('weight casts in bodies', () => {
  const nested = [
    node(
      'Loop',
      ['two', '', 'state'],
      ['next'],
      body('body', loopBody('w', product('state', 'w', 'next')))
    )
  ];
  it.each([
    ['a loop of stored length', loop('four', 'yes', loopBody('w')), 4, 1],
    ['its own weight', loop('four', '', loopBody('inner')), 4, 1],
    ['a loop that never runs', loop('none', '', loopBody('w')), 0, 0],
    ['a loop in a loop', loop('four', '', loopBody('w', nested)), 8, 1],
    ['a sequence of known length', scan(3), 3, 1],
    ['state that no run changes', stateful('four'), 4, 1]
  ])('should be counted per run: %s', async (_, path, runs, kept) => {
    const { result: census } = await engine.handle('census', { path }, {});
    // Of the file: to bfloat16 and back.
    expect(census.perForward.off).toEqual({ weightCasts: 2 * runs, bytesMoved: 2 * runs * 96 });
    expect(census.weightCasts.map(({ uses }) => uses)).toEqual([runs, runs]);
    expect(census.findings.map(({ code }) => code)).not.toContain('casts-counted-per-body');
    const { variants } = await compare(path);
    expect(
      variants.map(({ plannedWeightCasts, executedWeightCasts }) => [
        plannedWeightCasts,
        executedWeightCasts
      ])
    ).toEqual([
      [runs, runs],
      [kept, kept],
      [0, 0],
      [0, 0]
    ]);
    expect(variants.map(({ bitIdenticalToOff }) => bitIdenticalToOff)).toEqual(
      MODES.map(() => true)
    );
    expect(variants.flatMap(({ findings }) => findings)).toEqual([]);
  });

  it.each([
    [
      'both branches',
      branches(product('x', 'w', 'r'), product('x', 'w', 'r')),
      {},
      { planned: 2, executed: 1, possible: '1' }
    ],
    [
      'a loop that its body ends',
      loop('four', 'yes', loopBody('w', [], 'two')),
      {},
      { planned: 1, executed: 3, possible: '1 to 4' }
    ],
    [
      'a sequence of any length',
      scan('n'),
      { n: 5 },
      { planned: 1, executed: 5, possible: '0 or more' }
    ]
  ])('should be counted once where only a forward knows: %s', async (_, path, dims, expected) => {
    const { planned, executed, possible } = expected;
    const { result: census } = await engine.handle('census', { path }, {});
    expect(census.perForward.off.weightCasts).toBe(2 * planned);
    expect(census.findings.map(({ code }) => code)).toContain('casts-counted-per-body');
    const { variants } = await compare(path, dims);
    const [off, , folded, frozen] = variants;
    expect(off).toMatchObject({
      plannedWeightCasts: planned,
      executedWeightCasts: executed,
      findings: [
        {
          code: 'casts-counted-per-body',
          severity: 'info',
          message: expect.stringContaining(`Possible in a forward: ${possible}.`)
        }
      ]
    });
    for (const variant of [folded, frozen]) {
      expect(variant).toMatchObject({
        plannedWeightCasts: 0,
        executedWeightCasts: 0,
        bitIdenticalToOff: true,
        findings: []
      });
    }
  });

  it.each(['cpu', 'cuda'])(
    'should leave the same products in every mode where bodies are given the weight, on %s',
    async device => {
      const path = stateful('four', 300);
      const loaded = await new ModelStore().load({ path });
      const operators = MODES.map(cache => {
        const found: string[] = [];
        const { legal } = prepareVariant(loaded, { cache, passes: [], device });
        forEachNode(legal.graph, ({ op }) => op !== 'onnx.Cast' && found.push(op));
        return found;
      });
      expect(operators[0]).toContain('onnx.Gemm');
      expect(operators).toEqual(MODES.map(() => operators[0]));
    }
  );

  it('should be executed as counted where bodies are given a weight of a narrow type', async () => {
    const path = stateful('four', 4, 'bfloat16');
    const { result: census } = await engine.handle('census', { path }, {});
    expect(MODES.map(cache => census.perForward[cache].weightCasts)).toEqual([4, 4, 0, 0]);
    const { variants } = await compare(path);
    expect(
      variants.map(({ plannedWeightCasts, executedWeightCasts }) => [
        plannedWeightCasts,
        executedWeightCasts
      ])
    ).toEqual([
      [4, 4],
      [4, 4],
      [0, 0],
      [0, 0]
    ]);
    expect(variants.map(({ bitIdenticalToOff }) => bitIdenticalToOff)).toEqual(
      MODES.map(() => true)
    );
    // One stored tensor more, whatever names it has in bodies.
    const loaded = await new ModelStore().load({ path });
    const { legal } = prepareVariant(loaded, { cache: 'off', passes: [], device: 'cpu' });
    expect(legal.graph.weights.filter(({ value }) => value.dtype === 'bfloat16')).toHaveLength(1);
  });

  it('should be told apart where bodies name their nodes alike', async () => {
    const path = branches(product('x', 'w', 'r'), [node('Neg', ['x'], ['r'])]);
    const { result: census } = await engine.handle('census', { path }, {});
    // One of the branches has no cast: nothing repeats, and there may be none.
    expect(census.findings.map(({ code }) => code)).toEqual(
      expect.not.arrayContaining(['weight-cast-per-use', 'unused-weights'])
    );
    const { variants } = await compare(path);
    expect([0, 1]).toContain(variants[0].executedWeightCasts);
    expect(
      variants.flatMap(({ findings }) => findings.map(({ severity }) => severity))
    ).not.toContain('warning');
  });
});

describe('weights in Constant nodes', () => {
  const constant = (result: string): Field[] =>
    node('Constant', [], [result], attribute('value', 4, [5, weight('')]));
  const path = open(
    model({
      inputs: [X],
      outputs: [Y],
      initializers: [number('two', 2n), truth('yes', true)],
      nodes: [
        constant('outer'),
        ...product('x', 'outer', 'h'),
        node(
          'Loop',
          ['two', 'yes', 'h'],
          ['y'],
          body('body', loopBody('c', [constant('c'), ...product('state', 'c', 'next')]))
        )
      ]
    })
  );

  it('should be counted, converted and summarised as those of initializers', async () => {
    const { variants } = await compare(path);
    expect(variants).toMatchObject(
      [3, 3, 0, 0].map(runs => ({
        plannedWeightCasts: runs,
        executedWeightCasts: runs,
        bitIdenticalToOff: true,
        findings: []
      }))
    );
    const { result: census } = await engine.handle('census', { path }, {});
    expect(census.activationCasts).toBe(0);
    expect(census.weightCasts.map(cast => [cast.weight, cast.to, cast.uses])).toEqual([
      ['outer', 'bfloat16', 1],
      ['outer', 'float32', 1],
      ['c', 'bfloat16', 2],
      ['c', 'float32', 2]
    ]);
    const { result: stats } = await engine.handle('weightStats', { path }, {});
    expect(stats.rows).toBe(4);
  });
});
