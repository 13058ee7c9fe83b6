/**
 * Differences computed on the device against the definitions, spelled out.
 *
 * @jest-environment ./test/support/ortenvironment.cjs
 */
import { makeValue } from '../../../src/model';
import type { ITensor } from '../../../src/numerics';
import { normal, uniform } from '../../../src/numerics';
import type { IDifference, IPiece } from '../../../src/probes';
import {
  differenceGraph,
  differenceOf,
  mergeDifferences,
  piecesGraph,
  readDifference
} from '../../../src/probes';
import { differenceByDefinition, graphOf, nodeOf, numbersIn, runGraph, tensorOf } from './support';

/** `v = x + d` in one graph and `v = x` in the other, compared piece by piece. */
async function compare(
  value: readonly number[],
  reference: readonly number[],
  ends: readonly number[]
): Promise<IDifference> {
  const size = value.length;
  const graphs = ['d', 'r'].map(which => {
    const inputs = ['d', 'r'].map(name => makeValue(name, 'float32', [size]));
    const v = makeValue('v', 'float32', [size]);
    const out = makeValue('out', 'float32', [size]);
    const chosen = inputs[which === 'd' ? 0 : 1];
    return graphOf(inputs, [nodeOf('Identity', [chosen], v), nodeOf('Neg', [v], out)], [out]);
  });
  const pieces: IPiece[] = ends.map((end, i) => ({
    value: 'v',
    reference: 'v',
    size,
    start: i === 0 ? 0 : ends[i - 1],
    end
  }));
  const feeds = {
    d: tensorOf('float32', Float32Array.from(value)),
    r: tensorOf('float32', Float32Array.from(reference))
  };
  const first = piecesGraph(graphs[1], pieces);
  const { graph, probes, references } = differenceGraph(graphs[0], pieces, first.vectors, 32);
  const held = await runGraph(first.graph, feeds);
  const given = references.map(({ name }, i): [string, ITensor] => [
    name,
    held.results.get(first.vectors[i].name)!
  ]);
  const { results } = await runGraph(graph, { ...feeds, ...Object.fromEntries(given) });
  return differenceOf(
    probes.map(({ name }) => readDifference(numbersIn(results.get(name)!))).reduce(mergeDifferences)
  );
}

const gauss = normal(uniform(3));
const random = (count: number): number[] =>
  Array.from({ length: count }, () => Math.fround(gauss()));
const noisy = (numbers: readonly number[]): number[] =>
  numbers.map(x => Math.fround(x * (1 + gauss() / 100)));
const base = random(500);

const cases: readonly [string, readonly number[], readonly number[]][] = [
  ['random numbers', noisy(base), base],
  ['the same numbers', base, base],
  ['opposite numbers', base.map(x => -x), base],
  ['a reference of zeros', base, base.map(() => 0)],
  ['a value of zeros', base.map(() => 0), base],
  ['some zeros in the reference', noisy(base), base.map((x, i) => (i % 3 === 0 ? 0 : x))],
  ['masks that are infinite in both', [-Infinity, 1, 2], [-Infinity, 1, 2.5]],
  ['an overflow', [Infinity, 1], [70000, 1]],
  ['a new NaN', [NaN, 1], [2, 1]],
  ['a NaN in the reference alone', [2, 1], [NaN, 1.5]],
  ['no finite reference', [1, 2], [NaN, Infinity]],
  ['one element', [1.5], [2]]
];

describe('differenceGraph', () => {
  it.each(cases)('should agree with the definitions on %s', async (_, value, reference) => {
    const size = value.length;
    for (const ends of [[size], size > 100 ? [1, 77, size] : [size]]) {
      const found = await compare(value, reference, ends);
      const wanted = differenceByDefinition(value, reference);
      for (const key of Object.keys(wanted) as (keyof IDifference)[]) {
        if (wanted[key] === null || !Number.isFinite(wanted[key])) {
          expect([key, found[key]]).toEqual([key, wanted[key]]);
        } else {
          expect([key, found[key]]).toEqual([key, expect.closeTo(wanted[key], 10)]);
        }
      }
    }
  });

  it('should take elements that several values are compared with once', () => {
    const x = makeValue('x', 'float32', [64]);
    const [a, b] = ['a', 'b'].map(name => makeValue(name, 'float32', [64]));
    const source = graphOf([x], [nodeOf('Neg', [x], a), nodeOf('Identity', [a], b)], [b]);
    const piece = { reference: 'a', size: 64, start: 0, end: 64 };
    const pieces = [
      { ...piece, value: 'a' },
      { ...piece, value: 'b' }
    ];
    const { graph, vectors } = piecesGraph(source, pieces);
    expect(vectors[0]).toBe(vectors[1]);
    expect(graph.outputs).toEqual([vectors[0]]);
    const compared = differenceGraph(source, pieces, vectors, 16);
    expect(compared.graph.inputs).toEqual([compared.graph.inputs[0], compared.references[0]]);
    expect(compared.probes).toHaveLength(2);
  });

  it('should hand on what only float64 holds in float64, and low precision in float32', () => {
    const dtypes = ['bfloat16', 'float16', 'float32', 'float64'] as const;
    const values = dtypes.map(dtype => makeValue(dtype, dtype, [4]));
    const sources = dtypes.map(dtype => makeValue(`${dtype}_in`, dtype, [4]));
    const nodes = values.map((value, i) => nodeOf('Neg', [sources[i]], value));
    const pieces = dtypes.map(dtype => ({
      value: dtype,
      reference: dtype,
      size: 4,
      start: 1,
      end: 3
    }));
    const { vectors } = piecesGraph(graphOf(sources, nodes, values), pieces);
    expect(vectors.map(({ dtype, shape }) => [dtype, shape])).toEqual([
      ['float32', [2]],
      ['float32', [2]],
      ['float32', [2]],
      ['float64', [2]]
    ]);
  });
});
