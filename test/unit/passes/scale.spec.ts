/**
 * The graph layer stays linear and does not recurse: counted by how often it looks at a node's operator, and by the work it does in
 * collections, never by time.
 */
import { join } from 'node:path';

import type { GraphShape } from '../../../bench/models/shapes';
import {
  chain as layers,
  fanOut,
  manyCasts,
  manyWeights,
  nestedModules,
  nestedRegions
} from '../../../bench/models/shapes';
import type { SyntheticFormat } from '../../../bench/models/synthetic';
import { writeSynthetic } from '../../../bench/models/synthetic';
import { makeCastsExplicit, takeCensus } from '../../../src/autocast';
import { describeModel } from '../../../src/engine/describe';
import { fixModel } from '../../../src/engine/fix';
import { planFix } from '../../../src/engine/fixplan';
import { LoadedModel, ModelStore } from '../../../src/engine/modelstore';
import { readModel, writeOnnx } from '../../../src/formats';
import { CPU_CAPABILITIES, legalize, lowerToOnnx } from '../../../src/lowering';
import type { IExportedModel, IGraph, IValue } from '../../../src/model';
import { withWeights } from '../../../src/model';
import { foldWeightCasts, PASS_ORDER, planGraph, validateGraph } from '../../../src/passes';
import type { CacheMode, Reference } from '../../../src/protocol';
import { CACHE_MODES, PASSES } from '../../../src/protocol';
import { WeightWorkers } from '../../../src/runtime';

const NO_LIMITS = { pinned: () => null, fixedOperands: () => null };
import { GraphBuilder, makeRegion } from '../autocast/builder';
import { testFolder } from '../runtime/helpers';

/** A chain of n nodes, half of it layout operators on a weight, half of it layers on an activation. */
function chain(n: number): GraphBuilder {
  const b = new GraphBuilder();
  const first = b.weight('first');
  let w: IValue = first;
  while (b.graph.nodes.length < n / 2) {
    w = b.call('aten.t.default', { self: w });
  }
  let x = b.cast(w, 'bfloat16');
  while (b.graph.nodes.length < n) {
    const weight = b.call('aten.t.default', { self: first });
    x = b.call(
      'aten.linear.default',
      { input: x, weight: b.cast(weight, 'bfloat16') },
      { dtype: 'bfloat16' },
      { region: 'r' }
    );
    x = b.cast(b.cast(x, 'float32'), 'bfloat16');
  }
  return b.output(x);
}

/** Count how often the operator of any node is read. */
function counted(graph: IGraph): () => number {
  let reads = 0;
  for (const node of graph.nodes) {
    const { op } = node;
    Object.defineProperty(node, 'op', {
      get: () => {
        reads++;
        return op;
      },
      enumerable: true,
      configurable: true
    });
  }
  return () => reads;
}

describe('work per node', () => {
  const tasks: [string, (graph: IGraph) => unknown][] = [
    ...PASS_ORDER.map(
      pass =>
        [pass.name, (graph: IGraph) => pass.run(graph)] as [string, (graph: IGraph) => unknown]
    ),
    ['folding', foldWeightCasts]
  ];

  it.each(tasks)('should not grow with the graph in %s', (_, run) => {
    const perNode = [1000, 4000].map(n => {
      const { graph } = chain(n);
      const reads = counted(graph);
      run(graph);
      return reads() / n;
    });
    expect(perNode[1]).toBeLessThanOrEqual(perNode[0] * 1.2);
  });
});

describe('a chain of 100,000 nodes', () => {
  it('should be planned in every mode without running out of stack', () => {
    const b = chain(100_000);
    const model = b.model({ regions: [makeRegion('r')] });
    const explicit = makeCastsExplicit(model);
    const census = takeCensus(explicit, model, 'chain.pt2');
    expect(census.perForward.off.weightCasts).toBeGreaterThan(9_000);
    for (const cache of ['off', 'autocast', 'folded'] as const) {
      const planned = planGraph(explicit.graph, model, { cache, passes: PASSES });
      expect(planned.weightCasts).toBeLessThanOrEqual(census.perForward.off.weightCasts);
      if (cache === 'folded') {
        expect(planned.weightCasts).toBe(0);
        expect(validateGraph(planned.graph)).toEqual([]);
      }
    }
  }, 120_000);
});

const MODES: readonly (CacheMode | Reference)[] = [...CACHE_MODES, 'float32'];

const workers = new WeightWorkers();
afterAll(() => workers.dispose());

/** Run every stage between a file and the files made of it. */
async function runAll(
  path: string,
  output: string,
  modes: readonly (CacheMode | Reference)[],
  note: (stage: string) => void
): Promise<void> {
  const model = await readModel(path);
  note('read');
  const explicit = makeCastsExplicit(model);
  note('make casts explicit');
  takeCensus(explicit, model, path);
  note('census');
  describeModel(new LoadedModel(model), path);
  note('describe');
  for (const cache of modes) {
    const planned = planGraph(explicit.graph, model, { cache, passes: PASSES });
    note(`plan ${cache}`);
    const lowered = lowerToOnnx(planned.graph);
    note(`lower ${cache}`);
    const { graph } = legalize(lowered, CPU_CAPABILITIES);
    note(`legalise ${cache}`);
    writeOnnx(withStoredWeights(graph));
    note(`write ${cache}`);
  }
  planFix(explicit, model, 'leave', NO_LIMITS);
  note('plan the repair');
  await fixModel(new ModelStore(), workers, { path, output, overwrite: true }, {});
  note('repair');
}

/** The graph with derived weights taken for stored ones: converting them is the runtime's, and no matter of the graph. */
function withStoredWeights(graph: IGraph): IGraph {
  const range = { file: '/weights', offset: 0, length: 2 ** 40 };
  return withWeights(graph, weight =>
    weight.data.kind === 'derived' ? { ...weight, data: { kind: 'range', range } } : weight
  );
}

/** Methods of collections, and whether they go through all elements. Loops over lists and copies by `...` iterate. */
const COUNTED: readonly (readonly [object, readonly PropertyKey[], boolean])[] = [
  [Array.prototype, [Symbol.iterator], true],
  [Map.prototype, ['get', 'set', 'has', 'delete'], false],
  [Set.prototype, ['add', 'has', 'delete'], false],
  [
    Array.prototype,
    ['includes', 'indexOf', 'find', 'findIndex', 'findLast', 'filter', 'map', 'some', 'every']
      .concat(['shift', 'unshift', 'splice', 'concat', 'slice', 'forEach', 'flatMap', 'reduce'])
      .concat(['reduceRight', 'join', 'reverse']),
    true
  ]
];

/** Count the steps that collections take from here on. `restore` undoes it. */
function countSteps(): { steps: () => number; restore: () => void } {
  let steps = 0;
  const undo: (() => void)[] = [];
  for (const [prototype, names, isWhole] of COUNTED) {
    const methods = prototype as Record<PropertyKey, (...args: unknown[]) => unknown>;
    for (const name of names) {
      const original = methods[name];
      methods[name] = function (this: { length?: number }, ...args: unknown[]): unknown {
        steps += isWhole ? 1 + (this.length ?? 0) : 1;
        return original.apply(this, args);
      };
      undo.push(() => (methods[name] = original));
    }
  }
  return { steps: () => steps, restore: () => undo.forEach(restore => restore()) };
}

const SHAPES: readonly (readonly [string, GraphShape, readonly SyntheticFormat[]])[] = [
  ['a chain', layers, ['training', 'aten', 'onnx']],
  ['one value with many users', fanOut, ['training', 'aten', 'onnx']],
  ['many weights', manyWeights, ['training', 'aten', 'onnx-external']],
  ['one weight with many casts', manyCasts, ['training', 'aten', 'onnx']],
  ['nested regions', nestedRegions, ['training']],
  ['nested modules', nestedModules, ['training', 'aten']]
];

/** Collection steps per node that `run` takes on graphs of two sizes. */
function stepsPerNode(make: (n: number) => IGraph, run: (graph: IGraph) => unknown): number[] {
  return [100, 100, 400]
    .map(n => {
      const graph = make(n);
      const counter = countSteps();
      try {
        run(graph);
        return counter.steps() / n;
      } finally {
        counter.restore();
      }
    })
    .slice(1);
}

/** Casts in a row; each result but the last is used by the next one alone. */
function castsInARow(n: number): IGraph {
  const b = new GraphBuilder();
  let value = b.weight('w');
  for (let i = 0; i < n; i++) {
    value = b.cast(value, i % 2 === 0 ? 'bfloat16' : 'float16');
  }
  return b.output(b.call('aten.mm.default', { self: value, mat2: value })).graph;
}

/** Casts to the dtype there is already, in a row; a view of each is cast, of the last one first. */
function idleCastsInARow(n: number): IGraph {
  const b = new GraphBuilder();
  const values = [b.weight('w')];
  while (values.length < n) {
    values.push(b.cast(values[values.length - 1], 'float32'));
  }
  for (const value of values.reverse()) {
    const view = b.call('aten.t.default', { self: value });
    const cast = b.cast(view, 'bfloat16');
    b.output(b.call('aten.mm.default', { self: cast, mat2: cast }));
  }
  return b.graph;
}

/** Views in a row that start at a cast which has to stay, for its result is written to; each is cast, the last one first. */
function viewsOfWritten(n: number): IGraph {
  const b = new GraphBuilder();
  const values = [b.cast(b.weight('w'), 'bfloat16')];
  while (values.length < n) {
    values.push(b.call('aten.clone.default', { self: values[values.length - 1] }));
  }
  for (const value of values.reverse()) {
    const cast = b.cast(value, 'float16');
    b.output(b.call('aten.mm.default', { self: cast, mat2: cast }));
  }
  b.call('aten.relu_.default', { self: values[values.length - 1] });
  return b.graph;
}

/** Transposes in a row; each is the right operand of a product. */
function transposesInARow(n: number): IGraph {
  const b = new GraphBuilder();
  const x = b.input('x');
  let weight = b.weight('w');
  for (let i = 0; i < n; i++) {
    weight = b.call('aten.t.default', { self: weight });
    b.output(b.call('aten.mm.default', { self: x, mat2: weight }));
  }
  return b.graph;
}

/** Transposes of a value in low precision in a row; each is cast up. */
function upcastsInARow(n: number): IGraph {
  const b = new GraphBuilder();
  let x = b.call('aten.relu.default', { self: b.input('x', 'bfloat16') });
  for (let i = 0; i < n; i++) {
    x = b.call('aten.t.default', { self: x });
    const up = b.cast(x, 'float32');
    b.output(b.call('aten.mm.default', { self: up, mat2: up }));
  }
  return b.graph;
}

/** Branches in branches; each casts a weight of the outermost graph and one of its own. */
function nestedBranches(n: number): IGraph {
  let body: IGraph | null = null;
  const outer = new GraphBuilder();
  const weight = outer.weight('w');
  for (let level = n; level >= 0; level--) {
    const b: GraphBuilder = level === 0 ? outer : new GraphBuilder();
    const own = b.weight(`w${level}`);
    const values = [weight, own].map((value, i) =>
      b.call(
        'onnx.Cast',
        { value, to: { kind: 'dtype', value: 'bfloat16' } },
        { dtype: 'bfloat16' },
        { name: `c${level}_${i}` }
      )
    );
    if (body !== null) {
      const branch = { kind: 'graph', value: body } as const;
      const node = b.node('onnx.If', { own, then_branch: branch }, {}, { name: `if${level}` });
      values.push(node.outputs[0]!);
    }
    values.forEach((value, i) => (value.name = `v${level}_${i}`));
    b.graph.opsets[''] = 20;
    b.output(...values);
    body = b.graph;
  }
  return outer.graph;
}

const hoist = (graph: IGraph): unknown =>
  PASS_ORDER.find(pass => pass.name === 'hoist-casts')!.run(graph);
const prepare = (graph: IGraph): unknown => legalize(lowerToOnnx(graph), CPU_CAPABILITIES);

describe('steps in collections', () => {
  it.each([
    ['casts in a row, when they are folded', castsInARow, foldWeightCasts],
    ['idle casts in a row, when views of them are folded', idleCastsInARow, foldWeightCasts],
    ['idle casts in a row, when casts of views move up', idleCastsInARow, hoist],
    ['views of a cast that stays, when they are folded', viewsOfWritten, foldWeightCasts],
    ['transposed weights in a row', transposesInARow, prepare],
    ['transposed values in a row that are cast up', upcastsInARow, prepare],
    ['branches in branches', nestedBranches, prepare]
  ])('should not grow with the number of %s', (_, make, run) => {
    const [small, large] = stepsPerNode(make, run);
    expect(small).toBeGreaterThan(1);
    expect(large).toBeLessThanOrEqual(small * 1.2);
  });
});

describe('steps in collections per operator', () => {
  const folder = testFolder();
  const cases = SHAPES.flatMap(([name, shape, formats]) =>
    formats.map(format => [name, format, shape] as const)
  );

  it.each(cases)('should not grow with %s in %s, in any stage', async (name, format, shape) => {
    const extension = format.startsWith('onnx') ? 'onnx' : 'pt2';
    const perOperator = new Map<string, number[]>();
    for (const size of [50, 100, 400]) {
      const path = join(folder.path, `${name}-${format}-${size}.${extension}`);
      await writeSynthetic(path, format, shape(size, 4));
      const counter = countSteps();
      try {
        let before = 0;
        await runAll(path, join(folder.path, `fixed.${extension}`), MODES, stage => {
          const steps = counter.steps();
          const list = perOperator.get(stage) ?? [];
          perOperator.set(stage, list);
          list.push((steps - before) / size);
          before = counter.steps();
        });
      } finally {
        counter.restore();
      }
    }
    // The first size only fills what is filled once.
    const grown = [...perOperator].filter(([, [, small, large]]) => large > small * 1.2 + 1);
    expect(grown).toEqual([]);
    expect(perOperator.size).toBe(6 + 4 * MODES.length);
  });
});

describe('deep and wide graphs', () => {
  const folder = testFolder();

  it.each([
    ['regions nested 1,500 deep', nestedRegions, 1_500, ['training']],
    ['modules nested 1,000 deep', nestedModules, 1_000, ['training', 'aten']],
    ['an operator with 130,000 operands', fanOut, 130_000, ['onnx']]
  ] as const)(
    'should go through all stages with %s',
    async (_, shape, size, formats) => {
      for (const format of formats) {
        const extension = format === 'onnx' ? 'onnx' : 'pt2';
        const path = join(folder.path, `deep.${extension}`);
        await writeSynthetic(path, format, shape(size, 4));
        const stages: string[] = [];
        await runAll(path, join(folder.path, `deep-fixed.${extension}`), ['folded'], stage =>
          stages.push(stage)
        );
        expect(stages.at(-1)).toBe('repair');
      }
    },
    240_000
  );

  it('should plan branches nested 5,000 deep', () => {
    const depth = 5_000;
    const b = new GraphBuilder();
    const weight = b.weight('w');
    let body: IGraph | null = null;
    for (let level = depth; level >= 0; level--) {
      const inner: GraphBuilder = level === 0 ? b : new GraphBuilder();
      const branch = body === null ? null : ({ kind: 'graph', value: body } as const);
      const node = inner.node(
        'higher_order.cond',
        { self: weight, branch },
        {},
        { name: `c${level}` }
      );
      node.outputs[0]!.name = `v${level}`;
      const cast = inner.cast(weight, 'bfloat16', { name: `k${level}` });
      cast.name = `k${level}`;
      inner.output(node.outputs[0]!, cast);
      body = inner.graph;
    }
    const model: IExportedModel = b.model({ dialect: 'ATEN' });
    const explicit = makeCastsExplicit(model);
    expect(takeCensus(explicit, model, 'deep.pt2').perForward.off.weightCasts).toBe(depth + 1);
    for (const cache of MODES) {
      const planned = planGraph(explicit.graph, model, { cache, passes: PASSES });
      expect(validateGraph(planned.graph)).toEqual([]);
      const folds = cache === 'folded' || cache === 'frozen';
      expect(planned.weightCasts).toBe(folds || cache === 'float32' ? 0 : depth + 1);
    }
    let count = 0;
    withWeights(explicit.graph, one => (count++, one));
    expect(count).toBe(1);
  });
});
