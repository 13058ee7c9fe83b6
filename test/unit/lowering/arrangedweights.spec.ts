/** @jest-environment ./test/support/ortenvironment.cjs */
import { countCasts } from '../../../src/autocast';
import { CPU_CAPABILITIES, CUDA_CAPABILITIES, legalize, lowerToOnnx } from '../../../src/lowering';
import type { Attr, DType, IGraph, INode, IValue } from '../../../src/model';
import { castTarget, makeValue } from '../../../src/model';
import type { ITensor } from '../../../src/numerics';
import { isArrangement } from '../../../src/operators';
import cases from '../../data/aten_cases.json';
import type { CaseArgument, IAtenCase } from './atencases';
import { callGraph, parseNumber, tensorOf } from './atencases';
import { numbersOf, runOnCpu } from './device';

/** The calls of layout-only operators on float32, their first operand a weight. */
const CALLS = (cases as unknown as { cases: IAtenCase[] }).cases.flatMap((one, i) => {
  const [first] = Object.entries(one.args);
  if (first === undefined || !('tensor' in first[1]) || first[1].tensor.dtype !== 'float32') {
    return [];
  }
  const weight: CaseArgument = { tensor: { ...first[1].tensor, weight: true } };
  const call = { ...one, args: { ...one.args, [first[0]]: weight } };
  const { graph } = callGraph(call, false);
  const node = graph.nodes.at(-1)!;
  return isArrangement(node) ? [[`${i} ${one.op}`, call] as const] : [];
});

const SELF: Attr = { kind: 'input', index: 0 };

function append(
  graph: IGraph,
  op: string,
  value: IValue,
  result: IValue,
  attrs: INode['attrs']
): void {
  graph.nodes.push({
    name: result.name,
    op,
    inputs: [value],
    attrs: { self: SELF, ...attrs },
    outputs: [result],
    region: null,
    module: null,
    source: null
  });
}

/** Every result of a call on a weight of one dtype, cast to another. */
function castOfCall(call: IAtenCase, from: DType, to: DType): { graph: IGraph; inputs: ITensor[] } {
  const stored = (argument: CaseArgument): CaseArgument =>
    'tensor' in argument && argument.tensor.weight === true
      ? { tensor: { ...argument.tensor, dtype: from } }
      : argument;
  const args = Object.fromEntries(Object.entries(call.args).map(([k, v]) => [k, stored(v)]));
  const results = call.results.map(result => ({ ...result, dtype: from }));
  const { graph, inputs } = callGraph({ ...call, args, results }, false);
  graph.outputs = graph.outputs.map((value, i) => {
    const cast = makeValue(`cast_${i}`, to, value.shape);
    append(graph, 'aten._to_copy.default', value, cast, { dtype: { kind: 'dtype', value: to } });
    return cast;
  });
  return { graph, inputs: inputs.map(tensorOf) };
}

function counted(graph: IGraph): {
  activationCasts: number;
  casts: {
    node: string;
    to: DType | null;
    kind: string;
    weight: readonly string[];
    elements: number;
  }[];
} {
  const { weightCasts, activationCasts } = countCasts(graph);
  return {
    activationCasts,
    casts: weightCasts.map(({ node, kind, weight, elements }) => ({
      node: node.name,
      to: castTarget(node),
      kind,
      weight: weight.names,
      elements
    }))
  };
}

describe('casts of arranged weights', () => {
  it('should have calls of many operators', () => {
    expect(new Set(CALLS.map(([, { op }]) => op)).size).toBeGreaterThan(60);
  });

  describe.each([
    ['float32', 'bfloat16'],
    ['bfloat16', 'float32']
  ] as const)('from %s to %s', (from, to) => {
    it.each(CALLS)('should count the same exported, planned and executed: %s', async (_, call) => {
      const { graph, inputs } = castOfCall(call, from, to);
      const exported = counted(graph);
      expect(exported.activationCasts).toBe(0);
      const lowered = lowerToOnnx(graph);
      expect(counted(lowered)).toEqual(exported);
      expect(counted(legalize(lowered, CUDA_CAPABILITIES).graph)).toEqual(exported);
      const { legal, outputs, casts } = await runOnCpu(graph, inputs);
      expect(counted(legal.graph)).toEqual(exported);
      const names = exported.casts.map(({ node }) => node);
      expect(casts.filter(name => names.includes(name)).sort()).toEqual([...names].sort());
      // Numbers of the cases are exact in bfloat16.
      outputs.forEach((output, i) =>
        expect(numbersOf(output)).toEqual(call.results[i].data.map(parseNumber))
      );
    });
  });

  it('should count the cast of a selected row that is expanded to a size of an input', () => {
    const [, call] = CALLS.find(([, { op }]) => op === 'aten.select.int')!;
    const { graph } = callGraph(call, false);
    const [row] = graph.outputs;
    const x = makeValue('x', 'float32', [{ kind: 'symbol', name: 's0' }, 1]);
    const size: IValue = { ...makeValue('size', null, null), kind: 'int' };
    const wide = makeValue('wide', 'float32', [{ kind: 'symbol', name: 's0' }, row.shape![0]]);
    const cast = makeValue('cast', 'bfloat16', wide.shape);
    graph.inputs.push(x);
    append(graph, 'aten.sym_size.int', x, size, { dim: { kind: 'int', value: 0 } });
    append(graph, 'aten.expand.default', row, wide, {
      size: {
        kind: 'list',
        items: [
          { kind: 'input', index: 1 },
          { kind: 'int', value: -1 }
        ]
      }
    });
    graph.nodes.at(-1)!.inputs.push(size);
    append(graph, 'aten._to_copy.default', wide, cast, {
      dtype: { kind: 'dtype', value: 'bfloat16' }
    });
    graph.outputs = [cast];
    const kinds = (one: IGraph): string[] => countCasts(one).weightCasts.map(({ kind }) => kind);
    expect(kinds(graph)).toEqual(['stored']);
    expect(kinds(legalize(lowerToOnnx(graph), CPU_CAPABILITIES).graph)).toEqual(['stored']);
  });
});
