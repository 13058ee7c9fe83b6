/**
 * Passes stay linear and do not recurse: counted by how often they look at a node's operator, never by time.
 */
import { makeCastsExplicit, takeCensus } from '../../../src/autocast';
import type { IGraph, IValue } from '../../../src/model';
import { foldWeightCasts, PASS_ORDER, planGraph, validateGraph } from '../../../src/passes';
import { PASSES } from '../../../src/protocol';
import { GraphBuilder, makeRegion } from '../autocast/builder';

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
