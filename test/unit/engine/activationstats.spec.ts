/**
 * Statistics that the device reduces against those of the same values fetched whole.
 *
 * @jest-environment ./test/support/ortenvironment.cjs
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { tableFromIPC } from 'apache-arrow';

import type { IProbingOptions } from '../../../src/engine/activationstats';
import { activationStatsTable } from '../../../src/engine/activationstats';
import { computeWeights } from '../../../src/engine/computedweights';
import { bindInputs } from '../../../src/engine/inputs';
import { ModelStore } from '../../../src/engine/modelstore';
import { Engine } from '../../../src/engine/service';
import { feedsOf, VariantSessions } from '../../../src/engine/sessions';
import { planVariantGraph, prepareVariant } from '../../../src/engine/variant';
import { writeOnnx } from '../../../src/formats';
import type { IGraph } from '../../../src/model';
import { cloneGraph, sweepDeadNodes } from '../../../src/model';
import type { ITensor } from '../../../src/numerics';
import { bytesOf, TensorStats } from '../../../src/numerics';
import type { IProbedValue } from '../../../src/probes';
import { headroomIn, probedValues, SCRATCH_BYTES, summaryGraph } from '../../../src/probes';
import type { CacheMode, IActivationStatsResult, IVariant, Reference } from '../../../src/protocol';
import { ACTIVATION_COLUMNS, STATS_SCHEMA_VERSION_KEY } from '../../../src/protocol';
import type { IProfile } from '../../../src/runtime';
import {
  executedCasts,
  parseDevice,
  RuntimeSession,
  WeightConverter,
  WeightWorkers
} from '../../../src/runtime';
import type { ITestNode, ITestPort } from '../../support/onnxmodel';
import { onnxModel } from '../../support/onnxmodel';
import { differenceByDefinition, numbersIn } from '../probes/support';
import { testFolder } from '../runtime/helpers';

// Many sessions are made, which takes seconds on a loaded machine.
jest.setTimeout(60_000);

const FIXTURES = join(__dirname, '../../fixtures');
const store = new ModelStore();
const workers = new WeightWorkers();
const sessions = new VariantSessions(workers);

afterAll(() => workers.dispose());

/** Probes reduce the values, in little memory. */
const ON_DEVICE: IProbingOptions = { scratchBytes: 2 ** 17, isFetching: false };

type Row = Readonly<Record<string, unknown>>;

function variantOf(cache: CacheMode | Reference): IVariant {
  return { cache, passes: [], device: 'cpu' };
}

async function statsOf(
  path: string,
  cache: CacheMode | Reference,
  params: object = {},
  options?: IProbingOptions
): Promise<{ rows: Row[]; result: IActivationStatsResult }> {
  const loaded = await store.load({ path });
  const variant = variantOf(cache);
  const { bytes, result } = await activationStatsTable(
    loaded,
    sessions,
    { path, variant, ...params },
    {},
    options
  );
  const rows = tableFromIPC(bytes)
    .toArray()
    .map(row => {
      const plain = (row as { toJSON(): Row }).toJSON();
      return {
        ...plain,
        shape: Array.from(plain.shape as Iterable<bigint>, Number),
        exponents: Uint32Array.from(plain.exponents as Iterable<number>)
      };
    });
  return { rows, result };
}

/** Run a graph; `outputs` in place of its own. */
async function run(
  graph: IGraph,
  inputs: ReadonlyMap<string, ITensor>
): Promise<{ results: ReadonlyMap<string, ITensor>; profile: IProfile }> {
  const session = await RuntimeSession.create(writeOnnx(graph), {
    device: parseDevice('cpu'),
    level: 'planned',
    profile: true
  });
  try {
    const results = await session.run(feedsOf(graph, inputs));
    return { results, profile: session.endProfile() };
  } finally {
    await session.dispose();
  }
}

/** All that a variant's graph computes at these places, fetched whole. */
async function fetchAll(
  path: string,
  cache: CacheMode | Reference,
  places: ReadonlySet<string>
): Promise<Map<string, ITensor>> {
  const loaded = await store.load({ path });
  const inputs = await bindInputs(loaded.model, {});
  const prepared = prepareVariant(loaded, variantOf(cache));
  const converted = await computeWeights(new WeightConverter(workers), prepared, { reuse: false });
  try {
    const { graph } = cloneGraph(converted.graph);
    graph.outputs = graph.nodes
      .flatMap(node => node.outputs)
      .filter(value => value !== null)
      .filter(({ name }) => places.has(name));
    sweepDeadNodes(graph);
    const { results } = await run(graph, inputs.tensors);
    const given = feedsOf(graph, inputs.tensors);
    return new Map([...given, ...results]);
  } finally {
    converted.dispose();
  }
}

async function valuesOf(path: string, cache: CacheMode): Promise<IProbedValue[]> {
  const loaded = await store.load({ path });
  const pair = (mode: CacheMode | Reference): { planned: IGraph; legal: IGraph } => ({
    planned: planVariantGraph(loaded, variantOf(mode)).graph,
    legal: prepareVariant(loaded, variantOf(mode)).legal.graph
  });
  return probedValues(pair(cache), loaded.explicit.graph, pair('float32')).values;
}

const close = (found: unknown, wanted: number | null, scale: number): boolean =>
  wanted === null || !Number.isFinite(wanted)
    ? found === wanted
    : Math.abs((found as number) - wanted) <= 1e-10 * Math.max(scale, Number.MIN_VALUE);

/** Every figure against the values that the graph computes, fetched whole. */
async function expectAgreement(
  path: string,
  cache: CacheMode,
  options?: IProbingOptions
): Promise<void> {
  const { rows, result } = await statsOf(path, cache, {}, options);
  const values = await valuesOf(path, cache);
  const fetched = await fetchAll(path, cache, new Set(values.map(({ place }) => place)));
  const references = await fetchAll(
    path,
    'float32',
    new Set(values.flatMap(({ reference }) => reference ?? []))
  );
  expect(rows.map(row => row.name)).toEqual(values.map(({ name }) => name));
  expect([result.rows, result.reference]).toEqual([rows.length, true]);
  expect(rows.length).toBeGreaterThan(3);
  for (const [i, { name, place, dtype, module, reference, limit }] of values.entries()) {
    const row = rows[i];
    const tensor = fetched.get(place)!;
    const gathered = new TensorStats(tensor.dtype);
    gathered.add(bytesOf(tensor.data));
    const stats = gathered.result();
    expect(row).toMatchObject({
      name,
      dtype,
      module,
      shape: tensor.shape,
      count: BigInt(stats.count),
      min: stats.min,
      max: stats.max,
      zeros: BigInt(stats.zeros),
      nan: BigInt(stats.nan),
      inf: BigInt(stats.inf),
      float16_overflow: stats.float16?.overflow ?? null,
      float16_subnormal: stats.float16?.subnormal ?? null,
      float16_vanish: stats.float16?.vanish ?? null,
      bfloat16_overflow: stats.bfloat16?.overflow ?? null,
      bfloat16_subnormal: stats.bfloat16?.subnormal ?? null,
      bfloat16_vanish: stats.bfloat16?.vanish ?? null,
      limit_dtype: limit
    });
    expect(row.exponents).toEqual(stats.exponents);
    const scale = Math.max(Math.abs(stats.min ?? 0), Math.abs(stats.max ?? 0));
    expect([name, close(row.mean, stats.mean, scale)]).toEqual([name, true]);
    expect([name, close(row.std, stats.std, scale)]).toEqual([name, true]);
    if (limit !== null) {
      const magnitudes = numbersIn(tensor)
        .map(Math.abs)
        .filter(x => x > 0 && x < Infinity);
      const minMagnitude = magnitudes.length > 0 ? Math.min(...magnitudes) : null;
      const headroom = headroomIn(limit, { shape: tensor.shape, stats, minMagnitude });
      expect(row).toMatchObject({
        overflow_ratio: headroom.overflowRatio,
        overflow_binades: headroom.overflowBinades,
        subnormal_binades: headroom.subnormalBinades,
        near_subnormal: headroom.nearSubnormal
      });
    }
    if (reference === null) {
      expect([name, row.max_abs_error, row.snr_db]).toEqual([name, null, null]);
      continue;
    }
    const wanted = differenceByDefinition(numbersIn(tensor), numbersIn(references.get(reference)!));
    for (const [column, figure] of [
      ['max_abs_error', wanted.maxAbsError],
      ['max_rel_error', wanted.maxRelError],
      ['max_element_rel_error', wanted.maxElementRelError],
      ['cosine', wanted.cosine],
      ['snr_db', wanted.snrDb]
    ] as const) {
      const isClose = close(row[column], figure, Math.abs(figure ?? 0));
      expect([name, column, isClose ? figure : row[column]]).toEqual([name, column, figure]);
    }
  }
  const { plainBytes, probedBytes } = result.cost;
  const scratch = options?.scratchBytes ?? SCRATCH_BYTES;
  expect(probedBytes).toBeLessThanOrEqual(Math.max(1.3 * plainBytes, plainBytes + scratch));
}

const cases: readonly [string, string, CacheMode][] = [
  ['seed-mlp', 'model.pt2', 'off'],
  ['seed-mlp', 'model.pt2', 'frozen'],
  ['seed-mlp', 'model.core.pt2', 'autocast'],
  ['seed-mlp', 'model.onnx', 'off'],
  ['nested-regions', 'model.pt2', 'off'],
  ['reused-weights', 'model.pt2', 'folded'],
  ['dynamic-batch', 'model.pt2', 'off'],
  ['convnet', 'model.pt2', 'off'],
  ['convnet', 'model.onnx', 'folded'],
  ['bert', 'model.pt2', 'frozen'],
  ['llama', 'model.pt2', 'off']
];

describe('activationStatsTable', () => {
  it.each(cases)('should agree with the values fetched whole: %s %s %s', (fixture, file, cache) =>
    expectAgreement(join(FIXTURES, fixture, file), cache)
  );

  it.each(cases)(
    'should agree where the device reduces the values: %s %s %s',
    (fixture, file, cache) => expectAgreement(join(FIXTURES, fixture, file), cache, ON_DEVICE)
  );

  it('should load no more than ten graphs, however many values there are', async () => {
    const count = 6000;
    const nodes = Array.from({ length: count }, (_, i) => ({
      op: i % 2 ? 'Tanh' : 'Sin',
      name: `n${i}`,
      inputs: [i === 0 ? 'x' : `v${i - 1}`],
      outputs: [`v${i}`]
    }));
    const port = (name: string): ITestPort => ({ name, dtype: 'float32', shape: [16, 16] });
    const path = folder.write(
      'deep.onnx',
      onnxModel({ nodes, inputs: [port('x')], outputs: [port(`v${count - 1}`)] })
    );
    const create = jest.spyOn(RuntimeSession, 'create');
    const { rows, result } = await statsOf(path, 'off');
    expect(rows).toHaveLength(count);
    expect(result.batches).toBe(2);
    expect(create.mock.calls.length).toBeLessThanOrEqual(10);
    create.mockRestore();
  });

  it('should agree on what is no number, whole numbers, scalars, and values without elements', async () => {
    const node = (
      op: string,
      inputs: string[],
      output: string,
      ints: ITestNode['ints'] = {}
    ): ITestNode => ({ op, name: output, inputs, outputs: [output], ints });
    const float = (name: string, shape: number[]): ITestPort => ({ name, dtype: 'float32', shape });
    const nodes = [
      node('Cast', ['x'], 'low', { to: 16 }),
      node('Cast', ['low'], 'high', { to: 1 }),
      node('Sub', ['high', 'high'], 'zeros'),
      node('Div', ['high', 'zeros'], 'infinite'),
      node('Sub', ['infinite', 'infinite'], 'nan'),
      node('Cast', ['high'], 'whole', { to: 7 }),
      node('Cast', ['high'], 'truth', { to: 9 }),
      node('NonZero', ['zeros'], 'nothing'),
      node('Cast', ['nothing'], 'none', { to: 1 }),
      node('ReduceSum', ['high'], 'scalar', { keepdims: 0 }),
      node('Add', ['nan', 'scalar'], 'y')
    ];
    const path = folder.write(
      'kinds.onnx',
      onnxModel({
        nodes,
        inputs: [float('x', [3, 5])],
        outputs: [float('y', [3, 5]), float('high', [3, 5]), float('none', [2, 0])]
      })
    );
    await expectAgreement(path, 'off');
    await expectAgreement(path, 'off', ON_DEVICE);
    const { rows } = await statsOf(path, 'off');
    const counts = new Map(rows.map(({ name, count, nan, inf }) => [name, [count, nan, inf]]));
    expect(counts.get('infinite')).toEqual([15n, 0n, 15n]);
    expect(counts.get('nan')).toEqual([15n, 15n, 0n]);
    expect(counts.get('none')).toEqual([0n, 0n, 0n]);
    expect(counts.get('scalar')).toEqual([1n, 0n, 0n]);
  });

  it('should compare every floating-point value of a training-IR program', async () => {
    const { rows } = await statsOf(join(FIXTURES, 'llama', 'model.pt2'), 'off');
    const missing = rows.filter(
      row => /float/.test(String(row.dtype)) && row.max_abs_error === null
    );
    expect(missing.map(row => row.name)).toEqual([]);
    const worst = Math.min(...rows.map(row => (row.snr_db as number | null) ?? Infinity));
    expect(worst).toBeGreaterThan(20);
  });

  it('should find no difference of float32 to itself', async () => {
    const { rows } = await statsOf(join(FIXTURES, 'seed-mlp', 'model.pt2'), 'float32');
    for (const row of rows) {
      expect(row).toMatchObject({ max_abs_error: 0, max_rel_error: 0, snr_db: Infinity });
    }
  });

  it('should give the same figures in all cache modes', async () => {
    const path = join(FIXTURES, 'seed-mlp', 'model.pt2');
    const figures = async (cache: CacheMode): Promise<unknown> =>
      (await statsOf(path, cache)).rows.map(({ name, min, max, max_abs_error }) => [
        name,
        min,
        max,
        max_abs_error
      ]);
    const off = await figures('off');
    expect(await figures('autocast')).toEqual(off);
    expect(await figures('folded')).toEqual(off);
    expect(await figures('frozen')).toEqual(off);
  });

  it('should have the documented columns', async () => {
    const path = join(FIXTURES, 'seed-mlp', 'model.pt2');
    const loaded = await store.load({ path });
    const params = { path, variant: variantOf('off'), reference: false };
    const { bytes, result } = await activationStatsTable(loaded, sessions, params, {});
    const { schema } = tableFromIPC(bytes);
    const types: Readonly<Record<string, string>> = {
      utf8: 'Utf8',
      int64: 'Int64',
      float64: 'Float64',
      'list<int64>': 'List<Int64>',
      'fixed_size_list<uint32>[256]': 'FixedSizeList[256]<Uint32>'
    };
    expect(schema.fields.map(({ name, type }) => [name, String(type)])).toEqual(
      ACTIVATION_COLUMNS.map(({ name, type }) => [name, types[type]])
    );
    expect(schema.metadata.has(STATS_SCHEMA_VERSION_KEY)).toBe(true);
    expect(result).toMatchObject({ reference: false, batches: 1, inputs: expect.any(String) });
  });

  it('should take the values and modules asked for', async () => {
    const path = join(FIXTURES, 'seed-mlp', 'model.pt2');
    const all = (await statsOf(path, 'off', { reference: false })).rows;
    const named = await statsOf(path, 'off', { reference: false, values: ['relu', 'linear'] });
    expect(named.rows).toEqual(all.filter(row => ['relu', 'linear'].includes(String(row.name))));
    const inside = await statsOf(path, 'off', { reference: false, modules: ['sub'] });
    expect(inside.rows).toEqual(all.filter(row => /^sub(\.|$)/.test(String(row.module))));
    expect(inside.rows.length).toBeGreaterThan(1);
    expect(inside.rows.length).toBeLessThan(all.length);
    await expect(statsOf(path, 'off', { values: ['nothing'] })).rejects.toMatchObject({
      code: 'bad-argument',
      message: expect.stringContaining('value "nothing" cannot be summarised')
    });
    await expect(statsOf(path, 'off', { modules: ['nothing'] })).rejects.toThrow(
      'module "nothing" computes no value'
    );
  });

  it('should refuse the reference whose values the runtime fuses away', async () => {
    await expect(
      statsOf(join(FIXTURES, 'seed-mlp', 'model.pt2'), 'onnxruntime')
    ).rejects.toMatchObject({ code: 'bad-argument' });
  });

  it.each([
    ['Summarising values', 0],
    ['Comparing with float32', 0.5]
  ])('should tell how far it is, and stop between runs when cancelled: %s', async (stage, from) => {
    const path = join(FIXTURES, 'llama', 'model.pt2');
    const abort = new AbortController();
    const told: (number | undefined)[] = [];
    const params = { path, variant: variantOf('off') };
    const stopped = activationStatsTable(
      await store.load({ path }),
      sessions,
      params,
      {
        signal: abort.signal,
        progress: ({ text, done, total, fraction }) => {
          if (text.startsWith(stage)) {
            expect(done).toBeLessThanOrEqual(total!);
            told.push(fraction);
            if (told.length === 2) {
              abort.abort();
            }
          }
        }
      },
      ON_DEVICE
    );
    await expect(stopped).rejects.toMatchObject({ code: 'cancelled' });
    expect(told).toHaveLength(2);
    expect(told[0]).toBe(from);
    expect(told[1]).toBeGreaterThan(from);
  });

  it('should write the table to a file, and never over the model', async () => {
    const engine = new Engine();
    const path = join(FIXTURES, 'seed-mlp', 'model.pt2');
    const outputFile = join(folder.path, 'stats.arrow');
    const variant = variantOf('off');
    const { buffers } = await engine.handle('activationStats', { path, variant, outputFile }, {});
    expect(readFileSync(outputFile)).toEqual(Buffer.from(buffers[0]));
    await expect(
      engine.handle('activationStats', { path, variant, outputFile: path }, {})
    ).rejects.toMatchObject({ code: 'bad-argument' });
  });
});

const folder = testFolder();

describe('probes', () => {
  it.each([
    ['seed-mlp', 'off'],
    ['seed-mlp', 'frozen'],
    ['reused-weights', 'autocast']
  ] as const)('should change neither outputs nor weight casts: %s %s', async (fixture, cache) => {
    const loaded = await store.load({ path: join(FIXTURES, fixture, 'model.pt2') });
    const inputs = await bindInputs(loaded.model, {});
    const prepared = prepareVariant(loaded, variantOf(cache));
    const converted = await new WeightConverter(workers).materialize(prepared.legal.graph, {
      reuse: false
    });
    try {
      const places = (await valuesOf(loaded.model.path, cache)).map(({ place }) => place);
      const { graph } = summaryGraph(converted.graph, [...new Set(places)], 64, true);
      const plain = await run(converted.graph, inputs.tensors);
      const probed = await run(graph, inputs.tensors);
      for (const { name } of converted.graph.outputs) {
        expect(bytesOf(probed.results.get(name)!.data)).toEqual(
          bytesOf(plain.results.get(name)!.data)
        );
      }
      const casts = ({ profile }: { profile: IProfile }): unknown =>
        executedCasts(
          profile,
          prepared.weightCastNodes.keys(),
          graph.weights.map(({ value }) => value.name),
          graph.nodes.map(node => node.name)
        );
      expect(casts(probed)).toEqual(casts(plain));
      expect(casts(probed)).toMatchObject({ total: prepared.forward.weightCasts });
    } finally {
      converted.dispose();
    }
  });

  describe('on a chain of large values', () => {
    /** Casts to float16, so that there is a difference, and functions in turn. */
    const count = 6;
    const nodes = Array.from({ length: count }, (_, i) => [
      {
        op: 'Cast',
        name: `low${i}`,
        inputs: [i === 0 ? 'x' : `v${i - 1}`],
        outputs: [`low${i}`],
        ints: { to: 10 }
      },
      { op: 'Cast', name: `high${i}`, inputs: [`low${i}`], outputs: [`high${i}`], ints: { to: 1 } },
      { op: i % 2 ? 'Tanh' : 'Sin', name: `v${i}`, inputs: [`high${i}`], outputs: [`v${i}`] }
    ]).flat();
    const port = (name: string): { name: string; dtype: string; shape: number[] } => ({
      name,
      dtype: 'float32',
      shape: [200, 300]
    });
    const path = folder.write(
      'chain.onnx',
      onnxModel({ nodes, inputs: [port('x')], outputs: [port(`v${count - 1}`)] })
    );

    it('should stay within the bound, cutting what is too large to be held, and lose nothing', async () => {
      const { rows, result } = await statsOf(path, 'off', {}, ON_DEVICE);
      const { plainBytes, probedBytes } = result.cost;
      // Two values of 240,000 bytes at a time, and what rounding to float16 needs.
      expect(plainBytes).toBeGreaterThanOrEqual(2 * 240_000);
      expect(probedBytes).toBeLessThanOrEqual(1.3 * plainBytes);
      expect(result.batches).toBeGreaterThan(count);
      const values = await valuesOf(path, 'off');
      const fetched = await fetchAll(path, 'off', new Set(values.map(({ place }) => place)));
      const references = await fetchAll(
        path,
        'float32',
        new Set(values.flatMap(({ reference }) => reference ?? []))
      );
      for (const [i, { name, place, reference }] of values.entries()) {
        const wanted = differenceByDefinition(
          numbersIn(fetched.get(place)!),
          numbersIn(references.get(reference!)!)
        );
        expect([name, rows[i].max_abs_error]).toEqual([name, wanted.maxAbsError]);
        expect(rows[i].snr_db).toBeCloseTo(wanted.snrDb!, 8);
        expect(rows[i].count).toBe(60_000n);
      }
    });
  });
});
