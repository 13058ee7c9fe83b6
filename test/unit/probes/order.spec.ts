/**
 * The order of execution and the memory that is counted in it, against what onnxruntime says it ran.
 *
 * @jest-environment ./test/support/ortenvironment.cjs
 */
import type { IGraph, INode, IValue } from '../../../src/model';
import { makeValue } from '../../../src/model';
import { uniform } from '../../../src/numerics';
import { executionOrder, peakLiveBytes, summaryGraph } from '../../../src/probes';
import { graphOf, nodeOf, runGraph, tensorOf } from './support';

/** A random graph of sums of two earlier values each; several results are never used and become outputs. */
function randomGraph(seed: number, count: number): IGraph {
  const next = uniform(seed);
  const pick = (values: readonly IValue[]): IValue =>
    values[Math.floor((1 - next() ** 2) * values.length * 0.999)];
  const x = makeValue('x', 'float32', [8]);
  const values = [x];
  const nodes: INode[] = [];
  const unused = new Set<IValue>();
  for (let i = 0; i < count; i++) {
    const operands = [pick(values), pick(values)];
    const result = makeValue(`v${i}`, 'float32', [8]);
    operands.forEach(operand => unused.delete(operand));
    nodes.push(nodeOf('Add', operands, result));
    values.push(result);
    unused.add(result);
  }
  return graphOf([x], nodes, [...unused]);
}

const feeds = { x: tensorOf('float32', new Float32Array(8)) };

describe('executionOrder', () => {
  it.each([1, 2, 3, 4, 5, 6])('should be that of the runtime: random graph %d', async seed => {
    const graph = randomGraph(seed, 40);
    const { profile } = await runGraph(graph, feeds);
    expect(executionOrder(graph).map(node => node.name)).toEqual(
      profile.kernels.map(kernel => kernel.node)
    );
  });

  it.each([1, 2, 3])('should be that of the runtime with probes: random graph %d', async seed => {
    const source = randomGraph(seed, 20);
    const { graph } = summaryGraph(source, ['v3', 'v11', 'v19', 'x'], 4, true);
    const { profile } = await runGraph(graph, feeds);
    const outermost = new Set(graph.nodes.map(node => node.name));
    expect(executionOrder(graph).map(node => node.name)).toEqual(
      profile.kernels.map(kernel => kernel.node).filter(node => outermost.has(node))
    );
  });

  it('should not run out of stack on a long chain', () => {
    const length = 100_000;
    const values = Array.from({ length: length + 1 }, (_, i) => makeValue(`v${i}`, 'float32', [1]));
    const nodes = values.slice(1).map((value, i) => nodeOf('Neg', [values[i]], value));
    expect(executionOrder(graphOf([values[0]], nodes, [values[length]]))).toEqual(nodes);
  });
});

describe('peakLiveBytes', () => {
  const sizeOf = ({ shape }: IValue): number => 4 * (shape as number[])[0];
  const value = (name: string, size: number): IValue => makeValue(name, 'float32', [size]);

  it('should count results until their last use, and outputs to the end', () => {
    const [x, a, b, c] = [value('x', 100), value('a', 10), value('b', 20), value('c', 1)];
    const nodes = [nodeOf('Relu', [x], a), nodeOf('Relu', [a], b), nodeOf('Relu', [b], c)];
    expect(peakLiveBytes(graphOf([x], nodes, [c]), sizeOf)).toBe(4 * 30);
    expect(peakLiveBytes(graphOf([x], nodes, [a, c]), sizeOf)).toBe(4 * 31);
  });

  it('should count a reshaped value once, for as long as either is used', () => {
    const [x, a, flat, b, c] = ['x', 'a', 'flat', 'b', 'c'].map(name => value(name, 10));
    const nodes = [
      nodeOf('Relu', [x], a),
      nodeOf('Reshape', [a, x], flat),
      nodeOf('Relu', [x], b),
      nodeOf('Add', [b, flat], c)
    ];
    expect(peakLiveBytes(graphOf([x], nodes, [c]), sizeOf)).toBe(4 * 30);
  });

  it('should count a reshaped value of its own where it is an output', () => {
    const [x, a, b, flat] = ['x', 'a', 'b', 'flat'].map(name => value(name, 10));
    const nodes = [
      nodeOf('Relu', [x], a),
      nodeOf('Relu', [a], b),
      nodeOf('Reshape', [b, x], flat),
      nodeOf('Relu', [b], value('c', 1))
    ];
    expect(peakLiveBytes(graphOf([x], nodes.slice(0, 3), [flat]), sizeOf)).toBe(4 * 20);
    const elsewhere = (of: IValue): number => (of === flat ? 0 : sizeOf(of));
    expect(peakLiveBytes(graphOf([x], nodes, [flat]), elsewhere)).toBe(4 * 20);
  });

  it('should add what a nested graph takes while its node runs', () => {
    const [x, a, b] = [value('x', 1), value('a', 1), value('b', 1)];
    const [inner, result] = [value('inner', 50), value('result', 2)];
    const body = graphOf(
      [],
      [nodeOf('Relu', [a], inner), nodeOf('Relu', [inner], result)],
      [result]
    );
    const node = { ...nodeOf('If', [], b), attrs: { then_branch: { kind: 'graph', value: body } } };
    const graph = graphOf([x], [nodeOf('Relu', [x], a), node as INode], [b]);
    expect(peakLiveBytes(graph, sizeOf)).toBe(4 * (1 + 1 + 52));
  });
});

describe('summaryGraph', () => {
  it('should let no value live longer than without probes', () => {
    const names = Array.from({ length: 40 }, (_, i) => makeValue(`v${i}`, 'float32', [100_000]));
    const x = makeValue('x', 'float32', [100_000]);
    const nodes = names.map((value, i) => nodeOf('Relu', [i === 0 ? x : names[i - 1]], value));
    const source = graphOf([x], nodes, [names[39]]);
    const sizeOf = ({ dtype, shape }: IValue): number =>
      (dtype === 'bool' ? 1 : dtype === 'float32' ? 4 : 8) *
      ((shape as number[] | null) ?? []).reduce((product, size) => product * size, 1);
    const plain = peakLiveBytes(source, sizeOf);
    const { graph } = summaryGraph(
      source,
      names.map(({ name }) => name),
      512
    );
    expect(plain).toBe(2 * 400_000);
    expect(peakLiveBytes(graph, sizeOf)).toBeLessThan(1.3 * plain);
  });
});
