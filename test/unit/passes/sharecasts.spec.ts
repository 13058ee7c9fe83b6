import { shareCasts, validateGraph } from '../../../src/passes';
import { changesDtype } from '../../../src/model';
import type { IGraph } from '../../../src/model';
import { dtypeAttr, GraphBuilder } from '../autocast/builder';

const castCount = (graph: IGraph): number => graph.nodes.filter(changesDtype).length;

describe('shareCasts', () => {
  it('should join casts of one value to one dtype', () => {
    const b = new GraphBuilder();
    const w = b.weight('w');
    b.output(
      b.call('aten.relu.default', { self: b.cast(w, 'bfloat16') }),
      b.call('aten.neg.default', { self: b.cast(w, 'bfloat16') })
    );
    const result = shareCasts.run(b.graph);
    expect(result).toMatchObject({ modified: true, applied: 1, declined: [] });
    expect(castCount(b.graph)).toBe(1);
    expect(b.graph.nodes[2].inputs[0]).toBe(b.graph.nodes[0].outputs[0]);
    expect(validateGraph(b.graph)).toEqual([]);
  });

  it('should join casts of tied weights', () => {
    const b = new GraphBuilder();
    const one = b.weight('embedding.weight', { storage: 'model.pt2:64:16' });
    const two = b.weight('head.weight', { storage: 'model.pt2:64:16' });
    b.output(
      b.call('aten.relu.default', { self: b.cast(one, 'bfloat16') }),
      b.call('aten.relu.default', { self: b.cast(two, 'bfloat16') })
    );
    expect(shareCasts.run(b.graph).applied).toBe(1);
    // Nothing uses the second name any more.
    expect(b.graph.weights.map(({ weight }) => weight.names[0])).toEqual(['embedding.weight']);
  });

  it('should join casts of activations', () => {
    const b = new GraphBuilder();
    const x = b.input('x');
    b.output(
      b.call('aten.relu.default', { self: b.cast(x, 'bfloat16') }),
      b.call('aten.neg.default', { self: b.cast(x, 'bfloat16') })
    );
    expect(shareCasts.run(b.graph).applied).toBe(1);
  });

  it('should follow chains', () => {
    const b = new GraphBuilder();
    const w = b.weight('w');
    const chains = [0, 1].map(() => b.cast(b.cast(w, 'bfloat16'), 'float32'));
    b.output(...chains.map(value => b.call('aten.relu.default', { self: value })));
    expect(shareCasts.run(b.graph).applied).toBe(2);
    expect(castCount(b.graph)).toBe(2);
  });

  it('should join casts however they are written', () => {
    const b = new GraphBuilder();
    const w = b.weight('w');
    const half = b.call(
      'aten.to.dtype',
      { self: w, dtype: dtypeAttr('float16') },
      { dtype: 'float16' }
    );
    b.output(
      b.call('aten.relu.default', { self: half }),
      b.call('aten.relu.default', { self: b.cast(w, 'float16') })
    );
    expect(shareCasts.run(b.graph).applied).toBe(1);
  });

  describe('should not join', () => {
    const cases: [string, (b: GraphBuilder) => void][] = [
      [
        'casts to different dtypes',
        b => {
          const w = b.weight('w');
          b.output(
            b.call('aten.relu.default', { self: b.cast(w, 'bfloat16') }),
            b.call('aten.relu.default', { self: b.cast(w, 'float16') })
          );
        }
      ],
      [
        'casts of different weights',
        b => {
          b.output(
            b.call('aten.relu.default', { self: b.cast(b.weight('a'), 'bfloat16') }),
            b.call('aten.relu.default', { self: b.cast(b.weight('b'), 'bfloat16') })
          );
        }
      ],
      [
        'casts of different parts of one storage',
        b => {
          const storage = 'model.pt2:0:64';
          b.output(
            b.call('aten.relu.default', { self: b.cast(b.weight('a', { storage }), 'bfloat16') }),
            b.call('aten.relu.default', {
              self: b.cast(b.weight('b', { storage, storageOffset: 4 }), 'bfloat16')
            })
          );
        }
      ],
      [
        'casts with other arguments',
        b => {
          const w = b.weight('w');
          const format = { kind: 'memory-format', value: 'channels_last' } as const;
          const other = b.call(
            'aten._to_copy.default',
            { self: w, dtype: dtypeAttr('bfloat16'), memory_format: format },
            { dtype: 'bfloat16' }
          );
          b.output(
            b.call('aten.relu.default', { self: b.cast(w, 'bfloat16') }),
            b.call('aten.relu.default', { self: other })
          );
        }
      ],
      [
        'casts that lowering added',
        b => {
          const w = b.weight('w', { dtype: 'bfloat16' });
          b.output(
            b.call('aten.relu.default', { self: b.cast(w, 'float32', { role: 'hold' }) }),
            b.call('aten.relu.default', { self: b.cast(w, 'float32', { role: 'hold' }) })
          );
        }
      ]
    ];
    it.each(cases)('%s', (_, build) => {
      const b = new GraphBuilder();
      build(b);
      expect(shareCasts.run(b.graph)).toMatchObject({ modified: false, applied: 0 });
    });
  });

  it('should decline where memory is written to in place, and say by what', () => {
    const b = new GraphBuilder();
    const w = b.weight('w');
    const first = b.cast(w, 'bfloat16');
    const write = b.node('aten.relu_.default', { self: first });
    const second = b.cast(w, 'bfloat16');
    b.output(write.outputs[0]!, b.call('aten.neg.default', { self: second }));
    const result = shareCasts.run(b.graph);
    expect(result.modified).toBe(false);
    expect(result.declined).toEqual([
      { node: second.name, reason: `${write.name} writes to it in place` }
    ]);
  });

  it('should decline for outputs of the graph', () => {
    const b = new GraphBuilder();
    const w = b.weight('w');
    b.output(b.cast(w, 'bfloat16'), b.cast(w, 'bfloat16'));
    const result = shareCasts.run(b.graph);
    expect(result.modified).toBe(false);
    expect(result.declined[0].reason).toContain('output');
  });

  it('should not join a cast in a body with one outside', () => {
    const b = new GraphBuilder();
    const w = b.weight('w');
    b.output(b.call('aten.relu.default', { self: b.cast(w, 'bfloat16') }));
    const inner = new GraphBuilder();
    inner.graph.name = 'body';
    const cast = inner.cast(w, 'bfloat16');
    cast.name = 'inner_cast';
    inner.graph.nodes[0].name = 'inner_cast';
    inner.output(cast);
    b.output(
      b.call('onnx.If', {
        cond: b.input('c', 'bool', []),
        then_branch: { kind: 'graph', value: inner.graph }
      })
    );
    expect(shareCasts.run(b.graph).modified).toBe(false);
    expect(validateGraph(b.graph)).toEqual([]);
  });
});
