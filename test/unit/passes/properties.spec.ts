import fc from 'fast-check';
import { weightCastsOf } from '../../../src/autocast';
import { dropDeadNodes } from '../../../src/dataflow';
import type { DType, IValue } from '../../../src/model';
import { cloneGraph, elementCount, isFloating } from '../../../src/model';
import { PASS_ORDER, planGraph, shareCasts, validateGraph } from '../../../src/passes';
import type { IPass } from '../../../src/passes';
import type { CacheMode, PassName } from '../../../src/protocol';
import { CACHE_MODES } from '../../../src/protocol';
import { dtypeAttr, GraphBuilder } from '../autocast/builder';
import type { ITensor } from './interpreter';
import { evaluate, roundTo } from './interpreter';

const DTYPES: DType[] = ['float64', 'float32', 'float16', 'bfloat16', 'int64', 'bool'];

/** One step of a random graph: which earlier value it takes and what it does. */
interface IStep {
  readonly pick: number;
  readonly action: number;
  readonly dtype: number;
}

const steps = fc.array(fc.record({ pick: fc.nat(1000), action: fc.nat(11), dtype: fc.nat(1000) }), {
  minLength: 1,
  maxLength: 25
});

/** A random graph over weights (two of them tied, one a view of another) and an input. */
function build(program: readonly IStep[], outputCount: number): GraphBuilder {
  const b = new GraphBuilder();
  const values: IValue[] = [
    b.weight('w', { shape: [4, 6] }),
    b.weight('tied', { shape: [4, 6], storage: 'model.pt2:w' }),
    b.weight('w_again', { shape: [4, 6], storage: 'model.pt2:w' }),
    b.weight('part', { shape: [2, 6], storage: 'model.pt2:w', storageOffset: 12 }),
    b.weight('double', { shape: [2, 2], dtype: 'float64' }),
    b.weight('row', { shape: [1, 6], kind: 'buffer', requiresGrad: false }),
    b.input('x', 'float32', [2, 3])
  ];
  for (const { pick, action, dtype } of program) {
    const value = values[pick % values.length];
    const shape = value.shape as number[];
    switch (action) {
      case 0:
        if (shape.length === 2) {
          values.push(b.call('aten.t.default', { self: value }, { shape: [shape[1], shape[0]] }));
        }
        break;
      case 1:
        values.push(
          b.call(
            'aten.view.default',
            { self: value, size: [elementCount(shape), 1] },
            { shape: [elementCount(shape), 1] }
          )
        );
        break;
      case 2:
        if (shape[0] === 1) {
          const size = [3, ...shape.slice(1)];
          values.push(b.call('aten.expand.default', { self: value, size }, { shape: size }));
        }
        break;
      case 3:
        if (shape[0] > 1) {
          values.push(
            b.call(
              'aten.slice.Tensor',
              { self: value, dim: 0, start: 1, end: shape[0] },
              { shape: [shape[0] - 1, ...shape.slice(1)] }
            )
          );
        }
        break;
      case 4:
        if (shape[0] > 1 && shape[0] % 2 === 0) {
          const half = shape[0] / 2;
          const node = b.node(
            'aten.split.Tensor',
            { self: value, split_size: half, dim: 0 },
            { shape: [half, ...shape.slice(1)], count: 2 }
          );
          values.push(...node.outputs.map(one => one!));
        }
        break;
      case 5:
        values.push(b.call('test.scale', { self: value }));
        break;
      case 6:
        // A cast to the dtype the value has already, as training IR writes many.
        values.push(b.call('aten.to.dtype', { self: value, dtype: dtypeAttr(value.dtype!) }));
        break;
      default:
        values.push(b.cast(value, DTYPES[dtype % DTYPES.length]));
    }
  }
  for (let i = 0; i < outputCount; i++) {
    const value = values[values.length - 1 - i];
    b.output(
      b.call(
        'test.sum',
        { a: value, b: values[i % values.length] },
        { dtype: 'float64', shape: [] }
      )
    );
  }
  b.output(values[values.length - 1]);
  return b;
}

const inputs = new Map<string, ITensor>([
  [
    'x',
    {
      dtype: 'float32',
      shape: [2, 3],
      data: [1 + 2 ** -11 + 2 ** -20, -0, 3.4e38, -1e-41, 65520, 0.1].map(Math.fround)
    }
  ]
]);

function expectSameBits(after: readonly ITensor[], before: readonly ITensor[]): void {
  expect(after.length).toBe(before.length);
  after.forEach((tensor, i) => {
    expect(tensor.dtype).toBe(before[i].dtype);
    expect(tensor.shape).toEqual(before[i].shape);
    // toEqual tells -0 from 0 and takes NaN as equal to itself.
    expect(tensor.data).toEqual(before[i].data);
  });
}

describe('every pass', () => {
  it.each(PASS_ORDER.map(pass => [pass.name, pass] as [PassName, IPass]))(
    '%s should keep every bit and leave a valid graph',
    (_, pass) => {
      fc.assert(
        fc.property(steps, fc.integer({ min: 1, max: 6 }), (program, outputCount) => {
          const { graph } = build(program, outputCount);
          dropDeadNodes(graph);
          const before = evaluate(graph, inputs);
          const names = graph.nodes.map(node => node.name).join();
          const copy = cloneGraph(graph).graph;
          const result = pass.run(copy);
          expect(validateGraph(copy)).toEqual([]);
          expectSameBits(evaluate(copy, inputs), before);
          expect(result.modified).toBe(result.applied > 0);
          if (!result.modified) {
            expect(copy.nodes.map(node => node.name).join()).toBe(names);
          }
        }),
        { numRuns: 300 }
      );
    }
  );

  it('should come to an end', () => {
    fc.assert(
      fc.property(steps, program => {
        for (const pass of PASS_ORDER) {
          const { graph } = build(program, 3);
          let runs = 0;
          while (pass.run(graph).modified) {
            // Chains of casts may need a run for each cast; no chain is longer than the program.
            expect(++runs).toBeLessThanOrEqual(program.length);
          }
          if (pass === shareCasts) {
            expect(runs).toBeLessThanOrEqual(1);
          }
        }
      }),
      { numRuns: 300 }
    );
  });
});

describe('planGraph()', () => {
  const wanted = fc.subarray<PassName>(['share-casts', 'hoist-casts', 'remove-cast-pairs']);

  it('should keep every bit in all cache modes, with any passes', () => {
    fc.assert(
      fc.property(steps, wanted, fc.integer({ min: 1, max: 6 }), (program, passes, outputCount) => {
        const b = build(program, outputCount);
        dropDeadNodes(b.graph);
        const before = evaluate(b.graph, inputs);
        const model = b.model({ dialect: 'ATEN' });
        const counts = new Map<CacheMode, number>();
        for (const cache of CACHE_MODES) {
          const planned = planGraph(b.graph, model, { cache, passes, validate: true });
          expectSameBits(evaluate(planned.graph, inputs), before);
          const isFolded = cache === 'folded' || cache === 'frozen';
          // What is computed from weights stays in the graph here; the runtime computes it when the variant is loaded.
          const left = weightCastsOf(planned.graph).filter(
            ({ kind, from, weight }) =>
              !(isFolded && (kind === 'computed' || !isFloating(from) || !isFloating(weight.dtype)))
          );
          expect(planned.weightCasts).toBe(left.length);
          counts.set(cache, planned.weightCasts);
        }
        expect(counts.get('autocast')!).toBeLessThanOrEqual(counts.get('off')!);
        expect(counts.get('folded')).toBe(0);
        expect(counts.get('frozen')).toBe(0);
      }),
      { numRuns: 300 }
    );
  });
});

describe('roundTo()', () => {
  it('should round as the dtypes do', () => {
    expect(roundTo('float16', 1 + 2 ** -11)).toBe(1);
    expect(roundTo('float16', 1 + 2 ** -11 + 2 ** -30)).toBe(1 + 2 ** -10);
    expect(roundTo('float16', 65520)).toBe(Infinity);
    expect(roundTo('float16', 2 ** -25)).toBe(0);
    expect(roundTo('float16', 3 * 2 ** -26)).toBe(2 ** -24);
    expect(roundTo('bfloat16', 3.4e38)).toBe(Infinity);
    expect(roundTo('bfloat16', -0)).toBe(-0);
  });
});
