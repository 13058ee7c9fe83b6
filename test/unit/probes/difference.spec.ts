/**
 * Differences computed on the device against the definitions, spelled out.
 *
 * @jest-environment ./test/support/ortenvironment.cjs
 */
import { makeValue } from '../../../src/model';
import { bytesOf, normal, uniform } from '../../../src/numerics';
import type { IDifference, IPiece } from '../../../src/probes';
import {
  differenceGraph,
  differenceOf,
  executionOrder,
  mergeDifferences,
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
  const { graph, probes } = differenceGraph(graphs[0], graphs[1], pieces, 32);
  const { results } = await runGraph(graph, {
    d: tensorOf('float32', Float32Array.from(value)),
    r: tensorOf('float32', Float32Array.from(reference))
  });
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

  it('should compute the reference before anything of the value that depends on inputs', () => {
    const chain = (): ReturnType<typeof graphOf> => {
      const x = makeValue('x', 'float32', [64]);
      const values = ['a', 'b', 'c', 'd'].map(name => makeValue(name, 'float32', [64]));
      const nodes = values.map((v, i) => nodeOf('Neg', [i === 0 ? x : values[i - 1]], v));
      return graphOf([x], nodes, [values[3]]);
    };
    const pieces = ['a', 'c'].map(value => ({
      value,
      reference: value,
      size: 64,
      start: 0,
      end: 64
    }));
    const { graph } = differenceGraph(chain(), chain(), pieces, 16);
    const order = executionOrder(graph).filter(node => node.op === 'onnx.Neg');
    expect(order.map(node => node.name)).toEqual([
      'reference/a',
      'reference/b',
      'reference/c',
      'a',
      'b',
      'c'
    ]);
  });

  it('should hand the inputs on to the last bit', async () => {
    const x = makeValue('x', 'float32', [4]);
    const v = makeValue('v', 'float32', [4]);
    const source = graphOf([x], [nodeOf('Identity', [x], v)], [v]);
    const pieces = [{ value: 'v', reference: 'v', size: 4, start: 0, end: 4 }];
    const { graph } = differenceGraph(source, source, pieces, 16);
    const gate = graph.nodes.find(node => node.name === 'v')!.inputs[0]!;
    expect(gate.name).not.toBe('x');
    const bits = Float32Array.from([NaN, -0, 1e-45, Infinity]);
    const { results } = await runGraph(
      { ...graph, outputs: [...graph.outputs, gate] },
      { x: tensorOf('float32', bits) }
    );
    expect(bytesOf(results.get(gate.name)!.data)).toEqual(bytesOf(bits));
  });
});
