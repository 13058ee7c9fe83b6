/** Graphs of one node or a few, and running them with probes on onnxruntime's CPU provider. */
import type { DType, IGraph, INode, IValue } from '../../../src/model';
import { makeValue } from '../../../src/model';
import { writeOnnx } from '../../../src/formats';
import type { ElementArray, ITensor } from '../../../src/numerics';
import type { IDifference, ISummary, ISummaryPorts } from '../../../src/probes';
import { readSummary } from '../../../src/probes';
import type { IProfile } from '../../../src/runtime';
import { parseDevice, RuntimeSession } from '../../../src/runtime';

/** A graph from `x -> operator -> ...`, each node named after its result. */
export function graphOf(
  inputs: readonly IValue[],
  nodes: readonly INode[],
  outputs: readonly IValue[],
  opset = 20
): IGraph {
  return {
    name: 'g',
    inputs: [...inputs],
    outputs: [...outputs],
    nodes: [...nodes],
    weights: [],
    opsets: { '': opset }
  };
}

export function nodeOf(op: string, inputs: (IValue | null)[], output: IValue): INode {
  return {
    name: output.name,
    op: `onnx.${op}`,
    inputs,
    attrs: {},
    outputs: [output],
    region: null,
    module: null,
    source: null
  };
}

/** `y = x`, as a value of a node: what is probed. */
export function identityGraph(dtype: DType, shape: readonly number[], opset?: number): IGraph {
  const x = makeValue('x', dtype, shape);
  const y = makeValue('y', dtype, shape);
  return graphOf([x], [nodeOf('Identity', [x], y)], [y], opset);
}

/** Run a graph, and say what ran. */
export async function runGraph(
  graph: IGraph,
  feeds: Readonly<Record<string, ITensor>>
): Promise<{ results: Map<string, ITensor>; profile: IProfile }> {
  const session = await RuntimeSession.create(writeOnnx(graph), {
    device: parseDevice('cpu'),
    level: 'planned',
    profile: true,
    threads: 1
  });
  try {
    const results = await session.run(new Map(Object.entries(feeds)));
    return { results, profile: session.endProfile() };
  } finally {
    await session.dispose();
  }
}

/** Elements as numbers. */
export function numbersIn(tensor: ITensor): number[] {
  return Array.from(tensor.data as ArrayLike<number | bigint>, Number);
}

/** The summary that a probe's outputs hold. */
export function summaryIn(results: ReadonlyMap<string, ITensor>, ports: ISummaryPorts): ISummary {
  const read = ({ name }: IValue): number[] => numbersIn(results.get(name)!);
  return readSummary(read(ports.shape), read(ports.counts), read(ports.figures));
}

export function tensorOf(
  dtype: DType,
  data: ElementArray,
  shape: readonly number[] = [data.length]
): ITensor {
  return { dtype, shape, data };
}

/** The definitions of IDifference, element by element. */
export function differenceByDefinition(
  value: readonly number[],
  reference: readonly number[]
): IDifference {
  const pairs = value
    .map((x, i) => [x, reference[i]] as const)
    .filter(([, r]) => Number.isFinite(r));
  const sum = (f: (x: number, r: number) => number): number =>
    pairs.reduce((total, [x, r]) => total + f(x, r), 0);
  const largest = (f: (x: number, r: number) => number): number =>
    pairs.reduce((worst, [x, r]) => Math.max(worst, f(x, r)), 0);
  const scale = largest((_, r) => Math.abs(r));
  if (pairs.some(([x]) => !Number.isFinite(x))) {
    const [worst, none] = [Infinity, null];
    return {
      maxAbsError: worst,
      maxRelError: worst,
      maxElementRelError: worst,
      cosine: none,
      snrDb: -Infinity
    };
  }
  const errors = sum((x, r) => (x - r) ** 2);
  const lengths = Math.sqrt(sum(x => x * x) * sum((_, r) => r * r));
  return {
    maxAbsError: pairs.length === 0 ? null : largest((x, r) => Math.abs(x - r)),
    maxRelError: scale === 0 ? null : largest((x, r) => Math.abs(x - r)) / scale,
    maxElementRelError:
      scale === 0 ? null : largest((x, r) => (r === 0 ? 0 : Math.abs(x - r) / Math.abs(r))),
    cosine: lengths === 0 ? null : sum((x, r) => x * r) / lengths,
    snrDb:
      scale === 0 ? null : errors === 0 ? Infinity : 10 * Math.log10(sum((_, r) => r * r) / errors)
  };
}
