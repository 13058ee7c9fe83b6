import { hoistCasts, validateGraph } from '../../../src/passes';
import { weightCastsOf } from '../../../src/autocast';
import type { IGraph, IValue } from '../../../src/model';
import { GraphBuilder } from '../autocast/builder';

const ops = (graph: IGraph): string[] => graph.nodes.map(node => node.op.split('.')[1]);

function transpose(b: GraphBuilder, value: IValue): IValue {
  const shape = [...(value.shape as number[])].reverse();
  return b.call('aten.t.default', { self: value }, { shape });
}

function slice(b: GraphBuilder, value: IValue, start: number, end: number): IValue {
  const [, ...rest] = value.shape as number[];
  return b.call(
    'aten.slice.Tensor',
    { self: value, dim: 0, start, end },
    { shape: [end - start, ...rest] }
  );
}

describe('hoistCasts', () => {
  it('should move a weight cast above a transposition', () => {
    const b = new GraphBuilder();
    const w = b.weight('w', { shape: [4, 6] });
    b.output(b.call('aten.relu.default', { self: b.cast(transpose(b, w), 'bfloat16') }));
    const result = hoistCasts.run(b.graph);
    expect(result).toMatchObject({ modified: true, applied: 1, declined: [] });
    expect(ops(b.graph)).toEqual(['_to_copy', 't', 'relu']);
    expect(b.graph.nodes[0].inputs[0]).toBe(w);
    expect(b.graph.nodes[0].outputs[0]).toMatchObject({ dtype: 'bfloat16', shape: [4, 6] });
    expect(b.graph.nodes[1].outputs[0]).toMatchObject({ dtype: 'bfloat16', shape: [6, 4] });
    expect(validateGraph(b.graph)).toEqual([]);
  });

  it('should keep the uncast view for its other users', () => {
    const b = new GraphBuilder();
    const view = transpose(b, b.weight('w', { shape: [4, 6] }));
    b.output(
      b.call('aten.relu.default', { self: b.cast(view, 'bfloat16') }),
      b.call('aten.neg.default', { self: view })
    );
    hoistCasts.run(b.graph);
    expect(ops(b.graph)).toEqual(['t', '_to_copy', 't', 'relu', 'neg']);
    expect(validateGraph(b.graph)).toEqual([]);
  });

  it('should move a cast above several operators at once', () => {
    const b = new GraphBuilder();
    const w = b.weight('w', { shape: [4, 6] });
    const flat = b.call(
      'aten.view.default',
      { self: transpose(b, w), size: [24] },
      { shape: [24] }
    );
    b.output(b.call('aten.relu.default', { self: b.cast(flat, 'bfloat16') }));
    hoistCasts.run(b.graph);
    expect(ops(b.graph)).toEqual(['_to_copy', 't', 'view', 'relu']);
  });

  it('should make a cast behind an expansion smaller', () => {
    const b = new GraphBuilder();
    const w = b.weight('w', { shape: [1, 6] });
    const wide = b.call('aten.expand.default', { self: w, size: [100, 6] }, { shape: [100, 6] });
    b.output(b.call('aten.relu.default', { self: b.cast(wide, 'bfloat16') }));
    expect(weightCastsOf(b.graph)[0].bytesMoved).toBe(3600);
    hoistCasts.run(b.graph);
    expect(weightCastsOf(b.graph)[0].bytesMoved).toBe(36);
  });

  it('should decline above a slice, where more would be cast', () => {
    const b = new GraphBuilder();
    const w = b.weight('w', { shape: [4, 6] });
    const part = slice(b, w, 0, 1);
    const cast = b.cast(part, 'bfloat16');
    b.output(b.call('aten.relu.default', { self: cast }));
    const result = hoistCasts.run(b.graph);
    expect(result.modified).toBe(false);
    expect(result.declined).toEqual([
      {
        node: cast.name,
        reason: `above ${part.name} (aten.slice.Tensor) it would cast 24 elements instead of 6`
      }
    ]);
  });

  it('should move up as far as it can', () => {
    const b = new GraphBuilder();
    const w = b.weight('w', { shape: [4, 6] });
    b.output(
      b.call('aten.relu.default', { self: b.cast(transpose(b, slice(b, w, 0, 1)), 'bfloat16') })
    );
    const result = hoistCasts.run(b.graph);
    expect(result.applied).toBe(1);
    expect(result.declined).toHaveLength(1);
    expect(ops(b.graph)).toEqual(['slice', '_to_copy', 't', 'relu']);
  });

  it('should cast a weight as a whole where all of its parts are cast', () => {
    const b = new GraphBuilder();
    const w = b.weight('in_proj_weight', { shape: [6, 2] });
    const parts = [0, 2, 4].map(start => b.cast(slice(b, w, start, start + 2), 'bfloat16'));
    b.output(...parts.map(part => b.call('aten.relu.default', { self: part })));
    const result = hoistCasts.run(b.graph);
    expect(result).toMatchObject({ applied: 3, declined: [] });
    const casts = weightCastsOf(b.graph);
    expect(casts).toHaveLength(1);
    expect(casts[0].elements).toBe(12);
    expect(validateGraph(b.graph)).toEqual([]);
  });

  it('should do the same for the parts of a split', () => {
    const b = new GraphBuilder();
    const w = b.weight('w', { shape: [4, 2] });
    const split = b.node(
      'aten.split.Tensor',
      { self: w, split_size: 2 },
      { shape: [2, 2], count: 2 }
    );
    b.output(
      ...split.outputs.map(part => b.call('aten.relu.default', { self: b.cast(part!, 'bfloat16') }))
    );
    hoistCasts.run(b.graph);
    expect(ops(b.graph)).toEqual(['_to_copy', 'split', 'relu', 'relu']);
    expect(validateGraph(b.graph)).toEqual([]);
  });

  it('should not cast a weight as a whole where parts of it go to different dtypes', () => {
    const b = new GraphBuilder();
    const w = b.weight('w', { shape: [4, 2] });
    b.output(
      b.call('aten.relu.default', { self: b.cast(slice(b, w, 0, 2), 'bfloat16') }),
      b.call('aten.relu.default', { self: b.cast(slice(b, w, 2, 4), 'float16') })
    );
    expect(hoistCasts.run(b.graph).applied).toBe(0);
  });

  it('should decline above as_strided', () => {
    const b = new GraphBuilder();
    const w = b.weight('w', { shape: [4, 6] });
    const odd = b.call(
      'aten.as_strided.default',
      { self: w, size: [24], stride: [1] },
      { shape: [24] }
    );
    b.output(b.call('aten.relu.default', { self: b.cast(odd, 'bfloat16') }));
    const result = hoistCasts.run(b.graph);
    expect(result.modified).toBe(false);
    expect(result.declined[0].reason).toContain('layout in memory');
  });

  it('should decline where memory is written to in place', () => {
    const b = new GraphBuilder();
    const w = b.weight('w');
    const view = transpose(b, w);
    b.output(b.call('aten.neg.default', { self: b.cast(view, 'bfloat16') }));
    b.call('aten.relu_.default', { self: view });
    const result = hoistCasts.run(b.graph);
    expect(result.modified).toBe(false);
    expect(result.declined[0].reason).toContain('in place');
  });

  it('should leave activation casts', () => {
    const b = new GraphBuilder();
    b.output(b.call('aten.relu.default', { self: b.cast(transpose(b, b.input('x')), 'bfloat16') }));
    expect(hoistCasts.run(b.graph)).toMatchObject({ modified: false, declined: [] });
  });

  it('should leave casts that sit on their weight', () => {
    const b = new GraphBuilder();
    b.output(b.call('aten.relu.default', { self: b.cast(b.weight('w'), 'bfloat16') }));
    expect(hoistCasts.run(b.graph)).toMatchObject({ modified: false, declined: [] });
  });
});
