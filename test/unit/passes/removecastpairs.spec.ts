import { removeCastPairs, validateGraph } from '../../../src/passes';
import type { DType } from '../../../src/model';
import { castTarget, changesDtype } from '../../../src/model';
import { GraphBuilder } from '../autocast/builder';

function chain(...dtypes: DType[]): GraphBuilder {
  const b = new GraphBuilder();
  let value = b.call('aten.relu.default', { self: b.input('x', dtypes[0]) });
  for (const dtype of dtypes.slice(1)) {
    value = b.cast(value, dtype);
  }
  return b.output(b.call('aten.relu.default', { self: value }));
}

const casts = (b: GraphBuilder): (DType | null)[] =>
  b.graph.nodes.filter(changesDtype).map(castTarget);

describe('removeCastPairs', () => {
  it.each<[DType, DType]>([
    ['bfloat16', 'float32'],
    ['float16', 'float32'],
    ['float32', 'float64'],
    ['bool', 'float32'],
    ['uint8', 'float16'],
    ['int32', 'float64'],
    ['float8_e5m2', 'float16']
  ])('should remove %s -> %s -> back', (narrow, wide) => {
    const b = chain(narrow, wide, narrow);
    expect(removeCastPairs.run(b.graph)).toMatchObject({
      modified: true,
      applied: 1,
      declined: []
    });
    expect(casts(b)).toEqual([]);
    expect(validateGraph(b.graph)).toEqual([]);
  });

  it.each<[DType, DType, DType]>([
    ['bfloat16', 'float32', 'float16'],
    ['bfloat16', 'float32', 'float64'],
    ['float32', 'float64', 'bfloat16'],
    ['bool', 'int64', 'float32']
  ])('should take the second cast of %s -> %s -> %s from the start', (a, b, c) => {
    const graph = chain(a, b, c);
    expect(removeCastPairs.run(graph.graph).applied).toBe(1);
    expect(casts(graph)).toEqual([c]);
  });

  it.each<[DType, DType, DType]>([
    ['float32', 'bfloat16', 'float32'],
    ['float32', 'float16', 'float32'],
    // Rounding twice is not rounding once: 1 + 2^-11 + 2^-30.
    ['float64', 'float32', 'float16'],
    // float16 has more significant bits, bfloat16 the larger range.
    ['float16', 'bfloat16', 'float16'],
    ['bfloat16', 'float16', 'bfloat16'],
    ['int64', 'float32', 'int64'],
    ['int64', 'float64', 'int64'],
    ['float32', 'int64', 'float32'],
    ['float16', 'float8_e5m2', 'float32']
  ])('should leave %s -> %s -> %s, and say why', (a, b, c) => {
    const graph = chain(a, b, c);
    const result = removeCastPairs.run(graph.graph);
    expect(result.modified).toBe(false);
    expect(result.declined).toEqual([
      {
        node: graph.graph.nodes[2].name,
        reason: `${graph.graph.nodes[1].name} casts ${a} to ${b}, which rounds`
      }
    ]);
    expect(casts(graph)).toEqual([b, c]);
  });

  it('should follow longer chains', () => {
    const b = chain('bfloat16', 'float32', 'bfloat16', 'float64', 'bfloat16', 'float32');
    removeCastPairs.run(b.graph);
    expect(casts(b)).toEqual(['float32']);
  });

  it('should keep the first cast for its other users', () => {
    const b = new GraphBuilder();
    const x = b.call('aten.relu.default', { self: b.input('x', 'bfloat16') });
    const wide = b.cast(x, 'float32');
    b.output(
      b.call('aten.neg.default', { self: wide }),
      b.call('aten.neg.default', { self: b.cast(wide, 'bfloat16') })
    );
    expect(removeCastPairs.run(b.graph).applied).toBe(1);
    expect(casts(b)).toEqual(['float32']);
  });

  it('should decline where memory is written to in place', () => {
    const b = new GraphBuilder();
    const x = b.call('aten.relu.default', { self: b.input('x', 'bfloat16') });
    const back = b.cast(b.cast(x, 'float32'), 'bfloat16');
    const write = b.node('aten.relu_.default', { self: back });
    b.output(write.outputs[0]!, b.call('aten.neg.default', { self: x }));
    const result = removeCastPairs.run(b.graph);
    expect(result.modified).toBe(false);
    expect(result.declined[0].reason).toContain(write.name);
  });

  it('should decline for outputs of the graph', () => {
    const b = new GraphBuilder();
    b.output(b.cast(b.cast(b.input('x', 'bfloat16'), 'float32'), 'bfloat16'));
    expect(removeCastPairs.run(b.graph)).toMatchObject({ modified: false });
  });

  it('should leave casts that lowering added', () => {
    const b = new GraphBuilder();
    const x = b.call('aten.relu.default', { self: b.input('x', 'bfloat16') });
    const held = b.cast(x, 'float32', { role: 'hold' });
    b.output(b.call('aten.relu.default', { self: b.cast(held, 'bfloat16') }));
    expect(removeCastPairs.run(b.graph)).toMatchObject({ modified: false, declined: [] });
  });
});
